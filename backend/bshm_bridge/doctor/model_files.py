"""The models: their files and checksums, and sizes at which they do well."""

from __future__ import annotations

from collections.abc import Iterator

from bshm_bridge.doctor.finding import Finding
from bshm_bridge.engines.registry import PREFERRED, Registry
from bshm_bridge.errors import MattingError
from bshm_bridge.models.inspection import inspect_file
from bshm_bridge.models.manifest import Manifest
from bshm_bridge.models.sizes import AtMost
from bshm_bridge.models.store import ModelStore

_AREA = "models"
_BSHM_LIMIT = 2000  # pixels; above, BSHM's edges get jagged


def examine_models(store: ModelStore, registry: Registry) -> Iterator[Finding]:
    """Look at every model that is installed, reading its whole file."""
    names = []
    for entry in store.entries():
        if entry.problem:
            yield Finding(
                _AREA,
                "problem",
                f"{entry.name}: {entry.problem}",
                f"Correct its model.toml, or `bshm models remove {entry.name}`.",
            )
        elif entry.file is not None and entry.manifest is not None:
            names.append(entry.name)
            yield from _examine(store, registry, entry.manifest)
    default, reason = registry.default()
    if PREFERRED not in names:
        yield Finding(
            _AREA,
            "note",
            "BSHM is not installed.",
            f"`bshm models pull {PREFERRED}` downloads it; `bshm models add FILE --as "
            f"{PREFERRED}` takes a file that you have.",
        )
    yield Finding(_AREA, "ok", f"The model “auto” means {default} now. {reason}".rstrip())


def _examine(store: ModelStore, registry: Registry, manifest: Manifest) -> Iterator[Finding]:
    name = manifest.name
    file = store.file(manifest)
    again = f"`bshm models remove {name}`, then `bshm models pull {name}` or `add` it again."
    try:
        wrong = inspect_file(manifest, file) if file is not None else []
        if not wrong:
            store.verify(manifest)
    except MattingError as error:
        wrong = [str(error)]
    except OSError as error:
        wrong = [f"Its file cannot be read ({error.strerror})."]
    if wrong:
        for mistake in wrong:
            yield Finding(_AREA, "problem", f"{name}: {mistake}", again)
        return
    engine = registry.runnable_engine(manifest)
    if engine:
        yield Finding(_AREA, "ok", f"{name}: its file is whole; {engine} runs it.")
    else:
        yield Finding(
            _AREA,
            "problem",
            f"{name}: its file is whole, but none of its engines ({', '.join(manifest.engines)}) "
            "is installed.",
            f"`bshm engines install {manifest.engines[0]}`.",
        )
    size = manifest.input.size
    if name == PREFERRED and isinstance(size, AtMost) and size.long_side > _BSHM_LIMIT:
        yield Finding(
            _AREA,
            "problem",
            f"{name}: its manifest lets pictures of {size.long_side} pixels into the network, "
            "which makes jagged edges and takes much memory.",
            f"Set long_side to 1500 in its model.toml: edges are refined at full size anyway "
            f"(at most {_BSHM_LIMIT}).",
        )
