"""Runs tests/vm in a virtual machine with a kernel that has what this machine's may lack.

    python scripts/vm/run.py [--optional] [pytest's arguments]

Exits with pytest's status. --optional: where no machine can be had here, say why and exit with 0.
"""

import hashlib
import signal
import sys
import time
from pathlib import Path

import contents
import machine
import modules
import packages
from archive import Archive

CACHE = contents.REPOSITORY / "target" / "vm"
HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    """Fetch what is missing, write the image, run the machine."""
    optional = "--optional" in arguments
    try:
        emulator = packages.emulator(CACHE)
        unpacked = packages.kernel(CACHE)
        image = write_image(unpacked, [word for word in arguments if word != "--optional"])
    except packages.UnavailableError as missing:
        print(f"tests/vm SKIPPED: {missing}" if optional else f"tests/vm cannot run: {missing}")
        return 0 if optional else 1
    (kernel,) = unpacked.glob("boot/vmlinuz-*")
    return run(emulator, kernel, image)


def run(emulator: packages.Emulator, kernel: Path, image: Path) -> int:
    """Run the tests with the first accelerator that works."""
    for accelerator in machine.accelerators():
        start = time.monotonic()
        print(f"Starting {kernel.name} under {accelerator} ...", flush=True)
        try:
            status = machine.run(emulator, kernel, image, accelerator)
        except machine.MachineError as failure:
            print(failure)
        else:
            print(f"The machine ran for {time.monotonic() - start:.1f} s under {accelerator}.")
            return status
    return 1


def write_image(unpacked: Path, arguments: list[str]) -> Path:
    """Write what the kernel starts with: the base, which is kept, and the clone after it."""
    image, base = CACHE / "image.cpio", CACHE / "base.cpio"
    keep_base(base, unpacked)
    with image.open("wb") as output:
        output.write(base.read_bytes())
        archive = Archive(output)
        for path in contents.of_the_clone():
            archive.add(path)
        archive.put("/init", init(arguments), executable=True)
        archive.close()
    return image


def keep_base(base: Path, unpacked: Path) -> None:
    """Write the base unless the one that is there is of the same environment, kernel and scripts."""
    texts = [path.read_text() for path in sorted(HERE.glob("*.py"))]
    kernel = [str(path) for path in unpacked.glob("boot/vmlinuz-*")]
    print_of_it = hashlib.sha256("\n".join([contents.fingerprint(), *kernel, *texts]).encode()).hexdigest()
    stamp = base.with_suffix(".stamp")
    if base.exists() and stamp.exists() and stamp.read_text() == print_of_it:
        return
    stamp.unlink(missing_ok=True)
    with base.open("wb") as output:
        write_base(Archive(output), unpacked)
    stamp.write_text(print_of_it)


def write_base(archive: Archive, unpacked: Path) -> None:
    """Write everything that does not change with an edit."""
    archive.device("/dev/console", 5, 1)
    for folder in ("/proc", "/sys", "/run", "/tmp", "/root"):
        archive.folder(folder)
    archive.link("/var/run", "/run")
    for path, content in contents.SMALL_FILES.items():
        archive.put(path, content)
    for number, (name, module) in enumerate(modules.in_order(unpacked / "lib" / "modules")):
        archive.put(f"/modules/{number:03}-{name}.ko", module)
    for path in contents.of_the_base():
        archive.add(path)
    archive.close()


def init(arguments: list[str]) -> bytes:
    """Return the first process: init.py under this interpreter and in the clone."""
    lines = [
        f"#!{sys.executable}",
        "import os, sys",
        f"os.environ.update({environment()!r})",
        f"os.chdir({str(contents.REPOSITORY)!r})",
        f"sys.argv[1:] = {arguments!r}",
        (HERE / "init.py").read_text(),
    ]
    return "\n".join(lines).encode()


def environment() -> dict[str, str]:
    """Return the environment of everything inside."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(contents.REPOSITORY / "src"),
        "LC_ALL": "C.UTF-8",
        "HOME": "/root",
        # tests/vm looks at it: they would change a machine that is not their own.
        "ISTHMUS_VM": "1",
    }


if __name__ == "__main__":
    # As an exception, so that no machine is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
