"""The Pulumi program: the ring that this stack's settings describe."""

from ring.program import build
from ring.settings.settings import read_settings

build(read_settings())
