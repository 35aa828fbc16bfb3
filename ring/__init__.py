"""The deployed stack: settings, topology and Pulumi components.

The public names are imported on first use, so that `import ring.arn` does not load Pulumi.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ring.ring import Ring
    from ring.settings.errors import SettingsError
    from ring.settings.settings import Settings

__all__ = ["Ring", "Settings", "SettingsError"]

_MODULES = {
    "Ring": "ring.ring",
    "Settings": "ring.settings.settings",
    "SettingsError": "ring.settings.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
