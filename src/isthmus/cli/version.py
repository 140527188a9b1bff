"""What `-v`, `-vv` and a wrong command line print, in HAProxy's form."""

from __future__ import annotations

import os
import sys

from isthmus import product

USAGE = """\
Usage : isthmus [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -N <maxpconn> ]
        [ -p <pidfile> ] [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]
        -v displays version ; -vv shows known build options.
        -d stays in foreground ; -db only disables background mode.
        -V enters verbose mode (disables quiet mode)
        -D goes daemon ; -C changes to <dir> before loading files.
        -W, -Ws are accepted: one process serves and reloads by itself, without a master.
        -q quiet mode : don't display messages
        -c check mode : only check config files and exit
        -cc check condition : evaluate a condition and exit
        -n sets the maximum total # of connections (raises ulimit -n)
        -m limits the usable amount of memory (in MB)
        -N sets the default, per-proxy maximum # of connections
        -L set local peer name (default to hostname)
        -p writes the pid to this file
        -dD diagnostic mode : warn about suspicious configuration statements
        -dK{class[,...]} dump registered keywords (use 'help' for list)
        -dS disables splice usage
        -dW fails if any warning is emitted
        -dr ignores server address resolution failures
        -sf/-st [pid ]* finishes/terminates old pids.
   or : isthmus check <cfgfile>*    checks files and shows all messages
        isthmus explain <code>      tells more about a message
        isthmus explain --url <url> <cfgfile>*   tells what a connection would meet, rule by rule
        isthmus plan <cfgfile>*     prints what the engine would run, as JSON
        isthmus lab ...             network labs without root (isthmus lab demo)
        isthmus help

"""


def version_lines() -> str:
    """Return the lines of `-v`."""
    system = os.uname()
    return (
        f"HAProxy version {product.FULL_VERSION} {product.RELEASE_DATE} - {product.NAME}, not HAProxy\n"
        f"Status: {product.NAME} {product.VERSION}, a program of its own that speaks "
        f"HAProxy {product.BRANCH}'s configuration language.\n"
        f"Running on: {system.sysname} {system.release} {system.version} {system.machine}\n"
    )


def build_options() -> str:
    """Return what `-vv` prints behind the lines of `-v`."""
    flags = " ".join(f"{'+' if here else '-'}{name}" for name, here in product.FEATURES.items())
    options = " ".join(f"USE_{name}=1" for name in ("NS", "LINUX_SPLICE", "SYSTEMD"))
    python = ".".join(map(str, sys.version_info[:3]))
    return f"""Build options :
  TARGET  = linux-glibc
  CPU     = generic
  CC      = rustc
  CFLAGS  =
  OPTIONS = {options}
  DEBUG   =

Feature list : {flags}

Default settings :
  bufsize = 16384, maxrewrite = 1024, maxpollevents = 200

Built with multi-threading support (MAX_THREADS=4096, default={len(os.sched_getaffinity(0))}).
Built with network namespace support.
Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT IP_FREEBIND
Running on Python version : {python}

Available polling systems :
      epoll : pref=300,  test result OK
Total: 1 (1 usable), will use epoll.

Available multiplexer protocols :
(protocols marked as <default> cannot be specified using 'proto' keyword)
  <default> : mode=TCP   side=FE|BE  mux=PASS  flags=

Available services : none
Available filters : none
"""
