"""Pulumi program: the ring of this stack's settings."""

from ring.program import build
from ring.settings.settings import read_settings

build(read_settings())
