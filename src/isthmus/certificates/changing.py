"""A configuration that runs with other files of TLS: its lines stay, what they show and believe does not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from isthmus.config import Diagnostics
from isthmus.model.configuration import Configuration
from isthmus.model.proxy import Proxy
from isthmus.model.tls import BindTls, Certificate, ClientRules, EntrySettings, PemFile, ServerTls, Verify
from isthmus.plan.built import Built
from isthmus.plan.tls_lines import with_lines
from isthmus.records import dataclass, field

BindChange = Callable[[BindTls], BindTls]


@dataclass(frozen=True, slots=True)
class TlsChange:
    """What is put in the place of files by their names, and what becomes of bind lines beforehand."""

    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    authorities: Mapping[str, PemFile] = field(default_factory=dict)
    revocations: Mapping[str, PemFile] = field(default_factory=dict)
    bind: BindChange | None = None

    def of(self, built: Built) -> Built:
        """Return the configuration with the change. Raises ValueError where a line does not bear it."""
        said = built.configuration
        proxies = tuple(self._proxy(proxy) for proxy in said.proxies)
        loaded = tuple(self.certificates.get(each.name, each) for each in said.loaded)
        return _rebuilt(built, dataclasses.replace(said, proxies=proxies, loaded=loaded))

    def _proxy(self, proxy: Proxy) -> Proxy:
        binds = tuple(
            dataclasses.replace(
                bind, settings=dataclasses.replace(bind.settings, tls=self._bind(bind.settings.tls))
            )
            for bind in proxy.binds
        )
        servers = tuple(
            dataclasses.replace(
                server, settings=dataclasses.replace(server.settings, tls=self._server(server.settings.tls))
            )
            for server in proxy.servers
        )
        return dataclasses.replace(proxy, binds=binds, servers=servers)

    def _bind(self, said: BindTls) -> BindTls:
        if not said.on:
            return said
        said = said if self.bind is None else self.bind(said)
        entries = tuple(
            dataclasses.replace(
                entry,
                certificate=self.certificates.get(entry.certificate.name, entry.certificate),
                settings=self._settings(entry.settings),
            )
            for entry in said.entries
        )
        authority = said.generation.authority
        if authority is not None:
            authority = self.certificates.get(authority.name, authority)
        generation = dataclasses.replace(said.generation, authority=authority)
        return dataclasses.replace(
            said, settings=self._settings(said.settings), entries=entries, generation=generation
        )

    def _settings(self, said: EntrySettings) -> EntrySettings:
        return dataclasses.replace(said, client=self._client(said.client))

    def _client(self, said: ClientRules) -> ClientRules:
        return dataclasses.replace(
            said,
            authorities=_other(said.authorities, self.authorities),
            verify_file=_other(said.verify_file, self.authorities),
            revocations=_other(said.revocations, self.revocations),
        )

    def _server(self, said: ServerTls) -> ServerTls:
        own = said.certificate
        return dataclasses.replace(
            said,
            certificate=None if own is None else self.certificates.get(own.name, own),
            authorities=_other(said.authorities, self.authorities),
            revocations=_other(said.revocations, self.revocations),
        )


def _other(file: PemFile | None, changed: Mapping[str, PemFile]) -> PemFile | None:
    return None if file is None else changed.get(file.name, file)


def used_certificates(said: Configuration) -> Iterator[Certificate]:
    """Give the certificates that lines and tokens of a configuration use, some of them several times."""
    yield from (each for each in said.loaded if each.name in said.tokens)
    for bind in _binds(said):
        yield from (entry.certificate for entry in bind.entries)
        if bind.generation.authority is not None:
            yield bind.generation.authority
    for server in _servers(said):
        if server.certificate is not None:
            yield server.certificate


def used_authorities(said: Configuration) -> Iterator[PemFile]:
    """Give the files of authorities that lines of a configuration name."""
    for client in _clients(said):
        yield from (each for each in (client.authorities, client.verify_file) if each is not None)
    yield from (each.authorities for each in _servers(said) if each.authorities is not None)


def used_revocations(said: Configuration) -> Iterator[PemFile]:
    """Give the files of revocation lists that lines of a configuration name."""
    yield from (each.revocations for each in _clients(said) if each.revocations is not None)
    yield from (each.revocations for each in _servers(said) if each.revocations is not None)


def certificate_uses(said: Configuration) -> Iterator[str]:
    """Give the name of a certificate for each time that a line shows it."""
    return (each.name for each in used_certificates(said))


def authority_uses(said: Configuration) -> Iterator[str]:
    """Give the name of a file of authorities for each certificate of a bind line, and each server."""
    for client in _rules(said):
        yield from {each.name for each in (client.authorities, client.verify_file) if each is not None}
    yield from (each.authorities.name for each in _servers(said) if each.authorities is not None)


def revocation_uses(said: Configuration) -> Iterator[str]:
    """Give the name of a file of revocation lists for each certificate of a bind line, and each server."""
    yield from (each.revocations.name for each in _rules(said) if each.revocations is not None)
    yield from (each.revocations.name for each in _servers(said) if each.revocations is not None)


def _rules(said: Configuration) -> Iterator[ClientRules]:
    """Give the rules for clients of every certificate that is shown to some."""
    found = (
        entry.settings.client.over(bind.settings.client) for bind in _binds(said) for entry in bind.entries
    )
    return (each for each in found if each.verify not in (None, Verify.NONE))


def binds(said: Configuration) -> Iterator[BindTls]:
    """Give the TLS of every bind line that has any."""
    return _binds(said)


def _binds(said: Configuration) -> Iterator[BindTls]:
    tls = (bind.settings.tls for proxy in said.proxies for bind in proxy.binds)
    return (each for each in tls if each.on)


def _servers(said: Configuration) -> Iterator[ServerTls]:
    tls = (server.settings.tls for proxy in said.proxies for server in proxy.servers)
    return (each for each in tls if each.on or each.check)


def _clients(said: Configuration) -> Iterator[ClientRules]:
    for bind in _binds(said):
        yield bind.settings.client
        yield from (entry.settings.client for entry in bind.entries)


def _rebuilt(built: Built, said: Configuration) -> Built:
    """Return what is built with the files that a configuration has now."""
    found = Diagnostics()
    plan, tls = with_lines(built.engine, said, found)
    wrong = [each.message for each in found if each.severity.value == "alert"]
    if wrong:
        raise ValueError("\n".join(wrong))
    return dataclasses.replace(built, engine=plan, texts={}, configuration=said, tls_spans=tls.files.spans())
