"""What this program calls itself, and which HAProxy it answers for.

Scripts look for `HAProxy version X.Y.Z` in `-v`, `show info` and `show version`, and compare numbers:
they get the version of the language that is spoken here, followed by a suffix that names Isthmus, so
that nobody takes one program for the other.
"""

from __future__ import annotations

NAME = "Isthmus"
VERSION = "0.1.0"
"""Isthmus's own version."""
RELEASE_DATE = "2026/11/21"
BRANCH = "3.5"
"""The HAProxy branch whose configuration language is spoken (HAPROXY_BRANCH)."""
LANGUAGE_VERSION = f"{BRANCH}.0"
"""What `version_atleast` and its kin compare with."""
FULL_VERSION = f"{LANGUAGE_VERSION}-isthmus{VERSION}"
"""The version in HAProxy's form, for -v, `show info` and HAPROXY_STARTUP_VERSION."""

FEATURES: dict[str, bool] = {
    "51DEGREES": False,
    "ACCEPT4": True,
    "BACKTRACE": False,
    "CPU_AFFINITY": False,
    "CRYPT_H": False,
    "DEVICEATLAS": False,
    "DL": False,
    "ENGINE": False,
    "EPOLL": True,
    "EVPORTS": False,
    "GETADDRINFO": True,
    "KQUEUE": False,
    "LIBCRYPT": False,
    "LINUX_SPLICE": True,
    "LINUX_TPROXY": True,
    "LUA": False,
    "NETFILTER": True,
    "NS": True,
    "OPENSSL": False,
    "OT": False,
    "PCRE": False,
    "PCRE2": False,
    "POLL": False,
    "PRCTL": True,
    "PROMEX": False,
    "QUIC": False,
    "RT": True,
    "SLZ": False,
    "SYSTEMD": True,
    "TFO": True,
    "THREAD": True,
    "TPROXY": True,
    "WURFL": False,
    "ZLIB": False,
}
"""Build features by HAProxy's names, and whether they are here (`feature()`, `-vv`)."""

ENABLED = frozenset({"EPOLL", "SPLICE", "GETADDRINFO", "REUSEPORT"})
"""Options that are in force unless they are switched off (`enabled()`)."""
