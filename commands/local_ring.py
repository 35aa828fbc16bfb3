"""A ring that `automate.py local` runs on this machine, for operations on deployed rings."""

from __future__ import annotations

import copy
import difflib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import yaml
from botocore.config import Config

from local import control_client, ring_info
from local.clients import HOME_ACCOUNT, Accounts
from local.faults.control import PATH as FAULTS
from operate.aws.clients import ClientPool
from operate.deployed import Credentials, Deployed, DeployedDistributed, DeployedHop, DeployedMember
from operate.deployment.config_source import parse_settings
from operate.deployment.engine_events import Step, short
from operate.deployment.result import Operation, Result
from operate.deployment.stack import EventCallback, no_event
from operate.errors import InvalidRequestError, OperationFailedError
from operate.rings import CatchUp
from ring.arn import Arn
from ring.settings.settings import Settings

_MEMBER = ("name", "region", "table", "account", "stream_arn", "tombstones", "replica")
_BRIEF = Config(retries={"total_max_attempts": 1})
_HOP = ("source", "target", "function", "mapping", "quarantine")


class RunningLocalRing:
    """The ring at an endpoint: an `operate.membership.ring.ChangeableRing`.

    Its settings are in the running ring, which takes other ones in their place.
    """

    # Its metrics appear after seconds, and its mappings start at once.
    catch_up = CatchUp(timedelta(seconds=10), 1.0)

    is_local = True

    def __init__(self, endpoint: str) -> None:
        self.label = self.name = endpoint
        self._current: _Current | None = None
        self._settings: Settings | None = None

    def expect_ready(self, operation: str | None = None) -> None:
        """See `operate.rings.DeployedRing`. A local ring has no prerequisites."""

    def settings(self) -> Settings:
        """Return the settings that the ring has, or those of `with_settings`."""
        return self._settings or parse_settings(self._read().settings)

    def with_settings(self, settings: Settings) -> Self:
        """Return this ring with other settings, for a preview or a deployment of them."""
        ring = copy.copy(self)
        ring._settings = settings
        return ring

    def edit_member(self, index: int, setting: str, value: str | bool) -> _LocalEdit:
        """Return the edit that sets a setting of a member. The deployment writes it."""
        before = self._read().settings
        members = [dict(member) for member in before["members"]]
        members[index][setting] = value
        return _LocalEdit(self.name, _yaml(before["members"]), _yaml(members))

    def ensure_tables_replicable(self) -> None:
        """See `RingStack`. A local ring has made all its tables itself."""

    def preview(self, *, on_event: EventCallback = no_event) -> Result:
        """Return what `up` would do."""
        return self._deploy("preview", on_event)

    def up(self, *, on_event: EventCallback = no_event) -> Result:
        """Deploy the settings while the ring runs. Raises `OperateError`."""
        return self._deploy("up", on_event)

    def _deploy(self, operation: Operation, on_event: EventCallback) -> Result:
        document = {
            "settings": self.settings().model_dump(mode="json", exclude_unset=True),
            "revision": self._read().revision,
            "dry_run": operation == "preview",
        }
        done = request_of_ring(self.name, "POST", control_client.SETTINGS_PATH, document)
        if operation == "up":
            self._current = _Current(done["settings"], done["revision"])
        for step in done["steps"]:
            kind, keys = short(step["type"]), tuple(step["keys"])
            on_event(self, Step("done", step["operation"], kind, step["name"], keys))
        return Result(self.label, operation, done["changes"], done["seconds"])

    def _read(self) -> _Current:
        """Return the ring's settings as they were when they were first read, or last deployed."""
        if self._current is None:
            document = request_of_ring(self.name, "GET", control_client.SETTINGS_PATH)
            self._current = _Current(document["settings"], document["revision"])
        return self._current

    def deployed(self) -> Deployed:
        """Return the ring's description of itself. Raises `OperationFailedError` if none runs."""
        try:
            info = ring_info.fetch(self.name)
        except ring_info.NoRingError as error:
            raise OperationFailedError(str(error)) from error
        return Deployed(
            tuple(_member(member) for member in info["members"]),
            tuple(DeployedHop(**{name: hop[name] for name in _HOP}) for hop in info["hops"]),
            DeployedDistributed.from_outputs(info["distributed"])
            if info.get("distributed")
            else None,
            frozenset(info["held"]),
        )

    def clients(self) -> ClientPool:
        """Return clients of the endpoint.

        AWS's SDKs repeat a request to a region that is down for minutes; here it is known.
        """
        clients = _LocalClients(self.name)
        faults = request_of_ring(self.name, "GET", FAULTS)["faults"]
        clients.be_brief_in(fault["region"] for fault in faults if fault["kind"] == "outage")
        return clients

    def cancel(self) -> None:
        """See `operate.rings.DeployedRing`: each operation ends by its own `Stop`."""


def _member(info: dict[str, Any]) -> DeployedMember:
    account = info["account"]
    # A local ring accepts any role, and its ARN names the account.
    role = f"arn:aws:iam::{account}:role/local-ring" if account != HOME_ACCOUNT else None
    days = info["retention_days"]
    return DeployedMember(
        **{name: info[name] for name in _MEMBER},
        credentials=Credentials(role=role),
        retention_days=DeployedMember.retention_days if days is None else days,
    )


class _LocalClients(ClientPool):
    """Clients of a local ring, independent of the user's environment."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._accounts = Accounts(endpoint)
        self._brief_accounts = Accounts(endpoint, _BRIEF)

    def get(
        self, credentials: Credentials, region: str, service: str, *, brief: bool = False
    ) -> Any:
        """See `ClientPool`."""
        account = Arn.parse(credentials.role).account if credentials.role else HOME_ACCOUNT
        is_brief = brief or region in self._brief
        accounts = self._brief_accounts if is_brief else self._accounts
        return accounts.clients(account).client(service, region)


@dataclass(frozen=True)
class _Current:
    """The settings of a running ring. Their revision changes whenever they do."""

    settings: dict[str, Any]
    revision: int


@dataclass(frozen=True)
class _LocalEdit:
    """A change of the settings of a running ring: an `operate.membership.ring.SettingEdit`."""

    place: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change as `diff -u` shows it; empty if there is none."""
        before, after = (text.splitlines() for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, "settings", "settings", n=2, lineterm="")
        return "\n".join(lines)

    @property
    def is_written(self) -> bool:
        """See `SettingEdit`: the ring has its old settings if their deployment failed."""
        return False

    def write(self) -> None:
        """Do nothing: the ring takes its settings with their deployment, or not at all."""

    def ensure_kept(self) -> None:
        """Do nothing: the ring itself refuses settings that were made from earlier ones."""


def _yaml(members: Any) -> str:
    return yaml.safe_dump({"members": members}, sort_keys=False, default_flow_style=False)


def request_of_ring(endpoint: str, method: str, path: str, document: Any = None) -> Any:
    """Send a request to a running ring, and return the document. Raises `OperateError`."""
    try:
        return control_client.request(endpoint, method, path, document)
    except control_client.RefusedError as error:
        raise (InvalidRequestError if error.is_invalid else OperationFailedError)(
            str(error)
        ) from error
    except control_client.NoRingError as error:
        raise OperationFailedError(str(error)) from error
