"""Files that are replaced at once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from operate.atomic_file import replace_text


def test_a_file_keeps_its_mode_and_a_link_to_it_stays_a_link(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("before")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_text(link, "after\r\n")
    assert file.read_bytes() == b"after\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_new_file_is_for_its_user_alone(tmp_path: Path) -> None:
    replace_text(tmp_path / "new", "text")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_what_cannot_be_written_leaves_the_file_as_it_was_and_no_other_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "file"
    file.write_text("before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        replace_text(file, "after")
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_text() == "before"
