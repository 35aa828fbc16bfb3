"""Where the engine finds a stack: a project's folder, or one made up for the time of an operation.

https://www.pulumi.com/docs/iac/automation-api/concepts-terminology/#workspace
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from pulumi.automation import LocalWorkspace, Stack
from pulumi.runtime import set_config

from operate.deployment.pulumi_cli import Cli
from operate.errors import InvalidRequestError, OperationFailedError
from ring.program import build
from ring.settings.settings import NAMESPACE, Settings, read_settings
from ring.settings.yaml_text import YamlError, read_yaml

PROJECT = NAMESPACE
"""The Pulumi project that rings without a project's folder belong to."""

Program = Callable[[], None]
_WORD = r"(?!\.+(/|$))[A-Za-z0-9_.-]+"  # no word of dots alone, which would lead elsewhere
_NAME = re.compile(f"({_WORD}/){{0,2}}{_WORD}")


class Workspace(LocalWorkspace):
    """A workspace that leaves the user's own alone: no stack is selected, no file written anew."""

    def __init__(
        self,
        directory: Path,
        cli: Cli,
        *,
        program: Program | None = None,
        environment: Mapping[str, str] | None = None,
        secrets_provider: str | None = None,
    ) -> None:
        super().__init__(
            work_dir=str(directory),
            program=program,
            env_vars=environment,
            secrets_provider=secrets_provider,
            pulumi_command=cli,
        )

    def select_stack(self, stack_name: str) -> None:
        """Make sure that a stack is there; StackNotFoundError if it is not."""
        self._run_pulumi_cmd_sync(["stack", "--stack", stack_name])

    def create_stack(self, stack_name: str) -> None:
        """Create a stack, in the state's backend and, where it keeps secrets, in its file."""
        provider = ["--secrets-provider", self.secrets_provider] if self.secrets_provider else []
        self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select", *provider])

    def state(self, stack_name: str) -> dict[str, Any]:
        """What Pulumi keeps of a stack, its secrets encrypted: this needs no passphrase."""
        told = self._run_pulumi_cmd_sync(["stack", "export", "--stack", stack_name]).stdout
        try:
            state: dict[str, Any] = json.loads(told)
        except ValueError as error:
            raise OperationFailedError(
                f"`pulumi stack export` answered with what is no JSON: {told[:200]!r}. See which "
                "`pulumi` is first on the PATH."
            ) from error
        return state

    def states_beside(self, stack_name: str) -> dict[str, dict[str, Any]]:
        """The states of the project's other stacks that have any resources, by their names."""
        return {
            one.name: self.state(one.name)
            for one in self.list_stacks()
            if short_name(one.name) != short_name(stack_name) and one.resource_count != 0
        }

    def put_state(self, stack_name: str, state: Mapping[str, Any]) -> None:
        """Have Pulumi keep this of a stack from now on. It refuses what does not hold together."""
        with TemporaryDirectory(prefix="ring-") as directory:
            file = Path(directory) / "state.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps(state), encoding="utf-8")
            words = ["stack", "import", "--stack", stack_name, "--file", str(file)]
            self._run_pulumi_cmd_sync(words)

    def restore_secrets_provider(self, stack_name: str) -> None:
        """Have a stack without a file encrypt as it did before.

        Pulumi keeps in the stack's file how that is done, and would start over without it: with
        whatever passphrase is given, right or wrong.
        """
        file = stack_file(Path(self.work_dir), stack_name)
        if file.exists():
            return
        keeper = (self.state(stack_name).get("deployment") or {}).get("secrets_providers") or {}
        told = keeper.get("state") or {}
        lines = {
            "encryptionsalt": told.get("salt"),
            "secretsprovider": told.get("url") if keeper.get("type") == "cloud" else None,
            "encryptedkey": told.get("encryptedkey"),
        }
        known = {name: value for name, value in lines.items() if value}
        file.write_text(yaml.safe_dump(known) if known else "", encoding="utf-8")


def workspace_of(stack: Stack) -> Workspace:
    """The workspace that a stack was opened in, which is one of these."""
    workspace = stack.workspace
    assert isinstance(workspace, Workspace)
    return workspace


def checked_name(stack: str) -> str:
    """A stack's name, if it is one. InvalidRequestError if not."""
    if not _NAME.fullmatch(stack):
        raise InvalidRequestError(
            f"{stack!r} is no stack's name: Pulumi takes letters, digits, - _ and . as one, and "
            "perhaps an organization and a project before it, with a / behind each."
        )
    return stack


def short_name(stack: str) -> str:
    """A stack's name without the organization and project that may stand before it."""
    return stack.rpartition("/")[2]


def stack_file(directory: Path, stack: str) -> Path:
    """Where Pulumi looks for a stack's file."""
    return directory / f"Pulumi.{short_name(stack)}.yaml"


@contextmanager
def restore_file(file: Path) -> Iterator[None]:
    """Put a stack's file back in the end: how a stack encrypts goes with the stack."""
    before = file.read_text(encoding="utf-8") if file.exists() else None
    try:
        yield
    finally:
        if before is not None:
            file.write_text(before, encoding="utf-8")


@contextmanager
def temporary_project(like: Path | None = None) -> Iterator[Path]:
    """A project's folder for as long as the context lasts: of the same project as `like`'s."""
    project: dict[str, Any] = {"name": PROJECT, "runtime": "python", "main": str(Path.cwd())}
    if like:
        project |= _identity(like)
    with TemporaryDirectory(prefix="ring-") as name:
        directory = Path(name)
        (directory / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
        yield directory


def _identity(directory: Path) -> dict[str, Any]:
    """What of a project decides which stacks are its own."""
    project = _project(directory)
    kept = {key: value for key, value in project.items() if key in ("name", "backend")}
    if isinstance(backend := kept.get("backend"), dict) and "url" in backend:
        kept["backend"] = {**backend, "url": absolute(str(backend["url"]), directory)}
    return kept


def backend_from(told: str | None, folder: Path | None = None) -> dict[str, str]:
    """The environment that has the CLI keep the state where it would in the user's own place.

    Pulumi takes a relative file:// from the folder that it runs in, which may be made up. `folder`
    is the project's, which may name a backend of its own.
    """
    if told:
        return {"PULUMI_BACKEND_URL": absolute(told, Path.cwd())}
    url = os.environ.get("PULUMI_BACKEND_URL")
    if url is None and not (folder and _project(folder).get("backend")):
        url = _logged_in_to()
    return {"PULUMI_BACKEND_URL": absolute(url, folder or Path.cwd())} if url else {}


def absolute(url: str, directory: Path) -> str:
    """A backend's URL, with a path of this machine made independent of where it is used."""
    path = url.removeprefix("file://")
    if path == url or path.startswith("~"):
        return url
    return f"file://{(directory / path).absolute()}"


def _logged_in_to() -> str | None:
    """The file:// that `pulumi login` has stored; what else it stores is the CLI's own matter."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        current = json.loads((home / "credentials.json").read_text(encoding="utf-8"))["current"]
    except (OSError, ValueError, KeyError):
        return None
    return str(current) if str(current).startswith("file://") else None


def program_in(directory: Path) -> Program:
    """The program of a project's folder, `__main__.py`; where there is none, the ring's own.

    InvalidRequestError if the folder holds no project of Pulumi's, or one in another language.
    """
    project = _project(directory)
    runtime = project.get("runtime")
    language = runtime.get("name") if isinstance(runtime, dict) else runtime
    if language != "python":
        raise InvalidRequestError(
            f"{directory / 'Pulumi.yaml'}: its program is in {language or 'no language'}, and only "
            "one in Python can be run here. Use `pulumi` itself for its stacks."
        )
    main = directory / str(project.get("main") or ".") / "__main__.py"
    return (lambda: _run(main)) if main.exists() else _from_configuration


def program_with(program: Program, settings: Settings) -> Program:
    """A program that finds these members, whatever the stack's file says of them."""
    members = [one.model_dump(exclude_defaults=True) for one in settings.members]

    def run() -> None:
        set_config(f"{NAMESPACE}:members", json.dumps(members))
        program()

    return run


def _from_configuration() -> None:
    build(read_settings())


def _run(main: Path) -> None:
    sys.path.insert(0, str(main.parent))
    try:
        runpy.run_path(str(main), run_name="__main__")
    finally:
        sys.path.remove(str(main.parent))


def _project(directory: Path) -> dict[str, Any]:
    file = directory / "Pulumi.yaml"
    try:
        project = read_yaml(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidRequestError(
            f"There is no Pulumi.yaml in {directory}, so it is no project's folder. "
            "Say which is with --folder."
        ) from error
    except (YamlError, OSError) as error:
        raise InvalidRequestError(f"{file} cannot be read: {error}") from error
    return project if isinstance(project, dict) else {}
