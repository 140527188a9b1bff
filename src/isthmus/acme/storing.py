"""Files of certificates and keys: written whole or not at all, and for nobody else to read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_secret(path: str, text: bytes) -> None:
    """Put a file in the place of what was there, with mode 600. Raises OSError, and then nothing changed.

    Where the path is a symbolic link, the file that it leads to is replaced.
    """
    target = Path(path).resolve()
    # Beside it, since a rename over file systems is a copy.
    descriptor, fresh = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise
