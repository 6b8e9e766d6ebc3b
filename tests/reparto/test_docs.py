"""The reference pages have an entry for everything there is, and for nothing else; links lead somewhere."""

import re
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import asdict
from prometheus_client import REGISTRY

import ingest.track.tracker  # noqa: F401 (declares its metrics)
import reparto.run.asked
import reparto.run.jobs  # noqa: F401 (likewise)
from api.http.operation import DECLARED, Operation, Who
from api.http.problem import Problem
from geo.trust.clean import UNBELIEVED, Flag, names
from ingest.decode.refusals import Refusal
from reparto.cli import COMMANDS
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.account.settings import AccountSettings

HOUSE = Path(__file__).resolve().parents[2]
DOCS = HOUSE / "docs"


def rows(page: str) -> list[list[str]]:
    """The rows of all tables of a reference page, without their headings."""
    lines = (DOCS / "reference" / page).read_text().splitlines()
    tables = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    heads = {index - 1 for index, row in enumerate(tables) if set(row[0]) == {"-"}}
    return [row for index, row in enumerate(tables) if index not in heads and set(row[0]) != {"-"}]


def code(cell: str) -> list[str]:
    """The words in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def operations() -> list[Operation]:
    settings = Settings()
    return [operation for _, operation in create_app(settings, settings.database)[DECLARED]]


def test_settings_have_their_row_with_their_default() -> None:
    told = {code(row[0])[0]: (code(row[1]) or [""])[0] for row in rows("settings.md")}
    assert told == {name: str(value) for name, value in Settings().shown().items()}


def test_settings_say_what_they_do() -> None:
    assert all(row[2] for row in rows("settings.md"))


def test_settings_of_an_account_have_their_row_with_their_default() -> None:
    told = {code(row[0])[0]: (code(row[1]) or [""])[0] for row in rows("account.md")}
    ours = {name: msgspec.json.encode(value).decode() for name, value in asdict(AccountSettings()).items()}
    assert told == ours | {"failure_reasons": ""}


def test_problems_have_their_row_with_their_status() -> None:
    def kinds(of: type[Problem]) -> set[type[Problem]]:
        return {of, *(kind for child in of.__subclasses__() for kind in kinds(child))}

    ours = {
        kind.type: str(kind.status)
        for kind in kinds(Problem)
        if kind.__module__.split(".")[0] in ("api", "ingest", "work")
    }
    ours |= {"method-not-allowed": "405", "internal": "500"}
    assert {code(row[0])[0]: row[1] for row in rows("problems.md")} == ours


def test_routes_have_their_row_with_who_may_call_them() -> None:
    told = {re.sub(r"\{\w+\}", "{}", code(row[0])[0]): row[1] for row in rows("routes.md")}
    ours = {re.sub(r"\{[^}]*\}", "{}", f"{one.method} {one.path}"): one.who for one in operations()}
    assert told.keys() == ours.keys()
    for route, who in ours.items():
        if who is not Who.ANYONE:
            assert told[route] == who.name.lower(), route
        else:
            assert told[route] in ("", "link", "ingest token", "device"), route


def test_metrics_have_their_row_with_their_kind() -> None:
    told = {code(row[0])[0]: row[1] for row in rows("metrics.md")}
    ours = {}
    for metric in REGISTRY.collect():
        if metric.name.startswith("reparto_"):
            ours[metric.name + ("_total" if metric.type == "counter" else "")] = metric.type
    assert told == ours


def test_refusals_have_their_row() -> None:
    told = {word for row in rows("refusals.md") for word in code(row[0])}
    assert {refusal.why for refusal in Refusal} <= told


def test_flags_have_their_row_and_whether_they_are_believed() -> None:
    told = {code(row[0])[0]: row[2] for row in rows("refusals.md") if row[-1] in ("yes", "no")}
    assert told == {names(flag)[0]: "no" if flag & UNBELIEVED else "yes" for flag in Flag}


def test_commands_have_their_row() -> None:
    told = {phrase.split()[1] for row in rows("commands.md") for phrase in code(row[0])}
    assert told == set(COMMANDS)


def test_a_word_has_one_row_in_the_glossary() -> None:
    words = [row[0] for row in rows("glossary.md")]
    assert len(words) == len(set(words))


MAKE = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(), re.MULTILINE))
PAGES = sorted([*DOCS.rglob("*.md"), *HOUSE.glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)", (DOCS / "index.md").read_text()))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}
    assert pages <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_files_that_pages_name_are_there(page: Path) -> None:
    named = re.findall(r"`((?:api|geo|ingest|reparto|sql|tests)/[\w./]+\.\w+)`", page.read_text())
    assert [path for path in named if not (HOUSE / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(HOUSE)))
def test_pages_name_only_settings_and_commands_that_exist(page: Path) -> None:
    text = page.read_text()
    known = {
        f"REPARTO_{one.name.upper()}" for part in fields(Settings) for one in fields(getattr(Settings(), part.name))
    }
    known |= {"REPARTO_CONFIG", "REPARTO_TEST_PG_BIN", "REPARTO_"}
    assert set(re.findall(r"\bREPARTO_[A-Z_]*", text)) <= known
    assert set(re.findall(r"`reparto ([a-z]+)", text)) <= COMMANDS.keys()
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= MAKE
