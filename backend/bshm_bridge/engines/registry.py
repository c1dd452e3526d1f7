"""Which models there are, and which engine runs which of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bshm_bridge.engines.base import Cancellation, Engine, ReportProgress
from bshm_bridge.errors import NotReady, UnknownModel
from bshm_bridge.models.manifest import InputSpec, Manifest, OutputSpec
from bshm_bridge.models.sizes import AtMost

CLASSIC = Manifest(
    name="classic",
    title="Classic: face detection and GrabCut",
    engines=("classic",),
    input=InputSpec(size=AtMost(1500)),
    output=OutputSpec(),
    licence="Apache-2.0",
    good_for="portraits, and any subject that is selected roughly; no download, no GPU",
    speed="medium",
)
PREFERRED = "bshm"
FIRSTS = ("bshm", "bshm-universal", "classic")
"""Models that are offered as the first of a chain; others can be named."""
CHAIN = "+"
"""Between the names of a model and of one that takes its trimap from the first one's matte."""


class Store(Protocol):
    """Where model files are."""

    def manifests(self) -> Sequence[Manifest]:
        """Return every model that is known, installed or not."""

    def file(self, manifest: Manifest) -> Path | None:
        """Return the model's file, None where it is not installed."""

    def fetch(self, manifest: Manifest, cancel: Cancellation, progress: ReportProgress) -> Path:
        """Check a model's file, or download it; raises `NotReady` where that is not possible."""


@dataclass(frozen=True)
class Choice:
    """A model, and the engine and device that a job gets.

    Attributes
    ----------
    first
        Whose matte the trimap is made from; mostly None.
    """

    manifest: Manifest
    engine: Engine
    device: str
    file: Path | None
    notice: str = ""
    first: Choice | None = None

    @property
    def name(self) -> str:
        """As people choose it: "bshm", "bshm+vitmatte-small"."""
        name = self.manifest.name
        return f"{self.first.name}{CHAIN}{name}" if self.first else name

    @property
    def key(self) -> tuple[str, str, str]:
        return self.manifest.name, self.engine.name, self.device

    @property
    def long_side(self) -> int:
        """Largest side, in pixels, of the engine's image; 0 where it wants the layer's size."""
        size = self.manifest.input.size
        return size.long_side if isinstance(size, AtMost) else 0


class Registry:
    """Chooses a model and an engine for each job.

    Parameters
    ----------
    engines
        By name.
    store
        The models besides the embedded one; None for none.
    """

    def __init__(self, engines: Mapping[str, Engine], store: Store | None = None) -> None:
        self._engines = engines
        self._store = store

    def manifests(self) -> list[Manifest]:
        """Return every model that is known, the best first."""
        others = list(self._store.manifests()) if self._store else []
        others.sort(key=lambda manifest: (manifest.name != PREFERRED, manifest.name))
        return [*others, CLASSIC]

    def offered(self) -> list[Manifest]:
        """Return the models that can be used at once or after a download, the best first."""
        return [
            manifest
            for manifest in self.manifests()
            if manifest.modelscope_id or self.installed(manifest)
        ]

    def installed(self, manifest: Manifest) -> bool:
        """Whether the model's file is there (or it needs none)."""
        return not manifest.file or self._file(manifest) is not None

    def runnable_engine(self, manifest: Manifest) -> str:
        """Return the name of the engine that would run the model, empty where none would."""
        for name in manifest.engines:
            engine = self._engines.get(name)
            if engine is not None and engine.available()[0]:
                return name
        return ""

    def choose(self, model: str, engine: str, device: str) -> Choice:
        """Return what runs a job.

        Parameters
        ----------
        model
            A name, or "auto": BSHM where its file and a runtime are installed, else classic.
            "FIRST+SECOND" is a chain: `engine` and `device` are then those of the second.
        engine
            A name, or empty: the model's first whose runtime is installed.
        device
            "auto", "gpu" or "cpu".

        Raises
        ------
        UnknownModel
            There is no model of that name.
        NotReady
            There is no engine of that name, the model or every runtime for it is missing, the
            engine cannot run it, or the models of a chain do not fit together.
        """
        if engine and engine not in self._engines:
            raise NotReady(
                f"There is no engine named “{engine}”: choose {', '.join(self._engines)}.",
                "unknown-engine",
            )
        if CHAIN in model:
            return self._chain(model, engine, device)
        if model in ("", "auto"):
            return self._automatic(engine, device)
        manifests = self.manifests()
        for manifest in manifests:
            if manifest.name == model:
                return self._choice(manifest, engine, device)
        raise UnknownModel.named(model, (manifest.name for manifest in manifests))

    def chained(self, choice: Choice, first: str) -> Choice:
        """Return `choice`, taking its trimap from the matte of the model `first`."""
        # That it runs on the GPU was asked of the model itself; classic has none.
        device = "auto" if choice.device == "gpu" else choice.device
        before = self.choose(first, "", device)
        if before.manifest.needs_trimap or before.manifest.temporal or before.first:
            raise NotReady(
                f"“{first}” cannot make the trimap for another model: choose one that finds the "
                "subject by itself, such as bshm or classic.",
                "bad-chain",
            )
        return replace(choice, first=before, notice=before.notice)

    def _chain(self, model: str, engine: str, device: str) -> Choice:
        first, _, second = model.partition(CHAIN)
        choice = self.choose(second, engine, device)
        if not choice.manifest.needs_trimap or not first:
            raise NotReady(
                f"“{second}” takes no trimap, so nothing can come before it: choose it alone.",
                "bad-chain",
            )
        return self.chained(choice, first)

    def default(self) -> tuple[str, str]:
        """Return what "auto" means now, and why where it is not BSHM."""
        choice = self._automatic("", "auto")
        return choice.manifest.name, choice.notice

    def _automatic(self, engine: str, device: str) -> Choice:
        reason = "BSHM is not installed (`bshm models pull bshm`)"
        for manifest in self.manifests():
            if manifest.name != PREFERRED or engine == "classic":
                continue
            if not self.installed(manifest):
                break
            try:
                return self._choice(manifest, engine, device)
            except NotReady as error:
                reason = f"BSHM cannot run here ({error})"
        if engine not in ("", "classic"):
            raise NotReady(f"No model is installed that {engine} runs: {reason}.", "no-model")
        if device == "gpu":
            raise NotReady(
                f"{reason}, and the classic engine does not use the GPU: choose the device "
                "“auto”, or install BSHM.",
                "no-gpu",
            )
        return Choice(CLASSIC, self._engines["classic"], "cpu", None, f"{reason}.")

    def _choice(self, manifest: Manifest, engine: str, device: str) -> Choice:
        if engine and engine not in manifest.engines:
            raise NotReady(
                f"The model “{manifest.name}” does not run on {engine}; it runs on "
                f"{', '.join(manifest.engines)}.",
                "wrong-engine",
            )
        reasons = []
        for name in [engine] if engine else manifest.engines:
            candidate = self._engines.get(name)
            if candidate is None:
                reasons.append(f"{name} is not part of this installation")
                continue
            available, why = candidate.available()
            if available:
                if name == "classic" and device == "gpu":
                    raise NotReady(
                        "The classic engine does not use the GPU: choose the device “auto”.",
                        "no-gpu",
                    )
                device = "cpu" if name == "classic" else device
                return Choice(manifest, candidate, device, self._file(manifest))
            reasons.append(why)
        raise NotReady(" ".join(reasons), "runtime-missing")

    def _file(self, manifest: Manifest) -> Path | None:
        return self._store.file(manifest) if self._store and manifest.file else None

    def fetch(self, choice: Choice, cancel: Cancellation, progress: ReportProgress) -> Path | None:
        """Return the model's file, checked, downloading it where it is missing."""
        if not choice.manifest.file:
            return None
        assert self._store is not None  # only a store knows models with files
        return self._store.fetch(choice.manifest, cancel, progress)
