"""Which of a kernel's modules the virtual machine is given, and in which order they load.

A kernel package carries no modules.dep (installing it makes one), so dependencies are read from
where depmod reads them: the modules themselves.
"""

import lzma
import re
from pathlib import Path

# What `isthmus net` makes, filters and shapes with, and the network card the machine is given.
WANTED = (
    *("virtio_pci", "virtio_net"),
    *("veth", "bridge", "macvlan", "ipvlan", "8021q", "vxlan", "dummy", "ifb", "vrf", "wireguard"),
    *("sch_netem", "sch_tbf", "sch_htb", "sch_fq_codel", "sch_ingress", "cls_u32", "act_mirred"),
    *("nf_tables", "nf_conntrack", "nf_nat", "nft_chain_nat", "nft_nat", "nft_masq", "nft_redir"),
    *("nft_ct", "nft_reject", "nft_reject_inet", "nft_fib_inet", "nft_log", "nft_limit", "nft_quota"),
    *("nft_tproxy", "nft_socket", "nft_numgen"),
)

# Compressed from Debian 13 on.
_ENDING = re.compile(r"\.ko(\.xz)?$")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)")
_ASKS_FOR = re.compile(rb"\0softdep=pre: ([^\0]*)")


class MissingModuleError(Exception):
    """The kernel has no such module."""


def in_order(root: Path) -> list[tuple[str, bytes]]:
    """Name and content of each wanted module under `root` and of all it needs, needed ones first.

    What the kernel has built in is left out. MissingModuleError says which one it does not have.
    """
    files = {_name(path): path for path in root.rglob("*.ko*")}
    (listed,) = root.rglob("modules.builtin")
    built_in = {_name(Path(line)) for line in listed.read_text().splitlines()}
    found: dict[str, bytes] = {}

    def visit(name: str, needed_by: str) -> None:
        if name in found or name in built_in:
            return
        if name not in files:
            raise MissingModuleError(f"the kernel in {root} has no module {name}, which {needed_by} needs")
        content = _content(files[name])
        for needed in _names(_DEPENDS, content):
            visit(needed, name)
        # These may be algorithms, which several modules implement, the generic one on any processor.
        for asked in _names(_ASKS_FOR, content):
            for candidate in (asked, f"{asked}_generic"):
                if candidate in files:
                    visit(candidate, name)
        found[name] = content

    for name in WANTED:
        visit(_name(Path(name)), "Isthmus")
    return list(found.items())


def _name(path: Path) -> str:
    return _ENDING.sub("", path.name).replace("-", "_")


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def _names(field: re.Pattern[bytes], module: bytes) -> list[str]:
    names = re.split(rb"[ ,]+", b" ".join(field.findall(module)))
    return [name.decode().replace("-", "_") for name in names if name]
