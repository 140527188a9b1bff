"""What is known of a described connection at one point of its way."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.engine import explain as seam
from isthmus.records import dataclass, field, replace

Wire = seam.Hello | seam.Request | seam.Bytes | seam.Unknown


NOWHERE = seam.DescribedEnd()
"""A unix socket, or what is told later."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection; every change makes another one, so that branches do not disturb each other.

    `wire` is what is sent over the connection as it is here, `request` what is said in it once it can be
    read. `tls` is the TLS that ended at this bind. `told`: the source namespace is a PROXY header's, not the
    bind's.
    """

    wire: Wire
    src: seam.DescribedEnd
    dst: seam.DescribedEnd = NOWHERE
    namespace: str | None = None
    told: bool = False
    proxied: bool = False
    tls: seam.DescribedTls | None = None
    request: seam.DescribedRequest | None = None
    variables: Mapping[str, seam.Variable] = field(default_factory=dict)

    def at(self, place: tuple[int, int], *, looks: bool, backend: int | None = None) -> seam.Described:
        """Return what the engine is told. `looks`: the rules see what was sent."""
        return seam.Described(
            frontend=place[0],
            bind=place[1],
            backend=backend,
            src=self.src,
            dst=self.dst,
            namespace=self.namespace,
            proxied=self.proxied,
            carried=self.wire if looks else seam.Nothing(),
            tls=self.tls,
            request=self.request if looks else None,
            variables=tuple(self.variables.items()),
        )

    def with_variable(self, name: str, value: seam.Variable | None) -> Connection:
        """Return the connection with a variable set, or with None, forgotten."""
        variables = {**self.variables}
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
        return replace(self, variables=variables)

    def client(self) -> str:
        """Tell who the client is, in a few words."""
        known = self.src.ip or ("unknown address" if self.src.ip_needs else "unix socket")
        words = {
            seam.Hello: "TLS",
            seam.Request: "HTTP",
            seam.Bytes: "bytes",
            seam.Unknown: "unknown protocol",
        }
        said = [known, words[type(self.wire)]]
        if isinstance(self.wire, seam.Hello):
            said.append(f"SNI {self.wire.sni}" if self.wire.sni else "no SNI")
        if self.request is not None and self.request.method and self.request.target:
            host = next((value for name, value in self.request.fields if name == "host"), "")
            said.append(f"{self.request.method} {host}{self.request.target}")
        return ", ".join(said)
