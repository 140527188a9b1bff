"""`show info`: the process as a whole, in HAProxy's fields."""

from __future__ import annotations

import time

import msgspec

from isthmus import product
from isthmus.engine.report import FrontendFacts
from isthmus.runtime.fields import Field, Value, described, typed
from isthmus.runtime.instance import Instance
from isthmus.runtime.registry import Request, command

_TABLE = """
Name;POS;str
Version;POS;str
Release_date;POS;str
Nbthread;CGS;u32
Nbproc;CGS;u32
Process_num;KGP;u32
Pid;SGP;u32
Uptime;MDP;str
Uptime_sec;MDP;u32
Memmax_MB;CLP;u32
PoolAlloc_MB;MGP;u32
PoolUsed_MB;MGP;u32
PoolFailed;MCP;u32
Ulimit-n;CLP;u32
Maxsock;CLP;u32
Maxconn;CLP;u32
Hard_maxconn;CLP;u32
CurrConns;MGP;u32
CumConns;MCP;u32
CumReq;MCP;u32
MaxSslConns;MMP;u32
CurrSslConns;MGP;u32
CumSslConns;MCP;u32
Maxpipes;CLP;u32
PipesUsed;MGP;u32
PipesFree;MGP;u32
ConnRate;MRP;u32
ConnRateLimit;CLP;u32
MaxConnRate;MMP;u32
SessRate;MRP;u32
SessRateLimit;CLP;u32
MaxSessRate;MRP;u32
SslRate;MRP;u32
SslRateLimit;CLP;u32
MaxSslRate;MMP;u32
SslFrontendKeyRate;MGP;u32
SslFrontendMaxKeyRate;MMP;u32
SslFrontendSessionReuse_pct;MGP;u32
SslBackendKeyRate;MRP;u32
SslBackendMaxKeyRate;MMP;u32
SslCacheLookups;MCP;u32
SslCacheMisses;MCP;u32
CompressBpsIn;MRP;u32
CompressBpsOut;MRP;u32
CompressBpsRateLim;CLP;u32
ZlibMemUsage;MGP;u32
MaxZlibMemUsage;CLP;u32
Tasks;MGP;u32
Run_queue;MGP;u32
Idle_pct;MaP;u32
node;COS;str
description;COS;str
Stopping;MGP;u32
Jobs;MGP;u32
Unstoppable Jobs;MGP;u32
Listeners;MGP;u32
ActivePeers;MGP;u32
ConnectedPeers;MGP;u32
DroppedLogs;MGP;u32
BusyPolling;MGP;u32
FailedResolutions;MGP;u32
TotalBytesOut;MGP;u64
TotalSplicdedBytesOut;MGP;u64
BytesOutRate;MRP;u64
DebugCommandsIssued;MGP;u32
CumRecvLogs;MCP;u32
Build info;POS;str
Memmax_bytes;CLP;u32
PoolAlloc_bytes;MGP;u64
PoolUsed_bytes;MGP;u64
Start_time_sec;MDP;u32
Tainted;SGP;str
LimitedSearches;MCP;u64
"""
"""One field a line: name, tags, type. The names, misspelt ones too, are those that tools look for."""

FIELDS: tuple[Field, ...] = tuple(Field(*line.split(";")) for line in _TABLE.split("\n") if line)
"""The fields of `show info`, in HAProxy's order; behind them, one of ours."""


@command("show info", "report information about the running process", syntax="[desc|json|typed|float]*")
def show_info(request: Request) -> str:
    """Return the process's figures in the form that the arguments ask for."""
    values = _values(request.instance)
    if "json" in request.arguments:
        return msgspec.json.encode(described(FIELDS, values)).decode() + "\n"
    if "typed" in request.arguments:
        return typed(FIELDS, values)
    return "".join(
        f"{field.name}: {values[field.name]}\n" for field in FIELDS if values.get(field.name) is not None
    )


def _requests(front: FrontendFacts) -> int:
    """Return how many streams a frontend has had: in TCP mode a session is one."""
    return front.counters.req_tot if front.http else front.counters.stot


def _values(instance: Instance) -> dict[str, Value]:
    """Return the fields by name; what there is no figure for is 0, as it is in HAProxy where it is unused."""
    snapshot = instance.engine.snapshot()
    facts = snapshot.process
    up = int(time.time() - instance.started)
    listeners = sum(len(each.listeners) for each in snapshot.frontends) + len(instance.sockets)
    known: dict[str, Value] = {
        "Name": "HAProxy",
        "Version": product.FULL_VERSION,
        "Release_date": product.RELEASE_DATE,
        "Nbthread": facts.nbthread,
        "Nbproc": 1,
        "Process_num": 1,
        "Pid": instance.pid,
        "Uptime": f"{up // 86400}d {up // 3600 % 24}h{up // 60 % 60:02}m{up % 60:02}s",
        "Uptime_sec": up,
        "Ulimit-n": instance.file_limit,
        "Maxsock": instance.file_limit,
        "Maxconn": facts.maxconn,
        "Hard_maxconn": facts.hard_maxconn,
        "CurrConns": facts.curr_conns,
        "CumConns": facts.cum_conns,
        "CumReq": instance.requests + sum(_requests(each) for each in snapshot.frontends),
        "PipesUsed": facts.pipes_used,
        "PipesFree": facts.pipes_free,
        "MaxSslConns": facts.max_tls,
        "CurrSslConns": facts.curr_tls,
        "CumSslConns": facts.cum_tls,
        "SslRate": facts.tls_rate,
        "SslRateLimit": facts.tls_rate_limit,
        "MaxSslRate": facts.tls_rate_max,
        "ConnRate": facts.conn_rate,
        "ConnRateLimit": facts.conn_rate_limit,
        "MaxConnRate": facts.conn_rate_max,
        "SessRate": facts.sess_rate,
        "SessRateLimit": facts.sess_rate_limit,
        "MaxSessRate": facts.sess_rate_max,
        "CompressBpsIn": facts.compression_rate_in,
        "CompressBpsOut": facts.compression_rate_out,
        "CompressBpsRateLim": facts.compression_rate_limit,
        # HAProxy as Debian builds it has no such lines: they are there where there is a limit.
        "ZlibMemUsage": facts.compression_memory if facts.compression_memory_limit else None,
        "MaxZlibMemUsage": facts.compression_memory_limit or None,
        "Idle_pct": facts.idle_percent,
        "node": instance.settings.node,
        "description": instance.settings.description or None,
        "Stopping": int(facts.stopping),
        "Jobs": facts.curr_conns + listeners,
        "Listeners": listeners,
        "DroppedLogs": facts.dropped_logs,
        "LimitedSearches": facts.limited_searches,
        "TotalBytesOut": facts.total_bytes_out,
        "TotalSplicdedBytesOut": facts.total_spliced_bytes_out,
        "Build info": f"{product.NAME} {product.VERSION}",
        "Start_time_sec": int(instance.started),
        "Tainted": "0",
    }
    return {field.name: known.get(field.name, 0) for field in FIELDS}
