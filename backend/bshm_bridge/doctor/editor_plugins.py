"""The editors on this machine and the plugin in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bshm_bridge import __version__
from bshm_bridge.doctor.finding import Finding
from bshm_bridge.editors.base import Editor

_AREA = "editors"


def examine_editors(editors: Iterable[Editor]) -> Iterator[Finding]:
    """Look into the profiles of every editor."""
    for editor in editors:
        profiles = editor.profiles()
        if not profiles:
            yield Finding(
                _AREA,
                "note",
                f"{editor.title}: no profile was found.",
                f"If it is installed, start it once, then `bshm plugins install {editor.name}`.",
            )
        for profile in profiles:
            version = editor.version(profile)
            mend = f"`bshm plugins install {editor.name}`, then restart the editor."
            if not version:
                yield Finding(_AREA, "note", f"{profile.label}: without the plugin.", mend)
            elif version != __version__:
                yield Finding(
                    _AREA,
                    "problem",
                    f"{profile.label}: its plugin has version {version}, the service has "
                    f"{__version__}.",
                    mend,
                )
            else:
                yield Finding(_AREA, "ok", f"{profile.label}: plugin {version}.")
