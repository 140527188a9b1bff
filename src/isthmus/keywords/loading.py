"""Tree to model: every section read, in order, with the defaults that it follows."""

from __future__ import annotations

from typing import Protocol, TypeVar

from isthmus.config import Diagnostics, Section, Tree, Word
from isthmus.keywords import inventory
from isthmus.keywords.acls import AclScope, declare_acls
from isthmus.keywords.acme import AcmeSections
from isthmus.keywords.caches import Caches
from isthmus.keywords.codes import (
    BAD_VALUE,
    DUPLICATE_NAME,
    MISSING_ARGUMENT,
    NOT_IMPLEMENTED,
    SHARED_RULES,
    UNKNOWN_DEFAULTS,
    UNKNOWN_SECTION,
)
from isthmus.keywords.crt_store import CrtStores
from isthmus.keywords.draft import KINDS, GlobalDraft, ProxyDraft
from isthmus.keywords.evaluation import CaptureSlots
from isthmus.keywords.global_ import GLOBAL
from isthmus.keywords.http_errors import HttpErrorsSections
from isthmus.keywords.http_rules import HttpRuleReader
from isthmus.keywords.names import check_name
from isthmus.keywords.namespace_list import NamespaceList
from isthmus.keywords.proxy import PROXY
from isthmus.keywords.resolvers import ResolversSections
from isthmus.keywords.row import Reading, RefusedError, Where, place
from isthmus.keywords.sections import read_line
from isthmus.keywords.ssl_f_use import warn_unused
from isthmus.keywords.tcp_rules import RuleReader
from isthmus.keywords.tls_files import TlsFiles
from isthmus.keywords.transparent import lead_on
from isthmus.keywords.userlist import Userlists
from isthmus.keywords.values import suggest
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.keywords.world import World
from isthmus.model.configuration import Configuration
from isthmus.model.proxy import ProxySettings


def load(tree: Tree, vocabulary: Vocabulary, world: World) -> tuple[Configuration, Diagnostics]:
    """Return what a tree means, and all messages, which are added to those of the tree.

    Where they have `failed`, the configuration lacks what was wrong: it may be looked at, and not be used.
    """
    loader = _Loader(Reading(tree.diagnostics, vocabulary, world, TlsFiles()))
    for section in tree.sections:
        loader.section(section)
    return loader.finish(), tree.diagnostics


class _SectionReader(Protocol):
    """What reads the sections of one kind."""

    def __init__(self, reading: Reading) -> None: ...

    def read(self, section: Section) -> None:
        """Read one section."""
        ...

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        ...


_Kind = TypeVar("_Kind", bound=_SectionReader)


class _Loader:
    """What was read so far. `_last_defaults` is what a proxy without `from` follows."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._global = GlobalDraft()
        self._named = {word: kind(reading) for word, kind in NAMED.items()}
        self._list = self._reader(NamespaceList)
        self._userlists = self._reader(Userlists)
        self._http_errors = self._reader(HttpErrorsSections)
        self._caches = self._reader(Caches)
        self._stores, self._acme = self._reader(CrtStores), self._reader(AcmeSections)
        self._resolvers = self._reader(ResolversSections)
        self._proxies: list[ProxyDraft] = []
        self._last_defaults: ProxyDraft | None = None
        self._sides: dict[tuple[Where, str], ProxyDraft] = {}
        self._named_defaults: dict[str, ProxyDraft] = {}
        self._ambiguous: dict[str, ProxyDraft] = {}
        self._followers: dict[int, Section] = {}

    def _reader(self, kind: type[_Kind]) -> _Kind:
        """Return the reader of a kind."""
        return next(each for each in self._named.values() if isinstance(each, kind))

    def section(self, section: Section) -> None:
        """Read one section; what is wrong with its header keeps no line from being read."""
        kind = section.kind.text
        try:
            if kind == "global":
                self._lines_of_global(section)
            elif kind in self._named:
                self._named[kind].read(section)
            elif kind in ("defaults", "frontend", "backend", "listen"):
                self._proxy(section)
            else:
                raise _strange(section.kind)
        except RefusedError as refusal:
            refusal.report(self._reading.diagnostics)

    def finish(self) -> Configuration:
        """Return the whole."""
        self._stores.check(self._acme.sections)
        for draft in self._proxies:
            lead_on(draft, self._reading.diagnostics)
            warn_unused(draft, self._reading.diagnostics)
        return Configuration(
            global_=self._global.settings,
            proxies=tuple(draft.finish() for draft in self._proxies),
            namespace_list=self._list.namespaces,
            userlists=self._userlists.userlists,
            http_errors=self._http_errors.sections,
            caches=self._caches.sections,
            loaded=tuple(self._reading.tls.aliases.values()),
            tokens=frozenset(self._reading.tls.tokens),
            bases=self._reading.tls.bases,
            acme=self._acme.sections,
            resolvers=self._resolvers.sections,
        )

    def _lines_of_global(self, section: Section) -> None:
        for line in section.lines:
            read_line(line, GLOBAL, self._global, Where.GLOBAL, "global", self._reading)
        _nothing_behind(section.header.arguments, "global")

    def _proxy(self, section: Section) -> None:
        draft = self._begin(section)
        for line in section.lines:
            read_line(line, PROXY, draft, draft.where, draft.kind, self._reading)

    def _begin(self, section: Section) -> ProxyDraft:
        kind = section.kind.text
        settings, name = ProxySettings(), section.name
        try:
            settings, name = self._header(section)
        except RefusedError as refusal:
            refusal.report(self._reading.diagnostics)
        draft = self._draft(section, name.text if name else "", settings)
        if kind == "defaults":
            self._last_defaults = draft
            if name:
                if name.text in self._named_defaults:
                    self._ambiguous[name.text] = self._named_defaults[name.text]
                self._named_defaults[name.text] = draft
        else:
            self._refuse_twice(draft)
            self._proxies.append(draft)
        return draft

    def _draft(self, section: Section, name: str, settings: ProxySettings) -> ProxyDraft:
        """Return an empty draft of a section whose ACLs are declared."""
        kind = section.kind.text
        where = KINDS[kind]
        # Defaults are followed by proxies of either kind, so what they say may be about both sides.
        # and of either mode; a proxy's formats are HTTP's wherever its `mode` line stands.
        context = self._reading.context(
            name,
            frontend=where is not Where.BACKEND,
            backend=where is not Where.FRONTEND,
            http=kind == "defaults" or _mode(section, settings) == "http",
        )
        acls = declare_acls(section.lines, context) if name else AclScope({})
        reader = RuleReader(acls, context, CaptureSlots(len(settings.rules.slots)))
        answers = CaptureSlots(len(settings.http_rules.response_slots))
        http = HttpRuleReader(acls, context, reader.order, reader.slots, answers)
        return ProxyDraft(kind, name, section.header.span, settings, context, reader, http)

    def _header(self, section: Section) -> tuple[ProxySettings, Word | None]:
        """Read `<kind> [<name>] [from <defaults>]`."""
        words = list(section.header.arguments)
        name: Word | None = None
        kind = section.kind.text
        if words and not (kind == "defaults" and words[0].text == "from" and len(words) == 2):
            name = words.pop(0)
        if name is None and kind != "defaults":
            raise RefusedError(
                MISSING_ARGUMENT, f"`{kind}` needs a name", section.header.end, expected="a name"
            )
        if name is not None:
            check_name(name, kind)
        follows = None if kind == "defaults" else self._last_defaults
        if words and words[0].text == "from":
            if len(words) < 2:
                raise RefusedError(
                    MISSING_ARGUMENT, "`from` needs the name of a defaults section", section.header.end
                )
            follows = self._named_defaults.get(words[1].text)
            if follows is None:
                near = suggest(words[1].text, self._named_defaults)
                message = f"there is no defaults section `{words[1].text}` above"
                raise RefusedError(UNKNOWN_DEFAULTS, message, words[1].span, hint=near)
            other = self._ambiguous.get(words[1].text)
            if other is not None:
                message = (
                    f"there are several defaults sections `{words[1].text}`: at {place(other.span)} "
                    f"and {place(follows.span)}"
                )
                raise RefusedError(DUPLICATE_NAME, message, words[1].span)
            words = words[2:]
        _nothing_behind(tuple(words), kind)
        if follows is None:
            return ProxySettings(), name
        settings = follows.with_rules()
        self._check_followers(follows, settings, section)
        return settings, name

    def _check_followers(self, follows: ProxyDraft, settings: ProxySettings, section: Section) -> None:
        """Collect an error where rules of a defaults section would run on both sides."""
        kind = section.kind.text
        given = (settings.rules.connection, settings.rules.session, settings.rules.content)
        http = settings.http_rules
        if not any(given) and not (http.request or http.response or http.after_response):
            return
        first = self._followers.setdefault(id(follows), section)
        if kind == "listen" or first.kind.text != kind:
            other = "a `listen` section" if kind == "listen" else f"a {first.kind.text} and a {kind}"
            message = f"{other} cannot follow the defaults at {place(follows.span)}, which have rules"
            self._reading.diagnostics.alert(SHARED_RULES, message, section.header.span)

    def _refuse_twice(self, draft: ProxyDraft) -> None:
        """Collect an error where another proxy with a side in common has this name."""
        for side in draft.where if draft.name else ():
            other = self._sides.setdefault((side, draft.name), draft)
            if other is not draft:
                self._reading.diagnostics.alert(
                    DUPLICATE_NAME,
                    f"{draft.kind} `{draft.name}` has the same name as {other.kind} `{other.name}` at "
                    + place(other.span),
                    draft.span,
                )
                return


def _mode(section: Section, settings: ProxySettings) -> str:
    """Return the mode that a proxy ends up with: that of its last `mode` line, else its defaults'."""
    said = [
        line.arguments[0].text for line in section.lines if line.keyword.text == "mode" and line.arguments
    ]
    return said[-1] if said else settings.mode


def _nothing_behind(words: tuple[Word, ...], kind: str) -> None:
    if words:
        hint = "the address belongs on a bind line" if kind in ("listen", "frontend") else None
        raise RefusedError(
            BAD_VALUE, f"unexpected `{words[0].text}` behind the section's name", words[0].span, hint=hint
        )


def _strange(word: Word) -> RefusedError:
    """Return why a section is not read: known and not implemented, or unknown."""
    if word.text in inventory.names("section"):
        return RefusedError(
            NOT_IMPLEMENTED, f"section `{word.text}` is known to HAProxy, and not implemented yet", word.span
        )
    near = suggest(word.text, inventory.names("section"))
    return RefusedError(UNKNOWN_SECTION, f"unknown section `{word.text}`", word.span, hint=near)


SECTIONS = inventory.names("section")
"""Every word that begins a section, for `isthmus.config.read`."""

NAMED: dict[str, type[_SectionReader]] = {
    "userlist": Userlists,
    "crt-store": CrtStores,
    "acme": AcmeSections,
    "cache": Caches,
    "http-errors": HttpErrorsSections,
    "namespace_list": NamespaceList,
    "resolvers": ResolversSections,
}
"""What reads the sections that are no proxies, by the word that they begin with."""
