"""One value in a settings file is changed, and everything else stays as its owner wrote it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from operate.deployment.settings_file import Edit, MembersLocation, edit_member
from operate.errors import InvalidRequestError

STEPS = ("config", "dynamodb-ring:members")
FILE = """\
# The ring of production.
encryptionsalt: v1:abc
config:
  dynamodb-ring:members: # in ring order
    - region: us-east-1 # the first

    - {region: eu-west-1,   table: "orders-eu"}  # two spaces
    - kms_key:
      region: sa-east-1
      # what comes next
      state: in # for now
  aws:region: eu-west-1
"""


def edited(folder: Path, text: str, at: int, value: str = "bypassed") -> Edit:
    path = folder / "Pulumi.prod.yaml"
    path.write_bytes(text.encode())
    return edit_member(MembersLocation(path, STEPS), at, "state", value)


def changed_lines(edit: Edit) -> list[str]:
    return [line for line in edit.diff.splitlines() if line[0] in "+-"][2:]


def test_a_member_in_lines_is_given_a_line_behind_its_first(tmp_path: Path) -> None:
    assert changed_lines(edited(tmp_path, FILE, 0)) == ["+      state: bypassed"]


def test_a_member_in_braces_is_given_it_at_the_end(tmp_path: Path) -> None:
    assert changed_lines(edited(tmp_path, FILE, 1)) == [
        '-    - {region: eu-west-1,   table: "orders-eu"}  # two spaces',
        '+    - {region: eu-west-1,   table: "orders-eu", state: bypassed}  # two spaces',
    ]


def test_a_value_that_is_there_is_changed_and_its_comment_stays(tmp_path: Path) -> None:
    assert changed_lines(edited(tmp_path, FILE, 2)) == [
        "-      state: in # for now",
        "+      state: bypassed # for now",
    ]


def test_what_is_said_already_is_not_written(tmp_path: Path) -> None:
    assert edited(tmp_path, FILE, 2, "in").diff == ""


@pytest.mark.parametrize(
    "members",
    [
        "[{region: us-east-1,}, {region: eu-west-1}]",
        "\n  - region: us-east-1",
        "\n  - writer_secret: {arn: a}\n    # of it\n    region: us-east-1",
        "\n  - writer_secret:\n      arn: a\n\n    region: us-east-1\n  # the end\n",
        "\n  -\n    region: us-east-1\n",
    ],
)
def test_however_it_is_written_it_says_so_afterwards(tmp_path: Path, members: str) -> None:
    text = f"config:\n  dynamodb-ring:members: {members}"
    after = yaml.safe_load(edited(tmp_path, text, 0).after)
    before = yaml.safe_load(text)
    before["config"]["dynamodb-ring:members"][0]["state"] = "bypassed"
    assert after == before


def test_lines_end_as_they_did(tmp_path: Path) -> None:
    edit = edited(tmp_path, FILE.replace("\n", "\r\n"), 0)
    edit.write()
    written = edit.path.read_bytes()
    assert written.count(b"\n") == written.count(b"\r\n") == FILE.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        "base: &base {region: us-east-1}\nconfig:\n  dynamodb-ring:members: [*base, *base]\n",
        'config:\n  dynamodb-ring:members: \'[{"region": "us-east-1"}]\'\n',
        "base: &b\n  a: 1\nconfig:\n  dynamodb-ring:members: {}\n",
        "config:\n  dynamodb-ring:members:\n  - ? region\n    : us-east-1\n",
        "config:\n  dynamodb-ring:members:\n  - region: >-\n      us-east-1\n    writer_secret:\n"
        "      arn: a\n",
    ],
)
def test_where_its_place_is_not_plain_it_is_shown_what_to_write(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        InvalidRequestError, match=r"Write `state: bypassed` at config\.dynamodb-ring:members"
    ):
        edited(tmp_path, text, 0)


def test_the_file_is_written_at_once_keeps_its_mode_and_a_link_to_it(tmp_path: Path) -> None:
    edit = edited(tmp_path, FILE, 0)
    real = edit.path.rename(tmp_path / "elsewhere.yaml")
    real.chmod(0o640)
    edit.path.symlink_to(real)
    edit.write()
    assert edit.path.is_symlink()
    assert real.read_text() == edit.after
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Pulumi.prod.yaml", "elsewhere.yaml"]


def test_what_somebody_has_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    edit = edited(tmp_path, FILE, 0)
    edit.path.write_text("theirs")
    with pytest.raises(InvalidRequestError, match="has been changed meanwhile"):
        edit.write()
    assert edit.path.read_text() == "theirs"
