"""Ratchet's own numbers in Prometheus' words, in a registry of the application's own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ratchet import __version__
from ratchet.domain.alert import Alert

FIGURES: dict[str, tuple[str, str | None]] = {
    "incidents": ("Incidents by state.", "state"),
    "decisions_pending": ("Decisions that wait for a person.", None),
    "playbooks": ("Playbook versions by state.", "state"),
    "targets": ("Registered targets.", None),
    "automation_enabled": ("Whether Ratchet may begin acts.", None),
    "at_work": ("Whether a process works on incidents.", None),
    "audit_chain_ok": ("Whether the chain of events was whole when it was last checked.", None),
}
"""What `House.figures` may tell: `decisions_pending`, or with a label `incidents.open`; other keys are left out."""


class _Present(Collector):
    """Asks the house anew at every scrape."""

    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        present: dict[str, float] = {"automation_enabled": 1.0, **self._figures()}
        for name, (words, label) in FIGURES.items():
            family = GaugeMetricFamily(f"ratchet_{name}", words, labels=[label] if label else [])
            for key, value in sorted(present.items()):
                metric, _, part = key.partition(".")
                if metric == name and bool(part) == bool(label):
                    family.add_metric([part] if label else [], value)
            if family.samples:
                yield family


class Meter:
    """What this process counts, and what the house can tell."""

    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._registry = CollectorRegistry()
        self._received = Counter(
            "ratchet_alerts_received", "Alerts made durable.", ["source", "status"], registry=self._registry
        )
        Gauge("ratchet_build_info", "The running version.", ["version"], registry=self._registry).labels(
            __version__
        ).set(1)
        self._registry.register(_Present(figures))

    def received(self, alerts: Sequence[Alert], source: str) -> None:
        """Count alerts that were made durable; `source` is the name of a parser, so that the label stays bounded."""
        for alert in alerts:
            self._received.labels(source, alert.status).inc()

    def page(self, accept: str) -> tuple[bytes, str]:
        """The exposition and its media type, text or OpenMetrics as asked."""
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type
