"""ACLs: `acl NAME criterion [flags] [operator] patterns...`, the predefined ones, and those between braces.

All `acl` lines of a section are read first (`declare_acls`), since lines of one name add to each other; rules
then find them through the `AclScope`. As in HAProxy, an ACL must be declared above the rule that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from isthmus.config import Line, Span, Word, register
from isthmus.keywords.acl_tests import parse_test
from isthmus.keywords.context import Context
from isthmus.model.expression import Acl, AclTest
from isthmus.records import dataclass

BAD_ACL_NAME = register(
    "E0320",
    "bad name of an ACL",
    """The name of an ACL holds letters, digits, dashes, underscores, dots and colons. `or` is the operator
    of conditions and names no ACL.""",
    "acl internal_net src 10.0.0.0/8",
)
MISSING_CRITERION = register(
    "E0321",
    "an ACL without a criterion",
    """Behind the name of an ACL stands what it looks at: a fetch, perhaps with converters.""",
    "acl internal_net src 10.0.0.0/8",
)

PREDEFINED = {
    "FALSE": "always_false",
    "HTTP": "req.proto_http",
    "HTTP_1.0": "req.ver 1.0",
    "HTTP_1.1": "req.ver 1.1",
    "HTTP_2.0": "req.ver 2.0",
    "HTTP_3.0": "req.ver 3.0",
    "HTTP_CONTENT": "req.hdr_val(content-length) gt 0",
    "HTTP_URL_ABS": "url_reg ^[^/:]*://",
    "HTTP_URL_SLASH": "url_beg /",
    "HTTP_URL_STAR": "url *",
    "LOCALHOST": "src 127.0.0.1/8 ::1",
    "METH_CONNECT": "method CONNECT",
    "METH_DELETE": "method DELETE",
    "METH_GET": "method GET HEAD",
    "METH_HEAD": "method HEAD",
    "METH_OPTIONS": "method OPTIONS",
    "METH_POST": "method POST",
    "METH_PUT": "method PUT",
    "METH_TRACE": "method TRACE",
    "RDP_COOKIE": "req.rdp_cookie_cnt gt 0",
    "REQ_CONTENT": "req.len gt 0",
    "TRUE": "always_true",
    "WAIT_END": "wait_end",
}
"""The ACLs that need no declaration, each as the test it stands for (manual 7.4)."""

_BAD_CHARACTER = re.compile(r"[^A-Za-z0-9_.:-]")


@dataclass(frozen=True, slots=True)
class AclScope:
    """The ACLs that a section declares, by name."""

    declared: Mapping[str, Acl]

    def find(self, name: str, used: Span, context: Context) -> Acl | None:
        """Return the ACL of a name that is used at a place, or None if there is none above it.

        A predefined ACL whose fetch the engine lacks is an error, and comes back without tests.
        """
        acl = self.declared.get(name)
        if acl is not None and acl.span is not None and _above(acl.span, used):
            return acl
        test = PREDEFINED.get(name)
        return _predefined(name, test, used, context) if test is not None else None

    def names(self) -> frozenset[str]:
        """Every name that a condition may use."""
        return frozenset(self.declared) | frozenset(PREDEFINED)


NO_ACLS = AclScope({})
"""The scope of a section that declares none: the predefined ACLs alone."""


def _above(declaration: Span, use: Span) -> bool:
    return declaration.file != use.file or declaration.line < use.line


def _predefined(name: str, test: str, used: Span, context: Context) -> Acl:
    # Whatever is wrong with such a test is wrong where the ACL is used.
    parsed = parse_test(tuple(Word(word, used) for word in test.split(" ")), context)
    return Acl(name, parsed, None)


def declare_acls(lines: Iterable[Line], context: Context) -> AclScope:
    """Read all `acl` lines of a section, given in the order of the file; other lines are passed over."""
    names: dict[str, Span] = {}
    tests: dict[str, list[AclTest]] = {}
    for line in lines:
        if line.keyword.text != "acl":
            continue
        name = _name(line, context)
        if name is None:
            continue
        names.setdefault(name.text, name.span)
        tests.setdefault(name.text, []).extend(_tests(line, context))
    return AclScope({name: Acl(name, tuple(tests[name]), span) for name, span in names.items()})


def _name(line: Line, context: Context) -> Word | None:
    if not line.arguments:
        context.alert(BAD_ACL_NAME, "an ACL needs a name", line.end, expected="acl <name> <criterion> ...")
        return None
    name = line.arguments[0]
    bad = _BAD_CHARACTER.search(name.text)
    if bad or not name.text:
        shown = f"character `{bad.group()}` is" if bad else "an empty word is"
        context.alert(
            BAD_ACL_NAME,
            f"{shown} not allowed as the name of an ACL",
            context.part(name, bad.start() if bad else 0, 1),
            expected="letters, digits, `-`, `_`, `.` and `:`",
        )
        return None
    if name.text.lower() == "or":
        context.alert(
            BAD_ACL_NAME,
            f"an ACL named `{name.text}` could not be used, since `or` stands between ACLs in a condition",
            name.span,
        )
        return None
    return name


def _tests(line: Line, context: Context) -> tuple[AclTest, ...]:
    words = line.arguments[1:]
    if not words:
        context.alert(
            MISSING_CRITERION,
            f"ACL `{line.arguments[0].text}` has no criterion",
            line.end,
            expected="a fetch, for instance `src`",
        )
        return ()
    return parse_test(words, context)


def parse_anonymous(words: tuple[Word, ...], braces: Span, context: Context) -> Acl:
    """Read the words between the braces of a condition."""
    name = "{ " + " ".join(word.text for word in words) + " }"
    if not words:
        context.alert(
            MISSING_CRITERION,
            "nothing stands between the braces",
            braces,
            expected="a fetch, its flags and patterns, as in `{ src 10.0.0.0/8 }`",
        )
        return Acl(name, (), braces)
    return Acl(name, parse_test(words, context), braces)
