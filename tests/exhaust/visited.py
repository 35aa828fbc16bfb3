"""The states that a search has met, by fingerprints: 64 bits each instead of the whole state.

Two states may have the same fingerprint, and the second would be taken for the first. For n states
the probability of any such pair is below n * n / 2**65: some 0.0002 for 80 million. That is usual
where models are checked (U. Stern, D. Dill, A New Scheme for Memory-Efficient Probabilistic
Verification, https://doi.org/10.1007/978-0-387-35079-0_21). The fingerprint is Python's hash of
bytes: SipHash, with a key of the process (https://peps.python.org/pep-0456/).
"""

from __future__ import annotations

from array import array

_FIRST_SIZE = 1 << 10


class Visited:
    """Numbers states in the order in which they are met. Some 16 to 24 bytes for each."""

    def __init__(self) -> None:
        self._fingerprints = array("q")
        self._table = array("I", bytes(4 * _FIRST_SIZE))
        """A state's number, from 1, at the place of its fingerprint or the next that was free."""

    def __len__(self) -> int:
        return len(self._fingerprints)

    def number(self, state: bytes) -> int:
        """Return a state's number; that of a new one is the count of those before."""
        fingerprint = hash(state)
        place = self._place(fingerprint)
        number = self._table[place]
        if number:
            return number - 1
        self._fingerprints.append(fingerprint)
        count = self._table[place] = len(self._fingerprints)
        if 2 * count > len(self._table):
            self._grow()
        return count - 1

    def is_state(self, number: int, state: bytes) -> bool:
        """Return whether a state has this number."""
        return self._fingerprints[number] == hash(state)

    def _place(self, fingerprint: int) -> int:
        table, fingerprints = self._table, self._fingerprints
        last = len(table) - 1
        place = fingerprint & last
        while (number := table[place]) and fingerprints[number - 1] != fingerprint:
            place = place + 1 & last
        return place

    def _grow(self) -> None:
        self._table = array("I", bytes(8 * len(self._table)))
        for number, fingerprint in enumerate(self._fingerprints, 1):
            self._table[self._place(fingerprint)] = number
