"""What decoders refuse, as HTTP says it."""

from api.http.problem import BadRequest, FieldError, Invalid, Problem, TooLarge
from ingest.decode.refusals import TooMuch, Unreadable


def problem_of(refusal: Unreadable | TooMuch) -> Problem:
    """Say to a client why nothing of its message is used: 400 unreadable, 422 a part of it is, 413 too much."""
    if isinstance(refusal, TooMuch):
        return TooLarge(refusal.detail)
    if refusal.at is None or refusal.why is None:
        return BadRequest(refusal.detail)
    return Invalid(refusal.detail, errors=[FieldError(at=refusal.at, why=refusal.why)])
