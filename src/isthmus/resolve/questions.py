"""Questions of rules (`do-resolve`): taken from the engine's door, answered by the sections of their plan.

All asking is done in one event loop, in a thread of its own, which begins with the first configuration that
has a section.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import msgspec

from isthmus.engine.question import NameQuestion, Question
from isthmus.model.resolvers import Family, Resolvers
from isthmus.resolve.nameserver import SocketMaker
from isthmus.resolve.section import Section

_KEPT = 16
"""Plans whose sections are kept, for rules that run under them."""
_FAMILIES = {each.name.lower(): each for each in Family}

Sections = dict[str, Section]


class Questions:
    """Answers an engine's questions. Sections that a new plan does not change keep what they know."""

    def __init__(self, make_socket: SocketMaker) -> None:
        self._make_socket = make_socket
        self._known: dict[int, Sections] = {}
        self._next: Sections = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def sections(self) -> Sections:
        """The sections of the plan in force."""
        return self._known[max(self._known)] if self._known else {}

    def prepare(self, sections: Iterable[Resolvers]) -> None:
        """Take the sections of a plan that is about to come into force."""
        present = self.sections
        self._next = {}
        for said in sections:
            old = present.get(said.name)
            same = old is not None and old.said == said
            self._next[said.name] = old if old and same else Section(said, self._make_socket)

    def use(self, generation: int) -> None:
        """Note the number under which the prepared plan came into force."""
        self._known[generation] = self._next
        for past in sorted(self._known)[:-_KEPT]:
            del self._known[past]
        if self._loop is None and self._next:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="resolve", daemon=True).start()

    def put(self, question: Question) -> None:
        """Begin to answer a question. To be called from one thread."""
        if self._loop is None:
            question.answer(None)
        else:
            self._loop.call_soon_threadsafe(self._begin, question)

    def changed(self, number: int) -> None:
        """Give up the question of a number, if it is one of these: nobody waits for its answer any more."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._end, number)

    def _begin(self, question: Question) -> None:
        if question.gone():
            return
        task = asyncio.get_running_loop().create_task(self._answer(question))
        self._running[question.number] = task
        task.add_done_callback(lambda _task: self._running.pop(question.number, None))

    def _end(self, number: int) -> None:
        task = self._running.get(number)
        if task is not None:
            task.cancel()

    async def _answer(self, question: Question) -> None:
        said = msgspec.json.decode(question.request(), type=NameQuestion)
        section = self._known.get(said.generation, self._next).get(said.resolvers)
        address: str | None = None
        try:
            if section is not None:
                address = await section.address(said.name, _FAMILIES[said.prefer.value])
        finally:
            question.answer(address)
