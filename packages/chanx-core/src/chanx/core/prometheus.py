"""The numbers of this process for Prometheus. Needs the extra `prometheus`."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from chanx.core._telemetry.labels import action_label, code_label, consumer_label
from chanx.core.exceptions import CancelledByClientError
from chanx.core.health import snapshot
from chanx.core.observers import Observer, add_observer, remove_observer
from chanx.messages.base import BaseMessage

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, Summary
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.metrics_core import Metric
    from prometheus_client.registry import Collector
except ImportError as _error:
    raise ImportError(
        'The exporter needs prometheus-client: pip install "chanx-core[prometheus]"'
    ) from _error

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["PrometheusExporter"]

# Seconds; handlers are faster than the pages that the default buckets are made for.
_BUCKETS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip


class PrometheusExporter(Observer, Collector):
    """Puts the snapshot of this process, and what is observed on connections, into a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        handled = ("consumer", "action")
        # Of no registry yet: `start()` puts them there.
        self._opened = Counter(
            "chanx_connections_opened",
            "Connections that were admitted.",
            ("consumer",),
            registry=None,
        )
        self._closed = Counter(
            "chanx_connections_closed",
            "Connections that were closed, by close code.",
            ("consumer", "code"),
            registry=None,
        )
        self._seconds = Histogram(
            "chanx_handler_seconds",
            "Time spent handling a message.",
            handled,
            registry=None,
            buckets=_BUCKETS,
        )
        self._replies = Counter(
            "chanx_replies",
            "Messages sent to the client of the connection.",
            handled,
            registry=None,
        )
        self._errors = Counter(
            "chanx_errors",
            "Messages and frames that failed.",
            (*handled, "error"),
            registry=None,
        )
        self._cancelled = Counter(
            "chanx_cancelled",
            "Messages cancelled by their client.",
            handled,
            registry=None,
        )
        self._credit_waits = Summary(
            "chanx_credit_wait_seconds",
            "Time that streams waited for credit of their client.",
            handled,
            registry=None,
        )
        self._own: tuple[Counter | Histogram | Summary, ...] = (
            self._opened,
            self._closed,
            self._seconds,
            self._replies,
            self._errors,
            self._cancelled,
            self._credit_waits,
        )

    def start(self) -> None:
        """Register the metrics, and observe every connection that comes from now on.

        Raises ValueError where the registry has metrics of these names already.
        """
        self._registry.register(self)
        add_observer(self)

    def stop(self) -> None:
        """Take the metrics out of the registry."""
        remove_observer(self)
        self._registry.unregister(self)

    def describe(self) -> Iterator[Metric]:
        """Tell the registry the names, for it to refuse double ones."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric with its numbers of this moment."""
        yield from _snapshot_metrics()
        for counted in self._own:
            yield from counted.collect()

    def on_connect(self, consumer: "ChanxWebsocketConsumerMixin[Any]") -> None:
        """Count a client that was let in."""
        self._opened.labels(consumer_label(consumer)).inc()

    def on_message(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage
    ) -> AbstractContextManager[object]:
        """Take the time of a handler."""
        return self._seconds.labels(consumer_label(consumer), action_label(message)).time()

    def on_reply(self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage) -> None:
        """Count a message to the own client."""
        self._replies.labels(consumer_label(consumer), action_label(message)).inc()

    def on_error(
        self,
        consumer: "ChanxWebsocketConsumerMixin[Any]",
        error: Exception,
        message: BaseMessage | None,
    ) -> None:
        """Count a cancelled message, and whatever went wrong by the type of the exception."""
        if isinstance(error, CancelledByClientError):
            self._cancelled.labels(consumer_label(consumer), action_label(message)).inc()
            return
        kind = type(error).__name__
        self._errors.labels(consumer_label(consumer), action_label(message), kind).inc()

    def on_credit_wait(
        self, consumer: "ChanxWebsocketConsumerMixin[Any]", message: BaseMessage, seconds: float
    ) -> None:
        """Count a wait for credit, and add up how long they take."""
        labels = self._credit_waits.labels(consumer_label(consumer), action_label(message))
        labels.observe(seconds)

    def on_close(self, consumer: "ChanxWebsocketConsumerMixin[Any]", code: int) -> None:
        """Count an end by its code."""
        self._closed.labels(consumer_label(consumer), code_label(code)).inc()


def _snapshot_metrics() -> Iterator[Metric]:
    now = snapshot()
    yield GaugeMetricFamily("chanx_connections", "WebSockets being served.", now.connections)
    yield GaugeMetricFamily("chanx_groups", "Groups with members in this process.", now.groups)
    yield GaugeMetricFamily("chanx_in_flight", "Running handlers.", now.in_flight)
    yield GaugeMetricFamily("chanx_streams", "Running streams.", now.streams)
    yield GaugeMetricFamily(
        "chanx_queued_frames", "Queued frames and deliveries.", now.queued_frames
    )
    up = {alias: int(state == "up") for alias, state in now.layer_state.items()}
    layers = GaugeMetricFamily(
        "chanx_layer_up", "Whether the channel layer is reachable.", labels=["alias"]
    )
    yield _with_samples(layers, up)
    dropped = CounterMetricFamily(
        "chanx_dropped", "Messages not delivered to their client.", labels=["reason"]
    )
    yield _with_samples(dropped, now.dropped)
    yield CounterMetricFamily(
        "chanx_layer_messages", "Messages received from channel layers.", now.layer_messages
    )
    yield CounterMetricFamily("chanx_encodings", "Group messages written.", now.encodings)
    yield CounterMetricFamily("chanx_layer_outages", "Outages of channel layers.", now.outages)


def _with_samples(
    metric: GaugeMetricFamily | CounterMetricFamily, samples: Mapping[str, int]
) -> Metric:
    for label, value in samples.items():
        metric.add_metric([label], value)
    return metric
