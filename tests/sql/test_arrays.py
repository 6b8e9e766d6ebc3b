"""Columns as Postgres array text: what is written is what is read."""

import numpy as np
import pytest

from sql.arrays import array_text

LOW, HIGH = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", np.array([LOW, -1, 0, HIGH])),
        ("smallint", np.array([3, 61], np.int16)),
        ("boolean", np.array([True, False])),
        ("float8", np.array([0.1, -1e300, 5e-324, 2.0])),
        ("real", np.array([0.1, 4.2, 3.4e38, 1e-45], np.float32)),
        ("int", np.zeros(0, np.int32)),
    ],
)
async def test_postgres_reads_what_was_written(pool, kind, values):
    assert await pool.fetchval(f"SELECT $1::text::{kind}[]", array_text(values)) == values.tolist()


async def test_what_is_not_known_is_null(pool):
    assert array_text(np.array([1.5, np.nan])) == "{1.5,null}"
    assert array_text([None, 2]) == "{null,2}"
    assert array_text(np.array([7, 8, 9]), np.array([False, True, False])) == "{7,null,9}"
    assert await pool.fetchval("SELECT $1::text::int[]", "{7,null,9}") == [7, None, 9]
