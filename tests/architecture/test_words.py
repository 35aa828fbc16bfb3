"""Words that have a better one in the trade stay out of the code."""

import re

import pytest

from ring.project import PROJECT_ROOT
from tests.architecture.graph import ROOMS

# As names or in prose: log, print or report for tell; options for wish; copy, apply or process for
# carry and bring; repair for mend; again for anew; quarantined for aside; receive for hear.
WORDS = (
    *("told", "tell", "tells", "telling", "wish", "wished", "aside", "anew", "mend", "mended"),
    *("bring", "brings", "brought", "carry", "carries", "carried", "hear", "heard", "whoever"),
    *("beneath", "way", "ways"),
)
_OLD = re.compile(r"(?<![\w-])(?:" + "|".join(WORDS) + r")(?![\w-])")
_A_FILES_POSITION = ".tell()"  # Python's own name


def old_words(text: str) -> list[str]:
    """Return the lines that have one of the words."""
    return [line for line in text.splitlines() if _OLD.search(line.replace(_A_FILES_POSITION, ""))]


def test_words_are_found_as_names_and_in_prose_and_not_in_others() -> None:
    assert old_words("told = 1\nwhat it tells\nuntold\nalways\nfile.tell()") == [
        "told = 1",
        "what it tells",
    ]


@pytest.mark.parametrize("room", [*ROOMS, "benchmarks"])
def test_the_trades_words_are_used(room: str) -> None:
    found = {
        f"{file.relative_to(PROJECT_ROOT)}: {line.strip()}"
        for file in (PROJECT_ROOT / room).rglob("*.py")
        for line in old_words(file.read_text())
    }
    assert found == set()
