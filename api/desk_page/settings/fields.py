"""A field of a form of settings: its name in the body that the API takes, its value now, and its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsField:
    """A field as the template writes it.

    Attributes:
        name: with slashes where the body has objects in objects.
        kind: `many`: some of the choices; `order`: some of them, in an order; else as HTML calls it.
        choices: values and their words.
        least, most: of a number; `most` of a text: characters; None: no limit.
        may_be_none: nothing typed means null.
        is_needed: something has to be typed.
    """

    name: str
    kind: Literal["text", "number", "color", "check", "choice", "many", "order", "time", "email"]
    value: Any
    label: str
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()
    least: float | None = None
    most: float | None = None
    may_be_none: bool = False
    is_needed: bool = False

    @property
    def id(self) -> str:
        """Its id on the page."""
        return self.name.replace("/", "-")


class Fields:
    """Makes fields whose words stand in a catalog under `set_` and their name."""

    def __init__(self, t: Mapping[str, str]) -> None:
        """Take the words of a language."""
        self._t = t

    def make(self, name: str, kind: Any, value: Any, **more: Any) -> SettingsField:
        """Make a field."""
        key = "set_" + name.replace("/", "_")
        shown = "" if value is None else f"{value:g}" if isinstance(value, float) else value
        return SettingsField(
            name=name, kind=kind, value=shown, label=self._t[key], hint=self._t.get(f"{key}_hint", ""), **more
        )

    def choices(self, name: str, values: Sequence[str]) -> list[tuple[str, str]]:
        """Give the words of choices, which stand under `set_`, the name and the value."""
        return [(value, self._t[f"set_{name}_{value}"]) for value in values]

    def word(self, name: str) -> str:
        """Give a word, which stands under `set_`."""
        return self._t[f"set_{name}"]
