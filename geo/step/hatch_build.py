"""Compile the step when Reparto is installed or made a wheel of; what cannot be compiled is left to NumPy."""

import sysconfig
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileHook(BuildHookInterface[Any]):
    """Hatchling's: puts the library beside its sources, and into the wheel."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Compile; a wheel with a library is for machines like this one."""
        if self.target_name != "wheel":
            return
        spec = spec_from_file_location("build", Path(self.root) / "geo/step/build.py")
        assert spec is not None
        assert spec.loader is not None
        compiler = module_from_spec(spec)
        spec.loader.exec_module(compiler)
        why_not = compiler.build()
        if why_not:
            self.app.display_warning(f"the step of a fix is not compiled, NumPy does it: {why_not}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"geo/step/{compiler.LIBRARY.name}")
