"""Whether a manifest and its file belong together: what `bshm models check` says."""

from __future__ import annotations

from pathlib import Path

from bshm_bridge.errors import InvalidInput
from bshm_bridge.models import graph_file
from bshm_bridge.models.checksum import Checksums
from bshm_bridge.models.manifest import FILE_NAME, Manifest, ManifestError, load
from bshm_bridge.models.sniff import refuse_wrong_kind


def inspect_path(path: Path) -> tuple[Manifest | None, list[str]]:
    """Return a manifest that lies anywhere, with every mistake in it and in its file.

    Parameters
    ----------
    path
        A ``model.toml`` or the folder that holds one.
    """
    if path.is_dir():
        path = path / FILE_NAME
    try:
        manifest = load(path)
    except ManifestError as error:
        return None, list(error.mistakes)
    return manifest, inspect_file(manifest, path.parent / manifest.file)


def inspect_file(manifest: Manifest, file: Path) -> list[str]:
    """Return a sentence for everything that is wrong with the file of a manifest."""
    if not manifest.file:
        return []
    if not file.is_file():
        return [f"file: “{manifest.file}” is not beside the manifest."]
    try:
        refuse_wrong_file(manifest, file)
    except ManifestError as error:
        return list(error.mistakes)
    except InvalidInput as error:
        return [f"file: {error}"]
    if manifest.sha256 and Checksums().of(file) != manifest.sha256:
        return ["sha256: the file's checksum is another; it was changed or damaged."]
    return []


def refuse_wrong_file(manifest: Manifest, file: Path) -> None:
    """Raise for a file that no engine should be given; nothing is loaded for that.

    Raises
    ------
    InvalidInput
        It is no network, a pickle, or cut short.
    ManifestError
        It is a network, but not the one of the manifest.
    """
    refuse_wrong_kind(file)
    wrong = graph_file.mistakes(manifest, graph_file.read(file))
    if wrong:
        raise ManifestError(tuple(wrong))
