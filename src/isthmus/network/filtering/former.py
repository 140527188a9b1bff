"""Where the former values of sysctls are kept while a network stands: in its own nftables table.

A namespace that was there before gets its sysctls back on down, and no state file may hold them. Each
stands in an empty corner of our table: a chain `former_N` that no packet enters, whose rules return and
bear the setting as their comments. Not as comments of the chains themselves: nft 1.0.6 keeps those
and leaves them out of its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.network.filtering.canonical import Json
from isthmus.network.filtering.expressions import RETURN

_PREFIX = "former_"
# A comment holds 128 bytes with its end (libnftnl's NFTNL_UDATA_COMMENT_MAXLEN).
_PIECE = 120


def former_chains(former: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Return the chains that hold some settings: a name and the comments of its rules."""
    settings = [f"{name}={value}" for name, value in sorted(former.items())]
    return [(f"{_PREFIX}{number}", _pieces(setting)) for number, setting in enumerate(settings)]


def former_rule(comment: str) -> Json:
    """Return what is in a rule that holds a piece of a setting."""
    return {"comment": comment, "expr": [RETURN]}


def former_settings(objects: list[Json]) -> dict[str, str]:
    """Return the settings that the objects of a table hold."""
    kept: dict[str, str] = {}
    for each in objects:
        rule = each.get("rule", {})
        if rule.get("chain", "").startswith(_PREFIX):
            kept[rule["chain"]] = kept.get(rule["chain"], "") + rule.get("comment", "")
    return dict(setting.split("=", 1) for setting in kept.values() if "=" in setting)


def _pieces(setting: str) -> list[str]:
    return [setting[start : start + _PIECE] for start in range(0, len(setting), _PIECE)]
