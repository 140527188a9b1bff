"""The parts of the golden plan that belong to HTTP mode: together they use every type of it."""

from __future__ import annotations

from isthmus.plan import document as d

h = d.http
Text = tuple[d.FormatItem, ...]


def _replies(items: Text) -> tuple[h.Reply, ...]:
    contents: tuple[h.ReplyContent, ...] = (
        h.Empty(),
        h.Default(),
        h.Message("HTTP/1.0 503 x\r\n\r\n\xff"),
        h.LiteralBody("no"),
        h.FormatBody(items),
    )
    return tuple(h.Reply(503, each, "text/plain", (("x-a", items),)) for each in contents)


def _actions(items: Text, expression: d.Expression) -> tuple[h.HttpAction, ...]:
    reply = h.Reply(403)
    computed = h.ComputedDelay(expression)
    return (
        h.Common(d.SetVar("txn.a", expression)),
        h.AddHeader("x-a", items),
        h.SetHeader("x-a", items),
        *(h.DelHeader("x-\xff", each) for each in h.NameMatch),
        h.AddHeadersBin(expression, ""),
        h.SetHeadersBin(expression, "x-"),
        *(h.DelHeadersBin(expression, each) for each in h.NameMatch if each is not h.NameMatch.REG),
        h.ReplaceHeader("x-a", "^(.*)$", items),
        h.ReplaceValue("x-a", "^(.*)$", items),
        *(h.ReplaceTarget(each, "a", items) for each in h.TargetPart),
        h.SetMethod(items),
        *(h.SetTarget(each, items) for each in h.TargetPart),
        h.SetStatus(404, None),
        h.SetStatus(299, "Odd"),
        h.NormalizeUri("path-strip-dotdot", True),
        h.Redirect(h.RedirectTo(h.Location(items), 301, True, True, True, True, "a=b; path=/;")),
        h.Redirect(h.RedirectTo(h.Prefix(items))),
        h.Redirect(h.RedirectTo(h.Scheme(items))),
        *(h.Return(each) for each in _replies(items)),
        h.Deny(reply),
        h.Tarpit(reply),
        h.Auth("a realm"),
        h.Auth(None),
        *(h.ChangeList(0, each, items, items) for each in h.ListChange),
        h.EarlyHint("link", items),
        h.DisableL7Retry(),
        h.Pause(h.FixedDelay(10)),
        *(h.SetTimeout(each, computed) for each in h.TimeoutKind),
        h.SetNice(-5),
        h.SetPriority(True, expression),
        h.StrictMode(True),
        h.WaitForBody(1000, 10),
        h.WaitForHandshake(),
        h.UseService(0),
        h.SetBandwidthLimit(0, expression, expression),
        h.CacheUse(0),
        h.CacheStore(0),
    )


def _common(items: Text, expression: d.Expression, always: d.Condition) -> h.HttpProxy:
    rules = tuple(
        h.HttpRule(each, always, f"a.cfg:{number}") for number, each in enumerate(_actions(items, expression))
    )
    address = h.AddressHeader("x-forwarded-for", ("127.0.0.0/8",), True)
    return h.HttpProxy(
        request_rules=rules,
        response_rules=rules[:1],
        after_response_rules=rules[1:2],
        connection=h.ConnectionMode.SERVER_CLOSE,
        buffer_request=True,
        forwardfor=address,
        originalto=address,
        timeout_tarpit=1,
        timeout_request=2,
        timeout_keep_alive=3,
        errors=_replies(items),
        restrict_names=h.RestrictNames.DELETE,
        compression=h.Compression(("gzip",), "gzip", ("text/html",), ("text/plain",), True, 1, 2),
        bandwidth_limits=(
            h.BandwidthLimit("a", True, h.StreamLimit(1000, 1000), 10),
            h.BandwidthLimit("b", False, h.KeyLimit(1000, expression, 1)),
        ),
    )


def frontend(items: Text, expression: d.Expression, always: d.Condition) -> h.HttpFrontend:
    """A frontend that says everything."""
    return h.HttpFrontend(
        common=_common(items, expression, always),
        monitor_uri="/up",
        monitor_fail=(always,),
        ignore_probes=True,
        no_h2_upgrade=True,
        use_proxy_header=True,
        accept_unsafe=True,
        adjust_case=True,
        drop_response_trailers=True,
        idle_close_on_response=True,
        unique_id_header="x-id",
        request_captures=(("host", 0),),
        response_captures=(("server", 0),),
        response_slots=(16,),
        capture_cookie=h.CookieCapture("SESS", True, 32),
    )


def backend(items: Text, expression: d.Expression, always: d.Condition) -> h.HttpBackend:
    """A backend that says everything."""
    retries: tuple[h.RetryOn, ...] = (
        h.ConnFailure(),
        h.EmptyResponse(),
        h.JunkResponse(),
        h.ResponseTimeout(),
        h.EarlyDataRejected(),
        h.RetryStatus(503),
    )
    node = h.ForwardedNode(expression)
    cookie = h.Cookie(
        *("SRV", h.CookieMode.INSERT, True, True, True, True, True, True),
        *((".example.org",), 60, 3600, ("SameSite=None",), "key"),
    )
    return h.HttpBackend(
        common=_common(items, expression, always),
        forwarded=h.Forwarded(True, h.ForwardedNode(), node, node, node, node),
        reuse=h.Reuse.ALWAYS,
        retry_on=retries,
        accept_unsafe=True,
        adjust_case=True,
        pretend_keepalive=True,
        drop_request_trailers=True,
        max_keep_alive_queue=3,
        prefer_last_server=True,
        name_header="x-server",
        cookie=cookie,
        persist=True,
        force_persist=(always,),
        ignore_persist=(always,),
        check_cache=True,
    )


def settings() -> h.HttpGlobal:
    """Settings of the process, with a cache and a service."""
    return h.HttpGlobal(
        case_adjust=(("content-type", "Content-Type"),),
        payload_any_method=True,
        caches=(h.Cache("c", 4_000_000, 16_000, 60, True, 10),),
        services=("python.hello",),
        service_queue=10,
        service_timeout=0,
    )
