"""Something that a hop does about a failure, and how it is taken out."""

from dataclasses import dataclass

from tests.mutation import Cut


@dataclass(frozen=True)
class Remedy:
    """What is done about a fault, where, and the test that must fail without it."""

    fault: str
    remedy: str
    module: str
    """Of handler/."""
    old: str
    new: str
    test: str
    """A module of tests/handler without its `test_`, and the words of a test in it."""

    @property
    def cut(self) -> Cut:
        """How it is taken out."""
        return Cut(f"handler/{self.module}.py", self.old, self.new)

    @property
    def test_id(self) -> str:
        """The test as pytest names it."""
        module, words = self.test.split(": ")
        return f"tests/handler/test_{module}.py::test_{words.replace(' ', '_')}"
