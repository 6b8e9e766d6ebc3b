"""What is wrong with a sheet, in the language of whoever sends it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from api.http.operation import Parameter
from api.http.problem import FieldError, Problem
from api.pages.catalog import LANGUAGES
from api.pages.whys import told

LANG = Parameter(name="lang", description="What is wrong is told in es, pt or en; else as the API says it, in English.")


def in_language(why: str, language: str) -> str:
    """Tell what is wrong in a language; as it is where that is none of ours, or the words are not known."""
    return told(why, language) or why if language in LANGUAGES else why


@contextmanager
def refused_in_words(request: web.Request) -> Iterator[None]:
    """Tell the problems that the block raises in the language of `?lang=`."""
    language = request.query.get("lang", "")
    try:
        yield
    except Problem as problem:
        problem.detail = in_language(problem.detail, language)
        problem.errors = [FieldError(at=one.at, why=in_language(one.why, language)) for one in problem.errors]
        raise
