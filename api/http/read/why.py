"""Why a value cannot be used, in words of people: msgspec says it in words of programmers."""

import re
from ast import literal_eval

_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a time",
    "date": "a date",
    "uuid": "a UUID",
    "bytes": "base64",
}

_UNREADABLE = {
    "Invalid RFC3339 encoded datetime": "must be a time like 2026-03-02T13:45:00-05:00",
    "Invalid RFC3339 encoded date": "must be a date like 2026-03-02",
    "Invalid UUID": "must be a UUID, like 1cdb67d9-a065-4f5a-9610-d7f966b8b97d",
    "Invalid base64 encoded string": "must be base64",
}

_WITH_ZONE = "must be a time with its zone, like 2026-03-02T13:45:00-05:00"
_EXPECTED = re.compile(r"Expected `(?P<kinds>[a-z |]+)`(?P<more>.*)", re.DOTALL)
_GOT = re.compile(r", got `(?P<kind>\w+)`")
_LENGTH = re.compile(r" of length (?P<sign>[<>]=) (?P<number>\d+)")
_BOUND = re.compile(r" (?P<sign>[<>]=?) (?P<number>-?[\d.e+]+)")
_FORM = re.compile(r""" matching regex (?P<literal>'([^'\\]|\\.)*'|"([^"\\]|\\.)*")""", re.DOTALL)

_SIGNS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_NOT_BLANK = r"\S"
_UNITS = {"str": ("character", "characters"), "array": ("entry", "entries"), "object": ("field", "fields")}


def why_of(said: str) -> str:
    """Say in words of people what msgspec said of a value; what it is not known to say stays as it is."""
    if said in _UNREADABLE:
        return _UNREADABLE[said]
    expected = _EXPECTED.fullmatch(said)
    if expected is None or not (kinds := _kinds(expected["kinds"])):
        return said
    more = expected["more"]
    if got := _GOT.fullmatch(more):
        return f"must be {kinds}, not {_KINDS.get(got['kind'], got['kind'])}"
    if length := _LENGTH.fullmatch(more):
        one, many = _UNITS.get(expected["kinds"], ("", ""))
        number = length["number"]
        return f"must have {_SIGNS[length['sign']]} {number} {one if number == '1' else many}".rstrip()
    if bound := _BOUND.fullmatch(more):
        return f"must be {kinds}, {_SIGNS[bound['sign']]} {float(bound['number']):.15g}"
    if form := _FORM.fullmatch(more):
        pattern = literal_eval(form["literal"])
        return "must not be blank" if pattern == _NOT_BLANK else f"must be of the form {pattern}"
    return _WITH_ZONE if more == " with a timezone component" else said


def _kinds(named: str) -> str:
    """Name what a value may be; empty when one of it is not known."""
    kinds = named.split(" | ")
    return " or ".join(_KINDS[kind] for kind in kinds) if all(kind in _KINDS for kind in kinds) else ""
