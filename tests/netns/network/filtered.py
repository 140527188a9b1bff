"""Runs isthmus.network.filtering inside a namespace of a test's ground, with and without root."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from isthmus.network.filtering import interception_objects, wanted_ruleset
from isthmus.network.model import Namespace as Model
from isthmus.network.objects import RouteObject, RuleObject

from ..ground import Namespace

NETWORK = "demo"

# A process of its own: the ground's namespaces belong to a user namespace where there is no root.
SCRIPT = """
import json, sys
from isthmus.network.filtering import FilteringError, apply_ruleset, nft, read_former, read_ruleset
verb, network, text, program = json.load(sys.stdin)
if program:
    nft._library = lambda: None
answer, failure = None, None
try:
    if verb == "apply":
        answer = []
        for each in text:
            apply_ruleset(each, network)
            answer.append(read_ruleset(network))
    elif verb == "read":
        answer = read_ruleset(network)
    else:
        answer = read_former(network)
except FilteringError as error:
    failure = str(error)
print(json.dumps([answer, failure]))
"""


class RefusedError(Exception):
    """A FilteringError on the other side."""


def _inside(
    namespace: Namespace,
    verb: str,
    text: str | None = None,
    program: bool = False,
    through: Sequence[str] = (),
) -> Any:
    question = json.dumps([verb, NETWORK, text, program])
    answer, failure = json.loads(namespace.run(*through, sys.executable, "-c", SCRIPT, stdin=question))
    if failure is not None:
        raise RefusedError(failure)
    return answer


def apply(namespace: Namespace, text: str | None, program: bool = False) -> str | None:
    """Apply a text; return what is read back."""
    return apply_each(namespace, [text], program)[0]


def apply_each(namespace: Namespace, texts: Sequence[str | None], program: bool = False) -> list[str | None]:
    """Apply one text after the other; return what is read back after each."""
    return _inside(namespace, "apply", texts, program)


def apply_without_privilege(namespace: Namespace, text: str, program: bool) -> None:
    """Apply a text as somebody who may not."""
    through = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    _inside(namespace, "apply", [text], program, through)


def read(namespace: Namespace) -> str | None:
    return _inside(namespace, "read")


def former(namespace: Namespace) -> dict[str, str]:
    return _inside(namespace, "former")


def filter_as(namespace: Namespace, model: Model, **more: object) -> str:
    """Have a namespace do what a model of it says; return the text that was applied."""
    wanted = wanted_ruleset(model, NETWORK, **more)
    assert wanted is not None
    assert apply(namespace, wanted.text) == wanted.text
    for each in interception_objects(model):
        if isinstance(each, RuleObject):
            rule = each.rule
            words = f"rule add priority {rule.priority} fwmark {rule.mark} lookup {rule.table}"
            version = rule.family
        else:
            assert isinstance(each, RouteObject)
            route = each.route
            words = f"route add {route.kind} {route.to or 'default'} dev {route.device} table {route.table}"
            version = route.to.version if route.to else 4
        namespace.run("ip", f"-{version}", *words.split())
    return wanted.text
