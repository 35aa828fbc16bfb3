"""Check deployed resources in AWS, and collect the problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.aws.answers import NO_ANSWER
from operate.aws.errors import CREDENTIAL_ERRORS
from operate.deployed import DeployedHop, DeployedMember

if TYPE_CHECKING:
    from operate.aws.clients import ClientPool

Client = Callable[[str], Any]
"""Returns a member's client for a service."""


class Probe:
    """Reads resources with a member's credentials, and collects the problems.

    `no_answer` is why its region did not answer: nothing more is read from it then, since each
    request would wait as long as that one.
    """

    def __init__(
        self, clients: ClientPool, member: DeployedMember, hop: DeployedHop | None = None
    ) -> None:
        self.member = member
        self.problems: list[str] = []
        self._clients = clients
        self.no_answer: BotoCoreError | None = None
        self._subject = hop.title if hop else member.name

    def require(self, condition: bool, problem: str) -> None:
        """Add a problem unless a condition holds."""
        if not condition:
            self.problems.append(self.describe(problem))

    def describe(self, text: str) -> str:
        """Prefix a text with the member or the hop."""
        return f"{self._subject}: {text}"

    def fetch(self, name: str | None, read: Callable[[Client, str], Any]) -> Any:
        """Read a resource; None, with a problem, if that fails."""
        if name is None:
            self.require(False, "it was not deployed completely: run `up` again")
            return None
        if self.no_answer:
            return None
        try:
            return read(self._client, name)
        except CREDENTIAL_ERRORS:
            raise
        except ClientError as error:
            details = error.response["Error"]
            if details["Code"] in ("ResourceNotFoundException", "NoSuchBucket"):
                self.require(False, f"{name} does not exist")
            else:
                self.require(
                    False, f"{name} cannot be read: {details['Code']}: {details['Message']}"
                )
        except BotoCoreError as error:
            if isinstance(error, NO_ANSWER):
                self.no_answer = error
            else:
                self.require(False, f"{name} cannot be read: {error}")
        return None

    def _client(self, service: str) -> Any:
        member = self.member
        return self._clients.get(member.credentials, member.region, service, brief=True)
