"""TLS of bind and server lines: defaults applied, files collected, so that each is carried once."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics, Span
from isthmus.keywords.tls_codes import (
    BAD_GENERATION,
    NEVER_SHOWN,
    NO_AUTHORITY,
    NO_CERTIFICATE,
    NO_VERSION_LEFT,
    NOT_USED,
)
from isthmus.model.bind import Bind
from isthmus.model.proxy import Proxy
from isthmus.model.server import Server
from isthmus.model.tls import (
    BindTls,
    Certificate,
    ClientRules,
    EntrySettings,
    GlobalTls,
    Handshake,
    IgnoredErrors,
    PemFile,
    ServerTls,
    Verify,
    Version,
    VersionRange,
)
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.health import checks_by_tls
from isthmus.plan.names import origin
from isthmus.records import replace

t = document.tls
_HTTP_ALPN = ("h2", "http/1.1")
_SPOKEN = {Version.TLSV1_2: t.TlsVersion.TLS12, Version.TLSV1_3: t.TlsVersion.TLS13}


class Files:
    """The files that lines named, each once, in the order in which they were met."""

    def __init__(self) -> None:
        self._certificates: dict[Certificate, int] = {}
        self._authorities: dict[PemFile, int] = {}
        self._revocations: dict[PemFile, int] = {}
        self._tokens: frozenset[str] = frozenset()

    def tokens(self, loaded: Iterable[Certificate], names: frozenset[str]) -> None:
        """Add the certificates of crt-stores, some of which tokens may use, whether a line shows them or not.

        Those that tokens may not use are told from those that are not there.
        """
        self._tokens = names
        for each in loaded if names else ():
            self.certificate(each)

    def certificate(self, file: Certificate) -> int:
        """Return the index of a certificate."""
        return self._certificates.setdefault(file, len(self._certificates))

    def authorities(self, file: PemFile | None) -> tuple[int, ...]:
        """Return the index of a file of authorities, if there is one."""
        return () if file is None else (self._authorities.setdefault(file, len(self._authorities)),)

    def revocations(self, file: PemFile | None) -> tuple[int, ...]:
        """Return the index of a file of revocation lists, if there is one."""
        return () if file is None else (self._revocations.setdefault(file, len(self._revocations)),)

    def spans(self) -> dict[str, tuple[Span, ...]]:
        """Return where each file was named first, by the kind of the file."""
        return {
            "certificate": tuple(each.span for each in self._certificates),
            "authority": tuple(each.span for each in self._authorities),
            "revocation": tuple(each.span for each in self._revocations),
        }

    def documents(self, said: GlobalTls) -> document.tls.TlsFiles:
        """Return them in the plan's terms, with what is kept of handshakes."""
        return t.TlsFiles(
            certificates=tuple(_certificate(each, each.name in self._tokens) for each in self._certificates),
            authorities=tuple(_pem(each) for each in self._authorities),
            revocations=tuple(_pem(each) for each in self._revocations),
            capture=said.capture,
            keylog=said.keylog,
            record=said.record,
            first_records=said.first_records,
            token_algorithms=said.token_algorithms,
            token_encryptions=said.token_encryptions,
        )


class Tls:
    """Puts the TLS of lines into the plan's terms."""

    def __init__(self, said: GlobalTls, diagnostics: Diagnostics) -> None:
        self.files = Files()
        self._said = said
        self._diagnostics = diagnostics
        self._usual_alpn: tuple[str, ...] = ()

    def documents(self) -> document.tls.TlsFiles:
        """Return the files, and what is kept of handshakes, in the plan's terms."""
        return self.files.documents(self._said)

    def tell(self, diagnostics: Diagnostics) -> None:
        """Collect there what is wrong with lines from now on."""
        self._diagnostics = diagnostics

    def bind(self, bind: Bind, proxy: Proxy) -> document.tls.BindTls | None:
        """Return the TLS of a bind line; None where it has none, or something is wrong with it."""
        said = bind.settings.tls
        if not said.on:
            if said.entries:
                message = (
                    f"`crt` of {proxy.kind} `{proxy.name}` is not used: the bind line does not say `ssl`"
                )
                self._diagnostics.warning(NOT_USED, message, bind.span)
            return None
        # As HAProxy since 3.0: what is not said is what the proxy can speak.
        self._usual_alpn = _HTTP_ALPN if proxy.settings.mode == "http" else ()
        strict = bool(self._said.bind.strict_sni if said.strict_sni is None else said.strict_sni)
        if not self._has_certificates(said, strict, bind, proxy):
            return None
        own = self._entry(EntrySettings(), said, bind.span)
        settings = {own: 0}
        has_default = any(entry.default for entry in said.entries)
        entries: list[document.tls.TlsEntry] = []
        for at, entry in enumerate(said.entries):
            text = own if entry.settings == EntrySettings() else self._entry(entry.settings, said, bind.span)
            entries.append(
                t.TlsEntry(
                    certificate=self.files.certificate(entry.certificate),
                    settings=settings.setdefault(text, len(settings)),
                    filters=entry.filters,
                    default=entry.default or (not has_default and at == 0),
                )
            )
        proves = t.BindTlsSettings(alpn=("acme-tls/1",), tickets=False)
        entries += [
            t.TlsEntry(
                certificate=self.files.certificate(proof.certificate),
                settings=settings.setdefault(proves, len(settings)),
                filters=(proof.host,),
                challenge=True,
            )
            for proof in said.proofs
        ]
        return t.BindTls(
            settings=tuple(settings),
            entries=tuple(entries),
            strict_sni=strict,
            ticket_keys=tuple(each.decode("latin-1") for each in said.ticket_keys),
            generation=self._generation(said, bind.span),
            sessions=self._said.sessions,
            lifetime=self._said.lifetime,
        )

    def server(self, server: Server, proxy: Proxy, names: Names) -> document.tls.ServerTls | None:
        """Return the TLS of a server line; None where it has none, or something is wrong with it."""
        said = server.settings.tls
        if not said.on:
            return None
        verify = (said.verify or self._said.server_verify) is not Verify.NONE
        if verify and said.authorities is None:
            name = f"server `{proxy.name}/{server.name}`"
            message = f"{name} verifies certificates, and has no `ca-file` to do it with"
            hint = "write `ca-file @system-ca`, or `verify none` where anybody may answer"
            self._diagnostics.alert(NO_AUTHORITY, message, server.span, hint=hint)
            return None
        return self._server(said, verify, server.span, names)

    def check(self, server: Server, proxy: Proxy, names: Names) -> document.tls.ServerTls | None:
        """Return the TLS of a server's check; None where it has none, or something is wrong with it.

        It always shakes hands anew, so that a certificate that is no longer good is noticed.
        """
        if not checks_by_tls(server.settings):
            return None
        said = server.settings.tls
        handshake = said.handshake
        if said.check_alpn is not None:
            handshake = replace(handshake, alpn=said.check_alpn)
        said = replace(said, on=True, handshake=handshake, sni=None, reuse=False)
        # What is wrong with the server's own TLS was said already.
        diagnostics, own = self._diagnostics, server.settings.tls.on
        self._diagnostics = Diagnostics() if own else diagnostics
        try:
            checked = replace(server, settings=replace(server.settings, tls=said))
            return self.server(checked, proxy, names)
        finally:
            self._diagnostics = diagnostics

    def _server(self, said: ServerTls, verify: bool, span: Span, names: Names) -> document.tls.ServerTls:
        handshake = said.handshake.over(self._said.server.handshake)
        return t.ServerTls(
            negotiation=self._negotiation(handshake, span),
            alpn=handshake.alpn or (),
            verify=verify,
            verify_host=said.verify_host,
            authorities=self.files.authorities(said.authorities),
            revocations=self.files.revocations(said.revocations),
            certificate=None if said.certificate is None else self.files.certificate(said.certificate),
            client_schemes=handshake.client_schemes or (),
            sni=None if said.sni is None else names.expression(said.sni),
            reuse=said.reuse,
            tickets=handshake.tickets is not False,
            early_data=handshake.early_data,
        )

    def _has_certificates(self, said: BindTls, strict: bool, bind: Bind, proxy: Proxy) -> bool:
        if said.entries or said.generation.on:
            return True
        where = f"{proxy.kind} `{proxy.name}`: this bind line has no certificate"
        if strict:
            self._diagnostics.warning(NEVER_SHOWN, f"{where}, and refuses every connection", bind.span)
            return True
        self._diagnostics.alert(NO_CERTIFICATE, where, bind.span, hint="name one with `crt`")
        return False

    def _entry(self, own: EntrySettings, line: BindTls, span: Span) -> document.tls.BindTlsSettings:
        """Return what holds for a certificate: its own settings over the line's over the defaults."""
        defaults = self._said.bind
        handshake = own.handshake.over(line.settings.handshake).over(defaults.settings.handshake)
        order = defaults.client_order if line.client_order is None else line.client_order
        return t.BindTlsSettings(
            negotiation=self._negotiation(handshake, span),
            client_order=bool(order),
            alpn=self._usual_alpn if handshake.alpn is None else handshake.alpn,
            client=self._client(own.client.over(line.settings.client), handshake, span),
            tickets=handshake.tickets is not False,
            early_data=handshake.early_data,
        )

    def _client(self, rules: ClientRules, handshake: Handshake, span: Span) -> document.tls.ClientRules:
        verify = rules.verify or Verify.NONE
        if verify is Verify.NONE:
            return t.ClientRules()
        if rules.authorities is None and rules.verify_file is None:
            message = "clients' certificates are verified, and there is no `ca-file` to do it with"
            self._diagnostics.alert(NO_AUTHORITY, message, rules.span or span)
        return t.ClientRules(
            verify=t.ClientVerification(verify.value),
            authorities=self.files.authorities(rules.authorities),
            hidden_authorities=self.files.authorities(rules.verify_file),
            name_authorities=not rules.no_names,
            revocations=self.files.revocations(rules.revocations),
            schemes=handshake.client_schemes or (),
            ignored_in_chain=_ignored(rules.ignored_in_chain),
            ignored=_ignored(rules.ignored),
        )

    def _negotiation(self, said: Handshake, span: Span) -> document.tls.Negotiation:
        return t.Negotiation(
            versions=self._versions(said.versions, span),
            suites=(*(said.ciphersuites or ()), *(said.ciphers or ())),
            groups=said.groups or (),
            schemes=said.schemes or (),
        )

    def _versions(self, said: VersionRange, span: Span) -> tuple[document.tls.TlsVersion, ...]:
        lowest = Version.TLSV1_2 if said.lowest is None else said.lowest
        highest = Version.TLSV1_3 if said.highest is None else said.highest
        left = [
            spoken
            for version, spoken in _SPOKEN.items()
            if lowest <= version <= highest and version not in said.without
        ]
        if not left:
            message = "no version of TLS is left"
            hint = "TLS 1.2 and 1.3 can be spoken"
            self._diagnostics.alert(NO_VERSION_LEFT, message, said.span or span, hint=hint)
        return tuple(left)

    def _generation(self, said: BindTls, span: Span) -> document.tls.Generation | None:
        if not said.generation.on:
            return None
        if said.generation.authority is None:
            message = "certificates are generated, and there is no `ca-sign-file` to sign them with"
            self._diagnostics.alert(BAD_GENERATION, message, span)
            return None
        authority = self.files.certificate(said.generation.authority)
        return t.Generation(authority=authority, kept=self._said.generated)


def tls_origins(proxies: Iterable[Proxy]) -> dict[str, Span]:
    """Return the spans of lines with TLS by their origins, for what the engine says about them."""
    spans = [bind.span for proxy in proxies for bind in proxy.binds]
    spans += [server.span for proxy in proxies for server in proxy.servers]
    return {origin(span): span for span in spans}


def _ignored(said: IgnoredErrors | None) -> document.tls.IgnoredErrors:
    return t.IgnoredErrors() if said is None else t.IgnoredErrors(said.all, said.numbers)


def _certificate(file: Certificate, jwt: bool) -> document.tls.Certificate:
    return t.Certificate(
        name=file.name,
        chain=file.chain.decode("latin-1"),
        key=file.key.decode("latin-1"),
        ocsp=None if file.ocsp is None else file.ocsp.decode("latin-1"),
        issuer=None if file.issuer is None else file.issuer.decode("latin-1"),
        jwt=jwt,
    )


def _pem(file: PemFile) -> document.tls.PemFile:
    return t.PemFile(name=file.name, pem=file.pem.decode("latin-1"))
