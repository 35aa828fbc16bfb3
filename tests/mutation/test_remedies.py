"""Each test of a fault was seen to fail without what is done about it: here, each time again."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace

import pytest

from tests.mutation.cut import Cut
from tests.mutation.remedies import REMEDIES
from tests.mutation.remedy import Remedy
from tests.mutation.trials import failing_without, trials

pytestmark = pytest.mark.long

Trial = Future[set[str]]


@pytest.fixture(scope="module")
def failing() -> Iterator[Mapping[Cut, Trial]]:
    """What fails without each remedy: they are tried side by side."""
    with trials() as pool:
        yield {one.cut: pool.submit(failing_without, one.cut, [one.test_id]) for one in REMEDIES}


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda one: f"{one.fault}: {one.remedy}")
def test_without_the_remedy_the_test_of_the_fault_fails(
    remedy: Remedy, failing: Mapping[Cut, Trial]
) -> None:
    assert failing[remedy.cut].result() == {remedy.test_id}


def test_with_all_of_them_none_fails() -> None:
    cut = REMEDIES[0].cut
    with trials() as pool:
        every = sorted({one.test_id for one in REMEDIES})
        assert pool.submit(failing_without, replace(cut, new=cut.old), every).result() == set()
