"""Figures of the service as Prometheus text, on a loopback port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bshm_bridge.errors import NotReady
from bshm_bridge.scheduling.scheduler import Scheduler


class SchedulerCollector:
    """Reads the scheduler's counts when they are asked for."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def collect(self) -> Iterator[Any]:
        """Yield the metric families, as prometheus-client wants them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        totals = self._scheduler.totals
        jobs = CounterMetricFamily("bshm_jobs", "Jobs by what became of them", labels=["outcome"])
        for outcome in ("done", "failed", "cancelled"):
            jobs.add_metric([outcome], getattr(totals, outcome))
        yield jobs
        seconds = CounterMetricFamily(
            "bshm_stage_seconds", "Seconds that finished jobs spent in a stage", labels=["stage"]
        )
        for stage, value in dict(totals.seconds).items():
            seconds.add_metric([stage], value)
        yield seconds
        current = GaugeMetricFamily("bshm_jobs_now", "Jobs in the service", labels=["stage"])
        stages = [job.stage for job in list(self._scheduler.jobs)]
        for stage in sorted(set(stages)):
            current.add_metric([stage], stages.count(stage))
        yield current
        loaded = GaugeMetricFamily(
            "bshm_models_loaded", "Models that hold memory", labels=["model"]
        )
        for lane in self._scheduler.lanes:
            loaded.add_metric([lane.choice.manifest.name], 1 if lane.session else 0)
        yield loaded


def serve_metrics(scheduler: Scheduler, port: int) -> Any:
    """Answer scrapes of ``http://127.0.0.1:port/metrics``; returns the server, to be shut down.

    Raises
    ------
    NotReady
        Where prometheus-client is not installed, or the port is taken.
    """
    try:
        import prometheus_client
    except ImportError as error:
        raise NotReady(
            "Metrics need prometheus-client: pip install 'bshm-bridge[metrics]'.", "no-prometheus"
        ) from error
    registry = prometheus_client.CollectorRegistry()
    registry.register(SchedulerCollector(scheduler))
    prometheus_client.ProcessCollector(registry=registry)
    try:
        server, _ = prometheus_client.start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        raise NotReady(
            f"The metrics port {port} cannot be used: {error.strerror or error}.", "port-taken"
        ) from error
    return server
