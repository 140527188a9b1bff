"""The aliases of log formats: `%ci`, `%ts` and their like (manual 8.2.6)."""

from __future__ import annotations

from isthmus.model.log import LogWhen

HTTP_ONLY = frozenset(
    {
        *("CC", "CS", "HM", "HP", "HPO", "HQ", "HU", "HV", "TR", "Ta", "Ti", "Tq", "Tr"),
        *("r", "tr", "trg", "trl"),
    }
)
"""Aliases that have a value in HTTP mode only; elsewhere they are errors, as in HAProxy."""

_EARLY = (
    *("H", "ST", "T", "Tl", "Ts", "b", "bi", "bp", "ci", "cp", "f", "fi", "fp", "ft", "hr", "hrl", "hs"),
    *("hsl", "lc", "ms", "pid", "rt", "s", "si", "sp", "sslc", "sslv", "t", "tr", "trg", "trl", "CC", "HM"),
    *("HP", "HPO", "HQ", "HU", "HV", "OG", "r"),
)
_LATE = (
    *(
        "B",
        "CS",
        "ID",
        "TR",
        "Ta",
        "Ti",
        "Tq",
        "Tc",
        "Td",
        "Th",
        "Tr",
        "Tt",
        "Tu",
        "Tw",
        "U",
        "ac",
        "bc",
        "bq",
        "fc",
        "rc",
    ),
    *("sc", "sq", "ts", "tsc"),
)

ALIASES: dict[str, LogWhen] = dict.fromkeys(_EARLY, LogWhen.CONNECT) | dict.fromkeys(_LATE, LogWhen.END)
"""Every alias but `%o`, and when HAProxy writes a line for the sake of it.

Observed on HAProxy 2.6: a line waits for the end if it has one of the late aliases; otherwise it is written
when the server's connection stands, and in HTTP mode when the head of the answer is there. No format but the
default one is written on accept.
"""

LATE_FETCHES = frozenset(
    {
        *("bc.timer.connect", "bytes_in", "bytes_out", "fc.timer.total", "req.bytes_in", "req.bytes_out"),
        *("req.timer.queue", "res.bytes_in", "res.bytes_out", "res.timer.data", "txn.conn_retries"),
        *("txn.redispatched", "txn.sess_term_state", "txn.timer.total", "txn.timer.user"),
    }
)
"""Fetches that give what a late alias gives, and so wait for the end as well."""
