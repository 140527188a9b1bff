"""The files of TLS: certificates with what stands beside them, authorities, revocation lists.

Each file is read once, however many lines name it. Where files are looked for, and what is looked for beside
them, is what the lines of `global` above said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from posixpath import join, splitext

from isthmus.config import Diagnostics, Span, Word
from isthmus.keywords.issuer_chains import completed, without_root
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_codes import BAD_AUTHORITY, BAD_CERTIFICATE, BAD_REVOCATIONS, UNUSED_PART
from isthmus.keywords.tls_pem import Blocks, blocks
from isthmus.keywords.world import World
from isthmus.model.tls import Bases, Certificate, CertificateFiles, IssuerChain, Parts, PemFile
from isthmus.records import dataclass, field

EXTRA_FILES = ("bundle", "sctl", "ocsp", "issuer", "key")
"""What `ssl-load-extra-files` names."""
BUNDLE = (".ecdsa", ".rsa", ".dsa")
"""What stands behind the name of a bundle's files, in the order in which HAProxy tries them."""
_BESIDE = (".key", ".issuer", ".ocsp", ".sctl")
_AUTHORITIES = (".pem", ".crt", ".cer", ".crl")
_SYSTEM = "@system-ca"
SYSTEM_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep the authorities that they trust."""


@dataclass(slots=True)
class TlsFiles:
    """`crt-base`, `ca-base`, `key-base`, `ssl-load-extra-*`, and the files that were read so far.

    `aliases` are the certificates of crt-store sections by the names that `crt` refers to them with, and
    those that expressions name; `tokens` are the names of those that tokens may use.
    """

    crt_base: str = ""
    ca_base: str = ""
    key_base: str = ""
    extra: frozenset[str] = frozenset(EXTRA_FILES)
    without_extension: bool = False
    issuers: tuple[IssuerChain, ...] = ()
    skip_root: bool = False
    aliases: dict[str, Certificate] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    _certificates: dict[str, Certificate] = field(default_factory=dict)
    _authorities: dict[str, PemFile] = field(default_factory=dict)
    _revocations: dict[str, PemFile] = field(default_factory=dict)

    def know(
        self,
        certificates: Mapping[str, Certificate],
        authorities: Mapping[str, PemFile],
        revocations: Mapping[str, PemFile],
    ) -> None:
        """Take files as read: they are not looked for any more."""
        self._certificates.update(certificates)
        self.aliases.update({name: file for name, file in certificates.items() if name.startswith("@")})
        self._authorities.update(authorities)
        self._revocations.update(revocations)

    @property
    def bases(self) -> Bases:
        """What the lines of `global` above said."""
        named = (self.crt_base, self.ca_base, self.key_base, self.extra, self.without_extension)
        return Bases(*named, issuers=self.issuers, skip_root=self.skip_root)

    def path(self, word: Word) -> str:
        """Return where the file of a `crt` is."""
        return join(self.crt_base, word.text)

    def is_folder(self, word: Word, world: World) -> bool:
        """Whether a `crt` names a folder."""
        return word.text not in self.aliases and world.list_folder(join(self.crt_base, word.text)) is not None

    def certificates(self, word: Word, world: World, diagnostics: Diagnostics) -> tuple[Certificate, ...]:
        """Return the certificates of a `crt`: a file's, a folder's in the order of names, or a bundle's."""
        alias = self.aliases.get(word.text)
        if alias is not None:
            return (alias,)
        if word.text.startswith("@"):
            message = f"no crt-store above has a certificate `{word.text}`"
            raise RefusedError(BAD_CERTIFICATE, message, word.span)
        path = join(self.crt_base, word.text)
        names = world.list_folder(path)
        if names is not None:
            wanted = certificates_in(names)
            return tuple(self.certificate(join(path, each), word.span, world, diagnostics) for each in wanted)
        if "bundle" in self.extra and not _exists(path, world):
            found = [path + end for end in BUNDLE if _exists(path + end, world)]
            if found:
                return tuple(self.certificate(each, word.span, world, diagnostics) for each in found)
        return (self.certificate(path, word.span, world, diagnostics),)

    def own_certificate(self, word: Word, world: World, diagnostics: Diagnostics) -> Certificate:
        """Return the certificate of a server line's `crt`, which is one file."""
        alias = self.aliases.get(word.text)
        path = join(self.crt_base, word.text)
        return alias or self.certificate(path, word.span, world, diagnostics)

    def certificate(
        self, path: str, span: Span, world: World, diagnostics: Diagnostics, parts: Parts | None = None
    ) -> Certificate:
        """Return the certificate of a file, its key and what else stands beside it."""
        known = self._certificates.get(path) if parts is None else None
        if known is None:
            files = CertificateFiles(path, parts or Parts(), self.bases)
            known = read_certificate(files, span, world, diagnostics)
            if parts is None:
                self._certificates[path] = known
        return known

    def token_certificate(self, name: str, span: Span, world: World, diagnostics: Diagnostics) -> bool:
        """Load the certificate that an expression names; return whether tokens may use it.

        One of a crt-store needs `jwt on` there. One that nothing else named is for tokens.
        """
        alias = self.aliases.get(name)
        if alias is None and name.startswith("@"):
            raise RefusedError(BAD_CERTIFICATE, f"no crt-store above has a certificate `{name}`", span)
        if alias is None:
            alias = self.aliases[name] = self.certificate(name, span, world, diagnostics)
            self.tokens.add(alias.name)
        return alias.name in self.tokens

    def authorities(self, word: Word, world: World) -> PemFile:
        """Return the authorities of a `ca-file`: a file's, a folder's or the system's."""
        path = word.text if word.text.startswith("@") else join(self.ca_base, word.text)
        known = self._authorities.get(path)
        if known is None:
            found = b"".join(_authorities(path, word, world))
            if not found:
                message = f"no file of folder `{path}` holds a certificate"
                raise RefusedError(BAD_AUTHORITY, message, word.span)
            known = PemFile(path, found, word.span)
            self._authorities[path] = known
        return known

    def revocations(self, word: Word, world: World) -> PemFile:
        """Return the revocation lists of a `crl-file`."""
        path = join(self.ca_base, word.text)
        known = self._revocations.get(path)
        if known is None:
            found = blocks(_read(path, word.span, world, BAD_REVOCATIONS, "revocation list"))
            if not found.revocations:
                message = f"`{path}` holds no revocation list"
                raise RefusedError(BAD_REVOCATIONS, message, word.span, expected="X509 CRL blocks in PEM")
            known = PemFile(path, b"".join(found.revocations), word.span)
            self._revocations[path] = known
        return known


def certificates_in(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a folder's files that hold certificates; others stand beside them."""
    return tuple(each for each in names if not each.startswith(".") and not each.endswith(_BESIDE))


def read_certificate(
    files: CertificateFiles, span: Span, world: World, diagnostics: Diagnostics
) -> Certificate:
    """Return the certificate that some files hold, with its key. Raises RefusedError for what is none."""
    return _Loading(files.path, span, world, diagnostics, files.bases).certificate(files)


def sent(certificates: tuple[bytes, ...], bases: Bases) -> tuple[bytes, bytes | None]:
    """Return the chain that is shown with a certificate, and its issuer where that is a root kept back."""
    chain, root = completed(certificates, bases.issuers), None
    if bases.skip_root:
        chain, root = without_root(chain)
    return b"".join(chain), root if len(chain) == 1 else None


def files_of(files: CertificateFiles) -> tuple[str, ...]:
    """Return every file that a certificate may be read from, those that need not be there included."""
    parts, bases = files.parts, files.bases
    named = [join(bases.key_base, parts.key)] if parts.key else []
    named += [join(bases.crt_base, each) for each in (parts.ocsp, parts.issuer) if each]
    beside = (_beside(files.path, each, bases) for each in (".key", ".ocsp", ".issuer"))
    return (files.path, *named, *beside)


def _beside(path: str, ending: str, bases: Bases) -> str:
    base, extension = splitext(path)
    cut = bases.without_extension and extension == ".crt"
    return (base if cut else path) + ending


@dataclass(slots=True)
class _Loading:
    """The reading of one certificate's files."""

    path: str
    span: Span
    world: World
    diagnostics: Diagnostics
    files: Bases

    def certificate(self, said: CertificateFiles) -> Certificate:
        parts = said.parts
        text = _read(self.path, self.span, self.world, BAD_CERTIFICATE, "certificate")
        held = blocks(text)
        if not held.certificates:
            reason = "a block of it is no base64" if held.broken else "it holds no CERTIFICATE block"
            raise self._refused(f"`{self.path}` has no certificate: {reason}")
        if held.dh:
            self._unused(f"DH parameters of `{self.path}` are not used: key exchange is ECDHE")
        if parts.sctl or ("sctl" in self.files.extra and self._found(".sctl") is not None):
            self._unused(f"timestamps beside `{self.path}` are not sent: certificates hold them today")
        chain, root = sent(held.certificates, self.files)
        return Certificate(
            name=self.path,
            chain=chain,
            key=self._key(held, parts),
            span=self.span,
            ocsp=self._part(parts, "ocsp") or None,
            issuer=root or self._part(parts, "issuer"),
            files=said,
        )

    def _key(self, held: Blocks, parts: Parts) -> bytes:
        if parts.key is not None:
            path = join(self.files.key_base, parts.key)
            span = parts.spans.get("key", self.span)
            found = blocks(_read(path, span, self.world, BAD_CERTIFICATE, "private key"))
            return self._readable(found, path, span)
        if held.key is not None or held.encrypted:
            return self._readable(held, self.path, self.span)
        path = self._name(".key")
        beside = self._found(".key") if "key" in self.files.extra else None
        if beside is None:
            looked = f", nor is there a file `{path}`" if "key" in self.files.extra else ""
            raise self._refused(f"`{self.path}` has no private key{looked}")
        return self._readable(blocks(beside), path, self.span)

    def _readable(self, held: Blocks, path: str, span: Span) -> bytes:
        if held.key is not None:
            return held.key
        if held.encrypted:
            message = f"the private key in `{path}` has a passphrase"
            hint = f"`openssl pkey -in {path} -out {path}.plain` takes it off"
            raise RefusedError(BAD_CERTIFICATE, message, span, hint=hint)
        raise RefusedError(BAD_CERTIFICATE, f"`{path}` has no private key", span)

    def _part(self, parts: Parts, kind: str) -> bytes | None:
        named: str | None = getattr(parts, kind)
        if named is not None:
            path = join(self.files.crt_base, named)
            return _read(path, parts.spans.get(kind, self.span), self.world, BAD_CERTIFICATE, "file")
        return self._found(f".{kind}") if kind in self.files.extra else None

    def _name(self, ending: str) -> str:
        return _beside(self.path, ending, self.files)

    def _found(self, ending: str) -> bytes | None:
        try:
            return self.world.read_bytes(self._name(ending))
        except (FileNotFoundError, IsADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise self._refused(f"`{self._name(ending)}` cannot be read: {_reason(error)}") from None

    def _unused(self, message: str) -> None:
        self.diagnostics.warning(UNUSED_PART, message, self.span)

    def _refused(self, message: str, hint: str | None = None) -> RefusedError:
        return RefusedError(BAD_CERTIFICATE, message, self.span, hint=hint)


def _authorities(path: str, word: Word, world: World) -> Iterator[bytes]:
    """Give the certificates of a file, of the files of a folder, or of the system."""
    if path == _SYSTEM:
        path = next((each for each in SYSTEM_FILES if _exists(each, world)), SYSTEM_FILES[0])
    names = world.list_folder(path)
    if names is not None:
        # As in HAProxy, what is no certificate is passed over in a folder.
        for name in names:
            if not name.endswith(_AUTHORITIES) or name.startswith("."):
                continue
            with suppress(FileNotFoundError):  # a link to nothing
                world.read_bytes(join(path, name))
                yield from blocks(_read(join(path, name), word.span, world, BAD_AUTHORITY, "")).certificates
        return
    found = blocks(_read(path, word.span, world, BAD_AUTHORITY, "file of authorities")).certificates
    if not found:
        message = f"`{path}` holds no certificate"
        raise RefusedError(BAD_AUTHORITY, message, word.span, expected="CERTIFICATE blocks in PEM")
    yield from found


def _read(path: str, span: Span, world: World, code: str, what: str) -> bytes:
    try:
        return world.read_bytes(path)
    except FileNotFoundError:
        raise RefusedError(code, f"{what} `{path}` does not exist", span) from None
    except (OSError, ValueError) as error:
        raise RefusedError(code, f"{what} `{path}` cannot be read: {_reason(error)}", span) from None


def _exists(path: str, world: World) -> bool:
    try:
        world.read_bytes(path)
    except (OSError, ValueError):
        return False
    return True


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
