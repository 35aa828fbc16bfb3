"""A ring whose members can be changed: of a Pulumi stack, or running on this machine."""

from __future__ import annotations

from typing import Protocol, Self

from operate.deployment.result import Result
from operate.deployment.stack import EventCallback
from operate.rings import CatchUp, DeployedRing
from ring.settings.settings import Settings


class SettingEdit(Protocol):
    """A change of one setting, in the place where a ring's settings are kept."""

    @property
    def place(self) -> str:
        """The place: a file's path, or the URL of a running ring."""

    @property
    def diff(self) -> str:
        """The change as `diff -u` shows it; empty if there is none."""

    @property
    def is_written(self) -> bool:
        """Whether that place has the new setting."""

    def write(self) -> None:
        """Write it. Raises `InvalidRequestError` if the settings were changed meanwhile."""

    def ensure_kept(self) -> None:
        """Raise `InvalidRequestError` if the settings were changed since it was written."""


class ChangeableRing(DeployedRing, Protocol):
    """What the changes of members need of a ring. All methods raise `OperateError`."""

    @property
    def catch_up(self) -> CatchUp:
        """When a hop has caught up."""

    def settings(self) -> Settings:
        """Return the ring's settings."""

    def with_settings(self, settings: Settings) -> Self:
        """Return this ring with other settings, for a preview or a deployment of them."""

    def edit_member(self, index: int, setting: str, value: str | bool) -> SettingEdit:
        """Return the edit that sets a setting of a member. Changes nothing."""

    def ensure_tables_replicable(self) -> None:
        """Raise `InvalidRequestError` if an adopted table cannot be replicated."""

    def preview(self, *, on_event: EventCallback) -> Result:
        """Return what `up` would do."""

    def up(self, *, on_event: EventCallback) -> Result:
        """Deploy the ring's settings."""
