"""Whatever stands on a line about rules or logs, reading it gives a result or says what is wrong with it."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from isthmus.config import Diagnostics, Line, Severity, Span, Word
from isthmus.keywords.acls import NO_ACLS, declare_acls
from isthmus.keywords.conditions import parse_condition
from isthmus.keywords.context import Context
from isthmus.keywords.evaluation import CaptureSlots, RuleOrder
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.http_actions import HTTP_ACTIONS, HttpSet
from isthmus.keywords.http_rules import HttpRuleReader
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.log_targets import parse_log
from isthmus.keywords.tcp_rules import RuleReader
from isthmus.keywords.vocabulary import Place, Vocabulary

VOCABULARY = Vocabulary.read(
    (Path(__file__).parents[1] / "unit" / "keywords" / "vocabulary.json").read_bytes()
)

PIECES = st.sampled_from(
    [
        *("src", "dst_port", "str", "int", "nbsrv", "srv_conn", "var", "acl", "lower", "ipmask", "regsub"),
        *("(", ")", ",", "'", '"', "\\", "%", "%%", "[", "]", "{", "}", "+Q", "-M", "o", "ci", "Tt", "HM"),
        *("!", "or", "||", "if", "unless", "-m", "-i", "-f", "--", "-M", "-u", "reg", "found", "gt", "lt"),
        *("txn.a", "10.0.0.0/8", "9" * 5000, "::1", ":", "80", "-5", "80:90", "é", "\udc80", " ", "TRUE"),
        *("accept", "reject", "set-var", "capture", "len", "silent-drop", "rst-ttl", "connection", "content"),
        *("session", "inspect-delay", "expect-proxy", "stderr", "local0", "sample", "namespace", "format"),
    ]
)
HTTP_PIECES = st.sampled_from(
    [
        *("status", "deny_status", "content-type", "string", "lf-string", "file", "hdr", "errorfile", "403"),
        *("location", "prefix", "scheme", "code", "301", "set-cookie", "drop-query", "id", "realm", "on"),
        *(
            "X-A",
            "(.*)",
            "(",
            "path-strip-dot",
            "full",
            "client",
            "5s",
            "time",
            "at-least",
            "1k",
            "text/plain",
        ),
    ]
)
TEXT = st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join)
WORDS = st.lists(PIECES | TEXT, max_size=8)


def context() -> Context:
    return Context(VOCABULARY, Diagnostics(), "f", frontend=True, backend=True)


def placed(texts: list[str]) -> tuple[Word, ...]:
    """Words one behind the other, each as if it were written without quotes."""
    words, column = [], 1
    for text in texts:
        words.append(Word(text, Span("t.cfg", 1, column, column + len(text))))
        column += len(text) + 1
    return tuple(words)


def line(texts: list[str]) -> Line:
    return Line(placed(texts), "t.cfg", 1, " ".join(texts))


def check(ctx: Context, texts: list[str]) -> bool:
    """Every message points into the line. Returns whether any is an error."""
    end = len(" ".join(texts)) + 2
    for each in ctx.diagnostics:
        assert each.span is not None
        assert 1 <= each.span.column <= each.span.end <= end
    return any(each.severity is Severity.ALERT for each in ctx.diagnostics)


@given(TEXT)
def test_an_expression_is_read_or_refused(text):
    ctx = context()
    found = parse_expression(placed([text])[0], Place.FRONTEND_CONTENT, ctx)
    assert (found is None) == check(ctx, [text])


@given(TEXT, st.sampled_from(FormatKind))
def test_a_format_is_read_or_refused(text, kind):
    ctx = context()
    found = parse_format(placed([text])[0], kind, Place.LOG, ctx)
    assert (found is None) == check(ctx, [text])


@given(WORDS)
def test_an_acl_is_read_or_refused(texts):
    ctx = context()
    scope = declare_acls([line(["acl", *texts])], ctx)
    failed = check(ctx, ["acl", *texts])
    assert failed or all(acl.tests for acl in scope.declared.values())


@given(WORDS)
def test_a_condition_is_read_or_refused(texts):
    ctx = context()
    found = parse_condition(placed(["if", *texts]), NO_ACLS, Place.FRONTEND_CONTENT, ctx)
    failed = check(ctx, ["if", *texts])
    assert failed or found is not None


@given(st.sampled_from(["connection", "session", "content"]), WORDS)
def test_a_rule_is_read_or_refused(rule_set, texts):
    ctx = context()
    reader = RuleReader(NO_ACLS, ctx)
    texts = ["tcp-request", rule_set, *texts]
    reader.tcp_request(line(texts))
    rules = reader.finish()
    failed = check(ctx, texts)
    assert failed or len(rules.connection + rules.session + rules.content) == 1


HTTP_WORDS = st.lists(HTTP_PIECES | PIECES | TEXT, max_size=8)


@given(st.sampled_from(HttpSet), st.sampled_from(sorted(HTTP_ACTIONS)), HTTP_WORDS)
def test_an_http_rule_is_read_or_refused(http_set, action, texts):
    ctx = context()
    reader = HttpRuleReader(NO_ACLS, ctx, RuleOrder(ctx), CaptureSlots(), CaptureSlots())
    texts = [http_set.value, action, *texts]
    reader.rule(line(texts), http_set)
    rules = reader.finish()
    failed = check(ctx, texts)
    assert failed or len(rules.request + rules.response + rules.after_response) == 1


@given(HTTP_WORDS)
def test_a_redirection_is_read_or_refused(texts):
    ctx = context()
    reader = HttpRuleReader(NO_ACLS, ctx, RuleOrder(ctx), CaptureSlots(), CaptureSlots())
    reader.redirect(line(["redirect", *texts]))
    failed = check(ctx, ["redirect", *texts])
    assert failed or len(reader.finish().redirects) == 1


@given(WORDS)
def test_a_log_line_is_read_or_refused(texts):
    ctx = context()
    keyword, *rest = placed(["log", *texts])
    found = parse_log(keyword, tuple(rest), ctx)
    assert (found is None) == check(ctx, ["log", *texts])
