"""Settings that no one means are a clear error in seconds, wherever they are written."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from automate import main
from ring.settings.settings import Settings, SettingsError, decode_value
from ring.settings.yaml_text import YamlError, parse_yaml, read_yaml


def laughs(first: str, each: str) -> str:
    """A few lines that stand for ten times as many values each as the one before."""
    return "\n".join([f"a0: &a0 {first}", *(each.format(n=n, of=n - 1) for n in range(1, 30))])


ALIASES = laughs("[x]", "a{n}: &a{n} [*a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}, *a{of}]")
MERGES = laughs("{b: 1}", "a{n}: &a{n}\n  b{n}: {{<<: [*a{of}, *a{of}, *a{of}, *a{of}, *a{of}]}}")

WRONG = {
    "a key that is no text": ("1: a", "a key must be text, and `1` is not"),
    "a key that looks like text": ("on: a", "a key must be text, and `on` is not"),
    "a key that is a list": ("? [a]\n: b", "a key must be text"),
    "a recursive anchor": ("a: &a [*a]", "it contains itself"),
    "an indirect one": ("a: &a {b: {c: [*a]}}", "it contains itself"),
    "nesting": (f"a: {'[' * 200_000}", "nested more than 50 levels"),
    "nested lines": ("\n".join(" " * n + "a:" for n in range(500)), "nested more than 50 levels"),
    "nesting by aliases": (laughs("[x]", "a{n}: &a{n} [[[*a{of}]]]"), "too many values"),
    "a number of 5,000 digits": (f"a: {'1' * 5000}", "a number of 5000 characters"),
    "a long fraction": (f"a: 1.{'1' * 5000}", "a number of 5002 characters"),
    "not a number": ("a: .nan", r"\.nan is not a finite number"),
    "infinite": ("a: -.inf", r"-\.inf is not a finite number"),
    "too large": ("a: 1.0e+999", "1.0e.999 is not a finite number"),
    "an alias bomb": (ALIASES, "expand to too many values"),
    "a bomb of merges": (MERGES, "expand to too many values"),
    "many values": (f"a: [{'a,' * 60_000}]", "more than 50,000 values"),
    "a key twice": ("a: 1\nb: 2\na: 3", "the key `a` occurs twice"),
    "a tab": ("a:\n\tb: 1", "cannot start any token"),
    "a null byte": ("a: \x00", "special characters are not allowed"),
    "a date that is none": ("a: 2024-99-99", "it has an invalid value"),
    "an object": ("a: !!python/object:os.system x", "could not determine a constructor"),
    "two documents": ("a: 1\n---\na: 2", "found another document"),
}
FILES = {
    "binary": (b"a: \xff\xfe", "it is not UTF-8"),
    "large": (b"a: 1\n" + b"#" * 1_000_000, "it is larger than 1 MB"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG)
def test_a_text_that_no_one_means_is_refused_with_the_reason(text: str, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlError, match=reason):
        parse_yaml(text)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("text", "reason"), FILES.values(), ids=FILES)
def test_so_is_a_file(tmp_path: Path, text: bytes, reason: str) -> None:
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(YamlError, match=reason):
        read_yaml(tmp_path / "file")


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(YamlError, match="it is larger than 1 MB"):
        read_yaml(Path("/dev/zero"))


def test_what_is_meant_is_read() -> None:
    text = "a: &a {b: 1, c: [1.5, true, null]}\nd: {<<: *a, b: 2}\n'1': &t x\ne: [*t, *t]\n"
    assert parse_yaml(text) == {
        "a": {"b": 1, "c": [1.5, True, None]},
        "d": {"b": 2, "c": [1.5, True, None]},
        "1": "x",
        "e": ["x", "x"],
    }
    assert parse_yaml("# nothing") is None


# tests/engine/test_settings_text.py compares these with Pulumi.
READ_BY_PULUMI = {
    "012345678901": 12345678901,
    "0089": 89,
    "0777": 511,
    "0o17": 15,
    "0X1f": 31,
    "0B11": 3,
    "86_400": 86_400,
    "1e3": 1000,
    "5.": 5,
    "-.5": -0.5,
    "12e45": 1.2e46,
    "1:30": "1:30",
    "yes": "yes",
    "No": "No",
    "off": "off",
    "True": True,
    "'0089'": "0089",
    "v1.0": "v1.0",
    "1.2.3": "1.2.3",
}


@pytest.mark.parametrize(("word", "value"), READ_BY_PULUMI.items(), ids=READ_BY_PULUMI)
def test_a_stacks_file_is_read_as_pulumi_reads_it(word: str, value: object) -> None:
    found = parse_yaml(f"a: {word}", as_pulumi=True)["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("word", [".inf", "-.Inf", ".NaN"])
def test_a_number_that_is_not_finite_is_refused_there_too(word: str) -> None:
    with pytest.raises(YamlError, match="is not a finite number"):
        parse_yaml(f"a: {word}", as_pulumi=True)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def expect(result: Result, reason: str) -> None:
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == 2
    assert reason in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("kind", ["a key that is no text", "nesting", "a number of 5,000 digits"])
def test_each_command_that_reads_settings_says_so(tmp_path: Path, kind: str) -> None:
    text, _ = WRONG[kind]
    (tmp_path / "Pulumi.yaml").write_text("name: dynamodb-ring\nruntime: python\n")
    (tmp_path / "Pulumi.bad.yaml").write_text(text)
    stack = ("--stack", "bad", "--folder", str(tmp_path))
    expect(run("validate", *stack), f"Cannot read {tmp_path / 'Pulumi.bad.yaml'}")
    (tmp_path / "rings.yaml").write_text(text)
    expect(
        run("validate", "--file", str(tmp_path / "rings.yaml")),
        f"Cannot read {tmp_path / 'rings.yaml'}",
    )
    prices = ("cost", "--stack", "dev", "--writes", "1", "--prices", str(tmp_path / "rings.yaml"))
    expect(run(*prices), "rings.yaml is no price list")


MEMBERS = "\n    - {region: us-east-1}\n    - {region: eu-west-1"
"""The last one is open, for more of its settings."""
MEANT = f"""\
config:
  dynamodb-ring:table: {{name: orders, partition_key: {{name: id, type: S}}}}
  dynamodb-ring:members: {MEMBERS}"""


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (", account: 012345678901}", "members[1].account: 12345678901"),
        (", paused: yes}", 'members[1].paused: "yes"'),
        ("}\n  dynamodb-ring:tags: {since: 2026-1-1}", "tags.since:"),
        ("}\n  dynamodb-ring:mapping: {record_age: 23:00:00}", 'mapping.record_age: "23:00:00"'),
    ],
)
def test_what_pulumi_reads_differently_is_an_error_before_it_deploys(
    tmp_path: Path, more: str, reason: str
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: dynamodb-ring\nruntime: python\n")
    (tmp_path / "Pulumi.bad.yaml").write_text(MEANT + more)
    expect(run("validate", "--stack", "bad", "--folder", str(tmp_path)), reason)


GIVEN = ("validate", "--table", "carts", "--key", "id:S", "--member", "us-east-1")
MORE = (*GIVEN, "--member", "eu-west-1", "--set")


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        (f"tags={'[' * 10_000}", "is no value in YAML: it is nested more than 50 levels"),
        (f"mapping.retries={'1' * 5000}", "a number of 5000 characters is too long"),
        ("mapping.retries=.nan", ".nan is not a finite number"),
        ("tags={1: a}", "a key must be text"),
        (f"members[{'1' * 5000}].region=x", "this is not the path of a setting"),
        ("members[\u0661].region=x", "this is not the path of a setting"),
        (f"{'a.' * 5000}b=1", "this is not the path of a setting"),
    ],
    ids=["deep", "digits", "nan", "key", "place", "another script's digit", "path"],
)
def test_so_does_a_setting_of_the_command_line(argument: str, reason: str) -> None:
    result = run(*MORE, argument)
    expect(result, reason)
    assert len(result.output) < 1000


@pytest.mark.parametrize("text", ["[" * 200_000, "1" * 5000, '{"a":' * 900 + "1" + "}" * 900])
def test_a_value_that_pulumi_hands_over_is_a_mistake_too(text: str) -> None:
    with pytest.raises(SettingsError, match="mapping"):
        Settings.parse({"table": {}, "members": [], "mapping": decode_value(text)})
