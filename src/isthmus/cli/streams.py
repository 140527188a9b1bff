"""Standard streams that may be closed, full or gone: what was asked for matters more than its telling.

A closed descriptor 0, 1 or 2 would be given to the next socket that is opened, and take what is
printed; a full disk or a reader that left would end the program with a traceback.
"""

from __future__ import annotations

import io
import os
import sys

_STANDARD = (0, 1, 2)


class OutputLostError(Exception):
    """Standard output takes nothing any more, and what was asked for was to write there."""

    def __init__(self, cause: OSError) -> None:
        """Remember why."""
        super().__init__(cause.strerror or str(cause))
        self.reader_left = isinstance(cause, BrokenPipeError)


class _Output(io.TextIOWrapper):
    """A text stream that is silent after its first failure; `strict` tells of that failure once."""

    strict = False
    _lost = False

    def write(self, text: str, /) -> int:
        if not self._lost:
            try:
                return super().write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        if not self._lost:
            try:
                super().flush()
            except OSError as error:
                self._lose(error)

    def _lose(self, cause: OSError) -> None:
        self._lost = True
        # What is buffered would fail again when the interpreter ends.
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, self.fileno())
        os.close(sink)
        super().flush()
        if self.strict:
            raise OutputLostError(cause) from None


def secure_streams(*, strict: bool) -> None:
    """Open what is closed, and make writing safe; `strict` if losing output is a failure."""
    _open_closed()
    sys.stdout = _wrapped(sys.stdout, 1, strict=strict)
    sys.stderr = _wrapped(sys.stderr, 2, strict=False)


def _open_closed() -> None:
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is this one: all below are open.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)


def _wrapped(stream: object, descriptor: int, *, strict: bool) -> _Output:
    known = stream if isinstance(stream, io.TextIOWrapper) else None
    buffer = known.buffer if known else open(descriptor, "wb", closefd=False)  # noqa: SIM115
    output = _Output(
        buffer,
        encoding=known.encoding if known else "utf-8",
        # A name from a file in another encoding is shown, and no reason to fail.
        errors="backslashreplace" if known is None or known.errors == "strict" else known.errors,
        line_buffering=known.line_buffering if known else False,
        write_through=known.write_through if known else False,
    )
    output.strict = strict
    return output
