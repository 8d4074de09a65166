"""The pages of docs/: those that are written from the code, and what all of them refer to."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from docs.generate import make_pages
from tests.architecture.source import ROOT

DOCS = ROOT / "docs"
FRONTEND = DOCS / "first-frontend.html"
# api("POST", `/sessions`) and api("GET", path) with its literal in the line above.
CALL = re.compile(r"""\bapi\(\s*"([A-Z]+)",\s*`([^`]+)`""")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", ["limits.md", "problems.md"])
def test_a_generated_page_is_the_one_of_the_code(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == make_pages()[name], "run: make docs"


def test_the_readme_links_to_every_page() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if not urlsplit(link).scheme and not _exists(page, link)
    ]
    assert broken == []


def test_each_decision_has_a_number_of_its_own() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{n:04}" for n in range(len(records))]
    for record in records[1:]:
        assert record.read_text(encoding="utf-8").startswith(f"# {record.name[:4]}: "), record.name


def test_every_request_of_the_first_frontend_is_in_the_document(document: dict[str, Any]) -> None:
    calls = CALL.findall(FRONTEND.read_text(encoding="utf-8"))
    assert {method for method, _ in calls} >= {"GET", "POST"}
    for method, url in calls:
        path, _, query = url.partition("?")
        operation = _find_operation(document, method, path)
        assert operation, f"{method} {path}"
        known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        assert set(re.findall(r"(?:^|&)(\w+)=", query)) <= known, url


def test_the_first_frontend_calls_the_api_in_one_way_only() -> None:
    text = FRONTEND.read_text(encoding="utf-8")
    assert text.count("fetch(") == 1
    assert len(re.findall(r"\bapi\(", text)) == len(CALL.findall(text)) + 2  # defined, repeated


def _find_operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    wanted = re.sub(r"\$\{[^}]*\}", "{}", f"/v1{path}")
    for known, item in document["paths"].items():
        if re.sub(r"\{[^}]*\}", "{}", known) == wanted:
            found: dict[str, Any] | None = item.get(method.lower())
            return found
    return None


def _exists(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    if not anchor:
        return True
    headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {_make_anchor(heading) for heading in headings}


def _make_anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
