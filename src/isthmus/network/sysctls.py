"""Settings under /proc/sys of a namespace. Names have dots, as sysctl(8) has them."""

from __future__ import annotations

from pathlib import Path

from isthmus import kernel
from isthmus.network.spaces import Space

_ROOT = Path("/proc/sys")


def write(space: Space, name: str, value: str) -> None:
    """Set a value inside a namespace; OSError where there is no such setting or it may not be set."""
    space.call(_path(name).write_text, value)


def read(space: Space, names: tuple[str, ...]) -> dict[str, str]:
    """Read values inside a namespace, whitespace folded; settings that are not there are left out."""
    return space.call(_read_here, names)


def read_new(names: tuple[str, ...]) -> dict[str, str]:
    """Read the values that a new namespace has, in one that is gone when this returns; OSError without it."""
    from concurrent.futures import ThreadPoolExecutor

    # The thread ends here, since it can never come back to where it was.
    with ThreadPoolExecutor(1) as leaving:
        return leaving.submit(_read_in_new, names).result()


def _read_in_new(names: tuple[str, ...]) -> dict[str, str]:
    kernel.unshare(kernel.CLONE_NEWNET)
    return _read_here(names)


def _read_here(names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = " ".join(_path(name).read_text().split())
        except FileNotFoundError:
            continue
    return found


def _path(name: str) -> Path:
    """Return a setting's file. An interface's name may hold dots: its parts keep them (sysctl.d(5))."""
    parts = name.split(".")
    if len(parts) > 5 and parts[2] in ("conf", "neigh"):
        parts = [*parts[:3], ".".join(parts[3:-1]), parts[-1]]
    return _ROOT.joinpath(*parts)
