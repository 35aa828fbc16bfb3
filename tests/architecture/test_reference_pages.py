"""The references in docs/ are generated, and not stale."""

import pytest

from automate import main as automate
from docs.generate import PAGES, REFERENCE, all_commands, cli_page, settings_page
from ring.project import PROJECT_ROOT
from ring.settings.settings import Settings
from tests.support.json_fields import sections


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text() == PAGES[name](), "stale: run `make docs-reference`"


def test_every_setting_has_its_values_and_a_meaning() -> None:
    rows = [line.split(" | ") for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    for row in rows:
        assert len(row) == 4, row
        assert all(cell.strip(" |") for cell in row), row


@pytest.mark.parametrize("section", Settings.model_fields)
def test_every_section_has_a_heading(section: str) -> None:
    assert f"\n## {section}\n" in settings_page()


def test_every_command_has_its_options_and_examples() -> None:
    for part in cli_page().split("\n## ")[2:]:
        assert "| option | meaning |" in part or "```console\n$ ./automate.py " in part


def test_every_command_with_json_has_a_section_in_its_reference() -> None:
    headings = {name for heading in sections() for name in heading.split(", ")}
    names = {
        name
        for name, command in all_commands(automate)
        if any(param.name == "as_json" for param in command.params)
    }
    assert len(names) > 20
    assert {name for name in names if not {name, name.split()[0]} & headings} == set()


def test_the_site_has_every_page_in_its_navigation() -> None:
    """`make docs` fails otherwise, minutes later."""
    navigation = (PROJECT_ROOT / "mkdocs.yml").read_text()
    docs = PROJECT_ROOT / "docs"
    pages = {str(page.relative_to(docs)) for page in docs.rglob("*.md")}
    assert {page for page in pages if page not in navigation} == set()
