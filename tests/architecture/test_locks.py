"""The locks fit what they lock: judged offline, by the packages that are installed from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ring.project import PROJECT_ROOT

LOCKS = ["requirements", "requirements-dev", "docs/requirements", "local/ministack/requirements"]
ENTRY = re.compile(r"^([\w.-]+)==([^\s;]+)(?: ; (.+?))? \\$")


@dataclass
class Entry:
    """A version of a package in a lock; it may be one of several, by marker."""

    version: str
    marker: Marker | None
    hashes: int = 0

    @property
    def applies(self) -> bool:
        return self.marker is None or self.marker.evaluate()


def locked(name: str) -> dict[str, list[Entry]]:
    """Read a lock, in which every line is an entry, a hash, an option or a comment."""
    entries: dict[str, list[Entry]] = {}
    last: Entry | None = None
    for line in (PROJECT_ROOT / f"{name}.txt").read_text().splitlines():
        if found := ENTRY.match(line):
            last = Entry(found[2], Marker(found[3]) if found[3] else None)
            entries.setdefault(canonicalize_name(found[1]), []).append(last)
        elif line.startswith("    --hash=sha256:"):
            assert last is not None
            last.hashes += 1
        else:
            assert re.match(r"^ *#", line), f"{name}.txt: no lock has this line: {line}"
    return entries


def wanted(name: str) -> Iterator[Requirement]:
    """Read what is asked for: by the file, and by those that it includes."""
    for line in (PROJECT_ROOT / f"{name}.in").read_text().splitlines():
        if line.startswith("-r "):
            yield from wanted(line.removeprefix("-r ").removesuffix(".in"))
        elif line and not line.startswith(("#", "-c ")):
            yield Requirement(line)


def installable(name: str) -> dict[str, str]:
    """Read the version of each package that a lock installs on this machine."""
    here = {package: [e for e in all_ if e.applies] for package, all_ in locked(name).items()}
    return {package: entries[0].version for package, entries in here.items() if entries}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_is_asked_for_in_a_version_that_is_allowed(name: str) -> None:
    found = installable(name)
    asked = list(wanted(name))
    assert asked
    for one in asked:
        version = found.get(canonicalize_name(one.name))
        assert version is not None, f"{name}.txt lacks {one}: make locks"
        assert one.specifier.contains(version), f"{name}.txt has {one.name} {version}: make locks"


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_of_every_package_is_known_by_its_hash(name: str) -> None:
    assert [p for p, entries in locked(name).items() if not all(e.hashes for e in entries)] == []


def test_both_locks_have_one_version_of_what_is_in_both() -> None:
    develop = locked("requirements-dev")
    for package, entries in locked("requirements").items():
        assert [e.version for e in entries] == [e.version for e in develop.get(package, [])]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_a_lock_has_all_that_its_packages_need_and_nothing_that_none_needs(name: str) -> None:
    found = installable(name)
    reached: set[tuple[str, str]] = set()
    ahead = [(one, "") for one in wanted(name)]
    while ahead:
        need, by = ahead.pop()
        package = canonicalize_name(need.name)
        assert package in found, f"{by} needs {need}, which {name}.txt lacks: make locks"
        assert need.specifier.contains(found[package], prereleases=True), f"{by} needs {need}"
        for extra in ["", *need.extras]:
            if (package, extra) not in reached:
                reached.add((package, extra))
                ahead += [(one, package) for one in needs_of(package, extra)]
    assert {package for package, _ in reached} == set(found)


def needs_of(package: str, extra: str) -> Iterator[Requirement]:
    """Read what an installed package needs here, for one of its extras."""
    try:
        needs = requires(package) or []
    except PackageNotFoundError:
        pytest.fail(f"{package} is locked and not installed: make setup")
    for need in map(Requirement, needs):
        if need.marker is None or need.marker.evaluate({"extra": extra}):
            yield need


def test_pulumis_program_and_its_cli_are_of_one_major_version() -> None:
    module = (PROJECT_ROOT / "local/pulumi-cli/go.mod").read_text()
    cli = re.search(r"^require github\.com/pulumi/pulumi/pkg/v3 v(\d+)\.(\d+)\.", module, re.M)
    assert cli
    sdk = installable("requirements")["pulumi"].split(".")
    assert cli[1] == sdk[0]
    assert int(cli[2]) >= int(sdk[1]), "a CLI may be newer than the package, not older"
