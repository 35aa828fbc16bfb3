"""What a command says if no local ring answers."""

from __future__ import annotations

import urllib.error

from local.control_client import no_ring


def test_the_reason_is_the_systems_own_words_without_pythons() -> None:
    refused = urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))
    assert str(no_ring("http://127.0.0.1:9", refused)) == (
        "No local ring at http://127.0.0.1:9: Connection refused. Start one (`automate.py local`) "
        "and use the URL that it prints."
    )
    assert ": timed out." in str(no_ring("http://127.0.0.1:9", TimeoutError("timed out")))
