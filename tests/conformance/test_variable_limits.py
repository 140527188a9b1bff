"""`tune.vars.*-max-size`: what variables may hold, beside HAProxy 2.6 where it refuses cleanly."""

from __future__ import annotations

from pathlib import Path

from .http_batch import compare_all, played
from .http_exchanges import get
from .http_lab import Await, Exchange
from .lab import Both

FINE = """global
  tune.vars.reqres-max-size 200
  tune.vars.txn-max-size 300
  tune.vars.sess-max-size 400
"""
WHOLE = "global\n  tune.vars.proc-max-size 300\n"
ALL = "global\n  tune.vars.global-max-size 300\n"
NAMES = ("sess.a", "sess.b", "txn.a", "txn.b", "txn.c", "req.a", "req.b", "proc.a", "proc.b")
THREE = (get(b"/1"), Await(1), get(b"/2"), Await(2), get(b"/3"))


def text(length: int) -> str:
    return f"str({'x' * length})"


def row(name: str, rules: str, sends: tuple = (get(),), settings: str = FINE) -> Exchange:
    """Sets variables, and tells the origin how long each is."""
    lines = [f"http-request {rule}" for rule in rules.split("; ")]
    lines += [f"http-request set-header {each} %[var({each}),length]" for each in NAMES if each in rules]
    return Exchange(name, sends, front="\n".join(lines), settings=settings, messages=max(1, len(sends) // 2))


# A variable counts for 80 bytes and its text; what does not even leave those is refused by HAProxy, too.
ROWS = [
    row("a text that fits its exchange", f"set-var(txn.a) {text(220)}"),
    row("a text that fits its request", f"set-var(req.a) {text(120)}"),
    row("a text that fits its session", f"set-var(sess.a) {text(320)}"),
    row("numbers and addresses count for nothing more", "set-var(txn.a) src; set-var(txn.b) int(1234567890)"),
    row(
        "three of 80 and no room",
        f"set-var(txn.a) {text(70)}; set-var(txn.b) {text(0)}; set-var(txn.c) int(1)",
    ),
    row(
        "a request counts as its exchange",
        f"set-var(req.a) {text(100)}; set-var(txn.a) int(1); set-var(txn.b) int(2)",
    ),
    row("a request is its own limit", f"set-var(req.a) {text(50)}; set-var(req.b) int(1)"),
    row(
        "an exchange counts as its session",
        f"set-var(txn.a) {text(120)}; set-var(sess.a) {text(70)}; set-var(sess.b) int(1)",
    ),
    row("a text that gets longer", f"set-var(txn.a) {text(10)}; set-var(txn.a) {text(220)}"),
    row(
        "a text that gets shorter",
        f"set-var(txn.a) {text(220)}; set-var(txn.a) {text(1)}; set-var(txn.b) {text(139)}",
    ),
    row("one that is forgotten", f"set-var(txn.a) {text(220)}; unset-var(txn.a); set-var(txn.b) {text(220)}"),
    row(
        "a session fills up",
        f"set-var(sess.a) {text(240)} if {{ path /1 }}; set-var(sess.b) int(1) if {{ path /2 }}",
        THREE,
    ),
    row("each exchange begins anew", f"set-var(txn.a) {text(200)}", THREE),
]
# All that the process holds counts here: these are alone with it.
PROCESS = [
    row(
        "the process",
        f"set-var(proc.a) {text(140)}; set-var(proc.b) int(1); set-var(txn.a) int(1)",
        settings=WHOLE,
    ),
    row(
        "sessions count as the process",
        f"set-var(proc.a) {text(60)}; set-var(txn.a) {text(80)}; set-var(sess.a) int(1)",
        settings=WHOLE,
    ),
    row(
        "all together",
        f"set-var(proc.a) {text(60)}; set-var(txn.a) {text(80)}; set-var(sess.a) int(1)",
        settings=ALL,
    ),
    row("what is over counts no more", f"set-var(txn.a) {text(200)}", THREE, settings=WHOLE),
]


def test_variables_are_refused_alike(both: Both) -> None:
    compare_all(both, ROWS)


def test_what_the_process_may_hold_is_refused_alike(both: Both) -> None:
    for each in PROCESS:
        compare_all(both, [each])


def test_a_text_that_does_not_fit_leaves_the_variable_as_it_was(program: str, tmp_path: Path) -> None:
    # HAProxy 2.6 leaves a value there that nobody set ("values might be cut off or corrupted").
    rows = [
        row("a new one", f"set-var(txn.a) {text(221)}"),
        row("an old one", f"set-var(txn.a) {text(5)}; set-var(txn.a) {text(221)}"),
        row("another type", f"set-var(txn.a) int(12); set-var(txn.a) {text(221)}"),
    ]
    told = [
        [line for line in seen.value["origin"][0][0].fields if line.startswith("txn.a")]
        for seen in played(program, tmp_path / "isthmus", rows)
    ]
    assert told == [["txn.a: "], ["txn.a: 5"], ["txn.a: 2"]]


def test_a_session_gives_back_what_it_held(program: str, tmp_path: Path) -> None:
    # One client after the other, each with as much as the process may hold.
    rows = [row(str(number), f"set-var(sess.a) {text(200)}", settings=WHOLE) for number in range(4)]
    seen = played(program, tmp_path / "isthmus", rows, together=1)
    assert [each.value["origin"][0][0].fields[1:] for each in seen] == [("sess.a: 200",)] * 4
