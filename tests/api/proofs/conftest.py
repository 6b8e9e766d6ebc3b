"""An application that takes uploads, and a phone at the first stop of its tour."""

from tests.api.proofs.fixtures import (  # noqa: F401 (fixtures)
    app_parts,
    append,
    begin,
    bucket,
    enter,
    guard,
    make_phone,
    phone,
    proof_config,
    proof_store,
    proofs_of,
    upload,
)
