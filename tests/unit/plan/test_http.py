"""What HTTP mode says comes out in the plan."""

from __future__ import annotations

import pytest
from paper import built, messages

from isthmus.plan import document

h = document.http
TIMEOUTS = "defaults\n mode http\n timeout connect 1s\n timeout client 2s\n timeout server 3s\n"
LISTEN = TIMEOUTS + "listen l\n bind :80\n server s 10.0.0.1:80\n"


def frontend(text: str) -> h.HttpFrontend:
    found = built(LISTEN + text).engine.frontends[0].http
    assert found is not None
    return found


def backend(text: str) -> h.HttpBackend:
    found = built(LISTEN + text).engine.backends[0].http
    assert found is not None
    return found


def actions(text: str) -> list[h.HttpAction]:
    return [rule.action for rule in frontend(text).common.request_rules]


def literal(text: str) -> h.Text:
    return (document.Literal(text),)


def test_a_proxy_in_mode_tcp_has_no_http_side() -> None:
    plan = built(LISTEN.replace("mode http", "mode tcp")).engine
    assert plan.frontends[0].http is None
    assert plan.backends[0].http is None
    assert plan.backends[0].servers[0].http == h.HttpServer()


def test_a_proxy_in_mode_http_has_haproxy_s_defaults() -> None:
    common = h.HttpProxy(timeout_tarpit=1000)
    assert frontend("") == h.HttpFrontend(common=common)
    assert backend("") == h.HttpBackend(common=common, retry_on=(h.ConnFailure(),))


def test_the_process_has_haproxy_s_defaults_and_shares_its_descriptors_among_workers() -> None:
    assert built(LISTEN).engine.global_.http == h.HttpGlobal()


def test_a_head_leaves_half_of_a_buffer_at_least() -> None:
    plan = built("global\n tune.bufsize 8192\n tune.maxrewrite 6000\n" + LISTEN).engine
    assert plan.global_.http.maxrewrite == 4096


@pytest.mark.parametrize(("said", "shares"), [("on", True), ("off", False)])
def test_whether_workers_share_idle_connections(said: str, shares: bool) -> None:
    plan = built(f"global\n tune.idle-pool.shared {said}\n" + LISTEN).engine
    assert plan.global_.http.share_idle is shares


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("allow", h.Common(document.Accept())),
        ("reject", h.Common(document.Reject())),
        ("silent-drop", h.Common(document.SilentDrop())),
        ("deny", h.Deny(h.Reply(403))),
        ("deny deny_status 429", h.Deny(h.Reply(429))),
        ("deny status 404", h.Deny(h.Reply(404, h.Empty()))),
        ("tarpit", h.Tarpit(h.Reply(500))),
        ("return", h.Return(h.Reply(200, h.Empty()))),
        (
            'return status 418 content-type text/plain string "no tea" hdr X-A b',
            h.Return(h.Reply(418, h.LiteralBody("no tea"), "text/plain", (("X-A", literal("b")),))),
        ),
        (
            "return content-type text/plain lf-string a%%b",
            h.Return(h.Reply(200, h.FormatBody(literal("a%b")), "text/plain")),
        ),
        (
            "return content-type text/plain file plain.txt",
            h.Return(h.Reply(200, h.LiteralBody("hello"), "text/plain")),
        ),
        ("return file empty", h.Return(h.Reply(200, h.Empty()))),
        ("return status 404 default-errorfiles", h.Return(h.Reply(404))),
        (
            "deny status 503 errorfile lines.http",
            h.Deny(h.Reply(503, h.Message("HTTP/1.1 503 Nope\r\nx: y\r\n\r\nno\n"))),
        ),
        ("deny status 503 errorfile empty", h.Deny(h.Reply(503, h.Message("")))),
        ("auth realm x", h.Auth("x")),
        ("add-header X-A b", h.AddHeader("X-A", literal("b"))),
        ("set-header X-A b", h.SetHeader("X-A", literal("b"))),
        ("early-hint Link b", h.EarlyHint("Link", literal("b"))),
        ("del-header X-A", h.DelHeader("X-A", h.NameMatch.STR)),
        ("del-header X-A -m beg", h.DelHeader("X-A", h.NameMatch.BEG)),
        (r"replace-header X-A (.*) \1b", h.ReplaceHeader("X-A", "(.*)", literal(r"\1b"))),
        (r"replace-value X-A (.*) b", h.ReplaceValue("X-A", "(.*)", literal("b"))),
        (r"replace-pathq (.*) b", h.ReplaceTarget(h.TargetPart.PATHQ, "(.*)", literal("b"))),
        ("set-method GET", h.SetMethod(literal("GET"))),
        ("set-uri /x", h.SetTarget(h.TargetPart.URI, literal("/x"))),
        ("normalize-uri path-strip-dotdot full", h.NormalizeUri("path-strip-dotdot", True)),
        ("normalize-uri path-merge-slashes", h.NormalizeUri("path-merge-slashes", False)),
        (
            "redirect scheme https code 301 keep-query set-cookie A=1",
            h.Redirect(h.RedirectTo(h.Scheme(literal("https")), 301, keep_query=True, cookie="A=1; path=/;")),
        ),
        ("disable-l7-retry", h.DisableL7Retry()),
        ("pause 100ms", h.Pause(h.FixedDelay(100))),
        ("set-timeout tunnel 5s", h.SetTimeout(h.TimeoutKind.TUNNEL, h.FixedDelay(5000))),
        ("set-nice -2000", h.SetNice(-1024)),
        ("strict-mode on", h.StrictMode(True)),
        ("wait-for-body at-least 1k time 1s", h.WaitForBody(1000, 1024)),
        ("wait-for-handshake", h.WaitForHandshake()),
        ("set-log-level silent", h.Common(document.SetLogLevel(None))),
    ],
)
def test_an_action_comes_out_as_it_is_meant(line: str, action: h.HttpAction) -> None:
    assert actions(f" http-request {line}\n") == [action]


def test_an_expression_may_give_a_time() -> None:
    (found,) = actions(" http-request set-timeout server int(5)\n")
    assert isinstance(found, h.SetTimeout)
    assert isinstance(found.delay, h.ComputedDelay)


def test_redirect_lines_come_behind_the_rules_and_are_plain_text() -> None:
    first, second = actions(" redirect location /%[src]\n http-request deny if FALSE\n")
    assert isinstance(first, h.Deny)
    assert second == h.Redirect(h.RedirectTo(h.Location(literal("/%[src]"))))


def test_a_refused_response_is_answered_with_502() -> None:
    rules = frontend(" http-response deny\n").common.response_rules
    assert [rule.action for rule in rules] == [h.Deny(h.Reply(502))]


def test_rules_of_answers_are_sets_of_their_own() -> None:
    common = frontend(" http-response set-status 404 reason x\n http-after-response allow\n").common
    assert [rule.action for rule in common.response_rules] == [h.SetStatus(404, "x")]
    assert [rule.action for rule in common.after_response_rules] == [h.Common(document.Accept())]


def test_lists_that_rules_change_are_those_that_maps_read() -> None:
    text = " acl known src -M -f virt@m\n http-request set-map(virt@m) %[src] 1 if known\n"
    plan = built(LISTEN + text).engine
    assert [each.name for each in plan.lists] == ["virt@m"]
    assert plan.frontends[0].http is not None
    (rule,) = plan.frontends[0].http.common.request_rules
    assert isinstance(rule.action, h.ChangeList)
    assert (rule.action.list, rule.action.change) == (0, h.ListChange.SET_MAP)


def test_capture_slots_are_numbered_in_the_order_of_the_lines() -> None:
    plan = built(
        LISTEN + " capture request header Host len 10\n tcp-request content capture src len 11\n"
        " http-request capture req.hdr(a) len 12\n declare capture request len 13\n"
        " http-request capture req.hdr(b) id 3\n tcp-request content capture dst len 14\n"
    ).engine
    one = plan.frontends[0]
    assert one.captures == (10, 11, 12, 13, 14)
    assert [rule.action.slot for rule in one.content_rules] == [1, 4]  # type: ignore[union-attr]
    assert one.http is not None
    assert one.http.request_captures == (("Host", 0),)
    slots = [(rule.action.action.slot, rule.action.action.len) for rule in one.http.common.request_rules]
    assert slots == [(2, 12), (3, 13)]


def test_slots_of_defaults_come_before_the_proxy_s_own() -> None:
    plan = built(
        TIMEOUTS.replace("defaults", "defaults d") + " http-request capture src len 10\n"
        "frontend f from d\n bind :1\n http-request capture dst len 20\n"
    ).engine
    assert plan.frontends[0].captures == (10, 20)
    assert plan.frontends[0].http is not None
    rules = plan.frontends[0].http.common.request_rules
    assert [rule.action.action.slot for rule in rules] == [0, 1]


def test_slots_of_answers_are_counted_by_themselves() -> None:
    found = frontend(
        " declare capture response len 8\n capture response header Server len 9\n"
        " http-response capture res.hdr(a) id 0\n"
    )
    assert found.response_slots == (8, 9)
    assert found.response_captures == (("Server", 1),)
    (rule,) = found.common.response_rules
    assert isinstance(rule.action, h.Common)
    assert isinstance(rule.action.action, document.Capture)
    assert (rule.action.action.slot, rule.action.action.len) == (0, 8)


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ("option httpclose", h.ConnectionMode.CLOSE),
        ("option http-server-close", h.ConnectionMode.SERVER_CLOSE),
        ("option httpclose\n option http-server-close", h.ConnectionMode.SERVER_CLOSE),
        ("option httpclose\n no option httpclose", h.ConnectionMode.KEEP_ALIVE),
        ("option httpclose\n no option http-server-close", h.ConnectionMode.CLOSE),
        ("option httpclose\n option http-keep-alive", h.ConnectionMode.KEEP_ALIVE),
    ],
)
def test_the_last_mode_of_connections_holds_and_no_undoes_its_own(lines: str, mode: str) -> None:
    assert frontend(f" {lines}\n").common.connection is mode


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("option forwardfor", "forwardfor", h.AddressHeader("X-Forwarded-For")),
        (
            "option forwardfor except 10.1.2.3/8 except ::1 header X-A if-none",
            "forwardfor",
            h.AddressHeader("X-A", ("10.0.0.0/8", "::1/128"), True),
        ),
        ("option originalto", "originalto", h.AddressHeader("X-Original-To")),
        ("option http-buffer-request", "buffer_request", True),
        ("option http-restrict-req-hdr-names reject", "restrict_names", h.RestrictNames.REJECT),
        ("timeout tarpit 9s", "timeout_tarpit", 9000),
        ("timeout http-request 9s", "timeout_request", 9000),
        ("timeout http-keep-alive 9s", "timeout_keep_alive", 9000),
        (
            "errorloc 503 /x",
            "errors",
            (
                h.Reply(
                    503,
                    h.Message(
                        "HTTP/1.1 302 Found\r\nCache-Control: no-cache\r\nContent-length: 0\r\n"
                        "Location: /x\r\n\r\n"
                    ),
                ),
            ),
        ),
        ("errorfile 503 empty", "errors", (h.Reply(503, h.Message("")),)),
        (
            "http-error status 404 content-type text/plain string no",
            "errors",
            (h.Reply(404, h.LiteralBody("no"), "text/plain"),),
        ),
    ],
)
def test_what_both_sides_may_say(line: str, field: str, value: object) -> None:
    assert getattr(frontend(f" {line}\n").common, field) == value
    assert getattr(backend(f" {line}\n").common, field) == value


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("monitor-uri /up", "monitor_uri", "/up"),
        ("option http-ignore-probes", "ignore_probes", True),
        ("option disable-h2-upgrade", "no_h2_upgrade", True),
        ("option http-use-proxy-header", "use_proxy_header", True),
        ("option accept-invalid-http-request", "accept_unsafe", True),
        ("option accept-unsafe-violations-in-http-request", "accept_unsafe", True),
        ("option h1-case-adjust-bogus-client", "adjust_case", True),
        ("unique-id-header X-ID", "unique_id_header", "X-ID"),
        ("capture cookie SESS len 200", "capture_cookie", h.CookieCapture("SESS", True, 63)),
        ("capture cookie SESS= len 9", "capture_cookie", h.CookieCapture("SESS", False, 9)),
    ],
)
def test_what_frontends_say(line: str, field: str, value: object) -> None:
    assert getattr(frontend(f" {line}\n"), field) == value


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("http-reuse always", "reuse", h.Reuse.ALWAYS),
        ("retry-on none", "retry_on", ()),
        ("retry-on 503 junk-response", "retry_on", (h.RetryStatus(503), h.JunkResponse())),
        ("option forwarded", "forwarded", h.Forwarded(proto=True, for_=h.ForwardedNode())),
        ("option forwarded host by", "forwarded", h.Forwarded(host=h.ForwardedNode(), by=h.ForwardedNode())),
        ("option accept-unsafe-violations-in-http-response", "accept_unsafe", True),
        ("option h1-case-adjust-bogus-server", "adjust_case", True),
        ("option http-pretend-keepalive", "pretend_keepalive", True),
        ("option prefer-last-server", "prefer_last_server", True),
        ("http-send-name-header X-S", "name_header", "X-S"),
        ("option persist", "persist", True),
        ("option checkcache", "check_cache", True),
        ("cookie S", "cookie", h.Cookie("S")),
        (
            "cookie S insert indirect nocache httponly secure maxidle 10m domain .a.b attr SameSite=None",
            "cookie",
            h.Cookie(
                "S",
                h.CookieMode.INSERT,
                indirect=True,
                nocache=True,
                httponly=True,
                secure=True,
                max_idle=600,
                domains=(".a.b",),
                attributes=("SameSite=None",),
            ),
        ),
        (
            "dynamic-cookie-key k\n cookie S insert dynamic",
            "cookie",
            h.Cookie("S", h.CookieMode.INSERT, dynamic_key="k"),
        ),
        ("dynamic-cookie-key k\n cookie S insert", "cookie", h.Cookie("S", h.CookieMode.INSERT)),
    ],
)
def test_what_backends_say(line: str, field: str, value: object) -> None:
    assert getattr(backend(f" {line}\n"), field) == value


def test_what_servers_say() -> None:
    options = "cookie a redir /x pool-max-conn 5 pool-low-conn 2 pool-purge-delay 1s max-reuse 9"
    server = built(LISTEN + f" server t 10.0.0.2:80 {options}\n").engine.backends[0].servers[1]
    assert server.http == h.HttpServer("a", "/x", 5, 2, 1000, 9)


@pytest.mark.parametrize(
    ("line", "algorithm"),
    [
        ("uri", document.Uri(0, 0, False, False, document.Hash())),
        ("uri len 5 depth 2 whole path-only", document.Uri(5, 2, True, True, document.Hash())),
        ("url_param a check_post", document.UrlParam("a", True, document.Hash())),
        ("hdr(Host) use_domain_only", document.Header("Host", True, document.Hash())),
        ("rdp-cookie", document.RdpCookie("mstshash", document.Hash())),
        ("rdp-cookie(a)", document.RdpCookie("a", document.Hash())),
    ],
)
def test_balancing_by_a_part_of_the_request(line: str, algorithm: document.Algorithm) -> None:
    assert built(LISTEN + f" balance {line}\n").engine.backends[0].algorithm == algorithm


def test_a_later_line_about_a_status_wins_and_sections_fill_in_theirs() -> None:
    text = (
        "http-errors e\n errorfile 404 empty\n errorfile 503 503.http\n"
        + LISTEN
        + " errorfiles e\n errorfile 503 empty\n errorfiles e 404\n"
    )
    common = built(text).engine.frontends[0].http
    assert common is not None
    found = {each.status: each.content for each in common.common.errors}
    assert found == {404: h.Message(""), 503: h.Message("")}


def test_what_is_wrong_with_a_listen_is_said_once() -> None:
    assert messages(LISTEN + " errorfiles nope\n") == [("E0453", 9)]


def test_a_filter_names_a_cache_that_there_is() -> None:
    assert messages(LISTEN + " filter cache nope\n") == [("E0457", 9)]
    assert messages(LISTEN + " filter cache c\ncache c\n total-max-size 4\n") == []


def test_offload_has_no_effect_in_defaults() -> None:
    assert messages("defaults\n compression offload\n" + LISTEN) == [("W0111", 2)]


@pytest.mark.parametrize(
    ("filters", "directions"),
    [
        ("", (True, False)),
        (" filter compression\n", (True, False)),
        (" filter comp-res\n", (True, False)),
        (" filter comp-req\n", (False, True)),
        (" filter comp-req\n filter comp-res\n", (True, True)),
        (" compression direction both\n filter comp-req\n", (False, True)),
        (" filter comp-req\n compression direction both\n", (True, True)),
    ],
)
def test_filters_of_compression_say_which_way(filters: str, directions: tuple[bool, bool]) -> None:
    found = frontend(" compression algo gzip\n compression algo-req gzip\n" + filters).common.compression
    assert found is not None
    assert (found.response != (), found.request is not None) == directions


def test_caches_limits_and_services_come_out_whole() -> None:
    text = (
        "global\n python-load services.py\n"
        "cache c\n total-max-size 4\n max-age 30\n" + LISTEN + " compression algo gzip\n"
        " compression type text/html\n compression algo-req gzip\n compression direction both\n"
        " filter bwlim-in lim default-limit 1m default-period 1s\n"
        " http-request set-bandwidth-limit lim limit int(5)\n http-request cache-use c\n"
        " http-response cache-store c\n http-request use-service python.hello\n"
    )
    plan = built(text).engine
    assert plan.global_.http.caches == (h.Cache("c", 4 << 20, 16384, 30, False, 10),)
    assert plan.global_.http.services == ("python.hello",)
    assert plan.backends[0].http is not None
    common = plan.backends[0].http.common
    assert common.compression == h.Compression(("gzip",), "gzip", ("text/html",))
    assert common.bandwidth_limits == (h.BandwidthLimit("lim", True, h.StreamLimit(1 << 20, 1000)),)
    limit, use, service = (rule.action for rule in common.request_rules)
    assert isinstance(limit, h.SetBandwidthLimit)
    assert limit.bytes is not None
    assert (use, service) == (h.CacheUse(0), h.UseService(0))
