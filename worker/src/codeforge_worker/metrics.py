"""The worker's Prometheus metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.running = Gauge("codeforge_worker_tasks_running", "Tasks that run now.", registry=self.registry)
        self.drained = Gauge(
            "codeforge_worker_drained",
            "1 while the worker takes no task, because it was drained, has to stop, or has had its one task; else 0.",
            registry=self.registry,
        )
        self.open_walls = Gauge(
            "codeforge_worker_open_walls",
            "Walls around agents that are missing, as the log says at the start; 0 where each is kept to its run.",
            registry=self.registry,
        )
        self.refusals = Gauge(
            "codeforge_worker_nats_refusals",
            "What NATS refuses now, as the log and /readyz say: it is tried again, ever later.",
            registry=self.registry,
        )
        self._ended = Counter(
            "codeforge_worker_tasks",
            "Deliveries that ended, by outcome.",
            ["outcome"],
            registry=self.registry,
        )

        self._egress = Counter(
            "codeforge_worker_egress_connections",
            "Connections that agents asked the proxy of their run for: carried, refused, failed, or full.",
            ["result"],
            registry=self.registry,
        )

        self._lost_lines = Counter(
            "codeforge_worker_log_lines_lost",
            "Lines of agents that NATS has not stored: there was no room for them, or the run had ended.",
            registry=self.registry,
        )

    def lost_lines(self, count: int) -> None:
        self._lost_lines.inc(count)

    def egress(self, result: str) -> None:
        self._egress.labels(result).inc()

    def ended(self, outcome: str) -> None:
        self._ended.labels(outcome).inc()
