"""What `isthmus explain` asks the engine, and what it is answered."""

from __future__ import annotations

import msgspec

from isthmus.engine import explain
from isthmus.plan import document as d


def questions(always: d.Condition, items: d.Format, src: d.Expression) -> list[explain.Question]:
    carried: tuple[explain.Carried, ...] = (
        explain.Nothing(),
        explain.Unknown("--url"),
        explain.Hello("a.example", None),
        explain.Hello(None, ("h2",)),
        explain.Request(),
        explain.Bytes("SSH\xff"),
    )
    samples: tuple[explain.Sample, ...] = (
        explain.BoolSample(True),
        explain.IntSample(-1),
        explain.IpSample("::1"),
        explain.StrSample("a"),
        explain.BinSample("\xff"),
    )
    known: list[explain.Variable] = [explain.KnownVariable(each) for each in samples]
    variables = tuple((f"txn.v{at}", each) for at, each in enumerate([*known, explain.UnknownVariable("x")]))
    request = explain.DescribedRequest(
        "GET", "/", 2, "https", (("host", "a"),), ("cookie",), (("*", "a.cfg:1"),), "m", "t"
    )
    seen = explain.Described(
        frontend=0,
        bind=1,
        src=explain.DescribedEnd("::1", 65535),
        dst=explain.DescribedEnd(ip_needs="--bind", port_needs="--bind"),
        backend=2,
        namespace="blue",
        proxied=True,
        tls=explain.DescribedTls("a", "h2", asks_certificate=True),
        request=request,
        variables=variables,
    )
    return [
        *(explain.AskCondition(msgspec.structs.replace(seen, carried=each), always) for each in carried),
        explain.AskFormat(seen, items),
        explain.AskExpression(seen, src),
        explain.AskCertificate(0, 1, None),
    ]


def explained() -> list[explain.Explained]:
    return [
        explain.Explained(None, (("a", True),), ("--src",), explain.IntSample(1), "\xff", ("a.pem",), each)
        for each in (None, *explain.Found)
    ]
