"""The backend that a ring's state is in, and what a killed CLI left in it."""

from pathlib import Path

import pytest

from operate.deployment.backend import backend_from, remove_empty_attributes


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A backend's files of attributes: some are empty."""
    names = {
        "empty": "stacks/dynamodb-ring/prod.json.attrs",
        "of a lock": "locks/organization/dynamodb-ring/prod/1.json.attrs",
        "of the backend": "meta.yaml.attrs",
        "whole": "stacks/dynamodb-ring/dev.json.attrs",
        "a state": "stacks/dynamodb-ring/prod.json",
        "of a plugin": "plugins/aws/of.attrs",
    }
    found = {}
    for name, path in names.items():
        found[name] = tmp_path / "my state" / ".pulumi" / path
        found[name].parent.mkdir(parents=True, exist_ok=True)
        found[name].write_bytes(b"{}" if name == "whole" else b"")
    return found


@pytest.mark.parametrize("url", ["file://{}/my state", "file://{}/my%20state?no_tmp_dir=true"])
def test_empty_attributes_are_removed_and_nothing_else(
    files: dict[str, Path], tmp_path: Path, url: str
) -> None:
    remove_empty_attributes(url.format(tmp_path))
    assert {name for name, file in files.items() if file.exists()} == {
        "whole",
        "a state",
        "of a plugin",
    }


@pytest.mark.parametrize("backend", [None, "s3://my-state", "file:///nowhere"])
def test_other_backends_have_none(backend: str | None) -> None:
    remove_empty_attributes(backend)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder that names no backend, for a user who is logged in nowhere."""
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: orders\nruntime: python\n")
    return folder


@pytest.mark.parametrize(
    ("named", "used"),
    [
        ("s3://my-state", "s3://my-state"),
        ("file://~", "file://~?metadata=skip"),
        ("file:///state?no_tmp_dir=true", "file:///state?no_tmp_dir=true&metadata=skip"),
        ("file:///state?metadata=skip", "file:///state?metadata=skip"),
    ],
)
def test_files_of_attributes_are_not_written_to_any_backend_of_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, named: str, used: str
) -> None:
    assert backend_from(None, project) == {}
    (project / "Pulumi.yaml").write_text(f"name: orders\nbackend:\n  url: {named}\n")
    assert backend_from(None, project) == {"PULUMI_BACKEND_URL": used}
    monkeypatch.setenv("PULUMI_BACKEND_URL", named)
    assert backend_from(None, None) == {"PULUMI_BACKEND_URL": used}
    assert backend_from("s3://given", project) == {"PULUMI_BACKEND_URL": "s3://given"}


def test_a_relative_backend_is_that_of_the_folder_that_names_it(project: Path) -> None:
    (project / "Pulumi.yaml").write_text("name: orders\nbackend:\n  url: file://state\n")
    used = {"PULUMI_BACKEND_URL": f"file://{project}/state?metadata=skip"}
    assert backend_from(None, project) == used
