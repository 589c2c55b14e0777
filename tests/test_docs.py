"""The pages of docs/: those made from the code are what the code makes now, and every link leads somewhere."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from handbook import picture, problems
from handbook.made import ROOT, made
from handbook.source import Module
from handbook.texts import Source
from pages import DOCS
from routebooks.connectors.quickbooks_desktop import status_codes
from routebooks.connectors.registry import CONNECTORS

PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md"])


@pytest.fixture(scope="module")
def texts() -> Mapping[str, str]:
    return made()


def test_the_made_pages_are_those_of_the_code(texts: Mapping[str, str]) -> None:
    old = [name for name, text in texts.items() if (ROOT / name).read_bytes() != text.encode()]
    assert old == [], "write them with ./run docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    named = {DOCS / link for link in re.findall(r"\]\(([^)#]+\.md)\)", index)}
    assert {page for page in PAGES if page.is_relative_to(DOCS)} - named == {DOCS / "README.md"}
    assert "(docs/README.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_is_shown_and_stays_in_its_frame() -> None:
    assert "(docs/process.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
    drawn = ET.fromstring(picture.made())
    width, height = (float(drawn.attrib[name]) for name in ("width", "height"))
    for box in drawn.iter("{*}rect"):
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
    # the stations stand on solid ground: the picture reads the same on a dark page and on a light one
    assert all(box.attrib["fill"].startswith("#") for box in drawn.iter("{*}rect"))


def test_every_setting_is_in_the_reference(texts: Mapping[str, str]) -> None:
    page = texts["docs/reference/settings.md"]
    for name, kind in CONNECTORS.items():
        part = page.split(f"### {name}: ")[1].split("\n#")[0]
        rows = {row.split("`")[1]: row for row in part.splitlines() if row.startswith("| `")}
        assert list(rows) == [setting.name for setting in kind.settings]
        assert {name for name, row in rows.items() if "**assumed**" in row} == {
            setting.name for setting in kind.settings if setting.assumed
        }


def test_every_code_has_its_row(texts: Mapping[str, str]) -> None:
    page = texts["docs/when-a-record-is-rejected.md"]
    told = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    assert {row.code for row in status_codes.table()} <= told
    assert {met.code for met in problems.problems()} <= told
    # written another way than the generator reads them: by their look
    paths = [path for path in (ROOT / "src").rglob("*.py") if "sandbox" not in path.parts]
    whole = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    written = set(re.findall(r'code="([a-z-]+)"|Problem\(\s*"([a-z-]+)"', whole))
    assert len(written) > 100
    assert {first or second for first, second in written} - told == set()


def test_no_row_of_our_own_codes_is_without_words() -> None:
    silent = [met for met in problems.problems() if not any(met.messages)]
    assert silent == []


def reading(text: str) -> list[problems.Met]:
    """The problems of a module of one's own."""
    module = Module("routebooks.x", ast.parse(text))
    return list(problems.of(Source({"routebooks.x": module})))


def test_a_code_is_found_through_constants_callers_tables_and_conditions() -> None:
    found = reading(
        """
GONE = "it-is-gone"
TABLE = {1: ("row-one", "first"), 2: ("row-two", "second")}

def refused(what, code, hint="Wait."):
    raise ConfigError(f"{what} is refused.", hint=hint, code=code)

def a(name):
    raise refused(f"The file {name}", "file-refused")

def b():
    raise refused("The folder", code=GONE, hint="Look.")

def c(key):
    code, words = TABLE[key]
    return Problem(code, f"It is the {words}.")

def d(count):
    raise FatalError("None." if count else "Some.", code="none" if count else "some")

def e(problem):
    raise ConfigError(problem.message, code=problem.code)
"""
    )
    assert [(met.code, met.messages, met.hints) for met in found] == [
        ("file-refused", ("The file … is refused.",), ("Wait.",)),
        ("it-is-gone", ("The folder is refused.",), ("Look.",)),
        ("row-one", ("It is the first.",), ("",)),
        ("row-two", ("It is the second.",), ("",)),
        ("none", ("None.", "Some."), ("",)),
        ("some", ("None.", "Some."), ("",)),
    ]


def test_a_code_that_nobody_can_tell_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody can tell the code"):
        reading("def f(code):\n    raise ConfigError('No.', code=code)\n")
