"""Gets Debian's kernel and QEMU without installing them: downloaded by apt, unpacked into a cache.

Installing would be slower, would need root, and apt would remove packages that are in the way of
QEMU's; unpacking leaves the machine as it was.
"""

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Debian's flavour for clouds has all of the modules that modules.py names, and is a quarter of
# linux-image-amd64. It is a name for the newest: it depends on the kernel itself.
KERNEL = "linux-image-cloud-amd64"
EMULATOR_PACKAGE = "qemu-system-x86"
EMULATOR = "qemu-system-x86_64"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
FIRMWARE = ("usr/share/qemu", "usr/share/seabios")


class UnavailableError(Exception):
    """Something cannot be had on this machine; the text says what and why."""


@dataclass(frozen=True)
class Emulator:
    """How QEMU is started: first words of its command, and its environment."""

    words: tuple[str, ...]
    environment: dict[str, str]


def kernel(cache: Path) -> Path:
    """Return the folder of an unpacked kernel package; UnavailableError where there is none to be had."""
    if platform.machine() != "x86_64":
        raise UnavailableError(f"the virtual machine is an x86-64; this machine is {platform.machine()}")
    return _unpacked(cache / KERNEL, lambda: _dependencies(KERNEL))


def emulator(cache: Path) -> Emulator:
    """Return the QEMU on PATH, else an unpacked one; UnavailableError where there is none to be had."""
    installed = shutil.which(EMULATOR)
    if installed:
        return Emulator((installed,), dict(os.environ))
    root = _unpacked(cache / EMULATOR_PACKAGE, lambda: _uninstalled(EMULATOR_PACKAGE))
    libraries = ":".join(str(root / folder) for folder in LIBRARIES)
    firmware = [word for folder in FIRMWARE for word in ("-L", str(root / folder))]
    return Emulator(
        (str(root / "usr/bin" / EMULATOR), *firmware), {**os.environ, "LD_LIBRARY_PATH": libraries}
    )


def _unpacked(target: Path, names: Callable[[], list[str]]) -> Path:
    """Have packages unpacked in `target`; once it is there, nothing is asked again."""
    if target.exists():
        return target
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise UnavailableError(f"{target.name} is neither installed nor to be had without apt and dpkg")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _fetch(names(), target)
    except UnavailableError:
        # apt's lists are absent, or so old that the mirror has thrown away what they name.
        if os.geteuid() != 0:
            raise
        _run("apt-get", "update", "-q")
        _fetch(names(), target)
    return target


def _fetch(names: list[str], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        debs, root = Path(folder, "debs"), Path(folder, "root")
        debs.mkdir()
        # apt's own user may not write here, which is no reason to warn.
        _run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names, cwd=debs)
        for deb in debs.iterdir():
            _run("dpkg-deb", "-x", str(deb), str(root))
        root.rename(target)


def _dependencies(package: str) -> list[str]:
    lines = _run("apt-cache", "depends", "--important", package).splitlines()
    names = [line.split()[-1] for line in lines if line.strip().startswith("Depends:")]
    if not names:
        raise UnavailableError(f"no apt source of this machine has {package}")
    return names


def _uninstalled(package: str) -> list[str]:
    """List the package and those it needs that are not installed."""
    lines = _run("apt-get", "install", "-s", "--no-install-recommends", package).splitlines()
    return [line.split()[1] for line in lines if line.startswith("Inst ")]


def _run(*words: str, cwd: Path | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise UnavailableError(f"{' '.join(words[:3])} ... failed: {said[-1] if said else done.returncode}")
    return done.stdout
