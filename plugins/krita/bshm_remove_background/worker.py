"""Runs requests to the service on threads of their own and tells the main thread.

A thread here holds bytes and sockets only: whatever touches Krita is handed to `post`.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .i18n import by_reason

_BUG = "Something went wrong in the plugin: please copy the diagnostics."

Post = Callable[[Callable[[], None]], None]
"""Runs a function on the main thread, later."""


class Client(Protocol):
    """What is used of ``bridge_client.BridgeClient``."""

    @property
    def matte(self) -> Callable[..., Any]: ...
    def status(self, *, start: bool = False) -> Any: ...
    def release(self, model: str = "") -> list[str]: ...


@dataclass(frozen=True)
class Failure:
    """Why a request brought nothing.

    Attributes
    ----------
    sentence
        For the user: what happened and what to do next.
    reason
        A stable word for programs.
    details
        For a bug report; empty for what is expected to happen.
    """

    sentence: str
    reason: str
    details: str = ""

    @property
    def cancelled(self) -> bool:
        return self.reason == "cancelled"


def failure_of(error: BaseException) -> Failure:
    """Return `error` as the user reads it; one that nobody meant is reported as a bug."""
    from bridge_client import BridgeError

    if isinstance(error, BridgeError):
        return Failure(by_reason(error.reason, str(error)), error.reason)
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return Failure(by_reason("bug", _BUG), "bug", details)


@dataclass
class Request:
    """One request on its way; `cancel` may be called at any time on any thread."""

    _cancellations: list[Any] = field(default_factory=list)
    _wanted: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        with self._lock:
            self._wanted = True
            for cancellation in self._cancellations:
                cancellation.cancel()

    def watch(self, cancellation: Any) -> None:
        """Cancel `cancellation` together with this request, at once if it already is."""
        with self._lock:
            self._cancellations.append(cancellation)
            if self._wanted:
                cancellation.cancel()


class Worker:
    """Starts requests.

    Parameters
    ----------
    post
        How answers reach the main thread.
    connect
        Makes the client, on the thread of the first request.
    """

    def __init__(self, post: Post, connect: Callable[[], Client]) -> None:
        self._post = post
        self._connect = connect
        self._client: Client | None = None
        self._lock = threading.Lock()

    def matte(
        self,
        make: Callable[[], tuple[Any, dict[str, Any]]],
        *,
        finish: Callable[[Any], Any] = lambda matte: matte,
        on_progress: Callable[[Any], None] = lambda step: None,
        on_done: Callable[[Any], None],
        on_failed: Callable[[Failure], None],
    ) -> Request:
        """Send a matting request.

        Parameters
        ----------
        make
            Returns the pixels and the keyword arguments of the client's ``matte``; runs on
            the request's thread.
        finish
            Turns the matte into what `on_done` gets; runs on the request's thread.
        on_progress, on_done, on_failed
            Run on the main thread.
        """
        request = Request()

        def work(client: Client) -> Any:
            from bridge_client import Cancellation

            cancellation = Cancellation()
            request.watch(cancellation)
            pixels, options = make()
            matte = client.matte(
                pixels,
                progress=lambda step: self._post(lambda: on_progress(step)),
                cancel=cancellation,
                **options,
            )
            return finish(matte)

        self._run(work, on_done, on_failed)
        return request

    def status(self, on_done: Callable[[Any], None], on_failed: Callable[[Failure], None]) -> None:
        """Ask what the service is doing, without starting it."""
        self._run(lambda client: client.status(start=False), on_done, on_failed)

    def release(
        self, on_done: Callable[[list[str]], None], on_failed: Callable[[Failure], None]
    ) -> None:
        """Have every model unloaded."""
        self._run(lambda client: client.release(), on_done, on_failed)

    def _run(
        self,
        work: Callable[[Client], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[Failure], None],
    ) -> None:
        def body() -> None:
            try:
                result = work(self._connected())
            except BaseException as error:
                failure = failure_of(error)
                self._post(lambda: on_failed(failure))
            else:
                self._post(lambda: on_done(result))

        # Daemons: Krita must be able to end while one waits.
        threading.Thread(target=body, name="bshm", daemon=True).start()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client
