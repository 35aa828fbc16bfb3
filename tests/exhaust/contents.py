"""What applications write, by small numbers."""

from __future__ import annotations

from typing import Any

from handler.model.image import Item, digest

KEY: Item = {"k": {"S": "k0"}}
_MOST_CONTENTS, _MOST_ORDERED = 64, 10


def _with_value(value: int) -> dict[str, Any]:
    return {**KEY, "v": {"N": str(value)}} if value else {**KEY}


class Contents:
    """What applications write: content 1, 2 and so on; content 0 has nothing but its key.

    A version ends with the content's digest, which decides only between two contents of one record:
    a redrive may send the one, and then the other. Where that can be, each content's digest is
    above those before it, or below; their values are chosen so.
    """

    def __init__(self, order: int) -> None:
        """Take 0: in no order; 1: digests grow; -1: they fall."""
        self.is_ordered = order != 0
        self._values = list(range(_MOST_CONTENTS))
        if order:
            drawn = sorted(range(1, 100 * _MOST_ORDERED), key=lambda one: digest(_with_value(one)))
            places = [place * 100 for place in range(_MOST_ORDERED)][::order]
            self._values = [0, *(drawn[place] for place in places)]
        self._numbers = {value: number for number, value in enumerate(self._values)}
        self.digests = {
            number: digest(_with_value(value)) for value, number in self._numbers.items()
        }
        self.of_digest = {text: number for number, text in self.digests.items()}

    def item(self, number: int) -> dict[str, Any]:
        """Return the item that an application makes of a content."""
        return _with_value(self._values[number])

    def of(self, item: Item) -> int:
        """Return the content of an item."""
        return self._numbers[int(item["v"]["N"])] if "v" in item else 0

    def of_text(self, text: str) -> int | None:
        """Return the content that a text is the value or the digest of; None: it is neither."""
        if text.isdecimal():
            return self._numbers.get(int(text), 0)
        return self.of_digest.get(text)
