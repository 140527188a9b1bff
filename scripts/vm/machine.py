"""One start of the virtual machine: QEMU's command line, and what its serial console says.

Knows nothing of what runs inside but the two lines that init.py writes.
"""

import os
import subprocess
import threading
import time
from pathlib import Path

from packages import Emulator

# Seconds. The whole of it, and how long KVM gets to come as far as the tests: nested KVM may
# answer to everything and yet never run the guest.
DEADLINE = 300.0
KVM_DEADLINE = 15.0
MEMORY = "1024M"
# Namespaces and interfaces go only after all processors have passed a point of rest: expedited, it is
# at once.
PARAMETERS = (
    "console=ttyS0 quiet loglevel=3 panic=-1 nokaslr mitigations=off random.trust_cpu=on"
    " rcupdate.rcu_expedited=1"
)

# Where every instruction is emulated, the wide ones cost more than they save: libraries that find
# them use them. The kernel gets its first random numbers from rdrand.
PROCESSORS = {"kvm": "max", "tcg": "qemu64,+rdrand"}

_BEGIN = "isthmus-vm: begin"
_END = "isthmus-vm: end "


class MachineError(Exception):
    """The machine did not come to the end of the tests; the text holds what its console said."""


def accelerators() -> tuple[str, ...]:
    """Return what can be tried here, the fast one first."""
    return ("kvm", "tcg") if os.access("/dev/kvm", os.R_OK | os.W_OK) else ("tcg",)


def run(emulator: Emulator, kernel: Path, image: Path, accelerator: str) -> int:
    """Start the machine, print what the tests print, return their exit status.

    MachineError where it does not come so far or takes too long.
    """
    process = subprocess.Popen(
        [*emulator.words, *_arguments(kernel, image, accelerator)],
        env=emulator.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        return _follow(process, KVM_DEADLINE if accelerator == "kvm" else DEADLINE)
    finally:
        process.kill()
        process.wait()


def _arguments(kernel: Path, image: Path, accelerator: str) -> list[str]:
    return [
        *("-accel", accelerator, "-cpu", PROCESSORS[accelerator], "-smp", "2", "-m", MEMORY),
        *("-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"),
        *("-kernel", str(kernel), "-initrd", str(image), "-append", PARAMETERS),
        # Two network cards joined by a cable, with nothing of this machine behind them.
        *_card(0),
        *_card(1),
    ]


def _card(number: int) -> list[str]:
    card = f"virtio-net-pci,netdev=port{number},mac=52:54:00:00:00:0{number + 1},romfile="
    return ["-netdev", f"hubport,id=port{number},hubid=0", "-device", card]


def _follow(process: subprocess.Popen[bytes], until_begin: float) -> int:
    assert process.stdout is not None
    start = time.monotonic()
    before: list[str] = []
    to_begin, to_end = _killing(process, until_begin), _killing(process, DEADLINE)
    try:
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip("\r\n")
            if text == _BEGIN:
                to_begin.cancel()
                print(f"The machine was up after {time.monotonic() - start:.1f} s.", flush=True)
            elif text.startswith(_END):
                return int(text.removeprefix(_END))
            elif to_begin.finished.is_set():
                print(text, flush=True)
            else:
                before.append(text)
    finally:
        to_begin.cancel()
        to_end.cancel()
    took = f"after {time.monotonic() - start:.0f} s"
    raise MachineError("\n".join([*before, f"the virtual machine ended or was stopped {took}"]))


def _killing(process: subprocess.Popen[bytes], after: float) -> threading.Timer:
    """Return a started timer that ends the process, and with it the console, unless it is cancelled."""
    timer = threading.Timer(after, process.kill)
    timer.daemon = True
    timer.start()
    return timer
