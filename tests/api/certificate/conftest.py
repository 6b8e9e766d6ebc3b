"""The same application and phone as where proofs are tested."""

from tests.api.proofs.fixtures import (  # noqa: F401 (fixtures)
    app_parts,
    append,
    begin,
    make_phone,
    phone,
    proof_config,
    proof_store,
    proofs_of,
    upload,
)
