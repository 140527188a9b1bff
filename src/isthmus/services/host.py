"""The control plane's side of the door: takes calls and questions from the engine.

Calls go to their services, questions about names to whoever asks name servers.

Calls of a plan go to the services of that plan, also when another one has come into force meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from isthmus.engine import Engine
from isthmus.engine.question import Question
from isthmus.engine.service import Call, ServiceRequest
from isthmus.resolve.questions import Questions
from isthmus.services import exchange, threads
from isthmus.services.registry import BUILT_IN, Service
from isthmus.services.tasks import Tasks
from isthmus.services.threads import Report, Threads

_WAIT_MS = 60_000
"""How long one wait for calls lasts. Calls end it; the length only bounds a lost wake-up."""
_KEPT = 16
"""Plans whose services are kept, for requests that began under them."""

Known = Mapping[str, Service]


class Host:
    """Serves an engine's calls, from the first configuration that has services on."""

    def __init__(
        self, engine: Engine, report: Report, most: int = 16, questions: Questions | None = None
    ) -> None:
        self._engine = engine
        self._questions = questions
        self._report = report
        self._threads = Threads(most)
        self._tasks = Tasks()
        self._known: dict[int, Known] = {}
        self._next: Known = {}
        self._thread: threading.Thread | None = None

    def prepare(self, services: Known) -> None:
        """Take the services of a plan that is about to come into force."""
        self._next = services

    def use(self, generation: int) -> None:
        """Note the number under which the prepared plan came into force, and begin to serve."""
        services = self._next
        self._known[generation] = services
        for old in sorted(self._known)[:-_KEPT]:
            del self._known[old]
        asked = self._questions is not None and self._questions.sections
        if self._thread is None and (services or BUILT_IN or asked):
            self._thread = threading.Thread(target=self._serve, name="calls", daemon=True)
            self._thread.start()

    def _serve(self) -> None:
        """Hand calls out; the body of a thread."""
        while (notices := self._engine.calls(_WAIT_MS)) is not None:
            for notice in notices:
                self._take(notice)

    def _take(self, notice: Call | Question | int) -> None:
        questions = self._questions
        if isinstance(notice, int):
            # Numbers are of calls or of questions: who does not know one has nothing to do.
            self._tasks.changed(notice)
            if questions is not None:
                questions.changed(notice)
        elif isinstance(notice, Question):
            if questions is not None:
                questions.put(notice)
            else:
                notice.answer(None)
        else:
            self._hand_out(notice)

    def _hand_out(self, call: Call) -> None:
        said = exchange.received(call)
        service = self._known.get(said.generation, self._next).get(said.service)
        service = service or BUILT_IN.get(said.service)
        if service is None:
            call.fail()
            error = LookupError("there is no such service any more")
            self._report(said, str(error), error)
        elif service.is_async:
            self._tasks.run(call, said, service, self._report)
        else:
            self._threads.run(self._job(call, said, service))

    def _job(self, call: Call, said: ServiceRequest, service: Service) -> Callable[[], None]:
        return lambda: threads.answer(call, said, service, self._report)
