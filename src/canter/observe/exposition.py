"""Metrics in the text formats of Prometheus and OpenMetrics, made from one snapshot.

The names are fixed here and nowhere else; the dashboard and the alert rules in deploy/ are tested
against them. Writing the text is prometheus-client's work (`canter[metrics]`).
"""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from canter.errors import ConfigError
from canter.observe.meter import BOUNDS_SECONDS, TIMES

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
_HISTOGRAMS: Final = {
    "queue": "Time that whole requests waited for an application thread.",
    "application": "Time inside the application, iteration and close() included.",
    "first_byte": "Time from the whole request to the first byte of its answer.",
    "write": "Time from the application's end until the last byte was taken.",
}
# What is counted starts at zero before it happens: who asks by how much a counter has grown would
# not see one that begins at 1.
_STATUSES: Final = ("2xx", "3xx", "4xx", "5xx")
_CAUSES: Final = (
    *("recycled", "retired", "stuck", "frozen", "slow_boot", "failed"),
    *("sigkill", "sigsegv", "sigabrt", "exit_1"),
)
_STATES: Final = ("booting", "ready", "serving", "draining")
_COUNTERS: Final = {
    "accepted": ("connections_accepted", "Connections that were accepted."),
    "aborted": ("requests_aborted", "Requests whose client left before the answer was complete."),
    "bytes_in": ("received_bytes", "Bytes read from clients."),
    "bytes_out": ("sent_body_bytes", "Body bytes of responses."),
}


def require_library() -> Any:
    """The prometheus_client package. Raises ConfigError where it is not installed."""
    try:
        return importlib.import_module("prometheus_client")
    except ImportError:
        raise ConfigError(
            "metrics need the prometheus-client package: pip install 'canter[metrics]'"
        ) from None


class Exposition:
    """Makes a scrape's answer of a snapshot; see `canter.supervisor.snapshot` for its shape.

    multiprocess: the directory in which the application's own prometheus_client keeps its files, to
    be merged into every answer; "" for none.
    """

    def __init__(self, multiprocess: str = "") -> None:
        self._library = require_library()
        self._core = importlib.import_module("prometheus_client.core")
        self._directory = multiprocess
        self._seen: set[int] = set()

    def render(self, snapshot: Mapping[str, Any], accept: str) -> tuple[str, bytes]:
        """The content type and the body for a client that takes `accept`."""
        registry = self._library.CollectorRegistry(auto_describe=False)
        registry.register(_Families(self._core, snapshot))
        if self._directory and os.path.isdir(self._directory):
            multiprocess = importlib.import_module("prometheus_client.multiprocess")
            self._clean(multiprocess, snapshot)
            multiprocess.MultiProcessCollector(registry, path=self._directory)
        exposition = importlib.import_module("prometheus_client.exposition")
        encoder, content_type = exposition.choose_encoder(accept)
        return str(content_type), bytes(encoder(registry))

    def _clean(self, multiprocess: Any, snapshot: Mapping[str, Any]) -> None:
        """Remove the live gauges of workers that are gone; their counters go on counting."""
        there = {worker["pid"] for worker in workers_of(snapshot)}
        for pid in self._seen - there:
            multiprocess.mark_process_dead(pid, path=self._directory)
        self._seen = there


def workers_of(snapshot: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every worker of every generation."""
    for generation in snapshot["generations"]:
        yield from generation["workers"]


class _Families:
    """prometheus_client's idea of a collector: metric families, made anew for each scrape."""

    def __init__(self, core: Any, snapshot: Mapping[str, Any]) -> None:
        self._core = core
        self._snapshot = snapshot

    def collect(self) -> Iterator[Any]:
        """Every family."""
        yield from self._about_requests()
        yield from self._about_room()
        yield from self._about_processes()
        yield from self._about_the_service()

    def _about_requests(self) -> Iterator[Any]:
        totals = self._snapshot["totals"]
        requests = self._counter(
            "requests", "Requests by method and class of status.", "method", "status"
        )
        for method, classes in totals["requests"].items():
            for status, count in (dict.fromkeys(_STATUSES, 0) | classes).items():
                requests.add_metric([method, status], count)
        yield requests
        for name in TIMES:
            yield self._histogram(name, totals["times"][name])
        for key, (name, text) in _COUNTERS.items():
            family = self._counter(name, text)
            family.add_metric([], totals[key])
            yield family

    def _histogram(self, name: str, times: Mapping[str, Any]) -> Any:
        family = self._core.HistogramMetricFamily(
            f"canter_request_{name}_seconds", _HISTOGRAMS[name]
        )
        bounds = [*(format(bound, ".6g") for bound in BOUNDS_SECONDS), "+Inf"]
        cumulative = itertools.accumulate(times["counts"])
        buckets = list(zip(bounds, cumulative, strict=True))
        family.add_metric([], buckets=buckets, sum_value=times["sum_seconds"])
        return family

    def _about_room(self) -> Iterator[Any]:
        load = self._snapshot["load"]
        yield self._gauge("threads", "Application threads of serving workers.", load["threads"])
        yield self._gauge("threads_busy", "Threads inside the application.", load["busy"])
        yield self._gauge(
            "utilization", "Busy threads divided by all threads.", load["utilization"]
        )
        yield self._gauge("queue_depth", "Whole requests that wait for a thread.", load["queued"])
        connections = self._family("connections", "Open connections by state.", "state")
        for state, count in load["connections"].items():
            connections.add_metric([state], count)
        yield connections
        backlog = self._family("listen_backlog", "Connections that wait to be accepted.", "address")
        for address, count in load["backlog"].items():
            if count is not None:
                backlog.add_metric([address], count)
        yield backlog

    def _about_processes(self) -> Iterator[Any]:
        states = self._family("workers", "Worker processes by state.", "state")
        counts = dict.fromkeys(_STATES, 0) | self._snapshot["load"]["workers"]
        for state, count in counts.items():
            states.add_metric([state], count)
        yield states
        exits = self._counter("worker_exits", "Workers that ended, by cause.", "cause")
        for cause, count in (dict.fromkeys(_CAUSES, 0) | self._snapshot["exits"]).items():
            exits.add_metric([cause], count)
        yield exits
        for key, text in (
            ("resident", "Resident memory of a worker, shared pages included."),
            ("proportional", "Memory of a worker, shared pages divided by who shares them."),
        ):
            family = self._family(f"worker_{key}_bytes", text, "pid", "generation")
            for generation in self._snapshot["generations"]:
                for worker in generation["workers"]:
                    if worker[f"{key}_bytes"]:
                        labels = [str(worker["pid"]), str(generation["number"])]
                        family.add_metric(labels, worker[f"{key}_bytes"])
            yield family

    def _about_the_service(self) -> Iterator[Any]:
        snapshot = self._snapshot
        info = self._core.InfoMetricFamily("canter_build", "What runs.")
        info.add_metric([], {k: snapshot[k] for k in ("version", "build", "python")})
        yield info
        yield self._gauge(
            "start_time_seconds", "When the supervisor started.", snapshot["started_at"]
        )
        yield self._gauge("snapshot_time_seconds", "When these were read.", snapshot["at"])
        live = [g for g in snapshot["generations"] if g["state"] == "live"]
        yield self._gauge(
            "generation", "Number of the live generation.", live[-1]["number"] if live else 0
        )
        yield self._gauge(
            "generation_boot_seconds",
            "From the live generation's first fork until it served.",
            live[-1]["boot_seconds"] if live else 0,
        )
        reloads = self._counter("reloads", "Reloads by their outcome.", "outcome")
        for outcome, count in snapshot["reloads"].items():
            reloads.add_metric([outcome], count)
        yield reloads
        dropped = self._counter("log_lines_dropped", "Log lines that could not be written.")
        dropped.add_metric([], snapshot["totals"]["log_lines_dropped"])
        yield dropped
        expiry = self._family(
            "certificate_expiry_seconds", "When a certificate expires (Unix time).", "certificate"
        )
        for name, moment in snapshot.get("certificates", {}).items():
            expiry.add_metric([name], moment)
        yield expiry

    def _counter(self, name: str, text: str, *labels: str) -> Any:
        return self._core.CounterMetricFamily(f"canter_{name}", text, labels=labels)

    def _family(self, name: str, text: str, *labels: str) -> Any:
        return self._core.GaugeMetricFamily(f"canter_{name}", text, labels=labels)

    def _gauge(self, name: str, text: str, value: float) -> Any:
        return self._core.GaugeMetricFamily(f"canter_{name}", text, value=value)
