"""Entry point of the plugin, which Pulumi's engine starts with its own address."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from component.provider import serve

serve()
