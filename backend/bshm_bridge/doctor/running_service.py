"""The service: whether it runs, and what it complains about."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bridge_client import BridgeClient
from bridge_client.errors import BridgeError, ServiceMissing
from bridge_client.types import ServiceStatus
from bshm_bridge import __version__
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.paths import Paths

_AREA = "service"


def examine_service(
    paths: Paths, ask: Callable[[], ServiceStatus] | None = None
) -> Iterator[Finding]:
    """Ask the service for its state; none is started."""
    stop = "`bshm stop`; a new one starts when it is needed."
    try:
        status = (ask or BridgeClient("cli").status)()
    except ServiceMissing:
        yield Finding(_AREA, "ok", "No service is running; it starts when it is needed.")
        return
    except BridgeError as error:
        log = paths.logs / "service.log"
        yield Finding(_AREA, "problem", str(error), f"{stop} Its log is {log}.")
        return
    if status.version != __version__:
        yield Finding(
            _AREA,
            "problem",
            f"The service that runs has version {status.version}, not {__version__}.",
            stop,
        )
    draining = ", shutting down" if status.draining else ""
    yield Finding(
        _AREA,
        "ok",
        f"The service has run for {status.uptime:.0f} s{draining}: {status.done} "
        f"{'job' if status.done == 1 else 'jobs'} done, "
        f"{status.failed} failed, {len(status.jobs)} at work or waiting, "
        f"{status.memory / 1e6:.0f} MB.",
    )
    for model in status.models:
        if model.state == "failed":
            yield Finding(
                _AREA,
                "problem",
                f"The model {model.name} failed: {model.message}",
                f"`bshm release {model.name}`, then try again.",
            )
