"""Rules, expressions, ACLs and logs of a configuration in the plan's terms."""

from ipaddress import IPv4Address

import pytest
from rule_words import VOCABULARY, words

from isthmus.config import Diagnostics, Line, Span
from isthmus.keywords.acls import declare_acls
from isthmus.keywords.context import Context
from isthmus.keywords.log_formats import TCPLOG
from isthmus.keywords.log_targets import parse_log
from isthmus.keywords.tcp_rules import RuleReader
from isthmus.model.expression import Acl, AclTest, Call, Expression, MatchMethod, SampleType, StrArg
from isthmus.model.proxy import LogSettings, Proxy, ProxySettings
from isthmus.model.server import Server
from isthmus.model.settings import Options
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.logs import GlobalLogs, LogPolicies
from isthmus.plan.names import Namespaces, Proxies
from isthmus.plan.rules import backend_rules, frontend_rules

SPAN = Span("t.cfg", 1, 1, 2)


class Machine:
    """Knows one host and one namespace."""

    def namespace_fault(self, path):
        return None if path == "/run/netns/blue" else "does not exist"

    def resolve(self, host, _family):
        return IPv4Address("192.0.2.9") if host == "logs.test" else None


def named(cls, **fields):
    """An instance of a model class with these fields and nothing else."""
    made = object.__new__(cls)
    for name, value in fields.items():
        object.__setattr__(made, name, value)
    return made


def proxy(kind, name, *servers):
    made = tuple(named(Server, name=server) for server in servers)
    return Proxy(kind, name, 0, ProxySettings(), (), made, SPAN)


PROXIES = (
    proxy("frontend", "f"),
    proxy("backend", "b"),
    proxy("backend", "c", "s1", "s2"),
    proxy("listen", "l"),
)


def lower(*texts, side="frontend"):
    diagnostics = Diagnostics()
    context = Context(
        VOCABULARY, diagnostics, "c" if side == "backend" else "f", side != "backend", side != "frontend"
    )
    lines = [Line(words(text, n), "t.cfg", n, text) for n, text in enumerate(texts, 1)]
    reader = RuleReader(declare_acls(lines, context), context)
    for line in lines:
        match line.keyword.text:
            case "tcp-request":
                reader.tcp_request(line)
            case "use_backend":
                reader.use_backend(line)
            case "use-server":
                reader.use_server(line)
    names = Names(Proxies(PROXIES), diagnostics)
    rules = reader.finish()
    lowered = backend_rules(rules, 1, names) if side == "backend" else frontend_rules(rules, None, names)
    return lowered, names, [each.code for each in diagnostics]


def test_acls_of_a_condition_become_indexes_of_the_plan():
    rules, names, codes = lower(
        "acl a src 10.0.0.1",
        "acl a src 10.0.0.2",
        "tcp-request connection reject if a !{ dst_port 80 } or a",
    )
    assert codes == []
    (rule,) = rules.connection
    first, second = document.Term(False, 0), document.Term(True, 1)
    assert rule.condition == document.Condition(False, ((first, second), (first,)))
    assert rule.origin == "t.cfg:3"
    named_acl, anonymous = names.acls()
    assert (named_acl.name, len(named_acl.tests)) == ("a", 2)
    assert anonymous.name == "{ dst_port 80 }"
    assert anonymous.tests[0] == document.AclTest(
        document.Expression(document.Call("dst_port")), document.MatchMethod.INT, False, ("80",), id=2
    )


def test_a_predefined_acl_stands_in_the_plan_once():
    _, names, _ = lower(
        "tcp-request connection reject if LOCALHOST", "tcp-request content reject unless LOCALHOST"
    )
    assert [acl.name for acl in names.acls()] == ["LOCALHOST"]


def test_acls_of_one_name_in_two_sections_are_two_and_found_by_acl():
    diagnostics = Diagnostics()
    names = Names(Proxies(PROXIES), diagnostics)
    fetched = []
    for line in (1, 11):
        context = Context(VOCABULARY, diagnostics, "f")
        text = "acl a src 10.0.0.1"
        reader = RuleReader(declare_acls([Line(words(text, line), "t.cfg", line, text)], context), context)
        names.declare(reader.finish().acls)
        asked = Expression(Call("acl", (StrArg("!a"),)), (), SampleType.BOOL, SPAN)
        fetched.append(names.expression(asked).fetch.args)
    assert [acl.name for acl in names.acls()] == ["a", "a@t.cfg:11"]
    assert fetched == [(document.ArgStr("!a"),), (document.ArgStr("!a@t.cfg:11"),)]


def test_acl_of_an_unknown_name_is_an_error():
    diagnostics = Diagnostics()
    names = Names(Proxies(PROXIES), diagnostics)
    names.expression(Expression(Call("acl", (StrArg("nosuch"),)), (), SampleType.BOOL, SPAN))
    assert [each.code for each in diagnostics] == ["E0423"]


def test_acls_that_ask_for_each_other_are_an_error():
    diagnostics = Diagnostics()
    names = Names(Proxies(PROXIES), diagnostics)

    def asking(name, line, other):
        expression = Expression(Call("acl", (StrArg(other),)), (), SampleType.BOOL, SPAN)
        test = AclTest(expression, MatchMethod.BOOL, False, ())
        return Acl(name, (test,), Span("t.cfg", line, 1, 2))

    names.declare((asking("a", 1, "b"), asking("b", 2, "c"), asking("c", 3, "a")))
    assert [each.code for each in diagnostics] == ["E0424"]


def test_actions_are_lowered():
    rules, _, codes = lower(
        "tcp-request content set-var(txn.a,ifnotset) src,ipmask(24)",
        "tcp-request content set-var-fmt(txn.b) é%[src]",
        "tcp-request content set-src src",
        "tcp-request content capture fe_name len 8",
        "tcp-request content capture src len 9 if TRUE",
        "tcp-request content set-mark 7",
        "tcp-request content silent-drop rst-ttl 2",
    )
    assert codes == []
    src = document.Expression(document.Call("src"))
    masked = document.Expression(document.Call("src"), (document.Call("ipmask", (document.ArgMask(24),)),))
    assert [rule.action for rule in rules.content] == [
        document.SetVar("txn.a", masked, ("ifnotset",)),
        document.SetVarFmt("txn.b", (document.Literal("Ã©"), document.FormatExpression(src, ""))),
        document.SetSrc(src),
        document.Capture(document.Expression(document.Call("fe_name")), 8, 0),
        document.Capture(src, 9, 1),
        document.SetMark(False, document.Expression(document.Call("int", (document.ArgInt(7),)))),
        document.SilentDrop(2),
    ]
    assert rules.captures == (8, 9)


def test_backends_and_servers_become_indexes():
    rules, names, codes = lower(
        "use_backend c if { nbsrv(b) lt 1 } { srv_conn(c/s2) 0 }", "use_backend %[fe_name]", "use_backend b"
    )
    assert codes == []
    fixed, dynamic, last = (choice.target for choice in rules.backends)
    assert (fixed, last) == (document.FixedBackend(1), document.FixedBackend(0))
    assert isinstance(dynamic, document.DynamicBackend)
    arguments = [acl.tests[0].expression.fetch.args for acl in names.acls()]
    assert arguments == [(document.ArgBackend(0),), (document.ArgServer(1, 1),)]


def test_servers_of_use_server_lines_are_the_backend_s_own():
    rules, _, codes = lower("use-server s2 if TRUE", "use-server %[src] if TRUE", side="backend")
    assert codes == []
    assert rules.servers[0].target == document.FixedServer(1)
    assert isinstance(rules.servers[1].target, document.DynamicServer)


@pytest.mark.parametrize(
    ("text", "side", "code"),
    [
        ("use_backend nosuch", "frontend", "E0420"),
        ("use_backend f", "frontend", "E0420"),
        ("use_backend b if { nbsrv(nosuch) 1 }", "frontend", "E0420"),
        ("use_backend b if { fe_conn(b) 1 }", "frontend", "E0420"),
        ("use_backend b if { srv_conn(c/s9) 1 }", "frontend", "E0421"),
        ("use_backend b if { srv_conn(s1) 1 }", "frontend", "E0420"),
        ("use-server s9 if TRUE", "backend", "E0421"),
    ],
)
def test_a_name_that_means_nothing_is_an_error(text, side, code):
    assert lower(text, side=side)[2] == [code]


def test_a_listen_cannot_choose_itself():
    diagnostics = Diagnostics()
    context = Context(VOCABULARY, diagnostics, "l", frontend=True, backend=True)
    text = "use_backend l if TRUE"
    reader = RuleReader(declare_acls([], context), context)
    reader.use_backend(Line(words(text), "t.cfg", 1, text))
    frontend_rules(reader.finish(), 2, Names(Proxies(PROXIES), diagnostics))
    assert [each.code for each in diagnostics] == ["E0422"]


def policy(*lines, of_global=(), frontend=True, options=None, tag=None, hostname=False, **settings):
    diagnostics = Diagnostics()
    context = Context(VOCABULARY, diagnostics)

    def parse(text):
        keyword, *rest = words(text)
        return parse_log(keyword, tuple(rest), context)

    said = GlobalLogs(tuple(parse(text) for text in of_global), tag, hostname)
    policies = LogPolicies(said, Names(Proxies(PROXIES), diagnostics), Namespaces(), Machine(), diagnostics)
    log = LogSettings(lines=tuple(parse(text) for text in lines), **settings)
    proxy = speaking(log=log, options=options or Options())
    return policies.policy(proxy, frontend=frontend), [each.code for each in diagnostics]


def speaking(**settings):
    return Proxy("listen", "p", 0, ProxySettings(**settings), (), (), SPAN)


def test_log_global_brings_the_targets_of_the_global_section():
    found, codes = policy("log global", "log stderr daemon", of_global=["log /dev/log local3 info err"])
    assert codes == []
    assert [target.address for target in found.targets] == [document.LogUnix("/dev/log"), document.LogFd(2)]
    first = found.targets[0]
    assert (first.facility, first.level, first.min_level, first.max_len) == (19, 6, 3, 1024)
    assert first.format is document.LogFormat.LOCAL


def test_sending_the_host_name_changes_the_default_framing():
    found, _ = policy("log stderr local0", "log stderr format raw local0", hostname=True)
    assert [target.format for target in found.targets] == [
        document.LogFormat.RFC3164,
        document.LogFormat.RAW,
    ]


def test_a_log_over_udp_has_its_namespace_and_its_address_looked_up():
    found, codes = policy("log logs.test namespace blue sample 1:2 local0")
    assert codes == []
    assert found.targets[0].address == document.LogUdp("192.0.2.9", 514, 0)
    assert found.targets[0].sampling == document.LogSampling(((1, 1),), 2)


def test_the_default_line_is_written_on_accept():
    found, _ = policy("log stderr local0")
    assert found.when is document.LogWhen.ACCEPT
    assert found.format[0] == document.Literal("Connect from ")


def test_logasap_does_not_wait_for_the_end():
    assert policy("log stderr local0", format=TCPLOG)[0].when is document.LogWhen.END
    asap = policy("log stderr local0", format=TCPLOG, options=Options(logasap=True))[0]
    assert asap.when is document.LogWhen.CONNECT


def test_the_tag_of_the_proxy_wins_over_the_global_one():
    diagnostics = Diagnostics()
    names = Names(Proxies(PROXIES), diagnostics)
    policies = LogPolicies(GlobalLogs(tag="all"), names, Namespaces(), Machine(), diagnostics)
    assert policies.policy(speaking(log=LogSettings(tag="own")), frontend=False).tag == "own"
    assert policies.policy(speaking(), frontend=False).tag == "all"


def test_a_format_without_a_target_is_warned_about():
    assert policy(format=TCPLOG)[1] == ["W0431"]
    assert policy(format=TCPLOG, frontend=False)[1] == []


def test_a_log_target_that_does_not_resolve_is_an_error():
    assert policy("log nowhere.test local0")[1] == ["E0430"]


def test_a_namespace_that_does_not_exist_is_an_error():
    assert policy("log 10.0.0.1 namespace red local0")[1] == ["E0160"]


def test_log_global_without_targets_logs_nothing():
    assert policy("log global")[0].targets == ()
