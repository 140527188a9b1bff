"""What fetches and converters give: each expression stored in a variable and logged."""

from __future__ import annotations

import pytest

from .lab import Both, Lab

# fmt: off
EXPRESSIONS = [
    'int(5)',
    'int(-5)',
    'str(abc)',
    'bool(true)',
    'bin(616263)',
    'ipv4(1.2.3.4)',
    'ipv6(::1)',
    'meth(GET)',
    'int(7),add(3)',
    'int(7),sub(10)',
    'int(7),mul(6)',
    'int(7),div(2)',
    'int(7),div(0)',
    'int(7),mod(4)',
    'int(7),neg',
    'int(7),even',
    'int(7),odd',
    'int(7),bool',
    'int(0),not',
    'int(6),and(3)',
    'int(6),or(3)',
    'int(6),xor(3)',
    'int(6),cpl',
    'str(9223372036854775807),add(1)',
    'str(12abc),add(1)',
    'str(abc),add(1)',
    'str(AbC),lower',
    'str(AbC),upper',
    'str(abc),length',
    'str(abcdef),bytes(2,3)',
    'str(abcdef),bytes(4)',
    'str(abc),hex',
    'str(616263),hex2i',
    'str(ff),hex2i',
    'str(abc),base64',
    'str(YWJj),b64dec',
    'str(a b&c),url_enc',
    'str(a%20b),url_dec',
    'str(a.b.c),field(2,.)',
    'str(a.b.c),field(-1,.)',
    'str(a.b.c.d),field(2,.,2)',
    'str(a b c),word(2, )',
    'str(/a//b/),word(2,/)',
    'str(a.b.c),word(-1,.)',
    'str(xaxbx),regsub(x,y)',
    'str(xaxbx),regsub(x,y,g)',
    'str(xaxxb),regsub(x++b,y,g)',
    'str(xaxxb),regsub(x++x,y,g)',
    'str(XaxbX),regsub(x,y,gi)',
    'str(abc),concat(-,txn.no,-)',
    'str( abc ),ltrim( )',
    'str(xxabcxx),rtrim(x)',
    'str(xxabcxx),ltrim(x)',
    'str(abc),strcmp(txn.no)',
    'str(abc),sdbm',
    'str(abc),djb2',
    'str(abc),wt6',
    'str(abc),crc32',
    'str(abc),crc32c',
    'str(abc),xxh32',
    'str(abc),xxh64',
    'str(abc),xxh3',
    'str(abc),sdbm(1)',
    'str(abc),djb2(1)',
    'str(abc),wt6(1)',
    'str(abc),crc32(1)',
    'str(abc),sha1,hex',
    'str(abc),sha2,hex',
    'str(abc),sha2(512),hex',
    'ipv4(10.1.2.3),ipmask(16)',
    'ipv6(2001:db8:1:2::3),ipmask(24,48)',
    'ipv4(10.1.2.3),ipmask(255.0.0.0)',
    'src,ipmask(8)',
    'str(abc),iif(yes,no)',
    'bool(true),iif(yes,no)',
    'bool(false),iif(yes,no)',
    'int(1600000000),utime(%Y-%m-%d)',
    'int(1600000000),ltime(%H:%M)',
    'int(1600000000),http_date',
    'str(abc),strcmp(txn.s)',
    'int(3),set-var(txn.z),add(1)',
    'var(txn.z)',
    'var(txn.zz)',
    'var(txn.zz),add(1)',
    'var(txn.zz,default)',
    'str(abc),json',
    'str(a\\tb),json(utf8s)',
    'int(16909060),be2dec(.,1)',
    'bin(01020304),be2dec(-,2)',
    'bin(01020304),be2hex(:,2)',
    'bin(0a0b),be2hex',
    'str(1.2.3.4),ipmask(8)',
    'str(abcd),add_item(\\,,txn.s)',
    'str(5),div(txn.no)',
    'int(10),mul(txn.ten)',
    'int(5),add(txn.ten)',
    'src',
    'dst',
    'src_port,bool',
    'src_is_local',
    'dst_is_local',
    'fc_rcvd_proxy',
    'fe_id',
    'fe_name',
    'so_id',
    'so_name',
    'fe_conn',
    'be_conn(a)',
    'be_conn_free(a)',
    'avg_queue(a)',
    'queue(a)',
    'nbsrv(a)',
    'srv_conn(a/a)',
    'srv_conn_free(a/a)',
    'srv_queue(a/a)',
    'srv_weight(a/a)',
    'srv_uweight(a/a)',
    'srv_iweight(a/a)',
    'srv_is_up(a/a)',
    'fe_defbe',
    'fe_sess_rate,bool',
    'be_sess_rate(a),bool',
    'nbproc',
    'thread',
    'proc',
    'hostname,length,bool',
    'stopping',
    'env(NOSUCHVAR)',
    'date,bool',
    'date_us,bool',
    'uuid,length',
    'uuid(4),length',
    'fc_src',
    'fc_dst',
    'fc_src_is_local',
    'dst_conn',
    'fc_fackets',
    'prio_class',
    'prio_offset',
    'req.len',
    'payload(0,2)',
    'connslots(a),bool',
    'last_rule_line',
    'last_rule_file',
    'fc_pp_authority',
    'fc_pp_unique_id',
    'srv_sess_rate(a/a),bool',
    'ipv4(1.2.3.4),hex',
    'ipv6(::1),hex',
    'int(255),hex',
    'bool(true),hex',
    'str(-1),cpl',
    'str(0x10),add(0)',
    'str( 5),add(0)',
    'str(5 ),add(0)',
    'ssl_fc',
    'fc_http_major',
]
# fmt: on
CHUNK = 14


@pytest.mark.parametrize("start", range(0, len(EXPRESSIONS), CHUNK), ids=lambda at: EXPRESSIONS[at])
def test_an_expressions_value(both: Both, start: int) -> None:
    evaluate(both, EXPRESSIONS[start : start + CHUNK])


def evaluate(both: Both, chunk: list[str]) -> None:
    """Compares what each expression leaves in a variable."""
    rules = [f'tcp-request content set-var(txn.a{n}) "{one}"' for n, one in enumerate(chunk)]
    values = " ".join(f"{n}:<%[var(txn.a{n})]>" for n in range(len(chunk)))
    lines = "\n  ".join(rules)
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  tcp-request connection set-var(txn.no) str(no)
  tcp-request content set-var(txn.s) str(abc)
  tcp-request content set-var(txn.ten) int(10)
  {lines}
  log-format "{values}"
  default_backend a
backend a
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.log.wait(1)
        return dict(zip(chunk, lab.mask(lab.log.lines()[0].message).split("> "), strict=False))

    both(text, traffic, logged=False)
