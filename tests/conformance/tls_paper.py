"""Certificates for conformance cases, made by openssl(1): authorities, servers, clients."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

DAY = ("-days", "3")


@dataclass(frozen=True)
class Paper:
    """A folder of PEM files: `NAME.pem` holds certificate and key, `NAME.crt` and `NAME.key` one of them."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *words: str) -> None:
        """Run openssl in the folder."""
        subprocess.run(("openssl", *words), cwd=self.folder, check=True, capture_output=True, timeout=60)

    def authority(self, name: str, subject: str) -> None:
        """Make an authority, which is its own."""
        self.run("req", "-x509", *self._key(name, "ec"), *DAY, "-subj", subject, "-out", f"{name}.crt")
        self._bundle(name)

    def issued(
        self, name: str, by: str, subject: str, kind: str = "ec", extensions: str = "", days: str = "3"
    ) -> None:
        """Make a certificate of version 3, issued by an authority."""
        self.run("req", *self._key(name, kind), "-utf8", "-subj", subject, "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"basicConstraints=CA:FALSE\n{extensions}\n")
        signer = ("-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial", "-extfile", f"{name}.ext")
        self.run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", "-days", days, *signer)
        self._bundle(name)

    def _key(self, name: str, kind: str) -> tuple[str, ...]:
        curve = ("-pkeyopt", "ec_paramgen_curve:P-256") if kind == "ec" else ()
        return ("-newkey", kind, *curve, "-nodes", "-keyout", f"{name}.key")

    def _bundle(self, name: str) -> None:
        parts = (self.folder / f"{name}.{part}" for part in ("crt", "key"))
        (self.folder / f"{name}.pem").write_text("".join(part.read_text() for part in parts))


CLIENT = '/C=FR/O=Müller, "Söhne"/OU=one/OU=two/OU=three/CN=Jane Doe/emailAddress=jane@example.test'
SERVER = "/C=DE/ST=Hesse/L=Frankfurt/O=Test/OU=Web/OU=Edge/CN=www.example.test"


def made(folder: Path) -> Paper:
    """Make what the cases need."""
    paper = Paper(folder)
    paper.authority("ca", "/C=DE/O=Test/OU=Root/CN=Test CA")
    paper.authority("stranger", "/CN=Nobody's CA")
    paper.authority("self", "/CN=self")
    names = "subjectAltName=DNS:www.example.test,DNS:*.example.test"
    paper.issued("site", "ca", SERVER, "rsa:2048", names)
    paper.issued("client", "ca", CLIENT, extensions="extendedKeyUsage=clientAuth")
    paper.issued("rsa", "ca", "/CN=rsa client/UID=u1", "rsa:2048")
    paper.issued("foreign", "stranger", "/CN=foreign")
    paper.issued("old", "ca", "/CN=old", days="-1")
    return paper
