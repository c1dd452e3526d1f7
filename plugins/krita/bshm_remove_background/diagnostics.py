"""The text that *Copy Diagnostics* puts on the clipboard."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

from .controller import State
from .service_state import ServiceState

_PACKAGE = Path(__file__).resolve().parent


def diagnostics(krita: str, qt: str, state: State, service: ServiceState, status: Any) -> str:
    """Return what helps to find out why something went wrong, without the user's paths.

    Parameters
    ----------
    krita, qt
        Versions.
    state
        What the docker shows.
    service
        What it says of the service.
    status
        The service's last `ServiceStatus`, None where there was none.
    """
    lines = [
        f"plugin {_plugin_version()}",
        f"Krita {krita}, Python {platform.python_version()}, {qt}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"protobuf {_protobuf()}",
        service.line,
    ]
    if status is not None:
        lines.append(
            f"service {status.version}, protocol {status.protocol}, up {status.uptime:.0f} s, "
            f"{status.done} done, {status.failed} failed, {status.cancelled} cancelled"
        )
        lines += [
            f"model {model.name}: {model.state}, {model.engine}, {model.device} {model.message}"
            for model in status.models
            if model.installed
        ]
    lines.append(f"last: {state.phase} {state.message}")
    if state.matte is not None:
        lines.append(
            f"matte: {state.matte.model} {state.matte.engine} {state.matte.device} "
            f"{state.matte.transport} {dict(state.matte.timings)}"
        )
        if state.trimap:
            lines.append("with a trimap")
        lines += [f"notice {note.reason}: {note.message}" for note in state.matte.notices]
    if state.failure is not None:
        lines.append(f"reason: {state.failure.reason}")
        lines.append(state.failure.details)
    return without_user("\n".join(filter(None, lines))) + "\n"


def without_user(text: str) -> str:
    """Return `text` with the plugin's and the user's folders made short."""
    for folder, short in ((_PACKAGE, "<plugin>"), (Path.home(), "~")):
        if len(folder.parts) > 1:
            text = text.replace(str(folder), short)
    return text


def _plugin_version() -> str:
    try:
        return (_PACKAGE / "VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return "from source"


def _protobuf() -> str:
    module = sys.modules.get("google.protobuf")
    if module is None:
        return "not loaded"
    own = str(_PACKAGE) in str(getattr(module, "__file__", ""))
    return f"{module.__version__} ({'the plugin’s own' if own else 'from elsewhere'})"
