"""Runs nft: in this process through its library, else as a program.

The library is ten times quicker for a short question, and there are as many questions as namespaces. Either
acts on the network namespace of the calling thread. Knows nothing of what is asked.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading

_JSON = 1 << 4
_NUMERIC_PROTOCOL = 1 << 7
_NOT_INSTALLED = "not installed (Debian package nftables)"
_FOLDERS = os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"

# The library keeps tables of names in static storage (the interfaces, for one).
_turn = threading.Lock()


class FilteringError(Exception):
    """What nft would not do: `said` in its words, and `rule`, the command at fault where that is known."""

    def __init__(self, said: str, rule: str | None = None) -> None:
        self.said = said
        self.rule = rule
        super().__init__(f"nftables: {said}" + (f", in {rule}" if rule else ""))


def missing_reason() -> str | None:
    """Return what has to be installed before nftables can be used, None where all is there."""
    if _library() is None and _program() is None:
        return f"nftables is {_NOT_INSTALLED}"
    return None


def run(command: str, dry: bool = False) -> str:
    """Run commands in nft's JSON as one transaction; return its JSON answer.

    `dry` has the kernel check without doing. FilteringError with nft's words where it fails.
    """
    library = _library()
    with _turn:
        done = _in_process(library, command, dry) if library else _as_program(command, dry)
    failed, answer, complaint = done
    if failed:
        raise FilteringError(_plain(complaint))
    return answer


def _in_process(library: ctypes.CDLL, command: str, dry: bool) -> tuple[bool, str, str]:
    # A context opens its netlink socket at once, in the namespace of this thread: never kept.
    context = ctypes.c_void_p(library.nft_ctx_new(ctypes.c_uint32(0)))
    try:
        library.nft_ctx_buffer_output(context)
        library.nft_ctx_buffer_error(context)
        library.nft_ctx_output_set_flags(context, ctypes.c_uint(_JSON | _NUMERIC_PROTOCOL))
        library.nft_ctx_set_dry_run(context, ctypes.c_bool(dry))
        status = library.nft_run_cmd_from_buffer(context, command.encode())
        answer = library.nft_ctx_get_output_buffer(context) or b""
        complaint = library.nft_ctx_get_error_buffer(context) or b""
        return status != 0, answer.decode(), complaint.decode(errors="replace")
    finally:
        library.nft_ctx_free(context)


def _as_program(command: str, dry: bool) -> tuple[bool, str, str]:
    import subprocess

    program = _program()
    if program is None:
        raise FilteringError(_NOT_INSTALLED)
    words = [program, "--json", "--numeric-protocol", *(["--check"] if dry else []), "--file", "-"]
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(words, input=command, capture_output=True, text=True, env=environment)
    return done.returncode != 0, done.stdout, done.stderr


def _plain(complaint: str) -> str:
    """Return the first thing that nft complained of, without the place in a text that nobody wrote."""
    first = complaint.strip().partition("\n")[0]
    said = first.rpartition("Error: ")[2].strip() or "failed without a word"
    if "Operation not permitted" in said:
        return "not permitted here: it takes root, or CAP_NET_ADMIN in the namespace"
    return said


def _program() -> str | None:
    import shutil

    return shutil.which("nft", path=os.environ.get("PATH", "") + _FOLDERS)


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError:
        return None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
    library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    return library
