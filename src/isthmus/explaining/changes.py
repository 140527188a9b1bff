"""What a rule's action makes of a connection, as far as that is known."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace as changed

from isthmus.engine import explain as seam
from isthmus.explaining.connection import Connection
from isthmus.plan import document
from isthmus.plan.document import http
from isthmus.records import replace

Ask = Callable[[seam.Question], seam.Explained]
Action = document.Action | http.HttpAction


class Changes:
    """Applies actions. `ask` is the engine's answer to a question."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def apply(self, now: Connection, at: seam.Described, action: Action, origin: str) -> Connection:
        """Return the connection behind an action that is taken."""
        match action:
            case http.Common(inner):
                return self.apply(now, at, inner, origin)
            case document.SetVar(name, expression, conditions):
                said = self._ask(seam.AskExpression(at, expression))
                return self._variable(now, name, said, bool(conditions), origin)
            case document.SetVarFmt(name, text, conditions):
                said = self._ask(seam.AskFormat(at, text))
                return self._variable(now, name, said, bool(conditions), origin)
            case document.ExpectProxy():
                return replace(now, proxied=True)
            case document.UnsetVar(name):
                return now.with_variable(name, None)
            case document.SetSrc(expression):
                return replace(now, src=self._end(now.src, at, expression, "ip", origin))
            case document.SetSrcPort(expression):
                return replace(now, src=self._end(now.src, at, expression, "port", origin))
            case document.SetDst(expression):
                return replace(now, dst=self._end(now.dst, at, expression, "ip", origin))
            case document.SetDstPort(expression):
                return replace(now, dst=self._end(now.dst, at, expression, "port", origin))
        if now.request is None:
            return now
        return replace(now, request=self._request(now.request, at, action, origin))

    def blur(self, now: Connection, action: Action, origin: str) -> Connection:
        """Return the connection behind an action of which nobody knows whether it is taken."""
        unknown = _after(origin)
        match action:
            case http.Common(inner):
                return self.blur(now, inner, origin)
            case document.SetVar(name=name) | document.SetVarFmt(name=name) | document.UnsetVar(name):
                return now.with_variable(name, seam.UnknownVariable(unknown))
            case document.SetSrc():
                return replace(now, src=changed(now.src, ip=None, ip_needs=unknown))
            case document.SetSrcPort():
                return replace(now, src=changed(now.src, port=None, port_needs=unknown))
            case document.SetDst():
                return replace(now, dst=changed(now.dst, ip=None, ip_needs=unknown))
            case document.SetDstPort():
                return replace(now, dst=changed(now.dst, port=None, port_needs=unknown))
        if now.request is None:
            return now
        return replace(now, request=_blurred(now.request, action, origin))

    def _variable(
        self, now: Connection, name: str, said: seam.Explained, conditions: bool, origin: str
    ) -> Connection:
        if conditions or said.needs:
            why = ", ".join(said.needs) or f"what {origin} leaves of the variable"
            return now.with_variable(name, seam.UnknownVariable(why))
        value = seam.StrSample(said.text) if said.text is not None else said.value
        return now if value is None else now.with_variable(name, seam.KnownVariable(value))

    def _end(
        self, end: seam.DescribedEnd, at: seam.Described, what: document.Expression, part: str, origin: str
    ) -> seam.DescribedEnd:
        said = self._ask(seam.AskExpression(at, what))
        match part, said.value:
            case "ip", seam.IpSample(value):
                return changed(end, ip=value, ip_needs="")
            case "port", seam.IntSample(value):
                return changed(end, port=value & 0xFFFF, port_needs="")
        why = ", ".join(said.needs) or _after(origin)
        if part == "ip":
            return changed(end, ip=None, ip_needs=why)
        return changed(end, port=None, port_needs=why)

    def _request(
        self, request: seam.DescribedRequest, at: seam.Described, action: Action, origin: str
    ) -> seam.DescribedRequest:
        match action:
            case http.SetHeader(name, value):
                said = self._ask(seam.AskFormat(at, value)).text
                if said is None:
                    return _blurred(request, action, origin)
                return _with_field(request, name.lower(), said)
            case http.DelHeader(name, http.NameMatch.STR):
                return _without_field(request, name.lower())
            case http.SetMethod(value):
                said = self._ask(seam.AskFormat(at, value)).text
                return changed(request, method=said, method_needs=_after(origin))
            case http.SetTarget(part, value) if request.target is not None:
                said = self._ask(seam.AskFormat(at, value)).text
                target = None if said is None else _target(request.target, part, said)
                return changed(request, target=target, target_needs=_after(origin))
        return _blurred(request, action, origin)


def _after(origin: str) -> str:
    return f"what {origin} makes of it"


def _target(now: str, part: http.TargetPart, text: str) -> str | None:
    path, mark, query = now.partition("?")
    match part:
        case http.TargetPart.PATH:
            return text + mark + query
        case http.TargetPart.PATHQ:
            return text
        case http.TargetPart.QUERY:
            return f"{path}?{text}" if text else path
    # A whole URI may bring another authority.
    return text if text.startswith("/") else None


def _with_field(request: seam.DescribedRequest, name: str, value: str) -> seam.DescribedRequest:
    bare = _without_field(request, name)
    absent = tuple(each for each in bare.absent if each != name)
    return changed(bare, fields=(*bare.fields, (name, value)), absent=absent)


def _without_field(request: seam.DescribedRequest, name: str) -> seam.DescribedRequest:
    return changed(
        request,
        fields=tuple(each for each in request.fields if each[0] != name),
        absent=(*request.absent, name),
        changed=tuple(each for each in request.changed if each[0] != name),
    )


def _blurred(request: seam.DescribedRequest, action: Action, origin: str) -> seam.DescribedRequest:
    """Forget what an action may change."""
    match action:
        case http.DelHeader(name, matching):
            field = name.lower() if matching is http.NameMatch.STR else "*"
        case (
            http.SetHeader(name=name)
            | http.AddHeader(name=name)
            | http.ReplaceHeader(name=name)
            | http.ReplaceValue(name=name)
        ):
            field = name.lower()
        case http.SetMethod():
            return changed(request, method=None, method_needs=_after(origin))
        case http.SetTarget() | http.ReplaceTarget() | http.NormalizeUri():
            return changed(request, target=None, target_needs=_after(origin))
        case _:
            return request
    return changed(request, changed=(*request.changed, (field, origin)))
