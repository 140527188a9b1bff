"""What each column of `show stat` holds for a frontend, listener, server or backend."""

from __future__ import annotations

from isthmus.engine.report import FrontendFacts, ListenerFacts
from isthmus.engine.served import BackendFacts, ServerCounters, ServerFacts
from isthmus.health.checker import Checked
from isthmus.health.outcome import Verdict
from isthmus.runtime.fields import Value

Row = dict[str, Value]


_ABSENT = "namespace absent"
"""The engine's reason for a server whose namespace does not exist now."""


def frontend_row(front: FrontendFacts, maxconn: int) -> Row:
    """Return a frontend's values. `maxconn` is the process's, which limits one that sets none."""
    said = front.counters
    return _exchanged(front.http, said.responses) | {
        "pxname": front.name,
        "svname": "FRONTEND",
        "scur": said.scur,
        "smax": said.smax,
        "slim": front.maxconn or maxconn,
        "stot": said.stot,
        "bin": said.bin,
        "bout": said.bout,
        "dreq": said.dreq,
        "dresp": said.dresp,
        "ereq": said.ereq,
        "status": front.status,
        "pid": 1,
        "iid": front.id,
        "sid": 0,
        "type": 0,
        "rate": said.rate,
        "rate_lim": front.rate_limit,
        "rate_max": said.rate_max,
        "req_rate": said.req_rate,
        "req_rate_max": said.req_rate_max,
        "req_tot": said.req_tot,
        "comp_in": said.comp_in,
        "comp_out": said.comp_out,
        "comp_byp": said.comp_byp,
        "comp_rsp": said.comp_rsp,
        "intercepted": said.intercepted if front.http else None,
        "conn_rate": said.conn_rate,
        "conn_rate_max": said.conn_rate_max,
        "conn_tot": said.conn_tot,
        "dcon": said.dcon,
        "dses": said.dses,
        "wrew": said.wrew,
        "eint": 0,
        "sess_other": said.stot,
    }


def listener_row(front: FrontendFacts, listener: ListenerFacts) -> Row:
    """Return a listener's values."""
    said = listener.counters
    return _exchanged(front.http, said.responses) | {
        "pxname": front.name,
        "svname": listener.name,
        "scur": said.scur,
        "smax": said.smax,
        "slim": listener.maxconn,
        "stot": said.stot,
        "bin": said.bin,
        "bout": said.bout,
        "dreq": said.dreq,
        "dresp": said.dresp,
        "ereq": said.ereq,
        "status": listener.status,
        "pid": 1,
        "iid": front.id,
        "sid": listener.id,
        "type": 3,
        "addr": listener.address,
        "dcon": said.dcon,
        "dses": said.dses,
        "wrew": said.wrew,
        "eint": 0,
        "proto": "tcp",
        "netns": listener.namespace or None,
    }


def server_row(back: BackendFacts, server: ServerFacts, checked: Checked | None) -> Row:
    """Return a server's values."""
    said = server.counters
    row = _served(said, back.http)
    if back.http:
        # Of a server those requests count that it answered.
        row["req_tot"] = sum(said.responses)
    row |= {
        "pxname": back.name,
        "svname": server.name,
        "slim": server.maxconn or None,
        "status": server.status,
        "weight": server.weight,
        "act": int(not server.backup),
        "bck": int(server.backup),
        "lastchg": server.last_change,
        "qlimit": server.maxqueue or None,
        "iid": back.id,
        "sid": server.id,
        "throttle": server.throttle or None,
        "tracked": server.tracked or None,
        "type": 2,
        "addr": server.address,
        "srv_icur": said.fresh_connections + said.proven_connections,
        "src_ilim": server.idle_limit if server.idle_limit >= 0 else None,
        "idle_conn_cur": said.fresh_connections,
        "safe_conn_cur": said.proven_connections,
        "used_conn_cur": said.used_connections,
        "need_conn_est": said.needed_connections,
        "uweight": server.user_weight,
        "srid": 0,
        "netns": server.namespace or None,
    }
    if checked is not None and not checked.stopped:
        row |= _check(server, checked)
    elif checked is not None and server.status == "UP":
        row["status"] = "no check"
    if server.reason == _ABSENT:
        # The engine's word, not a check's: there is nothing to check.
        row["last_chk"] = server.reason
    return row


def _check(server: ServerFacts, checked: Checked) -> Row:
    outcome, counting = checked.outcome, checked.counting
    row: Row = {
        "chkfail": checked.failures,
        "chkdown": server.chkdown,
        "downtime": server.downtime,
        "check_status": outcome.verdict.code,
        "check_desc": outcome.verdict.words,
        "check_rise": counting.rise,
        "check_fall": counting.fall,
        "check_health": counting.health,
    }
    if outcome.verdict is not Verdict.INITIALIZING:
        row |= {"check_duration": outcome.duration, "last_chk": outcome.info or None}
    if not server.admin_state and server.status in ("UP", "DOWN") and not counting.steady:
        # A server on its way up or down shows how far it is, as in `UP 1/3`.
        row["status"] = " ".join(reversed(counting.shown.split()))
    return row


def backend_row(back: BackendFacts, fullconn: int | None) -> Row:
    """Return a backend's values."""
    row = _served(back.counters, back.http)
    return row | {
        "pxname": back.name,
        "svname": "BACKEND",
        "slim": fullconn,
        "dreq": back.counters.dreq,
        "status": back.status,
        "weight": back.weight,
        "act": back.active,
        "bck": back.backup,
        "chkdown": back.chkdown,
        "lastchg": back.last_change,
        "downtime": back.downtime,
        "iid": back.id,
        "sid": 0,
        "type": 1,
        "comp_in": back.counters.comp_in,
        "comp_out": back.counters.comp_out,
        "comp_byp": back.counters.comp_byp,
        "comp_rsp": back.counters.comp_rsp,
        "algo": back.algorithm,
        "uweight": sum(each.user_weight for each in back.servers if each.op_state),
        "agg_server_status": 0,
        "agg_server_check_status": 0,
        "agg_check_status": 0,
    }


def _exchanged(http: bool, responses: tuple[int, int, int, int, int, int]) -> Row:
    """Return a proxy's mode, and in HTTP mode its responses by their status."""
    if not http:
        return {"mode": "tcp"}
    names = ("other", "1xx", "2xx", "3xx", "4xx", "5xx")
    counted: Row = {f"hrsp_{name}": count for name, count in zip(names, responses, strict=True)}
    return counted | {"mode": "http"}


def _served(said: ServerCounters, http: bool) -> Row:
    """Return what servers and backends have in common."""
    return _exchanged(http, said.responses) | {
        "req_tot": said.stot if http else None,
        "qcur": said.qcur,
        "qmax": said.qmax,
        "scur": said.scur,
        "smax": said.smax,
        "stot": said.stot,
        "bin": said.bin,
        "bout": said.bout,
        "dresp": said.dresp,
        "econ": said.econ,
        "eresp": said.eresp,
        "wretr": said.wretr,
        "wredis": said.wredis,
        "pid": 1,
        "lbtot": said.lbtot,
        "rate": said.rate,
        "rate_max": said.rate_max,
        "cli_abrt": said.cli_abrt,
        "srv_abrt": said.srv_abrt,
        "lastsess": said.lastsess,
        "qtime": said.qtime,
        "ctime": said.ctime,
        "rtime": said.rtime,
        "ttime": said.ttime,
        "wrew": said.wrew,
        "connect": said.connect,
        "reuse": said.reuse,
        "qtime_max": said.qtime_max,
        "ctime_max": said.ctime_max,
        "rtime_max": said.rtime_max,
        "ttime_max": said.ttime_max,
        "eint": 0,
    }
