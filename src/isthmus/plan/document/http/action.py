"""What `http-request`, `http-response` and `http-after-response` rules do. Times are milliseconds."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.expression import Condition, Expression
from isthmus.plan.document.http.reply import Reply, Text
from isthmus.plan.document.rule import Action


class TargetPart(StrEnum):
    """A part of a request's target; `pathq` is the path with the query."""

    PATH = "path"
    PATHQ = "pathq"
    QUERY = "query"
    URI = "uri"


class NameMatch(StrEnum):
    """How `del-header` compares names."""

    STR = "str"
    BEG = "beg"
    END = "end"
    SUB = "sub"
    REG = "reg"


class ListChange(StrEnum):
    """A change of a list of patterns."""

    SET_MAP = "set_map"
    ADD_MAP = "add_map"
    DEL_MAP = "del_map"
    ADD_ACL = "add_acl"
    DEL_ACL = "del_acl"


class TimeoutKind(StrEnum):
    """A timeout that a rule may replace."""

    CLIENT = "client"
    SERVER = "server"
    TUNNEL = "tunnel"
    CONNECT = "connect"
    QUEUE = "queue"
    TARPIT = "tarpit"


class FixedDelay(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """A span of time as configured."""

    time: int


class ComputedDelay(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="computed"):
    """A span of time that an expression gives."""

    expression: Expression


Delay = FixedDelay | ComputedDelay
"""A span of time."""


class Location(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="location"):
    """The whole URL."""

    value: Text


class Prefix(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="prefix"):
    """What stands before the path."""

    value: Text


class Scheme(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="scheme"):
    """The scheme; host and path stay."""

    value: Text


RedirectTarget = Location | Prefix | Scheme
"""Where a redirection leads."""


class RedirectTo(Struct, frozen=True, forbid_unknown_fields=True):
    """`redirect`; `cookie` is the whole value of the answer's Set-Cookie."""

    target: RedirectTarget
    code: int = 302
    drop_query: bool = False
    keep_query: bool = False
    append_slash: bool = False
    ignore_empty: bool = False
    cookie: str | None = None


class Common(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="common"):
    """What TCP rules can do too; `accept` stands for `allow`."""

    action: Action


class AddHeader(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="add_header"):
    """`add-header`."""

    name: str
    value: Text


class SetHeader(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_header"):
    """`set-header`."""

    name: str
    value: Text


class DelHeader(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="del_header"):
    """`del-header`; names are compared without regard to case."""

    name: str
    matching: NameMatch


class AddHeadersBin(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="add_headers_bin"):
    """`add-headers-bin`: names and values in one binary sample; names begin with `prefix`."""

    list: Expression
    prefix: str


class SetHeadersBin(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_headers_bin"):
    """`set-headers-bin`: names and values in one binary sample; names begin with `prefix`."""

    list: Expression
    prefix: str


class DelHeadersBin(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="del_headers_bin"):
    """`del-headers-bin`: names in one binary sample."""

    list: Expression
    matching: NameMatch


class ReplaceHeader(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="replace_header"):
    """`replace-header`: whole values."""

    name: str
    regex: str
    value: Text


class ReplaceValue(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="replace_value"):
    """`replace-value`: each element of comma-separated values."""

    name: str
    regex: str
    value: Text


class ReplaceTarget(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="replace_target"):
    """`replace-path`, `replace-pathq`, `replace-uri`."""

    part: TargetPart
    regex: str
    value: Text


class SetMethod(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_method"):
    """`set-method`."""

    value: Text


class SetTarget(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_target"):
    """`set-path`, `set-pathq`, `set-query`, `set-uri`."""

    part: TargetPart
    value: Text


class SetStatus(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_status"):
    """`set-status`; the usual reason where none is given."""

    status: int
    reason: str | None


class NormalizeUri(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="normalize_uri"):
    """`normalize-uri`; `strict` is the option of a normalizer, `full` or `strict`."""

    normalizer: str
    strict: bool


class Redirect(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="redirect"):
    """`redirect`."""

    redirect: RedirectTo


class Return(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="return"):
    """`return`."""

    reply: Reply


class Deny(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="deny"):
    """`deny`."""

    reply: Reply


class Tarpit(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="tarpit"):
    """`tarpit`: the answer comes once `timeout tarpit` is over."""

    reply: Reply


class Auth(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="auth"):
    """`auth`; the realm is the proxy's name where none is given."""

    realm: str | None


class ChangeList(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="change_list"):
    """`set-map`, `add-map`, `del-map`, `add-acl`, `del-acl`, on a list by its index in the plan."""

    list: int
    change: ListChange
    key: Text
    value: Text


class EarlyHint(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="early_hint"):
    """`early-hint`: fields of one 103 answer; lines in a row are one."""

    name: str
    value: Text


class DisableL7Retry(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="disable_l7_retry"
):
    """`disable-l7-retry`."""


class Pause(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pause"):
    """`pause`."""

    delay: Delay


class SetTimeout(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_timeout"):
    """`set-timeout`."""

    which: TimeoutKind
    delay: Delay


class SetNice(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_nice"):
    """`set-nice`."""

    nice: int


class SetPriority(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_priority"):
    """`set-priority-class` and `set-priority-offset`."""

    offset: bool
    expression: Expression


class StrictMode(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="strict_mode"):
    """`strict-mode`."""

    on: bool


class WaitForBody(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="wait_for_body"):
    """`wait-for-body`; `at_least` 0 waits for all."""

    time: int
    at_least: int


class WaitForHandshake(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="wait_for_handshake"
):
    """`wait-for-handshake`."""


class UseService(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="use_service"):
    """`use-service`, by its index among the global services."""

    service: int


class SetBandwidthLimit(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_bandwidth_limit"
):
    """`set-bandwidth-limit`, by the filter's index in the proxy; its own numbers where none are given."""

    limit: int
    bytes: Expression | None = None
    period: Expression | None = None


class CacheUse(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cache_use"):
    """`cache-use`, by the cache's index."""

    cache: int


class CacheStore(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="cache_store"):
    """`cache-store`, by the cache's index."""

    cache: int


HttpAction = (
    Common
    | AddHeader
    | SetHeader
    | DelHeader
    | AddHeadersBin
    | SetHeadersBin
    | DelHeadersBin
    | ReplaceHeader
    | ReplaceValue
    | ReplaceTarget
    | SetMethod
    | SetTarget
    | SetStatus
    | NormalizeUri
    | Redirect
    | Return
    | Deny
    | Tarpit
    | Auth
    | ChangeList
    | EarlyHint
    | DisableL7Retry
    | Pause
    | SetTimeout
    | SetNice
    | SetPriority
    | StrictMode
    | WaitForBody
    | WaitForHandshake
    | UseService
    | SetBandwidthLimit
    | CacheUse
    | CacheStore
)
"""What an HTTP rule does."""


class HttpRule(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of an HTTP rule set; `origin` is its `file:line`."""

    action: HttpAction
    condition: Condition | None
    origin: str
