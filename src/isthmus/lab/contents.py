"""The namespaces that there are, in a lab or on the machine, by the files that keep them.

Which of them belongs to which network is marked on interfaces inside them; reading that is not this
file's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isthmus.config import nearest
from isthmus.lab.errors import LabError
from isthmus.network.model import HOST, OUTSIDE
from isthmus.network.spaces import LAB_HOST, NAMED_FOLDER, OUTSIDE_PATH, OWN_FOLDER, Space
from isthmus.records import dataclass

_NET_FOLDER = OWN_FOLDER / "net"
_UTS_FOLDER = OWN_FOLDER / "uts"


@dataclass(frozen=True, slots=True)
class Found:
    """A namespace that is there. `network` is known of unnamed ones alone, from where they are kept."""

    space: Space
    network: str | None = None

    @property
    def full_name(self) -> str:
        """The name by which it can be told from all others: an unnamed one's network comes first."""
        return self.space.name if self.network is None else f"{self.network}/{self.space.name}"


def found_namespaces(root: Path = Path("/")) -> tuple[Found, ...]:
    """List the namespaces under `root`, a lab's or the machine's: the host's stand-in, named, unnamed."""
    return tuple(_found(root))


def _found(root: Path) -> Iterator[Found]:
    if _under(root, LAB_HOST).exists():
        yield Found(Space(HOST, _under(root, LAB_HOST)))
    for path in _entries(_under(root, NAMED_FOLDER)):
        yield Found(Space(path.name, path, _host_name_of_named(root, path.name)))
    for network in _entries(_under(root, _NET_FOLDER)):
        for path in _entries(network):
            uts = _under(root, _UTS_FOLDER) / network.name / path.name
            yield Found(Space(path.name, path, uts if uts.exists() else None), network.name)


def _host_name_of_named(root: Path, name: str) -> Path | None:
    """Find a named namespace's host name: kept by network, beside those of unnamed namespaces."""
    for network in _entries(_under(root, _UTS_FOLDER)):
        unnamed = _under(root, _NET_FOLDER) / network.name / name
        if (network / name).exists() and not unnamed.exists():
            return network / name
    return None


def _under(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def find_space(name: str) -> Space:
    """Find a namespace by its name, an unnamed one also as NETWORK/NAME; `host` and `outside` always are.

    LabError where there is none, or where unnamed ones of several networks have the name.
    """
    if name == OUTSIDE:
        return Space(OUTSIDE, OUTSIDE_PATH)
    every = found_namespaces()
    if name == HOST and not LAB_HOST.exists():
        return Space(HOST, OUTSIDE_PATH)
    exact = [each for each in every if each.full_name == name]
    matching = exact or [each for each in every if each.space.name == name]
    if len(matching) == 1:
        return matching[0].space
    if matching:
        names = " or ".join(each.full_name for each in matching)
        raise LabError(f"several networks have a namespace `{name}`: say {names}")
    near = nearest(name, [each.full_name for each in every])
    hint = f": did you mean `{near}`?" if near else ""
    raise LabError(f"there is no namespace `{name}`{hint}")
