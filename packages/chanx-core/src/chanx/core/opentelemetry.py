"""The numbers of this process and a span for each handled message, for OpenTelemetry. Needs the extra of that name."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from chanx.core._telemetry.labels import action_label, code_label, consumer_label
from chanx.core.exceptions import CancelledByClientError
from chanx.core.health import Snapshot, snapshot
from chanx.core.observers import Observer, add_observer, is_failure, remove_observer
from chanx.messages.base import BaseMessage

try:
    from opentelemetry.metrics import (
        CallbackOptions,
        Meter,
        MeterProvider,
        Observation,
        get_meter_provider,
    )
    from opentelemetry.trace import (
        SpanKind,
        Status,
        StatusCode,
        TracerProvider,
        get_current_span,
        get_tracer_provider,
    )
except ImportError as _error:
    raise ImportError(
        'The exporter needs opentelemetry-api: pip install "chanx-core[opentelemetry]"'
    ) from _error

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["OpenTelemetryExporter"]

_SCOPE = "chanx"


class OpenTelemetryExporter(Observer):
    """Gives the snapshot of this process, and what is observed on connections, to the providers.

    Those that the application has set are taken, unless others are given. Where none is set, nothing is kept.
    """

    def __init__(
        self,
        meter_provider: MeterProvider | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        self._started = False
        meter = (meter_provider or get_meter_provider()).get_meter(_SCOPE)
        self._tracer = (tracer_provider or get_tracer_provider()).get_tracer(_SCOPE)
        self._opened = meter.create_counter(
            "chanx.connections.opened", "{connection}", "Connections that were admitted."
        )
        self._closed = meter.create_counter(
            "chanx.connections.closed", "{connection}", "Connections that were closed."
        )
        self._seconds = meter.create_histogram(
            "chanx.handler.duration", "s", "Time spent handling a message."
        )
        self._replies = meter.create_counter(
            "chanx.replies", "{message}", "Messages sent to the client of the connection."
        )
        self._errors = meter.create_counter(
            "chanx.errors", "{error}", "Messages and frames that failed."
        )
        self._cancelled = meter.create_counter(
            "chanx.cancelled", "{message}", "Messages cancelled by their client."
        )
        self._credit_waits = meter.create_histogram(
            "chanx.credit_wait.duration", "s", "Time that a stream waited for credit of its client."
        )
        self._observe_snapshot(meter)

    def start(self) -> None:
        """Report, and observe every connection that comes from now on."""
        self._started = True
        add_observer(self)

    def stop(self) -> None:
        """Report no more; OpenTelemetry does not let go of instruments."""
        self._started = False
        remove_observer(self)

    # The snapshot

    def _observe_snapshot(self, meter: Meter) -> None:
        level, total = meter.create_observable_up_down_counter, meter.create_observable_counter
        level("chanx.connections", [self._number(lambda now: now.connections)], "{connection}")
        level("chanx.groups", [self._number(lambda now: now.groups)], "{group}")
        level("chanx.in_flight", [self._number(lambda now: now.in_flight)], "{handler}")
        level("chanx.streams", [self._number(lambda now: now.streams)], "{stream}")
        level("chanx.queued_frames", [self._number(lambda now: now.queued_frames)], "{frame}")
        meter.create_observable_gauge("chanx.layer.up", [self._numbers("alias", _up)])
        total("chanx.dropped", [self._numbers("reason", lambda now: now.dropped)], "{message}")
        total("chanx.layer.messages", [self._number(lambda now: now.layer_messages)], "{message}")
        total("chanx.encodings", [self._number(lambda now: now.encodings)], "{frame}")
        total("chanx.layer.outages", [self._number(lambda now: now.outages)], "{outage}")

    def _number(
        self, read: Callable[[Snapshot], int]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        return lambda options: [Observation(read(snapshot()))] if self._started else []

    def _numbers(
        self, label: str, read: Callable[[Snapshot], Mapping[str, int]]
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(options: CallbackOptions) -> Iterable[Observation]:
            found: Mapping[str, int] = read(snapshot()) if self._started else {}
            return [Observation(value, {label: key}) for key, value in found.items()]

        return observe

    # What happens on connections

    def on_connect(self, consumer: "ChanxWebsocketConsumerMixin[Any]") -> None:
        """Count a client that was let in."""
        self._opened.add(1, _attributes(consumer))

    @contextmanager
    def on_message(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage
    ) -> Generator[None]:
        """Take the time of a handler, in a span of its own."""
        attributes = _attributes(consumer, message)
        began = perf_counter()
        name = f"{consumer_label(consumer)} {action_label(message)}"
        try:
            with self._tracer.start_as_current_span(
                name, kind=SpanKind.CONSUMER, attributes=attributes
            ):
                yield
        finally:
            self._seconds.record(perf_counter() - began, attributes)

    def on_reply(self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage) -> None:
        """Count a message to the own client."""
        self._replies.add(1, _attributes(consumer, message))

    def on_error(
        self,
        consumer: "ChanxWebsocketConsumerMixin[Any]",
        error: Exception,
        message: BaseMessage | None,
    ) -> None:
        """Count a cancelled message, and whatever went wrong; note both on the span of the handler."""
        if isinstance(error, CancelledByClientError):
            self._cancelled.add(1, _attributes(consumer, message))
            if message is not None:
                get_current_span().set_attribute("chanx.cancelled", True)
            return
        kind = type(error).__name__
        self._errors.add(1, {**_attributes(consumer, message), "error.type": kind})
        if message is None:
            return  # the current span is somebody else's
        span = get_current_span()
        span.set_attribute("error.type", kind)
        if is_failure(consumer, error, message):
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, kind))

    def on_stream_end(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage, items: int
    ) -> None:
        """Note the number of items on the span of the stream."""
        get_current_span().set_attribute("chanx.stream.items", items)

    def on_credit_wait(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage, seconds: float
    ) -> None:
        """Take the time of a wait for credit."""
        self._credit_waits.record(seconds, _attributes(consumer, message))

    def on_close(self, consumer: "ChanxWebsocketConsumerMixin[Any]", code: int) -> None:
        """Count an end by its code."""
        self._closed.add(1, {**_attributes(consumer), "chanx.close_code": code_label(code)})


def _up(now: Snapshot) -> dict[str, int]:
    return {alias: int(state == "up") for alias, state in now.layer_state.items()}


def _attributes(
    consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage | None = None
) -> dict[str, str]:
    attributes = {"chanx.consumer": consumer_label(consumer)}
    if message is not None:
        attributes["chanx.action"] = action_label(message)
    return attributes
