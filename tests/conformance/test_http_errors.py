"""Error answers from files and sections through both proxies: `errorfile`, `errorloc`, `http-errors`."""

from __future__ import annotations

from pathlib import Path

from .http_batch import compare_all
from .http_exchanges import GET_10, HEAD, post
from .http_lab import GET, Exchange, Reply, Step, meant
from .lab import Both

PAGES = {
    "403": b"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nX-Page: file\r\nContent-Length: 3\r\n\r\nno\n",
    "503": b"HTTP/1.0 503 Sorry\nContent-Type: text/plain\nContent-Length: 6\n\nlater\n",
    "200": b"HTTP/1.1 200 Fine\r\nContent-Length: 5\r\n\r\nfine\n",
    "text": b"just text, path %[path]\n",
}
DENY = "http-request deny"


def _row(
    name: str,
    lines: str,
    sends: tuple[Step, ...] = (GET,),
    section: str = "",
    server: str = "server s <a>",
    again: bool = True,
    replies: tuple[Reply, ...] = (Reply(),),
) -> Exchange:
    body = "".join(f"  {line.strip()}\n" for line in f"{lines}\n{server}".splitlines())
    site = f"{section}\nlisten l\n  bind 127.0.0.1:<front>\n  retries 0\n{body}"
    return Exchange(name, sends, replies, site=site, again=again)


def _rows(folder: Path) -> list[Exchange]:
    page = {name: str(folder / name) for name in PAGES}

    def section(name: str) -> str:
        return f"http-errors {name}\n  errorfile 403 {page['403']}\n  errorfile 503 {page['503']}\n"

    none = ""
    own = f"{DENY}\nerrorfile 403 {page['403']}"
    missing = f"errorfile 502 {page['503']}"
    error = f"{DENY}\nhttp-error status 403"
    return [
        _row("errorfile", own),
        _row("errorfile, HEAD", own, (HEAD,)),
        _row("errorfile, 1.0", own, (GET_10,)),
        _row("errorfile, POST", own, (post(b"abc"),)),
        _row("errorfile of another status", f"{DENY} deny_status 404\nerrorfile 403 {page['403']}"),
        _row("errorfile with bare LF", f"errorfile 503 {page['503']}", server=none),
        _row("errorfile, no server", f"errorfile 503 {page['503']}", server="server s <a> disabled"),
        _row("errorfile, refused", f"errorfile 503 {page['503']}", server="server s <closed>"),
        _row("errorfile that says another status", f"{DENY}\nerrorfile 403 {page['200']}"),
        _row("errorfile of nothing", f"{DENY}\nerrorfile 403 /dev/null", again=False),
        _row("the last errorfile counts", f"errorfile 403 {page['200']}\n{own}"),
        _row("errorloc", f"{DENY}\nerrorloc 403 http://b/no"),
        _row("errorloc302", f"{DENY}\nerrorloc302 403 http://b/no", (post(b"abc"),)),
        _row("errorloc303", f"{DENY}\nerrorloc303 403 http://b/no", (post(b"abc"),)),
        _row("errorloc, HEAD", f"{DENY}\nerrorloc 403 http://b/no", (HEAD,)),
        _row("errorloc behind errorfile", f"{own}\nerrorloc 403 /x"),
        _row("errorfiles", f"{DENY}\nerrorfiles one", section=section("one")),
        _row("errorfiles of one status", f"{DENY}\nerrorfiles two 403", section=section("two")),
        _row("errorfiles of another status", f"{DENY}\nerrorfiles three 503", section=section("three")),
        _row("errorfiles, no server", "errorfiles four", section=section("four"), server=none),
        _row("deny errorfile", f"{DENY} errorfile {page['403']}"),
        _row("deny errorfiles", f"{DENY} errorfiles five", section=section("five")),
        _row("deny status errorfiles", f"{DENY} status 503 errorfiles six", section=section("six")),
        _row("return errorfile", f"http-request return status 403 errorfile {page['403']}"),
        _row("return default-errorfiles", f"{DENY} default-errorfiles\nerrorfile 403 {page['403']}"),
        _row("return file", f"http-request return status 200 content-type a/b file {page['text']}"),
        _row("return lf-file", f"http-request return status 200 content-type a/b lf-file {page['text']}"),
        _row("return file, HEAD", f"http-request return content-type a/b file {page['text']}", (HEAD,)),
        _row("http-error errorfile", f"{error} errorfile {page['403']}"),
        _row("http-error file", f"{error} content-type a/b file {page['text']}"),
        _row("http-error lf-file", f"{error} content-type a/b lf-file {page['text']}"),
        _row(
            "http-error errorfiles",
            f"{error} errorfiles seven",
            section=section("seven"),
        ),
        _row("http-error with a field", f'{error} content-type a/b string "x" hdr X y'),
        _row(
            "after-response changes an errorfile",
            f"{own}\nhttp-after-response set-header X y",
        ),
        _row("502 from a file", missing, replies=(Reply(b"", close=True),), again=False),
        _row("400 from a file", f"errorfile 400 {page['403']}", (b"GET\r\n\r\n",), again=False),
        _row(
            "408 from a file",
            f"errorfile 408 {page['503']}\ntimeout http-request 100ms",
            (GET[:9],),
            again=False,
        ),
        _row(
            "504 from a file",
            f"errorfile 504 {page['503']}\ntimeout server 100ms",
            replies=(Reply(b""),),
            again=False,
        ),
    ]


EVERY = "an error file is for every answer of its status"
BEYOND = {
    "400 from a file": (EVERY, (403,)),
    "408 from a file": (EVERY, (503,)),
}


def test_the_proxies_answer_errors_alike(both: Both, tmp_path: Path) -> None:
    for name, page in PAGES.items():
        (tmp_path / name).write_bytes(page)
    compare_all(both, meant({"errors": _rows(tmp_path)}, BEYOND)["errors"])
