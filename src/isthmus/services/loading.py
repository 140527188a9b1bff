"""Loading a file of services (`python-load`): it is run, and what it registers is kept."""

from __future__ import annotations

import re
import sys
import traceback
import types
from collections.abc import Callable
from pathlib import Path

from isthmus.services.registry import Services, collecting


class LoadError(Exception):
    """A file could not be loaded: the message ends with the file and the line that is to blame."""


def load_file(path: str) -> Services:
    """Run a file and return what it registers. Its folder is added to those that `import` searches.

    The file is run anew each time; modules that it imports are not. Raises LoadError.
    """
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        raise LoadError(f"`{path}` cannot be read: {error.strerror or error}") from None
    folder = str(Path(path).resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return load(path, source)


def load(path: str, source: bytes) -> Services:
    """Run what a file holds and return what it registers. Raises LoadError."""
    found = Services()
    module = types.ModuleType("isthmus_services_" + re.sub(r"\W", "_", Path(path).stem))
    module.__file__ = path
    # Dataclasses and pickles look for the module by its name.
    sys.modules[module.__name__] = module
    try:
        code = compile(source, path, "exec")
        with collecting(found):
            exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        raise LoadError(blamed(error, path)) from None
    return found


def blamed(error: BaseException, path: str = "") -> str:
    """Return the last line of a traceback, and the file and line: those of `path` if it has a part in it."""
    last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{last} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == path] or frames
    return f"{last} ({own[-1].filename}:{own[-1].lineno})" if own else last


def failure(error: BaseException, function: Callable[..., object]) -> str:
    """Return what is told of a service that failed: the last line of the traceback, and a place in its file.

    That is the line that was running, or where the function begins if what it returned is at fault.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return blamed(error)
    frames = traceback.extract_tb(error.__traceback__)
    if any(frame.filename == code.co_filename for frame in frames):
        return blamed(error, code.co_filename)
    last = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    return f"{last} ({code.co_filename}:{code.co_firstlineno})"
