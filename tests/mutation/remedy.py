"""Something that a hop does about a failure, and how it is taken out."""

from dataclasses import dataclass

from ring.project import PROJECT_ROOT
from tests.mutation.cut import Cut


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
    """A file of the handler's tests without `test_`, and the words of a test in it."""

    @property
    def cut(self) -> Cut:
        """How it is taken out."""
        return Cut(f"handler/{self.module}.py", self.old, self.new)

    @property
    def test_id(self) -> str:
        """The test as pytest names it."""
        module, words = self.test.split(": ")
        places = (PROJECT_ROOT / "tests" / kind / "handler" for kind in ("unit", "integration"))
        (file,) = (file for place in places for file in place.rglob(f"test_{module}.py"))
        name = words.replace(" ", "_")
        return f"{file.relative_to(PROJECT_ROOT)}::test_{name}"
