"""The lock of moto's data, which every ring and server of this process share as they share moto."""

from __future__ import annotations

import threading

MOTO_LOCK = threading.Lock()
"""Held while moto's data is used, as for each request: its backends have no locks.

A conditional put in one thread could overwrite a put in another that came after its check.
"""
