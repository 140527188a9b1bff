"""Expressions, ACLs and conditions in the plan's terms: names of proxies and servers become indexes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.context import did_you_mean
from isthmus.model.expression import (
    AbsentArg,
    Acl,
    AclTest,
    Argument,
    Call,
    Condition,
    Expression,
    IntArg,
    IpArg,
    MapArg,
    MaskArg,
    ProxyArg,
    ServerArg,
    StrArg,
    UserlistArg,
    VarArg,
)
from isthmus.model.resolvers import Resolvers
from isthmus.model.userlist import Userlist
from isthmus.plan import document
from isthmus.plan.lists import Lists
from isthmus.plan.names import Proxies, byte_string, origin
from isthmus.plan.resolvers import ResolversNames
from isthmus.plan.tables import Tables
from isthmus.plan.userlists import Userlists

UNKNOWN_PROXY = register(
    "E0420",
    "no such frontend or backend",
    """A rule, or an argument of a fetch or converter, names a frontend or a backend that does not exist.""",
    "use_backend spare if { nbsrv(main) lt 1 }",
)
UNKNOWN_SERVER = register(
    "E0421",
    "no such server",
    """A fetch or a use-server line names a server that the backend does not have.""",
    "use_backend spare unless { srv_is_up(main/s1) }",
)


UNKNOWN_ACL = register(
    "E0423",
    "acl() names no ACL",
    """The fetch acl() takes names of ACLs that the section declares, each perhaps with ! before it.""",
    "acl internal acl(from_office,!by_night)",
)


ACL_LOOP = register(
    "E0424",
    "an ACL asks for itself",
    """Through acl() an ACL may look at others, and none of those at it.""",
)


class Names:
    """What rules and expressions refer to: proxies and servers by name, and the plan's list of ACLs.

    A name that means nothing is an error in `diagnostics`, and index 0 in the plan, which is not used then.
    """

    def __init__(
        self,
        proxies: Proxies,
        diagnostics: Diagnostics,
        userlists: Iterable[Userlist] = (),
        stick_counters: int = 3,
        resolvers: Iterable[Resolvers] = (),
    ) -> None:
        self.proxies = proxies
        self.tables = Tables(proxies.all, stick_counters, diagnostics)
        self.resolvers = ResolversNames(resolvers, diagnostics)
        self.userlists = Userlists(userlists, diagnostics)
        self.diagnostics = diagnostics
        self.lists = Lists(diagnostics)
        self._acls: list[document.Acl] = []
        self._index: dict[tuple[str, Span | None], int] = {}
        self._unique: dict[str, Acl] = {}
        self._declared: dict[str, Acl] = {}
        self._open: set[tuple[str, Span | None]] = set()

    def acls(self, numbers: Sequence[int] | None = None) -> tuple[document.Acl, ...]:
        """Return every ACL met so far; `numbers` are those of their lines' lists, once they have any."""
        if numbers is None:
            return tuple(self._acls)
        return tuple(
            replace(
                acl,
                tests=tuple(
                    replace(test, id=numbers[test.id], description=self.lists.described(test.id))
                    for test in acl.tests
                ),
            )
            for acl in self._acls
        )

    def declare(self, acls: Iterable[Acl]) -> None:
        """Begin a section: add its ACLs, so that what is wrong with one that no rule uses is found as well.

        Until the next section begins, `acl()` finds these.
        """
        self._declared = {acl.name: acl for acl in acls}
        for acl in self._declared.values():
            self.acl(acl)

    def acl(self, acl: Acl) -> int:
        """Return the index of an ACL, adding it if it is new."""
        # The place of the declaration tells apart ACLs of one name in different sections.
        key = (acl.name, acl.span)
        found = self._index.get(key)
        if found is None:
            self._open.add(key)
            name = byte_string(self._unique_name(acl))
            lowered = document.Acl(name, tuple(self._test(test) for test in acl.tests))
            self._open.remove(key)
            found = self._index[key] = len(self._acls)
            self._acls.append(lowered)
        return found

    def _unique_name(self, acl: Acl) -> str:
        """Return an ACL's name, with the place of its declaration where another section took the name.

        The engine finds the ACLs of `acl()` by name.
        """
        first = self._unique.setdefault(acl.name, acl)
        return acl.name if first.span == acl.span or acl.span is None else f"{acl.name}@{origin(acl.span)}"

    def _test(self, test: AclTest) -> document.AclTest:
        line, files = self.lists.test(test)
        self.userlists.check_groups(test)
        return document.AclTest(
            expression=self.expression(test.expression),
            method=document.MatchMethod(test.method.value),
            ignore_case=test.ignore_case,
            patterns=tuple(byte_string(pattern) for pattern in test.patterns),
            id=line,
            files=files,
        )

    def condition(self, condition: Condition | None) -> document.Condition | None:
        """Return a condition over the plan's ACLs."""
        if condition is None:
            return None
        any_of = tuple(
            tuple(document.Term(term.negate, self.acl(term.acl)) for term in terms)
            for terms in condition.any_of
        )
        return document.Condition(condition.unless, any_of)

    def expression(self, expression: Expression) -> document.Expression:
        """Return an expression whose names are resolved."""
        converters = tuple(self._converter(call, expression.span) for call in expression.converters)
        if expression.fetch.name == "acl":
            return document.Expression(self._acl_call(expression), converters)
        return document.Expression(self._call(expression.fetch, expression.span), converters)

    def _acl_call(self, expression: Expression) -> document.Call:
        """Resolve the names in `acl(a,!b)` to those of the plan."""
        texts = (each.value if isinstance(each, StrArg) else "" for each in expression.fetch.args)
        names = (self._acl_name(text, expression.span) for text in texts)
        return document.Call("acl", tuple(document.ArgStr(name) for name in names if name))

    def _acl_name(self, text: str, span: Span) -> str | None:
        """Return the plan's name of an ACL, perhaps with `!` before it; collects an error for one unknown."""
        found = self._declared.get(text.removeprefix("!"))
        if found is None:
            hint = did_you_mean(text.removeprefix("!"), self._declared)
            message = f"the section declares no ACL `{text.removeprefix('!')}`"
            self.diagnostics.alert(UNKNOWN_ACL, message, span, hint=hint)
            return None
        if (found.name, found.span) in self._open:
            message = f"ACL `{found.name}` would ask for itself"
            self.diagnostics.alert(ACL_LOOP, message, span)
            return None
        self.acl(found)
        sign = "!" if text.startswith("!") else ""
        return byte_string(sign + self._unique_name(found))

    def _converter(self, call: Call, span: Span) -> document.Call:
        """Resolve a converter; `when(acl,a)` names an ACL."""
        match call.args:
            case (StrArg("acl" | "!acl") as condition, StrArg(text), *_) if call.name == "when":
                name = self._acl_name(text, span)
                return document.Call(
                    call.name, (document.ArgStr(condition.value), document.ArgStr(name or ""))
                )
        return self._call(call)

    def _call(self, call: Call, span: Span | None = None) -> document.Call:
        if span is not None and call.name.startswith(("sc_", "sc0_", "sc1_", "sc2_")):
            self._check_counter(call, span)
        return document.Call(call.name, tuple(self._argument(each) for each in call.args))

    def _check_counter(self, call: Call, span: Span) -> None:
        """Refuse a fetch about a counter that no session has: behind `sc_` its number is the last one."""
        numbers = [each.value for each in call.args if isinstance(each, IntArg)]
        if call.name.startswith("sc_"):
            self.tables.counter(numbers[-1] if numbers else 0, span)
        else:
            self.tables.counter(int(call.name[2]), span)

    def _argument(self, argument: Argument) -> document.Arg:
        match argument:
            case IntArg(value):
                return document.ArgInt(value)
            case StrArg(text):
                return document.ArgStr(byte_string(text))
            case IpArg(address):
                return document.ArgIp(str(address))
            case MaskArg(bits):
                return document.ArgMask(bits)
            case VarArg(name):
                return document.ArgVar(name)
            case ProxyArg("frontend", name, span):
                return document.ArgFrontend(self._frontend(name, span))
            case ProxyArg("table"):
                return document.ArgTable(self.tables.index(argument))
            case ProxyArg(_, name, span):
                return document.ArgBackend(self.backend(name, span))
            case ServerArg(backend, server, span):
                at = self.backend(backend, span)
                known = self.proxies.backend(backend) is not None
                return document.ArgServer(at, self.server(at, server, span) if known else 0)
            case UserlistArg():
                return document.ArgUserlist(self.userlists.index(argument))
            case MapArg():
                return document.ArgList(self.lists.map(argument))
            case AbsentArg():
                return document.ArgAbsent()

    def _frontend(self, name: str, span: Span) -> int:
        found = self.proxies.frontend(name)
        if found is None:
            hint = did_you_mean(name, (each.name for each in self.proxies.frontends))
            self.diagnostics.alert(UNKNOWN_PROXY, f"there is no frontend `{name}`", span, hint=hint)
        return found or 0

    def backend(self, name: str, span: Span) -> int:
        """Return the index of a backend; collects an error where there is none."""
        found = self.proxies.backend(name)
        if found is None:
            hint = did_you_mean(name, (each.name for each in self.proxies.backends))
            self.diagnostics.alert(UNKNOWN_PROXY, f"there is no backend `{name}`", span, hint=hint)
        return found or 0

    def server(self, backend: int, name: str, span: Span) -> int:
        """Return the index of a server in a backend; collects an error where there is none."""
        found = self.proxies.server(backend, name)
        if found is None:
            proxy = self.proxies.backends[backend]
            hint = did_you_mean(name, (each.name for each in proxy.servers))
            message = f"backend `{proxy.name}` has no server `{name}`"
            self.diagnostics.alert(UNKNOWN_SERVER, message, span, hint=hint)
        return found or 0
