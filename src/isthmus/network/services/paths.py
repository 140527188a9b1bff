"""Where the services of a network have their files: all under /run/isthmus, so gone with the machine.

A supervisor is found by a socket file and not by an abstract socket: those belong to a network
namespace (one cannot be found from another, and all rootless labs share the one outside) and any
user may bind them. A file lies in the lab's own /run and has permissions; one that nobody listens
on any more is told by connect(2) refusing.
"""

from __future__ import annotations

from pathlib import Path

from isthmus.network.spaces import OWN_FOLDER


def socket_path(network: str) -> Path:
    """Return the socket that the network's supervisor listens on, whether or not there is one."""
    return OWN_FOLDER / f"net-{network}.sock"


def log_folder(network: str) -> Path:
    """Return the folder of all logs of a network."""
    return OWN_FOLDER / "log" / network


def log_path(network: str, service: str) -> Path:
    """Return the file that holds what a service and its hooks print; `.1` behind it is the older half."""
    return log_folder(network) / f"{service}.log"


def supervisor_log_path(network: str) -> Path:
    """Return what the supervisor itself has to say, which is nothing unless it fails."""
    return log_folder(network) / ".supervisor.log"


def marker_folder(network: str) -> Path:
    """Return the folder that says which services were initialized (see `initialized`)."""
    return OWN_FOLDER / "initialized" / network


def remove_tree(folder: Path) -> None:
    """Remove a folder with what is in it, as far as that can be done; most often there is none."""
    if folder.exists():
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
