"""The documents behind tests/golden/*.json: together they use every type that crosses the seam.

Run as a script (PYTHONPATH=src) to write the files anew after a change of shape.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import msgspec

from isthmus.engine import caches, command, question, report, served, service
from isthmus.plan import document as d

FOLDER = Path(__file__).parent


def _beside(name: str) -> ModuleType:
    """Return a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"golden_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


http_documents = _beside("http_documents")
explain_documents = _beside("explain_documents")
list_documents = _beside("list_documents")
loopback_document = _beside("loopback_document")
tls_documents = _beside("tls_documents")


def expression(name: str, *args: d.Arg, converters: tuple[d.Call, ...] = ()) -> d.Expression:
    return d.Expression(d.Call(name, args), converters)


SRC = expression("src")
ITEMS: tuple[d.FormatItem, ...] = (
    d.Literal("caf\u00e9 \x00\xff "),
    d.Alias("ci", "Q"),
    d.FormatExpression(SRC, "E,X"),
    *(d.Encoded(each, d.ItemType.OWN, d.Alias("ci")) for each in d.Encoding),
    d.Record(
        d.Encoding.CBOR,
        True,
        tuple(d.Field("caf\u00e9", each, d.FormatExpression(SRC)) for each in d.ItemType),
    ),
)
ALWAYS = d.Condition(False, ((d.Term(False, 0), d.Term(True, 1)), (d.Term(False, 1),)))


def every_argument() -> d.Expression:
    args: tuple[d.Arg, ...] = (
        d.ArgInt(-5),
        d.ArgStr("\xff\x00a"),
        d.ArgIp("2001:db8::1"),
        d.ArgMask(24),
        d.ArgVar("txn.a"),
        d.ArgFrontend(0),
        d.ArgBackend(1),
        d.ArgServer(1, 2),
        d.ArgList(3),
        d.ArgUserlist(0),
        d.ArgTable(0),
        d.ArgAbsent(),
    )
    return expression("some", *args, converters=(d.Call("lower"), d.Call("mod", (d.ArgInt(3),))))


def every_action() -> tuple[d.Rule, ...]:
    actions: tuple[d.Action, ...] = (
        d.Accept(),
        d.Reject(),
        d.SilentDrop(),
        d.SilentDrop(4),
        d.SwitchMode(),
        d.SwitchMode(True),
        d.ExpectProxy(),
        d.SetVar("txn.a", SRC, ("ifexists",)),
        d.SetVarFmt("txn.a", ITEMS),
        d.UnsetVar("txn.a"),
        d.SetSrc(SRC),
        d.SetSrcPort(SRC),
        d.SetDst(SRC),
        d.SetDstPort(SRC),
        d.Capture(SRC, 16, 0),
        d.SetLogLevel(3),
        d.SetLogLevel(None),
        *(d.DoLog(each) for each in d.LogOrigin),
        d.SetMark(False, SRC),
        d.SetMark(True, SRC),
        d.SetTos(False, SRC),
        d.SetTos(True, SRC),
        d.SetRetries(SRC),
        d.DoResolve("txn.a", "r", d.Family.IPV6, 3500, SRC),
        d.Track(0, SRC, 0),
        d.AddGpc(d.OwnGpc(1), 2, SRC),
        d.AddGpc(d.GpcElement(7), 2, SRC),
        d.SetGpt(None, 0, SRC),
        d.SetGpt(3, 0, SRC),
    )
    return tuple(d.Rule(each, ALWAYS, f"a.cfg:{i}") for i, each in enumerate(actions))


def stick_tables() -> tuple[d.StickTable, ...]:
    keys: tuple[d.TableKey, ...] = (
        d.IpKey(),
        d.Ipv6Key(),
        d.IntegerKey(),
        d.StringKey(32),
        d.BinaryKey(8),
    )
    stored = (d.StoredData("gpc0"), d.StoredData("gpc_rate", 3, 1000))
    return tuple(
        d.StickTable(f"t{at}", key, 100, 1000 if at else None, True, at == 0, False, stored)
        for at, key in enumerate(keys)
    )


def log_policy() -> d.LogPolicy:
    sampling = d.LogSampling(((1, 2), (4, 4)), 5)
    targets = (
        d.LogTarget(d.LogUdp("127.0.0.1", 514, 0), d.LogFormat.RFC3164, 16, 7, 0, 1024),
        d.LogTarget(d.LogUnix("/dev/log"), d.LogFormat.RFC5424, 0, 6, 3, 65535, sampling),
        d.LogTarget(d.LogFd(2), d.LogFormat.RAW, 23, 5, 0, 80),
    )
    return d.LogPolicy(
        targets, "h\xe9", ITEMS, d.LogWhen.END, ITEMS, ITEMS, ITEMS, True, True, True, tuple(d.LogStep)
    )


def server(index: int, address: d.ServerAddress, namespace: d.ServerNamespace, **more: object) -> d.Server:
    plain = d.Server(f"s{index}", index, f"a.cfg:{index}", address, namespace)
    return msgspec.structs.replace(plain, **more)


def servers() -> tuple[d.Server, ...]:
    header = d.ProxyHeader(2, True, True, True, True, ("cert-cn",), (d.ProxyTlv(0xE0, ITEMS),))
    sources: tuple[d.ClientSource, ...] = (
        d.SourceClientIp(),
        d.SourceClient(),
        d.SourceFixed("10.0.0.1", 80),
        d.SourceExpression(SRC),
    )
    one = d.SourceAddress("0.0.0.0", (1024, 2048), "eth0", sources[0])
    more = [d.SourceAddress("::", usesrc=each) for each in sources[1:]]
    return (
        server(
            1,
            d.ServerInet("10.0.0.1", d.FixedPort(80)),
            d.DefaultNamespace(),
            http=d.http.HttpServer("a", "http://b", 5, 2, 1000, 100),
            proxy_header=header,
            source=one,
        ),
        server(2, d.ServerInet(None, d.ClientPort(-3)), d.ClientNamespace(), source=more[0], track=(0, 0)),
        server(
            3,
            d.ServerLocal(d.Abstract("x", True)),
            d.FixedNamespace(0),
            source=more[1],
            tfo=True,
            non_stick=True,
        ),
        server(4, d.ServerUnresolved("a.example", d.FixedPort(80)), d.DefaultNamespace(), source=more[2]),
    )


def backend(name: str, number: int, algorithm: d.Algorithm, those: tuple[d.Server, ...]) -> d.Backend:
    options = d.BackendOptions(d.KeepAlive(True, 3, 30, 10), True, d.Splice(True, True, True), True, True)
    choices = (
        d.ServerChoice(d.FixedServer(0), ALWAYS, "a.cfg:7"),
        d.ServerChoice(d.DynamicServer(ITEMS), None),
    )
    return d.Backend(
        name=name,
        id=number,
        disabled=False,
        algorithm=algorithm,
        servers=those,
        fullconn=100,
        timeout_connect=5000,
        timeout_server=None,
        timeout_server_fin=1,
        timeout_queue=2,
        timeout_tunnel=3,
        retries=3,
        redispatch=-1,
        inspect_delay=10,
        content_rules=every_action(),
        server_choices=choices if those else (),
        stick_rules=tuple(d.StickRule(each, SRC, 0, ALWAYS, "a.cfg:1") for each in d.Stick) if those else (),
        source=None,
        log=d.LogPolicy(),
        options=options,
        http=http_documents.backend(ITEMS, SRC, ALWAYS) if those else None,
    )


def bind(number: int, address: d.Address, shards: d.Shards) -> d.Bind:
    return d.Bind(
        id=number,
        name="b",
        address=address,
        origin="a.cfg:2",
        namespace=0,
        accept_proxy=True,
        accept_proxy_from=("10.0.0.0/8",),
        shards=shards,
        threads=(0, 1),
        v6only=False,
        mode=0o600,
        uid=0,
        gid=0,
        tls=tls_documents.bind() if number else None,
    )


def frontend() -> d.Frontend:
    addresses: tuple[d.Address, ...] = (
        d.Inet("::", 80),
        d.Unix("/run/a.sock"),
        d.Abstract("a", False),
        d.Fd(3),
        d.Sockpair(4),
    )
    return d.Frontend(
        name="fe",
        id=1,
        disabled=False,
        maxconn=10,
        rate_limit=0,
        binds=tuple(bind(i, each, d.Count(2) if i else d.ByThread()) for i, each in enumerate(addresses)),
        timeout_client=1000,
        timeout_client_fin=None,
        timeout_client_hs=5,
        inspect_delay=0,
        connection_rules=every_action(),
        session_rules=(d.Rule(d.Accept(), None, "a.cfg:9"),),
        content_rules=(),
        backend_choices=(
            d.BackendChoice(d.FixedBackend(0), ALWAYS, "a.cfg:8"),
            d.BackendChoice(d.DynamicBackend(ITEMS), None),
        ),
        default_backend=1,
        captures=(16,),
        log=log_policy(),
        options=d.FrontendOptions(d.KeepAlive(True, 1, 2, 3), True, d.Splice(), True),
        http=http_documents.frontend(ITEMS, SRC, ALWAYS),
        switches=True,
    )


def plan() -> d.Plan:
    hashing = d.Hash(d.HashKind.CONSISTENT, d.HashFunction.NONE, True, 150)
    algorithms: tuple[d.Algorithm, ...] = (
        d.Roundrobin(),
        d.StaticRr(),
        d.Leastconn(),
        d.First(),
        d.Random(2),
        d.Source(d.Hash()),
        d.Uri(3, 2, True, False, d.Hash()),
        d.UrlParam("q\xff", True, d.Hash()),
        d.Header("host", True, d.Hash()),
        d.RdpCookie("mstshash", d.Hash()),
        d.HashOf(every_argument(), hashing),
    )
    return d.Plan(
        version=d.VERSION,
        global_=d.Global(
            nbthread=2,
            maxconn=2000,
            maxconnrate=7,
            maxsessrate=8,
            log_hostname="",
            hostname="here",
            bufsize=16384,
            maxaccept=64,
            maxpollevents=200,
            pipesize=0,
            socket_buffers=(1, 2, 3, 4),
            splice=True,
            netns_unlisted_ignore=False,
            hard_stop_after=0,
            http=http_documents.settings(),
            variables=(("proc.a", SRC), ("proc.b", (d.Literal("x "), d.FormatExpression(SRC)))),
            variable_limits=d.VariableLimits(5, 4, 3, 2, 1),
        ),
        namespaces=(d.Namespace("red", "/run/netns/red", True),),
        namespace_list=(0,),
        lists=(
            d.PatternList(0, "a.map", "used by map", True, True, "ab12", (("localhost", "127.0.0.1"),)),
            d.PatternList(1, "virt@b", "used by acl", False, True),
        ),
        tables=stick_tables(),
        userlists=(
            d.Userlist(
                "staff",
                (
                    d.User("ann", d.PasswordPlain("\xff"), ("all",)),
                    d.User("bob", d.PasswordHashed("$5$salt$hash")),
                    d.User("carl", None),
                ),
            ),
        ),
        acls=(
            d.Acl("a", tuple(d.AclTest(SRC, each, True, ("10.0.0.0/8", "\xff")) for each in d.MatchMethod)),
            d.Acl("c", (d.AclTest(SRC, d.MatchMethod.IP, False, (), 7, "acl 'src'", (d.ListUse(0, True),)),)),
            d.Acl("b", ()),
        ),
        frontends=(frontend(),),
        backends=tuple(
            backend(f"be{i}", i, each, () if i else servers()) for i, each in enumerate(algorithms, 0)
        ),
        tls=tls_documents.files(),
    )


def commands() -> list[command.Command]:
    return [
        *(command.SetServerAdmin("b", "s", each) for each in command.AdminState),
        command.SetServerHealth("b", "s", False, "Layer4 timeout"),
        command.SetServerWeight("b", "s", 256),
        command.SetVariable("proc.a", SRC),
        command.SetVariable("proc.b", ITEMS),
        command.ShutdownSession(2**40),
        command.ShutdownServerSessions("b", "s"),
        command.SetServerMaxconn("b", "s", 7),
        command.SetFrontendMaxconn("fe", 0),
        command.SetMaxconn(2**33),
        *(command.SetFrontendState("fe", each) for each in command.FrontendState),
        *(command.SetRateLimit(each, 9) for each in command.RateLimit),
        command.Log(None, 5, "hello"),
        command.Log("fe", 0, "hello"),
    ]


def snapshot() -> report.Snapshot:
    return report.Snapshot(
        process=report.ProcessFacts(generation=1),
        frontends=(report.FrontendFacts(name="fe", listeners=(report.ListenerFacts(name="sock-1"),)),),
        backends=(served.BackendFacts(name="be", servers=(served.ServerFacts(name="s", op_state=2),)),),
        namespaces=(report.NamespaceFacts(name="red"),),
    )


def events() -> list[report.Event]:
    return [
        report.NamespaceEvent("red", "vanished", ""),
        report.ListenerEvent("fe", "a.cfg:2", "no"),
        report.WarmedEvent("be", "s"),
        report.Stopped(),
    ]


def service_requests() -> list[service.ServiceRequest]:
    made = service.ServiceRequest(
        service="python.hello",
        generation=3,
        method="POST",
        target="/a?b=\xff",
        version="HTTP/1.1",
        fields=(("host", "a"),),
        length=None,
        source=("::1", 5),
        destination=("192.0.2.1", 80),
        src_netns="red",
        frontend="fe",
        backend="",
        unique_id="",
        patience=60_000,
    )
    return [made, msgspec.structs.replace(made, length=0, source=None, destination=None)]


DOCUMENTS: dict[str, object] = {
    "plan": plan(),
    "loopback": loopback_document.plan(),
    "commands": commands(),
    "list_requests": list_documents.requests(),
    "list_answers": list_documents.answers(),
    "list_checks": list_documents.checks(),
    "snapshot": snapshot(),
    "sessions": [report.SessionFacts(id=1, fds=(5, -1), expires_ms=-1)],
    "caches": [caches.CacheFacts("c", 2**40, (caches.CachedFacts(1, 2**32 - 1, 2**64 - 1, 9, 1, -5),))],
    "events": events(),
    "tls_facts": tls_documents.facts(),
    "service_requests": service_requests(),
    "name_questions": [question.NameQuestion("r", 3, "a\xff.test", d.Family.IPV4)],
    "service_heads": [service.ServiceHead(404, "No\xe9", (("a", "b"),)), service.ServiceHead(200, None, ())],
    "questions": explain_documents.questions(ALWAYS, ITEMS, SRC),
    "explained": explain_documents.explained(),
    "apply": report.ApplyReport(1, (("fe", "a.cfg:2", "0.0.0.0:80"),), (("a.cfg:3", "no"),)),
}


def text(name: str) -> bytes:
    """The document as its golden file holds it."""
    return msgspec.json.format(msgspec.json.encode(DOCUMENTS[name]), indent=1) + b"\n"


if __name__ == "__main__":
    for each in DOCUMENTS:
        (FOLDER / f"{each}.json").write_bytes(text(each))
