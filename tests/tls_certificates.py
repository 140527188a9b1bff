"""A folder of certificates, good and bad ones, made by openssl(1): what the table of TLS lines names."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

OPENSSL = shutil.which("openssl")
LISTS = {
    "list.txt": "rsa.pem !*\n# comment\n\nec.pem [alpn h2,http/1.1] ec.test *.x.test !y.x.test\n",
    "list-missing.txt": "nofile.pem\n",
    "list-option.txt": "rsa.pem [foo bar]\n",
    "list-open.txt": "rsa.pem [alpn h2\n",
    "list-empty.txt": "",
    "list-own.txt": "rsa.pem [verify required ca-file ca.pem ssl-min-ver TLSv1.2] a.test\nec.pem\n",
    "list-ciphers.txt": "rsa.pem [ciphers foo]\n",
    "list-bundle.txt": "bundle.pem b.test\n",
    "list-twice.txt": "rsa.pem\nrsa.pem a.test\n",
    "list-strict.txt": "rsa.pem [strict-sni]\n",
    "list-no-authority.txt": "rsa.pem [verify required]\n",
    "list-spaces.txt": "  ec.pem   [ alpn h2 ]   a.test\t*.b.test  \n",
}
_KEYS = {
    "rsa": "genrsa -out {} 2048",
    "small": "genrsa -out {} 1024",
    "ec": "ecparam -name prime256v1 -genkey -noout -out {}",
    "wild": "ecparam -name secp384r1 -genkey -noout -out {}",
    "ed": "genpkey -algorithm ed25519 -out {}",
}
_CA = """[ca]
default_ca = d
[d]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
default_crl_days = 30000
crlnumber = crlnumber
policy = p
[p]
commonName = supplied
"""


class Maker:
    """Makes the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self) -> None:
        """Make everything."""
        self._authority()
        for name, command in _KEYS.items():
            self._certificate(name, command)
        self._parts()
        self._folders()
        self._dates()
        self._stapled()
        for name, text in LISTS.items():
            self._write(name, text.encode())
        for name, size, count in (
            ("tickets48", 48, 3),
            ("tickets80", 80, 4),
            ("tickets1", 48, 1),
            ("tickets40", 40, 3),
        ):
            self._write(name, b"".join(b64encode(bytes([each] * size)) + b"\n" for each in range(count)))

    def _openssl(self, command: str) -> str:
        """Run a command, whose words have no spaces, and return what it writes."""
        words = [str(OPENSSL), *command.split()]
        run = subprocess.run(words, cwd=self.folder, check=True, capture_output=True, text=True)
        return run.stdout

    def _write(self, name: str, *parts: bytes) -> None:
        (self.folder / name).write_bytes(b"".join(parts))

    def _read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def _authority(self) -> None:
        self._openssl("ecparam -name prime256v1 -genkey -noout -out ca.key")
        self._openssl("req -x509 -new -key ca.key -subj /CN=Authority -days 30000 -out ca.pem")
        self._write("ca-with-key.pem", self._read("ca.pem"), self._read("ca.key"))
        self._write("ca.cnf", _CA.encode())
        self._write("index")
        self._write("crlnumber", b"01\n")
        self._openssl("ca -config ca.cnf -gencrl -keyfile ca.key -cert ca.pem -out crl.pem")

    def _certificate(self, name: str, command: str) -> None:
        host = "*.wild.test" if name == "wild" else f"{name}.test"
        self._openssl(command.format(f"{name}.k"))
        subject = f"-subj /CN={host} -addext subjectAltName=DNS:{host}"
        self._openssl(f"req -new -key {name}.k {subject} -out request")
        signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copy -days 30000"
        self._openssl(f"x509 -req -in request {signed} -out {name}.c")
        self._write(f"{name}.pem", self._read(f"{name}.c"), self._read(f"{name}.k"))

    def _parts(self) -> None:
        rsa, key, ec, ec_key = map(self._read, ("rsa.c", "rsa.k", "ec.c", "ec.k"))
        self._openssl("rsa -aes128 -passout pass:x -in rsa.k -out passphrase.k -traditional")
        self._openssl("pkcs8 -topk8 -in rsa.k -passout pass:x -out passphrase8.k")
        self._write("nokey.pem", rsa)
        self._write("mismatch.pem", rsa, ec_key)
        self._write("keyfirst.pem", ec_key, ec)
        self._write("passphrase.pem", rsa, self._read("passphrase.k"))
        self._write("passphrase8.pem", rsa, self._read("passphrase8.k"))
        self._write("onlykey.pem", key)
        self._write("empty.pem")
        self._write("garbage.pem", b"garbage\n")
        self._write("badcert.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key)
        self._write("chain.pem", rsa, self._read("ca.pem"), key)
        self._write("side.pem", ec)
        self._write("side.pem.key", ec_key)
        self._write("other.crt", ec)
        self._write("other.key", ec_key)
        self._write("bundle.pem.rsa", rsa, key)
        self._write("bundle.pem.ecdsa", ec, ec_key)
        self._write("timestamps.pem", rsa, key)
        self._write("timestamps.pem.sctl", b"\x00\x00")

    def _folders(self) -> None:
        for name in ("folder", "emptyfolder", "badfolder", "cafolder"):
            (self.folder / name).mkdir()
        self._write("folder/b.pem", self._read("rsa.pem"))
        self._write("folder/a.pem", self._read("ec.pem"))
        self._write("folder/a.pem.key", self._read("ec.k"))
        self._write("folder/.hidden", b"x")
        self._write("badfolder/x.pem", b"garbage\n")
        self._write("cafolder/ca.pem", self._read("ca.pem"))
        self._write("cafolder/readme.txt", b"garbage\n")

    def _dates(self) -> None:
        for name, first, last in (
            ("expired", "20200101000000Z", "20210101000000Z"),
            ("future", "20900101000000Z", "20910101000000Z"),
        ):
            self._openssl(f"req -new -key ec.k -subj /CN={name}.test -out request")
            signing = "-config ca.cnf -create_serial -keyfile ca.key -cert ca.pem"
            dates = f"-startdate {first} -enddate {last}"
            self._openssl(f"ca -batch {signing} -in request {dates} -out {name}.c -notext")
            self._write(f"{name}.pem", self._read(f"{name}.c"), self._read("ec.k"))

    def _stapled(self) -> None:
        """Make certificates with an OCSP response beside them: a right one, and one of another."""
        for name, about in (("stapled", "ec.c"), ("wrongly-stapled", "rsa.c")):
            self._write(f"{name}.pem", self._read("ec.pem"))
            serial = self._openssl(f"x509 -in {about} -noout -serial").strip().partition("=")[2]
            self._write("ocsp-index", f"V\t991231235959Z\t\t{serial}\tunknown\t/CN=x\n".encode())
            who = "-rsigner ca.pem -rkey ca.key -CA ca.pem"
            asked = f"-issuer ca.pem -cert {about} -ndays 30000 -noverify -respout {name}.pem.ocsp"
            self._openssl(f"ocsp -index ocsp-index {who} {asked}")
