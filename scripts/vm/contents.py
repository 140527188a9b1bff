"""What the virtual machine holds besides its kernel's modules: Python, Isthmus, tests, programs.

The interpreter and its packages are the ones that run this script, under the same paths. What the
tests cannot need (other tests, windows, compilers) stays out: the image is copied at every start.
"""

import compileall
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packages import UnavailableError
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = {
    **{"ip": "iproute2", "tc": "iproute2", "nft": "nftables"},
    # What the examples' hooks call.
    **{"sh": "dash", "cat": "coreutils", "mkdir": "coreutils", "rm": "coreutils", "touch": "coreutils"},
}
# Beside what Isthmus itself requires.
TEST_PACKAGES = ("pytest",)

_LEFT_OUT = {
    *("test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "venv"),
    *("site-packages", "dist-packages", "lib-dynload", "__pycache__"),
}
# Extension modules that would bring libraries for nothing. (pyroute2 imports sqlite3.)
_LEFT_OUT_EXTENSIONS = ("_tkinter", "_test", "_ctypes_test", "xx", "_dbm", "_gdbm", "_curses")

ACCOUNTS = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
GROUPS = b"root:x:0:\nnogroup:x:65534:\n"
SMALL_FILES = {
    "/etc/passwd": ACCOUNTS,
    "/etc/group": GROUPS,
    "/etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
}


def of_the_base() -> list[Path]:
    """List what changes with the environment: Python, its packages, programs, their libraries."""
    files = [*_interpreter(), *_packages(), *_programs()]
    native = list((REPOSITORY / "src").rglob("*.so"))
    return [*files, *_libraries([*files, *native])]


def of_the_clone() -> list[Path]:
    """List what changes with every edit: the sources, compiled, the tests and the examples."""
    source, tests, examples = REPOSITORY / "src", REPOSITORY / "tests" / "vm", REPOSITORY / "examples"
    # Compiling is slow inside.
    for folder in (source, tests):
        compileall.compile_dir(folder, quiet=2)
    found = [path for folder in (source, tests, examples) for path in folder.rglob("*") if path.is_file()]
    return [*found, REPOSITORY / "pyproject.toml"]


def fingerprint() -> str:
    """Return what tells one base from another."""
    versions = sorted(f"{found.name} {found.version}" for found in metadata.distributions())
    times = [f"{path} {path.stat().st_mtime_ns}" for path in (Path(sys.executable), *_programs())]
    return "\n".join([sys.version, sys.prefix, *versions, *times])


def _interpreter() -> Iterator[Path]:
    yield Path(sys.executable)
    if sys.prefix != sys.base_prefix:
        yield Path(sys.prefix, "pyvenv.cfg")
    library = Path(sysconfig.get_path("stdlib"))
    for folder, below, names in os.walk(library):
        below[:] = [name for name in below if name not in _LEFT_OUT and not name.startswith("config-")]
        for name in names:
            if name.endswith(".py"):
                yield Path(folder, name)
                yield from Path(folder, "__pycache__").glob(f"{name[:-3]}.{sys.implementation.cache_tag}.pyc")
    for extension in (library / "lib-dynload").glob("*.so"):
        if not extension.name.startswith(_LEFT_OUT_EXTENSIONS):
            yield extension


def _packages() -> Iterator[Path]:
    wanted, seen = [*(metadata.requires("isthmus") or ()), *TEST_PACKAGES], set()
    while wanted:
        requirement = Requirement(wanted.pop())
        if requirement.name in seen or (requirement.marker and not requirement.marker.evaluate()):
            continue
        seen.add(requirement.name)
        distribution = metadata.distribution(requirement.name)
        wanted += distribution.requires or ()
        for file in distribution.files or ():
            path = Path(os.path.normpath(str(distribution.locate_file(file))))
            # Scripts are started by no one, and a record may name compiled files that are gone.
            if path.is_relative_to(sysconfig.get_path("purelib")) and path.is_file():
                yield path


def _programs() -> list[Path]:
    # An ordinary user's PATH on Debian lacks the folders that these lie in.
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    found = []
    for program, package in PROGRAMS.items():
        place = shutil.which(program, path=path)
        if not place:
            raise UnavailableError(f"no {program} to take along (Debian package: {package})")
        found.append(Path(place))
    return found


def _libraries(files: list[Path]) -> set[Path]:
    """List the libraries that programs and extensions among the files load, and the loader."""
    binaries = [str(path) for path in files if _is_binary(path)]
    listed = subprocess.run(["ldd", *binaries], capture_output=True, text=True).stdout
    words = (word for line in listed.splitlines() if not line.endswith(":") for word in line.split())
    found = {Path(word) for word in words if word.startswith("/")}
    # The C library loads this one by name when a thread ends, so that nothing lists it.
    by_name = (path.with_name("libgcc_s.so.1") for path in found)
    return found | {path for path in by_name if path.exists()}


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
