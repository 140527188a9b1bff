"""`cc` on bind and server lines: the algorithm that TCP uses against congestion (manual 5.1, 5.2)."""

from __future__ import annotations

from isthmus.config import register
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.option_row import Option, OptionUse, Settings
from isthmus.keywords.row import RefusedError
from isthmus.records import replace

UNKNOWN_CONGESTION = register(
    "W0166",
    "unknown algorithm against congestion",
    """The kernel has no TCP congestion control of this name, or does not let this process use it: connections
    use the usual one. `sysctl net.ipv4.tcp_available_congestion_control` lists what there is; all but
    those of `net.ipv4.tcp_allowed_congestion_control` need CAP_NET_ADMIN.""",
    "bind :443 cc bbr",
)


def _congestion(use: OptionUse[Settings]) -> Settings:
    word = use.words.take("an algorithm, as `bbr`")
    if not word.text.isascii():
        message = f"`{word.text}` is no name of an algorithm against congestion"
        raise RefusedError(BAD_VALUE, message, word.span, expected="a name in ASCII, as `bbr`")
    if not use.reading.world.controls_congestion(word.text):
        message = f"connections cannot use `{word.text}` against congestion, and use what is usual"
        use.reading.diagnostics.warning(UNKNOWN_CONGESTION, message, word.span)
    return replace(use.settings, congestion=word.text)  # type: ignore[type-var]


def congestion() -> Option[Settings]:
    """Return the row of `cc`, for settings that have a field `congestion`."""
    return Option("cc", "<algorithm>", "The algorithm of TCP against congestion", _congestion)
