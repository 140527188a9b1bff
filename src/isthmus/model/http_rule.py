"""What `http-request`, `http-response` and `http-after-response` rules do. Times are milliseconds."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.model.expression import Condition, Expression, PatternFile
from isthmus.model.log import Format
from isthmus.model.rule import Action
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """What an answer says: nothing (None), a text as it stands, or a format."""

    value: bytes | Format | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A whole HTTP message, head included, as `errorfile` files hold it; empty closes at once."""

    text: bytes


@dataclass(frozen=True, slots=True)
class FromSection:
    """What a section `http-errors` has for the status."""

    section: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the proxy's own. No content is what the proxy answers with this status otherwise."""

    status: int
    content: Body | Message | FromSection | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, Format], ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    """Ends the evaluation of the set: the message passes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`return`, `deny` and `tarpit`: ends the exchange with an answer. `how` is the action's name."""

    how: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class ChangeHeader:
    """`add-header`, `set-header` and `early-hint`, by the action's name."""

    how: str
    name: str
    value: Format


@dataclass(frozen=True, slots=True)
class DelHeader:
    """`del-header`; `matching` is str, beg, end, sub or reg."""

    name: str
    matching: str = "str"


@dataclass(frozen=True, slots=True)
class Replace:
    """`replace-header`, `replace-value` (with a header's name), `replace-path`, `-pathq` and `-uri`."""

    how: str
    name: str
    regex: str
    value: Format


@dataclass(frozen=True, slots=True)
class SetLine:
    """`set-method`, `set-path`, `set-pathq`, `set-query` and `set-uri`, by the action's name."""

    how: str
    value: Format


@dataclass(frozen=True, slots=True)
class SetStatus:
    """`set-status`; without a reason, the usual one."""

    status: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class NormalizeUri:
    """`normalize-uri`; `strict` is the option `full` or `strict`."""

    normalizer: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """`redirect`; `kind` is location, prefix or scheme, `cookie` the whole value of Set-Cookie."""

    kind: str
    value: Format
    code: int = 302
    drop_query: bool = False
    keep_query: bool = False
    append_slash: bool = False
    ignore_empty: bool = False
    cookie: str | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """`auth`; without a realm, the proxy's name."""

    realm: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeList:
    """`set-map`, `add-map`, `del-map`, `add-acl` and `del-acl`, by the action's name."""

    how: str
    file: PatternFile
    key: Format
    value: Format | None = None


@dataclass(frozen=True, slots=True)
class DisableL7Retry:
    """`disable-l7-retry`."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`pause`."""

    delay: int | Expression


@dataclass(frozen=True, slots=True)
class SetTimeout:
    """`set-timeout`; `which` is the timeout's name."""

    which: str
    delay: int | Expression


@dataclass(frozen=True, slots=True)
class SetNice:
    """`set-nice`."""

    nice: int


@dataclass(frozen=True, slots=True)
class SetPriority:
    """`set-priority-class` and, with `offset`, `set-priority-offset`."""

    offset: bool
    value: Expression


@dataclass(frozen=True, slots=True)
class StrictMode:
    """`strict-mode`: whether a change that cannot be made ends the exchange with an error."""

    on: bool


@dataclass(frozen=True, slots=True)
class WaitForBody:
    """`wait-for-body`; `at_least` 0 waits for all."""

    time: int
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class WaitForHandshake:
    """`wait-for-handshake`."""


@dataclass(frozen=True, slots=True)
class UseCache:
    """`cache-use` and `cache-store`, by the action's name; `cache` is the section's."""

    how: str
    cache: str
    span: Span


@dataclass(frozen=True, slots=True)
class UseService:
    """`use-service`: one that is written in Python (`python.NAME`), or one of the program's own."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class SetBandwidthLimit:
    """`set-bandwidth-limit`: the filter's name, and what replaces its own limit and period."""

    name: str
    limit: Expression | None
    period: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class CaptureInto:
    """`capture EXPR id N`: into a declared slot of the frontend; `response` says of which side."""

    value: Expression
    slot: int
    response: bool
    span: Span


@dataclass(frozen=True, slots=True)
class ChangeListed:
    """Adds, sets or removes fields that an expression lists in binary.

    `how` is the action's name. `prefix` is how the names of fields to add or set begin, `matching` how names
    to remove are compared.
    """

    how: str
    value: Expression
    prefix: str = ""
    matching: str = "str"


HttpAction = (
    Action
    | Allow
    | Answer
    | ChangeHeader
    | ChangeListed
    | DelHeader
    | Replace
    | SetLine
    | SetStatus
    | NormalizeUri
    | Redirect
    | Auth
    | ChangeList
    | DisableL7Retry
    | Pause
    | SetTimeout
    | SetNice
    | SetPriority
    | StrictMode
    | WaitForBody
    | WaitForHandshake
    | CaptureInto
    | UseCache
    | UseService
    | SetBandwidthLimit
)
"""What an HTTP rule does; what TCP rules can do too is among it."""


@dataclass(frozen=True, slots=True)
class HttpRule:
    """One line of an HTTP rule set. `span` is the whole line's; no condition means always."""

    action: HttpAction
    condition: Condition | None
    span: Span
