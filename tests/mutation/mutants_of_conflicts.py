"""The rules by which hops log what was lost, each taken out."""

from tests.mutation.mutants import Mutant

_REPLICATE = "handler/protocol/replicate.py"
_CONFLICTS = "handler/protocol/conflicts.py"
CONFLICT_MUTANTS = [
    Mutant(
        "a write that a member rejects is logged as lost",
        _CONFLICTS,
        "        if lost.version < won.version and lost.version.replica != won.version.replica\n",
        "        if False\n",
        "conflicts",
    ),
    Mutant(
        "the older write that ends its lap over a newer one is logged as lost",
        _REPLICATE,
        "        conflicts = each_once(conflicts_with_own_write(change, hop, write, found))\n",
        "        conflicts = ()\n",
        "conflicts",
    ),
    Mutant(
        "... and what stands there by then",
        _CONFLICTS,
        "found.source.write if found.source is not None and found.restored else arrived",
        "arrived",
        "conflicts",
    ),
]
"""Rules of what is logged. Without them no item is other than it should be."""
