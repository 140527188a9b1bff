"""Keywords of section `global` that are about services written in Python."""

from __future__ import annotations

from isthmus.config import register
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.global_rows import Row, change, number
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import time
from isthmus.services.loading import LoadError

_GLOBAL = Where.GLOBAL

CANNOT_LOAD = register(
    "E0521",
    "file of services cannot be loaded",
    """python-load runs a Python file, which registers services by `@service`. The message is the last line of
    the traceback, with the file and line to blame.""",
    "python-load /etc/isthmus/services.py",
)

SERVICE_TWICE = register(
    "E0522",
    "service is registered twice",
    """Two files of `python-load` register a service of the same name.""",
)

NO_SERVICES = register(
    "W0520",
    "file registers no services",
    """A file of python-load was run, and no function in it stands behind `@service`.""",
)


def _change(use: Use[GlobalDraft], **changes: object) -> None:
    change(use, "services", **changes)


def _load(use: Use[GlobalDraft]) -> None:
    word = use.words.take("the name of a Python file")
    try:
        found = use.reading.world.load_services(word.text)
    except LoadError as error:
        raise RefusedError(CANNOT_LOAD, str(error), word.span) from None
    if not found:
        message = f"`{word.text}` registers no services"
        hint = 'put `@service("name")` before a function'
        use.reading.diagnostics.warning(NO_SERVICES, message, word.span, hint=hint)
    before = use.draft.settings.services.registered
    for name in found.keys() & {each.name for each in before}:
        message = f"service `{name}` is registered by another file above already"
        raise RefusedError(SERVICE_TWICE, message, word.span)
    _change(use, registered=(*before, *found.values()))


GLOBAL_SERVICES: tuple[Row, ...] = (
    Keyword("python-load", _GLOBAL, "<file>", "Run a Python file that registers services", _load),
    number(
        "tune.python.queue",
        "queue",
        "Most requests that wait for a service to begin",
        1,
        1_000_000,
        part="services",
    ),
    Keyword(
        "tune.python.service-timeout",
        _GLOBAL,
        "<timeout>",
        "How long a service may stay silent",
        lambda use: _change(use, timeout=time(use.words)),
    ),
    number(
        "tune.python.threads", "threads", "Most plain services that run at once", 1, 1024, part="services"
    ),
)
"""How services written in Python are loaded and run."""
