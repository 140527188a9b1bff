"""What is wrong with a line of HTTP rules is said where it is wrong."""

from __future__ import annotations

import pytest
from http_words import FILES, with_http
from rule_words import VOCABULARY, codes, context, marked, words

from isthmus.config import Line
from isthmus.keywords.acls import declare_acls
from isthmus.keywords.evaluation import CaptureSlots, RuleOrder
from isthmus.keywords.http_actions import HTTP_ACTIONS, HttpSet, possible
from isthmus.keywords.http_rules import HttpRuleReader

BACKEND = {"proxy": "b", "frontend": False, "backend": True}


def read_bytes(name: str) -> bytes:
    if name not in FILES:
        raise FileNotFoundError(name)
    return FILES[name]


def read(*texts, **changes):
    ctx = context(vocabulary=with_http(VOCABULARY), http=True, read_bytes=read_bytes, **changes)
    lines = [Line(words(text, n), "t.cfg", n, text) for n, text in enumerate(texts, 1)]
    acls = declare_acls(lines, ctx)
    reader = HttpRuleReader(acls, ctx, RuleOrder(ctx), CaptureSlots(), CaptureSlots())
    sets = {each.value: each for each in HttpSet}
    for line in lines:
        if line.keyword.text in sets:
            reader.rule(line, sets[line.keyword.text])
        elif line.keyword.text == "redirect":
            reader.redirect(line)
    return reader.finish(), ctx


@pytest.mark.parametrize(
    ("text", "code", "span"),
    [
        ("http-request", "E0416", (13, 13)),
        ("http-request denny", "E0404", (14, 19)),
        ("http-request deny(403)", "E0404", (14, 23)),
        ("http-request lua.hello", "E0401", (14, 23)),
        ("http-request send-spoe-group", "E0401", (14, 29)),
        ("http-after-response do-log now", "E0332", (28, 31)),
        ("http-response do-resolve(txn.a,r) src", "E0402", (15, 34)),
        ("http-request do-resolve(txn.a) src", "E0403", (14, 31)),
        ("http-request do-resolve(foo.a,r) src", "E0300", (25, 28)),
        ("http-request do-resolve(txn.a,r,ipv5) src", "E0403", (33, 37)),
        ("http-request use-service lua.x", "E0401", (26, 31)),
        ("http-request use-service", "E0403", (25, 25)),
        ("http-request set-status 404", "E0402", (14, 24)),
        ("http-response auth", "E0402", (15, 19)),
        ("http-after-response deny", "E0402", (21, 25)),
        ("http-request deny foo", "E0332", (19, 22)),
        ("http-request deny if nosuch", "E0330", (22, 28)),
        ("http-request deny status 99", "E0403", (26, 28)),
        ("http-request deny status 600", "E0403", (26, 29)),
        ("http-request deny deny_status 418", "E0403", (31, 34)),
        ("http-request deny string x", "E0403", (19, 25)),
        ("http-request deny content-type a string x file empty", "E0403", (43, 47)),
        ("http-request deny errorfile nowhere", "E0450", (29, 36)),
        ("http-request deny errorfile plain.txt", "E0450", (29, 38)),
        ("http-request deny errorfile nohead.http", "E0450", (29, 40)),
        ("http-request deny errorfile long.http", "E0450", (29, 38)),
        ("http-request deny content-type a lf-file badformat.txt", "E0310", (42, 55)),
        ('http-request return hdr "X Y" z', "E0403", (25, 30)),
        ("http-request return hdr X", "E0403", (26, 26)),
        ("http-request auth realm", "E0403", (24, 24)),
        ("http-request set-header X-A", "E0403", (28, 28)),
        ("http-request set-header X-A %zz", "E0340", (29, 32)),
        ('http-request set-header "X A" b', "E0403", (25, 30)),
        ("http-request set-header X:A b", "E0403", (25, 28)),
        ("http-request del-header X-A -m dom", "E0403", (32, 35)),
        ("http-request del-header ( -m reg", "E0403", (25, 26)),
        ("http-request add-headers-bin", "E0403", (29, 29)),
        ("http-request add-headers-bin src -m str", "E0332", (34, 36)),
        ("http-request set-headers-bin src prefix", "E0403", (40, 40)),
        ("http-response set-headers-bin srcx", "E0310", (31, 35)),
        ("http-after-response del-headers-bin src prefix x", "E0332", (41, 47)),
        ("http-request del-headers-bin src -m reg", "E0403", (37, 40)),
        ("http-request replace-header X ( y", "E0403", (31, 32)),
        ("http-request replace-path (.*)", "E0403", (31, 31)),
        ("http-request normalize-uri path-merge", "E0403", (28, 38)),
        ("http-request normalize-uri path-merge-slashes full", "E0332", (47, 51)),
        ("http-request set-map %[src] 1", "E0403", (14, 21)),
        ("http-request set-map() %[src] 1", "E0403", (22, 22)),
        ("http-request set-map(a,b) %[src] 1", "E0403", (22, 23)),
        ("http-request set-map(a) %[src]", "E0403", (31, 31)),
        ("http-request capture req.hdr(a)", "E0403", (32, 32)),
        ("http-request capture req.hdr(a) len 0", "E0403", (37, 38)),
        ("http-request capture res.hdr(a) len 5", "E0316", (22, 29)),
        ("http-response capture res.hdr(a) len 5", "E0403", (34, 37)),
        ("http-request set-timeout server 5s", "E0403", (14, 25)),
        ("http-request set-timeout foo 5s", "E0403", (26, 29)),
        ("http-request set-timeout client 0", "E0403", (33, 34)),
        ("http-request set-timeout client 5x", "E0050", (34, 35)),
        ("http-request set-nice x", "E0403", (23, 24)),
        ("http-request strict-mode maybe", "E0403", (26, 31)),
        ("http-request wait-for-body at-least 5", "E0403", (38, 38)),
        ("http-request redirect code 301", "E0403", (31, 31)),
        ("http-request redirect location /x code 304", "E0403", (40, 43)),
        ("http-request redirect location /x codee 304", "E0403", (35, 40)),
        ("redirect", "E0403", (9, 9)),
        ("redirect location", "E0403", (18, 18)),
        ("http-request return status 204 content-type a/b string x", "E0403", (49, 55)),
        ("http-response return status 304 content-type a/b string x", "E0403", (50, 56)),
        ("http-request deny if { path_reg a[z-a] }", "E0325", (33, 39)),
        ("http-request replace-path ^/(?!a /b", "E0403", (27, 33)),
        ("http-response set-status 99", "E0403", (26, 28)),
    ],
)
def test_a_mistake_is_told_at_its_place(text, code, span):
    rules, ctx = read(text)
    assert codes(ctx) == [code]
    assert marked(ctx) == [span]
    # A rule whose condition alone is wrong is kept: the lines below are judged as if it were right.
    kept = (*rules.request, *rules.response, *rules.after_response, *rules.redirects)
    assert bool(kept) == (code in ("E0325", "E0330", "E0332"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("http-request deny deny_staus 429", "deny_status"),
        ("http-request return stauts 200", "status"),
        ("http-request auth relam x", "realm"),
        ("http-request track-sc0 src tabel t", "table"),
        ("http-request wait-for-body tme 1s", "time"),
        ("http-response set-status 404 raeson x", "reason"),
        ("http-request deny fi TRUE", "if"),
    ],
)
def test_the_nearest_word_that_could_stand_there_is_told(text, word):
    _, ctx = read(text)
    assert [each.hint for each in ctx.diagnostics] == [f"did you mean `{word}`?"]


@pytest.mark.parametrize("which", ["server", "tunnel", "connect", "queue", "client"])
def test_a_timeout_is_set_on_its_own_side(which):
    sides = {"client": ({}, BACKEND)}.get(which, (BACKEND, {}))
    right, wrong = sides
    assert codes(read(f"http-request set-timeout {which} 5s", **right)[1]) == []
    assert codes(read(f"http-request set-timeout {which} 5s", **wrong)[1]) == ["E0403"]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("http-request deny", "http-request allow"), "W0415"),
        (("http-request tarpit", "http-request deny"), "W0415"),
        (("http-request auth", "http-request deny"), "W0415"),
        (("http-request deny if TRUE", "http-request allow"), ""),
        (("http-request set-log-level silent", "http-request allow"), ""),
        (("http-request deny", "http-response deny"), ""),
        (("http-response deny", "http-response allow"), "W0415"),
        (("redirect prefix /", "redirect prefix /x"), "W0415"),
        (("redirect prefix / if TRUE", "http-request deny"), "W0414"),
        (("http-request deny if TRUE", "redirect prefix /"), ""),
    ],
)
def test_rules_that_are_not_evaluated_as_they_stand_are_warned_about(texts, code):
    assert codes(read(*texts)[1]) == [code] * bool(code)


def test_a_backend_captures_into_a_declared_slot_only():
    assert codes(read("http-request capture src len 5", **BACKEND)[1]) == ["E0403"]
    assert codes(read("http-request capture src id 5", **BACKEND)[1]) == []


def test_an_answer_from_a_file_has_its_head_with_crlf():
    rules, _ = read("http-request deny status 503 errorfile lines.http")
    assert rules.request[0].action.reply.content.text == b"HTTP/1.1 503 Nope\r\nx: y\r\n\r\nno\n"


def test_parts_of_an_answer_without_effect_are_warned_about():
    assert codes(read("http-request return content-type text/plain")[1]) == ["W0451"]
    assert codes(read("http-request deny errorfile 503.http hdr X y")[1]) == ["W0451"]


@pytest.mark.parametrize("http_set", HttpSet)
def test_only_actions_that_there_are_are_offered(http_set):
    assert set(possible(http_set)) <= set(HTTP_ACTIONS)
