"""The snapshot, observers, and the exporters that are built on both."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from threading import Thread
from typing import Any, ClassVar, Literal, cast
from urllib.request import urlopen

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client import CollectorRegistry, start_http_server

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.guards import DeniedError, Guard
from chanx.core.health import Snapshot, snapshot
from chanx.core.observers import Observer, add_observer, remove_observer
from chanx.core.opentelemetry import OpenTelemetryExporter
from chanx.core.prometheus import PrometheusExporter
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import ASGIEvent, JSONObject, Scope

TIME_LIMIT = 5
PING = '{"action": "ping", "payload": null}'


class AskMessage(BaseMessage):
    """Asks for an answer, or for one of several ways to go wrong."""

    action: Literal["ask"] = "ask"
    payload: str


class AnswerMessage(BaseMessage):
    """What was asked for."""

    action: Literal["answer"] = "answer"
    payload: str


class CountMessage(BaseMessage):
    """Asks for a stream of so many answers."""

    action: Literal["count"] = "count"
    payload: int


class TickEvent(BaseMessage):
    """Something from elsewhere."""

    action: Literal["tick"] = "tick"
    payload: str = ""


class Polite(Guard):
    """Denies what is rude."""

    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Look at the message."""
        if isinstance(message, AskMessage) and message.payload == "rude":
            raise DeniedError("denied", "Say please")


class Desk(ChanxWebsocketConsumerMixin[TickEvent]):
    """Answers, waits or fails."""

    gate: ClassVar[asyncio.Event]
    waiting: ClassVar[asyncio.Event]

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Wait until the gate is open."""
        self.waiting.set()
        await self.gate.wait()
        return PongMessage()

    @ws_handler(guards=[Polite()], output_type=AnswerMessage)
    async def ask(self, message: AskMessage) -> AnswerMessage | None:
        """Answer."""
        if message.payload == "fail":
            raise ArithmeticError("secret")
        if message.payload == "send":
            await self.send_message(AnswerMessage(payload="sent"))
            return None
        return AnswerMessage(payload=message.payload)

    @event_handler
    async def tick(self, event: TickEvent) -> AnswerMessage:
        """Pass it on."""
        if event.payload == "fail":
            raise LookupError("secret")
        return AnswerMessage(payload=event.payload)


class Counting(Desk):
    """Answers by a stream, too."""

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[AnswerMessage]:
        """Count."""
        for number in range(message.payload):
            yield AnswerMessage(payload=str(number + 1))


class Client:
    """One connection to a consumer, as its server sees it."""

    def __init__(self, consumer: ChanxWebsocketConsumerMixin[Any]) -> None:
        self.consumer = consumer
        self.events: asyncio.Queue[ASGIEvent] = asyncio.Queue()
        self.frames: asyncio.Queue[JSONObject] = asyncio.Queue()
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.writing = asyncio.Event()
        scope: Scope = {"type": "websocket", "path": "/", "headers": []}
        self.events.put_nowait({"type": "websocket.connect"})
        self.application = asyncio.create_task(consumer(scope, self.events.get, self._send))

    async def _send(self, event: ASGIEvent) -> None:
        self.writing.set()
        await self.may_write.wait()
        if event["type"] == "websocket.send":
            self.frames.put_nowait(json.loads(event["text"]))

    def say(self, text: str) -> None:
        """Send one frame."""
        self.events.put_nowait({"type": "websocket.receive", "text": text})

    def ask(self, payload: str) -> None:
        """Ask."""
        self.say(json.dumps({"action": "ask", "payload": payload}))

    async def jam(self) -> None:
        """Take no frame any more, and wait until one is being written."""
        self.may_write.clear()
        self.writing.clear()
        self.ask("")
        async with asyncio.timeout(TIME_LIMIT):
            await self.writing.wait()

    async def frame(self) -> JSONObject:
        """Wait for the next frame."""
        async with asyncio.timeout(TIME_LIMIT):
            return await self.frames.get()

    async def answer(self, payload: str) -> JSONObject:
        """Ask, and wait for the next frame."""
        self.ask(payload)
        return await self.frame()

    async def leave(self, code: int = 1000) -> None:
        """Leave, and wait for the end."""
        self.may_write.set()
        self.events.put_nowait({"type": "websocket.disconnect", "code": code})
        async with asyncio.timeout(TIME_LIMIT):
            await self.application


@asynccontextmanager
async def client(
    kind: type[ChanxWebsocketConsumerMixin[Any]] = Desk, *, code: int = 1000
) -> AsyncGenerator[Client]:
    """Connect and leave."""
    Desk.gate, Desk.waiting = asyncio.Event(), asyncio.Event()
    connected = Client(kind())
    async with asyncio.timeout(TIME_LIMIT):
        await connected.writing.wait()
    yield connected
    await connected.leave(code)


class Notebook(Observer):
    """Writes everything down."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def on_connect(self, consumer: Any) -> None:
        """Note it."""
        self.lines.append(("connect", type(consumer).__name__))

    @contextmanager
    def on_message(self, consumer: Any, message: BaseMessage) -> Generator[None]:
        """Note the beginning and the end."""
        self.lines.append(("message", message.action))
        yield
        self.lines.append(("handled", message.action))

    def on_reply(self, consumer: Any, message: BaseMessage) -> None:
        """Note it."""
        self.lines.append(("reply", message.action))

    def on_error(self, consumer: Any, error: Exception, message: BaseMessage | None) -> None:
        """Note it."""
        action = None if message is None else message.action
        self.lines.append(("error", type(error).__name__, action))

    def on_drop(self, consumer: Any, reason: str) -> None:
        """Note it."""
        self.lines.append(("drop", reason))

    def on_close(self, consumer: Any, code: int) -> None:
        """Note it."""
        self.lines.append(("close", code))


@pytest.fixture
def notebook() -> Generator[Notebook]:
    """Observe every connection of a test."""
    observer = Notebook()
    add_observer(observer)
    yield observer
    remove_observer(observer)


# The snapshot


async def test_snapshot_counts_what_runs() -> None:
    before = snapshot()
    async with client() as alice:
        alice.say(PING)
        async with asyncio.timeout(TIME_LIMIT):
            await Desk.waiting.wait()
        running = snapshot()
        Desk.gate.set()
        await alice.frame()
    after = snapshot()

    assert (before.connections, before.in_flight) == (0, 0)
    assert (running.connections, running.in_flight) == (1, 1)
    assert (after.connections, after.in_flight) == (0, 0)


async def test_snapshot_counts_what_waits_for_a_slow_peer() -> None:
    async with client() as alice:
        await alice.jam()
        for _ in range(3):
            await alice.consumer.send_message(AnswerMessage(payload="later"))
        jammed = snapshot()
        alice.may_write.set()
        for _ in range(4):
            await alice.frame()
        flowing = snapshot()

    assert jammed.queued_frames == 3
    assert flowing.queued_frames == 0


async def test_snapshot_counts_drops_by_reason() -> None:
    before = snapshot().dropped
    async with client(
        type("Impatient", (Desk,), {"send_timeout": 0.02, "disconnect_grace": 0.0})
    ) as alice:
        await alice.jam()
        async with asyncio.timeout(TIME_LIMIT):
            await asyncio.shield(alice.application)

    assert snapshot().dropped["send_timeout"] == before.get("send_timeout", 0) + 1


@pytest.mark.parametrize("field", ["connections", "dropped"])
def test_snapshot_is_a_value(field: str) -> None:
    now = snapshot()

    assert isinstance(now, Snapshot)
    assert now == snapshot()
    with pytest.raises(AttributeError):
        setattr(now, field, 7)


async def test_any_thread_may_take_a_snapshot_while_connections_come_and_go() -> None:
    stop = False
    failures: list[Exception] = []

    def look() -> None:
        while not stop:
            try:
                snapshot()
            except Exception as error:
                failures.append(error)

    thread = Thread(target=look)
    thread.start()
    try:
        for _ in range(50):
            async with client() as alice:
                await alice.answer("hello")
    finally:
        stop = True
        thread.join()

    assert failures == []


# Observers


async def test_observer_learns_of_every_step(notebook: Notebook) -> None:
    async with client(code=1001) as alice:
        await alice.answer("hello")

    assert notebook.lines == [
        ("connect", "Desk"),
        ("message", "ask"),
        ("reply", "answer"),
        ("handled", "ask"),
        ("close", 1001),
    ]


@pytest.mark.parametrize("ref", [{}, {"ref": "1"}])
@pytest.mark.parametrize("options", [{}, {"send_completion": True}])
async def test_observed_connection_answers_like_any_other(
    options: dict[str, Any], ref: dict[str, str]
) -> None:
    async def talk() -> list[JSONObject]:
        async with client(type("Desk", (Desk,), options)) as alice:
            for payload in ("hello", "send", "fail", "rude"):
                alice.say(json.dumps({"action": "ask", "payload": payload, **ref}))
            alice.say("{bad")
            Desk.gate.set()
            alice.say(PING)
            frames = [await alice.frame()]
            while frames[-1]["action"] != "pong":
                frames.append(await alice.frame())
            return frames

    alone = await talk()
    observer = Notebook()
    add_observer(observer)
    observed = await talk()
    remove_observer(observer)

    assert observed == alone
    assert observer.lines


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        ('{"action": "ask", "payload": "fail"}', ("error", "ArithmeticError", "ask")),
        ('{"action": "ask", "payload": "rude"}', ("error", "DeniedError", "ask")),
        ('{"action": "ask", "payload": 7}', ("error", "ValidationError", None)),
        ("{bad", ("error", "ValidationError", None)),
    ],
)
async def test_observer_learns_what_went_wrong(
    notebook: Notebook, frame: str, line: tuple[Any, ...]
) -> None:
    async with client() as alice:
        alice.say(frame)
        await alice.frame()

    assert [found for found in notebook.lines if found[0] == "error"] == [line]


async def test_observer_learns_of_replies_that_are_sent_by_hand(notebook: Notebook) -> None:
    async with client(type("Desk", (Desk,), {"send_completion": True})) as alice:
        await alice.answer("send")
        await alice.frame()

    assert [line[1] for line in notebook.lines if line[0] == "reply"] == ["answer", "complete"]


@pytest.mark.parametrize("payload", ["hello", "fail"])
async def test_observer_learns_of_events(notebook: Notebook, payload: str) -> None:
    async with client() as alice:
        await alice.answer("hello")
        notebook.lines.clear()
        await alice.consumer.receive_event(TickEvent(payload=payload))

    middle = {"hello": ("reply", "answer"), "fail": ("error", "LookupError", "tick")}[payload]
    assert notebook.lines[:3] == [("message", "tick"), middle, ("handled", "tick")]


async def test_observer_learns_of_drops_and_of_the_code_of_the_end(notebook: Notebook) -> None:
    async with client(
        type("Impatient", (Desk,), {"send_timeout": 0.02, "disconnect_grace": 0.0})
    ) as alice:
        await alice.jam()
        async with asyncio.timeout(TIME_LIMIT):
            await asyncio.shield(alice.application)

    assert [line for line in notebook.lines if line[0] in ("drop", "close")] == [
        ("drop", "send_timeout"),
        ("close", 4008),
    ]


async def test_observer_learns_of_a_failure_at_connect_and_of_no_end(notebook: Notebook) -> None:
    class Broken(Desk):
        """Lets nobody in."""

        async def post_authentication(self) -> None:
            """Fail."""
            raise LookupError("secret")

    async with client(Broken):
        pass

    assert notebook.lines == [("error", "LookupError", None)]


async def test_observer_that_fails_harms_nobody(
    notebook: Notebook, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Observer):
        """Fails wherever it can."""

        def on_connect(self, consumer: Any) -> None:
            """Fail."""
            raise LookupError

        @contextmanager
        def on_message(self, consumer: Any, message: BaseMessage) -> Generator[None]:
            """Fail at the end."""
            try:
                yield
            finally:
                raise LookupError

        def on_reply(self, consumer: Any, message: BaseMessage) -> None:
            """Fail."""
            raise LookupError

        def on_close(self, consumer: Any, code: int) -> None:
            """Fail."""
            raise LookupError

    failing = Failing()
    add_observer(failing)
    async with client() as alice:
        answers = [await alice.answer("hello"), await alice.answer("fail")]
    remove_observer(failing)

    assert [answer["action"] for answer in answers] == ["answer", "error"]
    assert [line[0] for line in notebook.lines].count("handled") == 2
    assert caplog.text.count(" An observer failed") == 6


async def test_observer_cannot_swallow_a_cancellation(notebook: Notebook) -> None:
    class Swallowing(Observer):
        """Wants nothing to have happened."""

        @contextmanager
        def on_message(self, consumer: Any, message: BaseMessage) -> Generator[None]:
            """Swallow."""
            with suppress(asyncio.CancelledError):
                yield

    swallowing = Swallowing()
    add_observer(swallowing)
    async with client(type("Desk", (Desk,), {"disconnect_grace": 0.0})) as alice:
        alice.say(PING)
        async with asyncio.timeout(TIME_LIMIT):
            await Desk.waiting.wait()
    remove_observer(swallowing)

    assert ("reply", "pong") not in notebook.lines


async def test_observers_come_and_go_between_connections(notebook: Notebook) -> None:
    add_observer(notebook)
    remove_observer(notebook)
    async with client():
        pass
    assert notebook.lines == []

    add_observer(notebook)
    add_observer(notebook)
    async with client() as alice:
        await alice.answer("hello")
        remove_observer(notebook)
        await alice.answer("hello")
    assert [line[0] for line in notebook.lines].count("connect") == 1
    assert notebook.lines[-1] == ("close", 1000)


async def stream_and_cancel(alice: Client) -> None:
    """Receive one stream whose items need credit, and cancel another."""
    alice.say('{"action": "count", "payload": 2, "ref": "1", "window": 1}')
    await alice.frame()
    alice.say('{"action": "more", "payload": 2, "ref": "1"}')
    assert [(await alice.frame())["action"] for _ in range(2)] == ["answer", "complete"]
    alice.say('{"action": "count", "payload": 9, "ref": "2", "window": 1}')
    await alice.frame()


async def cancel(alice: Client) -> None:
    """Cancel the stream that runs."""
    alice.say('{"action": "cancel", "ref": "2"}')
    assert (await alice.frame())["action"] == "error"


# Prometheus


@pytest.fixture
def registry() -> Generator[CollectorRegistry]:
    """Export to a registry of the test's own."""
    registry = CollectorRegistry()
    exporter = PrometheusExporter(registry)
    exporter.start()
    yield registry
    exporter.stop()
    assert [*registry.collect()] == []


async def test_prometheus_scrapes_what_happened(registry: CollectorRegistry) -> None:
    async with client() as alice:
        for payload in ("hello", "hello", "fail"):
            await alice.answer(payload)
        serving = await scraped(registry)
    ended = await scraped(registry)

    assert "chanx_connections 1.0" in serving
    for line in (
        "chanx_connections 0.0",
        "chanx_in_flight 0.0",
        'chanx_connections_opened_total{consumer="Desk"} 1.0',
        'chanx_handler_seconds_count{action="ask",consumer="Desk"} 3.0',
        'chanx_replies_total{action="answer",consumer="Desk"} 2.0',
        'chanx_errors_total{action="ask",consumer="Desk",error="ArithmeticError"} 1.0',
    ):
        assert line in ended


async def test_prometheus_scrapes_streams(registry: CollectorRegistry) -> None:
    async with client(Counting) as alice:
        await stream_and_cancel(alice)
        streaming = await scraped(registry)
        await cancel(alice)
    ended = await scraped(registry)

    assert "chanx_streams 1.0" in streaming
    for line in (
        "chanx_streams 0.0",
        'chanx_cancelled_total{action="count",consumer="Counting"} 1.0',
        'chanx_credit_wait_seconds_count{action="count",consumer="Counting"} 2.0',
        'chanx_handler_seconds_count{action="count",consumer="Counting"} 2.0',
    ):
        assert line in ended
    assert not [line for line in ended if line.startswith("chanx_errors_total")]


async def scraped(registry: CollectorRegistry) -> list[str]:
    """Read the page as Prometheus does, from another thread than the event loop's."""
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        page = await asyncio.to_thread(lambda: urlopen(url, timeout=TIME_LIMIT).read().decode())
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    return cast(str, page).splitlines()


@pytest.mark.parametrize(("code", "label"), [(1001, "1001"), (4408, "4408"), (3777, "other")])
async def test_a_client_cannot_make_up_labels(
    registry: CollectorRegistry, code: int, label: str
) -> None:
    async with client(code=code):
        pass

    labels = {"consumer": "Desk", "code": label}
    assert registry.get_sample_value("chanx_connections_closed_total", labels) == 1


def test_prometheus_refuses_a_second_exporter(registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        PrometheusExporter(registry).start()


# OpenTelemetry

Read = Callable[[], dict[tuple[str, ...], Any]]


@pytest.fixture
def telemetry() -> Generator[tuple[Read, InMemorySpanExporter]]:
    """Export to providers of the test's own."""
    reader, spans = InMemoryMetricReader(), InMemorySpanExporter()
    meters, tracers = MeterProvider([reader]), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    exporter = OpenTelemetryExporter(meters, tracers)
    exporter.start()
    yield lambda: points_of(reader), spans
    exporter.stop()
    assert ("chanx.connections",) not in points_of(reader)
    meters.shutdown()
    tracers.shutdown()


def points_of(reader: InMemoryMetricReader) -> dict[tuple[str, ...], Any]:
    """Return each number under its name and the values of its attributes."""
    data = reader.get_metrics_data()
    found: dict[tuple[str, ...], Any] = {}
    for resource in data.resource_metrics if data else ():
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            for point in metric.data.data_points:
                values = [str(value) for value in (point.attributes or {}).values()]
                found[metric.name, *values] = getattr(point, "value", getattr(point, "count", None))
    return found


async def test_opentelemetry_reads_what_happened(
    telemetry: tuple[Read, InMemorySpanExporter],
) -> None:
    read, _ = telemetry
    async with client() as alice:
        for payload in ("hello", "hello", "fail"):
            await alice.answer(payload)
        serving = read()
    points = read()

    assert serving["chanx.connections",] == 1
    assert points["chanx.connections",] == 0
    assert points["chanx.in_flight",] == 0
    assert points["chanx.connections.opened", "Desk"] == 1
    assert points["chanx.handler.duration", "Desk", "ask"] == 3
    assert points["chanx.replies", "Desk", "answer"] == 2
    assert points["chanx.errors", "Desk", "ask", "ArithmeticError"] == 1
    assert points["chanx.connections.closed", "Desk", "1000"] == 1


async def test_each_handled_message_has_a_span(
    telemetry: tuple[Read, InMemorySpanExporter],
) -> None:
    _, spans = telemetry
    async with client() as alice:
        for payload in ("hello", "fail", "rude"):
            await alice.answer(payload)
        alice.say("{bad")
        await alice.frame()

    hello, fail, rude = spans.get_finished_spans()
    assert {span.name for span in (hello, fail, rude)} == {"Desk ask"}
    assert shown(hello) == (StatusCode.UNSET, None, [])
    assert shown(fail) == (StatusCode.ERROR, "ArithmeticError", ["exception"])
    assert shown(rude) == (StatusCode.UNSET, "DeniedError", [])


async def test_opentelemetry_reads_streams(telemetry: tuple[Read, InMemorySpanExporter]) -> None:
    read, spans = telemetry
    async with client(Counting) as alice:
        await stream_and_cancel(alice)
        streaming = read()
        await cancel(alice)
    points = read()

    assert streaming["chanx.streams",] == 1
    assert points["chanx.streams",] == 0
    assert points["chanx.cancelled", "Counting", "count"] == 1
    assert points["chanx.credit_wait.duration", "Counting", "count"] == 2
    assert not [key for key in points if key[0] == "chanx.errors"]
    streamed, cancelled = [dict(span.attributes or {}) for span in spans.get_finished_spans()]
    ask = {"chanx.consumer": "Counting", "chanx.action": "count"}
    assert streamed == {**ask, "chanx.stream.items": 2}
    assert cancelled == {**ask, "chanx.stream.items": 1, "chanx.cancelled": True}


def shown(span: ReadableSpan) -> tuple[StatusCode, Any, list[str]]:
    """Return what a span says about its end."""
    kind = (span.attributes or {}).get("error.type")
    return span.status.status_code, kind, [event.name for event in span.events]


# Extras


@pytest.mark.parametrize(
    ("module", "missing"),
    [("prometheus", "prometheus_client"), ("opentelemetry", "opentelemetry")],
)
def test_missing_extra_names_the_way_to_install_it(module: str, missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import chanx.core.{module}"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert f'pip install "chanx-core[{module}]"' in run.stderr


@pytest.mark.parametrize("module", ["health", "observers"])
def test_no_extra_is_needed_without_an_exporter(module: str) -> None:
    program = (
        "import sys; sys.modules['prometheus_client'] = sys.modules['opentelemetry'] = None; "
        f"import chanx.core.websocket, chanx.core.{module}"
    )

    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
