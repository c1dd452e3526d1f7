"""Edge settings that change a finished mask while the user drags.

The service answers from its cached alpha, so only the edge work is done again. One request
is on its way at a time; of those that come meanwhile only the last counts.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

from .controller import Controller, Result
from .host import Host
from .requests import Product, finish_matte, matte_request
from .settings import Settings
from .worker import Failure, Worker

Refinement = Literal["fast", "best"]


class LiveEdges:
    """Follows the docker's edge shift and feather.

    Parameters
    ----------
    controller
        Knows the mask that was made last.
    host, worker
        As the controller's.
    """

    def __init__(self, controller: Controller, host: Host, worker: Worker) -> None:
        self.updates = 0
        self.parts: dict[str, float] = {}
        """Seconds that the parts of the last update took, for those who look for time."""
        self._controller = controller
        self._host = host
        self._worker = worker
        self._busy = False
        self._sent: Refinement = "best"
        self._next: tuple[Settings, Refinement] | None = None

    @property
    def settled_best(self) -> bool:
        """Whether the mask is, or is about to be, as good as can be."""
        last = self._next[1] if self._next is not None else self._sent
        return last == "best"

    @property
    def settled(self) -> bool:
        """Whether no update is on its way or waits."""
        return not self._busy and self._next is None

    def drag(self, settings: Settings) -> None:
        """Show the edge while the user still moves it: fast."""
        self._ask(settings, "fast")

    def release(self, settings: Settings) -> None:
        """Show the edge that the user stopped at: as good as can be."""
        self._ask(settings, "best")

    def _ask(self, settings: Settings, refinement: Refinement) -> None:
        if self._controller.result is None or self._controller.working:
            return
        self._next = (settings, refinement)
        if not self._busy:
            self._send()

    def _send(self) -> None:
        result = self._controller.result
        if result is None or self._next is None or self._controller.working:
            self._next = None
            return
        wanted, refinement = self._next
        self._next = None
        self._sent = refinement
        settings = replace(result.settings, edge_shift=wanted.edge_shift, feather=wanted.feather)
        self._busy = True
        begin = time.perf_counter()
        self._worker.matte(
            lambda: matte_request(
                result.snapshot, settings, refinement, remembered=result.remembered
            ),
            finish=lambda matte: finish_matte(matte, result.snapshot, settings),
            on_done=lambda product: self._arrived(result, product, begin),
            on_failed=self._failed,
        )

    def _arrived(self, result: Result, product: Product, begin: float) -> None:
        self._busy = False
        answered = time.perf_counter()
        self._send()  # the service works on the next while Krita draws this one
        current = self._controller.result
        if current is None or current.applied.mask_id != result.applied.mask_id:
            return  # another mask was made meanwhile
        assert product.alpha is not None
        applied = self._host.change_mask(current.applied, product.alpha)
        if applied is None:
            self._controller.end_live()
            return
        remembered = product.matte.remembered or current.remembered
        changed = replace(current, applied=applied, remembered=remembered)
        self._controller.changed(changed, product.small)
        self.updates += 1
        self.parts = {
            **product.matte.timings,
            "request": answered - begin,
            "mask": time.perf_counter() - answered,
        }

    def _failed(self, failure: Failure) -> None:
        self._busy = False
        self._next = None
        self._controller.note(failure.sentence)
