"""Things that are done for many: what becomes of one is no matter of the others."""

import asyncio

import asyncpg
import pytest

from work.job import for_each, in_turn


@pytest.mark.parametrize("do_all", [for_each, in_turn])
@pytest.mark.parametrize("error", [KeyError, asyncpg.LockNotAvailableError])
async def test_one_that_fails_ends_no_other_and_is_raised_when_all_are_over(do_all, error):
    done = []

    async def do(number):
        if number in (1, 3):
            raise error(number)
        await asyncio.sleep(0)
        done.append(number)

    with pytest.raises(error) as failed:
        await do_all([1, 2, 3, 4], do)
    assert failed.value.args == (1,)
    assert done == [2, 4]


async def test_in_turn_nothing_more_is_tried_while_the_database_is_away():
    done = []

    async def do(number):
        done.append(number)
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await in_turn([1, 2], do)
    assert done == [1]
