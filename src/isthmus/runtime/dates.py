"""Dates as OpenSSL prints them, which answers about certificates hold."""

from __future__ import annotations

from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def openssl_date(second: int) -> str:
    """Return a second since 1970 as OpenSSL prints it: `Sep  3 21:20:24 2019 GMT`."""
    # Not strftime's %b, which a locale may change.
    at = datetime.fromtimestamp(second, UTC)
    return f"{_MONTHS[at.month - 1]} {at.day:2} {at:%H:%M:%S} {at.year} GMT"
