"""What the tests of GIMP's windows do over and over."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.editors.gimp.picture import FIGURE, SIZE, picture
from tests.editors.gimp.runner import GimpRunner, GimpWindow
from tests.editors.service import TestService, wait_for

_seeds = itertools.count(100)


@contextmanager
def shown(
    window: GimpWindow, gimp: GimpRunner, folder: Path, scale: int = 1, model: str = "auto"
) -> Iterator[GimpWindow]:
    """Show a new image whose figure is selected; `image`, `layer` and `display` name it.

    The one-click entry's settings are the usual ones, with `model`.
    """
    gimp.settings.write_text(json.dumps({"options": {"model": model}}))
    file = folder / "picture"
    file.write_bytes(picture(scale, next(_seeds)).tobytes())
    width, height = (scale * side for side in SIZE)
    x, y, *size = (scale * value for value in FIGURE)
    window.do(f"""
        global image, layer, display
        image, layer, display = open_picture({str(file)!r}, {width}, {height}, offset=(7, -5))
        image.undo_disable()
        image.select_rectangle(Gimp.ChannelOps.REPLACE, {x + 7}, {y - 5}, *{size})
        image.undo_enable()
        image.clean_all()
    """)
    yield window
    # The plug-in must not find its image gone, and has its messages still to show.
    wait_for(lambda: not gimp.at_work())
    window.do("close_messages(); display.delete()")


def masked(window: GimpWindow) -> bool:
    return bool(window.do("return layer.get_mask() is not None"))


def unchanged(window: GimpWindow, before: str) -> bool:
    """Whether the layer is as its digest `before` says, and nothing was done to the image."""
    return bool(
        window.do("return layer.get_mask() is None and not image.is_dirty()")
        and window.do("return digest(layer)") == before
    )


def gimps_jobs(service: TestService) -> list[str]:
    """Return the stages of GIMP's jobs."""
    return [job.stage for job in service.client.status().jobs if job.client == "gimp"]
