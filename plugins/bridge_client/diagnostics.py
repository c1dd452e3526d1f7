"""What a person can paste into a bug report: versions, devices, the last log lines.

No pixels, no token, no user name, no home directory.
"""

from __future__ import annotations

import getpass
import platform
import re
import traceback
from pathlib import Path

from bridge_client.client import BridgeClient
from bridge_client.errors import BridgeError
from bridge_client.home import home as default_home

_LOG_LINES = 30
_LOG_BYTES = 64 * 1024
_LONG_WORD = re.compile(r"\b[A-Za-z0-9_-]{24,}\b")  # tokens and names of leases look like this


def diagnostics(
    client: BridgeClient,
    *,
    program: str,
    version: str,
    error: BaseException | None = None,
    home: Path | None = None,
) -> str:
    """Return a text about this machine's plugin and service, in English.

    Parameters
    ----------
    client
        Asked for the service's status; no service is started.
    program
        The editor and its version.
    version
        The plugin's version.
    error
        What went wrong, where something did.
    home
        The service's state directory; by default the platform's.
    """
    lines = [
        f"Editor: {program}",
        f"Plugin: {version}",
        f"Python: {platform.python_version()}",
        f"System: {platform.system()} {platform.release()} {platform.machine()}",
    ]
    if error is not None:
        reason = getattr(error, "reason", "")
        lines.append(f"Error: {type(error).__name__} {reason}".rstrip() + f": {error}")
        if not isinstance(error, BridgeError):
            frames = traceback.extract_tb(error.__traceback__)
            lines += [f"  {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames]
    lines += _service_lines(client)
    lines += ["Service log:", *(f"  {line}" for line in _log_lines(home or default_home()))]
    return _anonymous("\n".join(lines)) + "\n"


def _service_lines(client: BridgeClient) -> list[str]:
    try:
        status = client.status()
    except BridgeError as error:
        return [f"Service: {error} ({error.reason})"]
    lines = [
        f"Service: {status.version}, protocol {status.protocol}, up {status.uptime:.0f} s",
        f"Jobs: {status.done} done, {status.failed} failed, {status.cancelled} cancelled",
        f"Default model: {status.default_model} {status.default_reason}".rstrip(),
    ]
    for model in status.models:
        details = " ".join(filter(None, (model.engine, model.device, model.state, model.message)))
        lines.append(f"Model {model.name}: {details}")
    return lines


def _log_lines(home: Path) -> list[str]:
    try:
        with (home / "logs" / "service.log").open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _LOG_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return ["(none)"]
    return text.splitlines()[-_LOG_LINES:]


def _anonymous(text: str) -> str:
    text = text.replace(str(Path.home()), "~")
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        name = ""
    if name:
        text = re.sub(rf"\b{re.escape(name)}\b", "USER", text)
    return _LONG_WORD.sub("…", text)
