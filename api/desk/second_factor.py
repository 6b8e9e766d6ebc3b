"""What is asked for beside the password, of whoever wants it so: a code of their phone, or a recovery code."""

import hashlib

from aiohttp import web

from api.desk.codes import hash_of_recovery, step_of
from api.http.app_keys import POOL, SEALER, now_of
from api.http.problem import Problem
from api.http.shares.attempts import admit_attempt
from sql.desk import factors
from sql.pool import Db, Pool
from sql.portal import limits

CODES_OF_A_PERSON, CODE_WINDOW_S = 5, 900.0
"""Wrong ones; a million codes, three of which count, are not guessed so."""


class SecondFactorNeeded(Problem):
    """The password is theirs, and a code is missing."""

    status = 401
    type = "second-factor-needed"
    title = "A code of your phone is needed too"

    def __init__(self) -> None:
        super().__init__("Send `code` too: the six digits that your app shows, or a recovery code.")


class SecondFactorWrong(Problem):
    """The code does not count."""

    status = 401
    type = "second-factor-wrong"
    title = "This code does not count"

    def __init__(self) -> None:
        super().__init__("It is none of your phone's now, or it was used; see that the clock of the phone is right.")


async def ask_second_factor(request: web.Request, person_id: int, code: str | None) -> None:
    """Make sure that somebody who knows the password has the phone too, if they want that asked. Uses the code up.

    Raises:
        SecondFactorNeeded: there is no code.
        SecondFactorWrong: it does not count, or does not any more.
        TooManyRequests: that was tried too often.
    """
    totp = await factors.totp_of(request.app[POOL], person_id)
    if totp is None or not totp.is_confirmed:
        return
    if not code:
        raise SecondFactorNeeded
    await take_code(request, request.app[POOL], person_id, totp, code)


async def take_code(request: web.Request, db: Db | Pool, person_id: int, totp: factors.Totp, code: str) -> None:
    """Use a code up; one of a secret that was not in force yet puts it in force.

    Raises:
        SecondFactorWrong: it does not count, or does not any more.
        TooManyRequests: that was tried too often.
    """
    whose = hashlib.sha256(b"codes of %d" % person_id).digest()
    await admit_attempt(request, whose, "second-factor", CODES_OF_A_PERSON, window_s=CODE_WINDOW_S)
    plain = code.replace(" ", "")
    step = step_of(bytes.fromhex(request.app[SEALER].open(totp.sealed)["secret"]), plain, now_of(request))
    if step is not None:
        is_taken = await factors.take_step(db, person_id, step)
    else:
        is_taken = totp.is_confirmed and await factors.use_recovery_code(db, person_id, hash_of_recovery(code))
    if not is_taken:
        raise SecondFactorWrong
    await limits.forget(db, whose, "second-factor")
