"""Removes backgrounds: layer after layer from the editor to the service and back.

Knows neither Krita nor Qt. Everything here runs on the main thread; the worker calls back
there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from .host import Applied, CutOut, Host, LayerProblem, Snapshot, Target
from .i18n import tr
from .requests import Product, SmallAlpha, finish_matte, matte_request, unpacked
from .settings import Settings
from .worker import Failure, Request, Worker

Phase = Literal["idle", "working", "done", "failed", "cancelled"]

# After one of these the next layer would fail the same way.
_HOPELESS = {
    "service-missing",
    "not-running",
    "not-installed",
    "cannot-start",
    "service-lost",
    "protocol-mismatch",
    "unauthenticated",
    "bug",
}


@dataclass(frozen=True)
class State:
    """What the docker shows.

    Attributes
    ----------
    index, total
        Number of the layer or frame in work, from 0, and of all of them.
    progress
        The client's `Progress`, None before the first.
    message
        A sentence for phases other than ``idle`` and ``working``.
    matte
        The last result, without its pixels.
    trimap
        Whether the last result follows a trimap.
    picture, small
        The last layer's small picture and its matte.
    """

    phase: Phase = "idle"
    index: int = 0
    total: int = 0
    layer: str = ""
    progress: Any = None
    message: str = ""
    failure: Failure | None = None
    matte: Any = None
    trimap: bool = False
    picture: Any = None
    small: SmallAlpha | None = None


@dataclass(frozen=True)
class Step:
    """One request of a batch: a layer as it is, or one keyframe of it."""

    target: Target
    frame: int | None
    settings: Settings


@dataclass(frozen=True)
class Result:
    """The last mask that was made, what it was made from, and how the service remembers that."""

    applied: Applied
    snapshot: Snapshot
    settings: Settings
    remembered: str = ""


class Controller:
    """One for all windows; dockers listen to it.

    Parameters
    ----------
    host
        The editor.
    worker
        Talks to the service.
    settings
        As they were kept.
    keep
        Called with changed settings, to be there at the next start.
    """

    def __init__(
        self,
        host: Host,
        worker: Worker,
        settings: Settings,
        keep: Callable[[Settings], None] = lambda settings: None,
    ) -> None:
        self.settings = settings
        self.state = State()
        self.result: Result | None = None
        self._host = host
        self._worker = worker
        self._keep = keep
        self._listeners: list[Callable[[State], None]] = []
        self._waiting: list[Step] = []
        self._frames: dict[int, CutOut] = {}
        self._problems: list[str] = []
        self._finished = 0
        self._request: Request | None = None
        self._cancelled = False

    def listen(self, listener: Callable[[State], None]) -> None:
        self._listeners.append(listener)

    def forget(self, listener: Callable[[State], None]) -> None:
        self._listeners.remove(listener)

    @property
    def working(self) -> bool:
        return self.state.phase == "working"

    # ------------------------------------------------------------ what users do

    def remove_background(self, *, every_selected: bool = False) -> None:
        """Start on the active layer, or on every selected one as a batch."""
        if self.working:
            return
        self.result = None
        try:
            targets = self._host.targets(every_selected)
        except LayerProblem as problem:
            self._show(State("failed", message=str(problem)))
            return
        self._waiting = [step for target in targets for step in _steps(target, self.settings)]
        self._frames = {}
        self._problems = []
        self._finished = 0
        self._cancelled = False
        self._show(State("working", total=len(self._waiting), layer=targets[0].name))
        self._next()

    def cancel(self) -> None:
        """Stop; layers that are done stay done."""
        if not self.working:
            return
        self._waiting = []
        self._cancelled = True
        if self._request is not None:
            self._request.cancel()

    def change_settings(self, settings: Settings) -> None:
        """Use and keep other settings; a job that runs goes on with those it began with."""
        if settings != self.settings:
            self.settings = settings
            self._keep(settings)
            self._show(self.state)

    def moved_on(self) -> None:
        """Drop a message about a layer: the user looks at another image now."""
        if self.state.phase == "failed" and self.state.failure is None:
            self._show(State())

    # ------------------------------------------------------------ the mask made last

    def changed(self, result: Result, small: SmallAlpha) -> None:
        """Take note that the last mask got other edges."""
        self.result = result
        self._show(replace(self.state, small=small))

    def note(self, message: str) -> None:
        """Show a sentence."""
        self._show(replace(self.state, message=message))

    def end_live(self) -> None:
        """Let go of the last mask: it is gone, or somebody painted on it."""
        self.result = None
        self._show(replace(self.state, message=tr("The mask was changed by hand or removed.")))

    # ------------------------------------------------------------ one step after the other

    def _next(self) -> None:
        while self._waiting:
            step = self._waiting.pop(0)
            index = self.state.total - len(self._waiting) - 1
            self._show(replace(self.state, index=index, layer=step.target.name, progress=None))
            try:
                snapshot = self._host.snapshot(step.target, step.settings, step.frame)
            except LayerProblem as problem:
                self._give_up(step, str(problem))
                continue
            self._send(step, snapshot)
            return
        self._end()

    def _send(self, step: Step, snapshot: Snapshot) -> None:
        batch = self.state.total > 1
        self._show(replace(self.state, picture=snapshot.picture, small=None))
        self._request = self._worker.matte(
            lambda: matte_request(snapshot, step.settings, batch=batch),
            finish=lambda matte: finish_matte(
                matte, snapshot, step.settings, compress=step.frame is not None
            ),
            on_progress=self._progressed,
            on_done=lambda product: self._done(step, snapshot, product),
            on_failed=lambda failure: self._failed(step, failure),
        )

    def _progressed(self, progress: Any) -> None:
        if self.working:
            self._show(replace(self.state, progress=progress))

    def _done(self, step: Step, snapshot: Snapshot, product: Product) -> None:
        if self._cancelled:  # the result was already on its way
            self._stop()
            return
        try:
            self._apply(step, snapshot, product)
            self._finished += 1
        except LayerProblem as problem:
            self._give_up(step, str(problem))
        self._show(
            replace(self.state, matte=product.matte, trimap=product.trimap, small=product.small)
        )
        self._next()

    def _apply(self, step: Step, snapshot: Snapshot, product: Product) -> None:
        target = step.target
        if step.frame is not None:
            assert product.cut_out is not None
            self._frames[step.frame] = product.cut_out
            if len(self._frames) == len(target.frames):
                frames = {time: unpacked(frame) for time, frame in self._frames.items()}
                self._frames = {}
                self._host.add_animation(target, frames)
        elif product.cut_out is not None:
            self._host.add_layer(target, product.cut_out)
        elif step.settings.output == "selection":
            assert product.alpha is not None
            self._host.select(target, snapshot.area, product.alpha)
        else:
            assert product.alpha is not None
            applied = self._host.add_mask(target, snapshot.area, product.alpha, step.settings)
            if applied is not None and self.state.total == 1:
                remembered = product.matte.remembered
                self.result = Result(applied, snapshot, step.settings, remembered)

    # ------------------------------------------------------------ how it ends

    def _failed(self, step: Step, failure: Failure) -> None:
        if failure.cancelled or self._cancelled:
            self._stop()
        elif failure.reason in _HOPELESS or self.state.total == 1:
            self._waiting = []
            self._request = None
            self._show(
                replace(self.state, phase="failed", message=failure.sentence, failure=failure)
            )
        else:
            sentence = tr("{layer}: {problem}", layer=step.target.name, problem=failure.sentence)
            self._give_up(step, sentence)
            self._next()

    def _give_up(self, step: Step, problem: str) -> None:
        """Note the problem; an animation that lacks a frame needs no more of them."""
        self._problems.append(problem)
        if step.frame is not None:
            self._frames = {}
            self._waiting = [other for other in self._waiting if other.target != step.target]

    def _stop(self) -> None:
        self._waiting = []
        self._frames = {}
        self._request = None
        self._show(replace(self.state, phase="cancelled", message=self._cancelled_sentence()))

    def _end(self) -> None:
        self._request = None
        total = self.state.total
        if not self._problems:
            message = tr("Done.") if total == 1 else tr("{total} of {total} done.", total=total)
            self._show(replace(self.state, phase="done", message=message))
        elif total == 1:
            self._show(replace(self.state, phase="failed", message=self._problems[0]))
        else:
            count = tr("{done} of {total} done.", done=self._finished, total=total)
            message = " ".join([count, *self._problems])
            self._show(replace(self.state, phase="failed", message=message))

    def _cancelled_sentence(self) -> str:
        if not self._finished:
            return tr("Cancelled: nothing was changed.")
        return tr(
            "Cancelled: {done} of {total} were done before.",
            done=self._finished,
            total=self.state.total,
        )

    def _show(self, state: State) -> None:
        self.state = state
        for listener in list(self._listeners):
            listener(state)


def _steps(target: Target, settings: Settings) -> list[Step]:
    """Return the requests for a layer; Krita's plugins can animate a layer, but no mask."""
    if not target.frames:
        return [Step(target, None, settings)]
    animated = replace(settings, output="layer")
    return [Step(target, frame, animated) for frame in target.frames]
