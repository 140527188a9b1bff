"""The control loop: signals, the engine's events, and the tasks beside the engine, until the end.

It runs on the main thread. Nothing here is on the way of traffic, and nothing polls: the loop sleeps
until a signal, an event or an operator wakes it.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from isthmus.acme.keeping import Keeper
from isthmus.certificates.watching import Watcher
from isthmus.engine import Engine
from isthmus.engine.command import Log
from isthmus.engine.report import ApplyReport, Event, ListenerEvent, NamespaceEvent, Stopped, WarmedEvent
from isthmus.engine.service import ServiceRequest
from isthmus.health.announcing import Announcer
from isthmus.health.checker import Checker
from isthmus.health.messages import ALERT, Message
from isthmus.ocsp.updating import Updater, wanted
from isthmus.plan.built import Built
from isthmus.process import namespaces, states, systemd
from isthmus.process.console import Console
from isthmus.process.namespaces import NamespaceSockets
from isthmus.records import replace
from isthmus.resolve.questions import Questions
from isthmus.runtime.instance import Instance
from isthmus.runtime.server import Server
from isthmus.runtime.sockets import Opened
from isthmus.services.host import Host
from isthmus.services.registry import Service

_EVENT_WAIT_MS = 60_000
"""How long the listening thread waits at a time. Events end the wait; the length only bounds a lost one."""
_ERROR = 3
_WARNING = 4
_NOTICE = 5
_SIGNALS = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NOT_YET = {
    signal.SIGTTOU: "pausing is",
    signal.SIGTTIN: "resuming is",
    signal.SIGUSR2: "reloading is",
}
CONTROL_SIGNALS = frozenset({signal.SIGUSR1, signal.SIGHUP, *_NOT_YET})
"""Signals that ask the control loop for something; until it runs they wait, blocked."""


class Supervisor:
    """One running configuration and what keeps it company.

    States: running, then stopping (SIGUSR1: sessions end by themselves), then ended.
    """

    def __init__(
        self,
        engine: Engine,
        built: Built,
        opened: Sequence[Opened],
        sockets: NamespaceSockets,
        environment: Mapping[str, str],
        console: Console,
    ) -> None:
        self._engine = engine
        self._built = replace(built, texts={})
        self._console = console
        self._status: asyncio.Future[int] | None = None
        self._stopping = False
        self._announcer = announcer = Announcer(engine, self._say)
        self._sockets = sockets
        self._checker = Checker(engine, announcer, sockets.make)
        self._instance = Instance(
            engine,
            announcer,
            self._checker,
            built.runtime,
            self,
            environment,
            sockets=tuple((each.place, each.said.level) for each in opened),
            fullconn=_fullconn(built),
            host_names=built.host_names,
            file_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        )
        self._server = Server(self._instance, opened)
        said = built.configuration.global_.services
        self._questions = Questions(sockets.make)
        self._questions.prepare(built.resolvers)
        self._instance.resolvers = lambda: self._questions.sections
        self._services = Host(engine, self._service_failed, said.threads, self._questions)
        self._services.prepare(_services(built))

    def abandon(self) -> None:
        """Stop at once what a failed start leaves behind."""
        self._server.close()
        self._engine.stop(graceful=False)

    async def run(self) -> int:
        """Serve until a signal ends it; return the exit status, which for a hard stop is 128 + the signal."""
        loop = asyncio.get_running_loop()
        self._console.started = True
        self._instance.startup = self._console.startup
        self._status = loop.create_future()
        for number in (*_SIGNALS, *_NOT_YET):
            loop.add_signal_handler(number, self._signal, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CONTROL_SIGNALS)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        threading.Thread(target=self._listen, args=(loop,), name="events", daemon=True).start()
        self._server.start()
        self._checker.use(self._built.health)
        generation = self._engine.snapshot().process.generation
        self._questions.use(generation)
        self._services.use(generation)
        beside = [*self._watch(loop), *self._order(loop)]
        try:
            return await self._status
        finally:
            # The loop's end would give them back to the kernel, to which SIGUSR1 is deadly.
            for number in CONTROL_SIGNALS:
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)
            for task in beside:
                task.cancel()
            self._checker.stop()
            self._server.close()

    def _watch(self, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Task[None]]:
        """Begin to look at the files of TLS, where the configuration wants it."""
        delay = self._built.configuration.global_.tls.watch
        if delay is not None:
            store = self._instance.certificates
            watcher = Watcher(store, self._certificate_changed, delay / 1000, store.certificates.all())
            yield loop.create_task(watcher.run(), name="certificates")

    def _order(self, loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Task[None]]:
        """Begin to keep what authorities issue: certificates, and OCSP responses, where any are wanted."""
        if self._built.configuration.acme:
            keeper = Keeper(self._instance.certificates, self._engine, self._certificate_changed)
            self._instance.keeper = keeper
            yield loop.create_task(keeper.run(), name="acme")
        if wanted(self._built.configuration):
            updater = Updater(self._instance.certificates, self._certificate_changed)
            self._instance.updater = updater
            yield loop.create_task(updater.run(), name="ocsp")

    def _certificate_changed(self, message: str, wrong: bool) -> None:
        self._log(_ERROR if wrong else _NOTICE, f"{message}.")

    @property
    def built(self) -> Built:
        """The configuration that runs."""
        return self._built

    def told(self, message: str) -> None:
        """Say on the console what an operator changed."""
        self._console.notice(f"CLI : {message}")

    def reload(self, built: Built) -> ApplyReport:
        """Apply a new configuration in place of the running one; where the report has errors, none of it."""
        built = namespaces.complete(built)
        self._services.prepare(_services(built))
        self._questions.prepare(built.resolvers)
        report = self._engine.apply(built.engine, built.texts)
        if not report.errors:
            self._questions.use(report.generation)
            self._services.use(report.generation)
            # The engine has its own copy of the pattern files.
            self._built = built = replace(built, texts={})
            self._sockets.use(built)
            self._instance.fullconn = _fullconn(built)
            self._instance.host_names = built.host_names
            self._checker.use(built.health)
        return report

    def renew(self, built: Built) -> ApplyReport:
        """Put other files of TLS in force; where the report has errors, none of it."""
        report = self._engine.renew(built.engine)
        if not report.errors:
            self._built = replace(built, texts={})
        return report

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand the engine's events to the loop; the body of a thread."""
        while True:
            events = self._engine.events(_EVENT_WAIT_MS)
            try:
                loop.call_soon_threadsafe(self._heard, events)
            except RuntimeError:
                return

    def _heard(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case NamespaceEvent(name, what, detail):
                    self._log(_NOTICE, f"Namespace {name} {what}{f': {detail}' if detail else ''}.")
                    self._announcer.notice("namespace absent" if what == "vanished" else f"namespace {what}")
                case ListenerEvent(frontend, origin, error):
                    outcome = f"cannot be opened: {error}" if error else "is open"
                    self._log(_WARNING if error else _NOTICE, f"Listener of {frontend} [{origin}] {outcome}.")
                case WarmedEvent(backend, server):
                    self._announcer.warmed(backend, server)
                case Stopped():
                    self._end(0)

    def _signal(self, number: signal.Signals) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            systemd.notify("STOPPING=1")
            self._engine.stop(graceful=False)
            self._end(128 + number)
        elif number == signal.SIGUSR1:
            # `grace`: listeners stay for a while, so that a load balancer in front may notice.
            asyncio.get_running_loop().call_later((self._built.process.grace or 0) / 1000, self._finish)
        elif number == signal.SIGHUP:
            self._console.warning("SIGHUP received, dumping servers states.")
            for proxy, message in states.lines(self._engine.snapshot()):
                self._log(_NOTICE, message, proxy)
        else:
            self._log(_WARNING, f"{number.name} received: {_NOT_YET[number]} not implemented.")

    def _finish(self) -> None:
        """Begin a graceful stop."""
        if self._stopping:
            return
        self._stopping = True
        systemd.notify("STOPPING=1")
        for proxy, message in states.farewells(self._engine.snapshot()):
            self._log(_WARNING, message, proxy)
        self._engine.stop(graceful=True)

    def _say(self, message: Message) -> None:
        """Write a line about health to the logs of its proxy, and to the console."""
        (self._console.alert if message.level < ALERT else self._console.warning)(message.text)
        self._write(message.proxy, message.level, message.text)

    def _log(self, level: int, message: str, proxy: str | None = None) -> None:
        """Write a line to the logs of a proxy, or to all, and to the console."""
        self._console.warning(message)
        self._write(proxy, level, message)

    def _service_failed(self, said: ServiceRequest, why: str, error: BaseException) -> None:
        """Tell of a service that failed: a line in the frontend's logs, the traceback on the console."""
        message = f"Service {said.service} failed: {why}"
        self._console.alert("".join([f"{message}\n", *traceback.format_exception(error)]).rstrip())
        self._write(said.frontend, _ERROR, message)

    def _write(self, proxy: str | None, level: int, message: str) -> None:
        # A proxy that a new configuration took away has no logs any more.
        with suppress(LookupError):
            self._engine.command(Log(proxy, level, message))

    def _end(self, status: int) -> None:
        if self._status is not None and not self._status.done():
            self._status.set_result(status)


def _services(built: Built) -> dict[str, Service]:
    return {each.name: each for each in built.configuration.global_.services.registered}


def _fullconn(built: Built) -> dict[str, int]:
    return {each.name: each.fullconn for each in built.engine.backends}
