"""Writes what a virtual machine starts with: an initramfs, in cpio's "newc" format, uncompressed.

Files keep the paths that they have on this machine, so that the interpreter, the environment and
the clone find each other inside as they do outside. Several archives in a row are one initramfs
to the kernel.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_TRAILER = "TRAILER!!!"


class Archive:
    """An archive being written. Everything can be added twice and is written once."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._seen: set[str] = set()
        self._written: set[str] = set()

    def add(self, path: Path) -> None:
        """Add one of this machine's files or links, with the folders above it and what a link names."""
        if str(path) in self._seen or path.parent == path:
            return
        self._seen.add(str(path))
        self.add(path.parent)
        # A folder on the way may be a link: what lies beyond it is written where it really lies.
        place = path.parent.resolve() / path.name
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(place)
            self._entry(place, found.st_mode, target.encode())
            self.add(Path(os.path.normpath(place.parent / target)))
        elif stat.S_ISDIR(found.st_mode):
            self._entry(place, found.st_mode)
        else:
            # Interpreters compare a source's time with the one in its compiled file.
            self._entry(place, found.st_mode, place.read_bytes(), mtime=int(found.st_mtime))

    def put(self, path: str, content: bytes, executable: bool = False) -> None:
        """Add a file that this machine does not have."""
        self._folders(path)
        self._entry(Path(path), stat.S_IFREG | (0o755 if executable else 0o644), content)

    def folder(self, path: str) -> None:
        """Add an empty folder, to be mounted on."""
        self._folders(path)
        self._entry(Path(path), stat.S_IFDIR | 0o755)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link, whether or not this machine has it."""
        self._folders(path)
        self._entry(Path(path), stat.S_IFLNK | 0o777, target.encode())

    def device(self, path: str, major: int, minor: int) -> None:
        """Add a character device; writing an archive needs no privilege to make one."""
        self._folders(path)
        self._entry(Path(path), stat.S_IFCHR | 0o600, device=(major, minor))

    def close(self) -> None:
        """Write the mark of the end; the file stays open."""
        self._header(_TRAILER, 0, 0, 0, (0, 0))

    def _folders(self, path: str) -> None:
        for above in reversed(Path(path).parents):
            if above.is_symlink():
                self.add(above)
            else:
                self._entry(above, stat.S_IFDIR | 0o755)

    def _entry(
        self, path: Path, mode: int, content: bytes = b"", mtime: int = 0, device: tuple[int, int] = (0, 0)
    ) -> None:
        if str(path) in self._written or path == Path("/"):
            return
        self._written.add(str(path))
        self._header(str(path).lstrip("/"), mode, len(content), mtime, device)
        self._output.write(content + b"\0" * (-len(content) % 4))

    def _header(self, name: str, mode: int, size: int, mtime: int, device: tuple[int, int]) -> None:
        encoded = name.encode() + b"\0"
        # Number, mode, owner, group, links, time, size, the device it lies on, the one it is, name, sum.
        # Every entry has the number 0 and one link: nothing is a hard link of anything.
        fields = (0, mode, 0, 0, 1, mtime, size, 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self._output.write(header + b"\0" * (-len(header) % 4))
