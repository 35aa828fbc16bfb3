"""The public names of the package, which are imported on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ring
from ring.project import PROJECT_ROOT
from ring.ring import Ring
from ring.settings.settings import Settings, SettingsError


def test_the_package_exports_its_public_names() -> None:
    assert {name: getattr(ring, name) for name in ring.__all__} == {
        "Ring": Ring,
        "Settings": Settings,
        "SettingsError": SettingsError,
    }


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'ring' has no attribute 'Hop'"):
        _ = ring.Hop


def test_importing_a_small_module_does_not_load_pulumi() -> None:
    program = "import sys, ring.arn; sys.exit('pulumi' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, check=True, timeout=60)
