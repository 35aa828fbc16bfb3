"""Asking AWS about something that was deployed, and telling what is not as it should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.aws.errors import CREDENTIAL_ERRORS
from operate.deployed import DeployedHop, DeployedMember

if TYPE_CHECKING:
    from operate.aws.clients import ClientPool

Client = Callable[[str], Any]
"""A member's client of the service with this name."""


class Probe:
    """Asks AWS in a member's place, and collects what is not as it should be."""

    def __init__(
        self, clients: ClientPool, member: DeployedMember, hop: DeployedHop | None = None
    ) -> None:
        self.member = member
        self.problems: list[str] = []
        self._clients = clients
        self._about = f"the hop from {hop.source} to {hop.target}" if hop else member.name

    def require(self, sound: bool, otherwise: str) -> None:
        """Note what is the matter, unless all is well."""
        if not sound:
            self.problems.append(self.describe(otherwise))

    def describe(self, words: str) -> str:
        """What there is to say, and of what."""
        return f"{self._about}: {words}"

    def fetch(self, name: str | None, ask: Callable[[Client, str], Any]) -> Any:
        """The answer about something; None if there is none, and why in `trouble`."""
        if name is None:
            self.require(False, "it was not deployed to its end: run `up` again")
            return None
        try:
            return ask(self._client, name)
        except CREDENTIAL_ERRORS:
            raise
        except ClientError as error:
            said = error.response["Error"]
            gone = said["Code"] in ("ResourceNotFoundException", "NoSuchBucket")
            told = "is gone" if gone else f"cannot be seen: {said['Code']}: {said['Message']}"
            self.require(False, f"{name} {told}")
        except BotoCoreError as error:
            self.require(False, f"{name} cannot be seen: {error}")
        return None

    def _client(self, service: str) -> Any:
        return self._clients.get(self.member.credentials, self.member.region, service)
