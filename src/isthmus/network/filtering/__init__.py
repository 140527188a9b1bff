"""What nftables does in one namespace of a network: translation, firewall, interception.

    model ──wanted_ruleset──▶ text ──apply_ruleset──▶ kernel
                              text ◀──read_ruleset─── kernel

All of it stands in one table, `isthmus_NETWORK` of the family inet, and nothing outside that table is
read or written. The text is canonical: what was applied and what is read back are the same string
unless somebody changed the table. `apply_ruleset`, `read_ruleset` and `read_former` act on the namespace
of the calling thread: callers go through `Space.call`.
"""

from isthmus.network.filtering.interception import interception_objects
from isthmus.network.filtering.kernel import (
    apply_ruleset,
    expressions,
    read_former,
    read_ruleset,
    try_ruleset,
)
from isthmus.network.filtering.nft import FilteringError, missing_reason
from isthmus.network.filtering.ruleset import table_name, wanted_ruleset
from isthmus.network.filtering.wording import in_words

__all__ = [
    "FilteringError",
    "apply_ruleset",
    "expressions",
    "in_words",
    "interception_objects",
    "missing_reason",
    "read_former",
    "read_ruleset",
    "table_name",
    "try_ruleset",
    "wanted_ruleset",
]
