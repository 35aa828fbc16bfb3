"""Make a failing schedule as short as it can be and still fail."""

import time
from collections.abc import Callable, Sequence


def shrink(
    made: Sequence[int],
    fails: Callable[[Sequence[int]], bool],
    tries: int = 4_000,
    seconds: float = 60.0,
) -> list[int]:
    """Cut pieces out of a list of decisions, and make the rest plainer, as long as it fails.

    It ends when nothing helps any more, or after so many tries or seconds.
    """
    best = list(made)
    end = time.monotonic() + seconds

    def better(candidate: list[int]) -> bool:
        nonlocal best, tries
        if tries <= 0 or candidate == best or time.monotonic() > end:
            return False
        tries -= 1
        if fails(candidate):
            best = candidate
            return True
        return False

    improved = True
    while improved and tries > 0 and time.monotonic() < end:
        improved = _cut(lambda: best, better) | _lower(lambda: best, better)
    return best


def _cut(best: Callable[[], list[int]], better: Callable[[list[int]], bool]) -> bool:
    improved = False
    size = max(1, len(best()) // 2)
    while size:
        at = 0
        while at < len(best()):
            now = best()
            if better(now[:at] + now[at + size :]):
                improved = True
            else:
                at += size
        size //= 2
    return improved


def _lower(best: Callable[[], list[int]], better: Callable[[list[int]], bool]) -> bool:
    improved = False
    for at in range(len(best())):
        while at < len(best()) and best()[at]:
            now = best()
            lower = next(
                (
                    value
                    for value in (0, now[at] // 2, now[at] - 1)
                    if value < now[at] and better([*now[:at], value, *now[at + 1 :]])
                ),
                None,
            )
            if lower is None:
                break
            improved = True
    return improved
