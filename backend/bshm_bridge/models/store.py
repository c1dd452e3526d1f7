"""Model files on this machine: ``<models>/<name>/`` with ``model.toml`` and the file."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bshm_bridge.errors import Exhausted, InvalidInput, NotReady, UnknownModel
from bshm_bridge.models import builtin
from bshm_bridge.models.checksum import Checksums
from bshm_bridge.models.inspection import refuse_wrong_file
from bshm_bridge.models.manifest import FILE_NAME, Manifest, ManifestError, from_dict, load
from bshm_bridge.models.pull import Cancelled, Pull, ReportProgress
from bshm_bridge.paths import private_directory

_ADDING = ".adding-"
_LEFT_BEHIND = 24 * 3600.0  # seconds; no copy takes that long


@dataclass(frozen=True)
class Entry:
    """A model as the store knows it.

    Attributes
    ----------
    manifest
        None where its manifest cannot be read.
    problem
        What is wrong with it, for people; empty where nothing is.
    """

    name: str
    manifest: Manifest | None
    file: Path | None
    problem: str = ""


class ModelStore:
    """The models of one installation, and those that could be downloaded.

    Parameters
    ----------
    root
        Folder with one folder for each model; made when it is needed.
    pull
        Downloads a model's file.
    shipped
        Manifests that are known without being installed.
    """

    def __init__(self, root: Path, pull: Pull, shipped: Sequence[Manifest] | None = None) -> None:
        self._root = root
        self._pull = pull
        self._shipped = builtin.manifests() if shipped is None else tuple(shipped)
        self._checksums = Checksums()

    def entries(self) -> list[Entry]:
        """Return every model, also those whose manifest is wrong, by name."""
        found = {manifest.name: Entry(manifest.name, manifest, None) for manifest in self._shipped}
        if self._root.is_dir():
            for folder in self._root.iterdir():
                if folder.name[0] != "." and (folder / FILE_NAME).exists():
                    found[folder.name] = self._read(folder)
        return sorted(found.values(), key=lambda entry: entry.name)

    def manifests(self) -> list[Manifest]:
        """Return every usable manifest; those of installed models go before shipped ones."""
        return [entry.manifest for entry in self.entries() if entry.manifest is not None]

    def get(self, name: str) -> Manifest:
        """Return one manifest; raises `UnknownModel`, or `ManifestError` where it is wrong."""
        entries = self.entries()
        for entry in entries:
            if entry.name == name:
                if entry.manifest is None:
                    raise ManifestError((entry.problem,))
                return entry.manifest
        raise UnknownModel.named(name, (entry.name for entry in entries))

    def file(self, manifest: Manifest) -> Path | None:
        """Return the model's file, None where it is not installed."""
        path = self._root / manifest.name / manifest.file
        return path if manifest.file and path.is_file() else None

    def fetch(self, manifest: Manifest, cancel: Cancelled, progress: ReportProgress) -> Path:
        """Return the model's file, checked; download it where it is missing.

        Raises
        ------
        NotReady
            It cannot be downloaded, or its checksum is not the manifest's.
        Exhausted
            The disk is full.
        JobCancelled
        """
        path = self.file(manifest)
        if path is not None:
            self.verify(manifest)
            return path
        private_directory(self._root)
        work = private_directory(self._root / f".download-{manifest.name}")
        arrived = self._pull(manifest, work, cancel, progress)
        try:
            with _disk_errors():
                self._install(manifest, arrived, move=True)
        except InvalidInput as error:  # not the fault of whoever asked for the model
            raise NotReady(
                f"What was downloaded for the model “{manifest.name}” cannot be used: {error}",
                error.reason,
            ) from error
        shutil.rmtree(work, ignore_errors=True)
        installed = self.file(manifest)
        assert installed is not None
        return installed

    def verify(self, manifest: Manifest) -> None:
        """Compare the installed file with its checksum; record it where there is none yet.

        Raises
        ------
        NotReady
            It is another file than the manifest's, or not installed.
        """
        path = self.file(manifest)
        if path is None:
            raise NotReady(
                f"The model “{manifest.name}” is not installed: `bshm models pull "
                f"{manifest.name}` downloads it.",
                "model-missing",
            )
        found = self._checksums.of(path)
        if not manifest.sha256:
            self._write(replace(manifest, sha256=found))
        elif found != manifest.sha256:
            raise NotReady(
                f"The file of the model “{manifest.name}” has changed since it was installed: "
                f"`bshm models remove {manifest.name}`, then install it again.",
                "bad-checksum",
            )

    def add(self, path: Path, name: str = "") -> Manifest:
        """Adopt a model that is on this machine already; its file is copied.

        Parameters
        ----------
        path
            A ``model.toml``, the folder that holds one, or a model file that one of the
            known manifests describes (or the folder that holds that).
        name
            Which known manifest describes the file, where `path` has no ``model.toml``.

        Raises
        ------
        InvalidInput
            There is nothing to adopt, or it is not what its manifest says.
        ManifestError
            The manifest is wrong.
        """
        manifest, source = self._named(path, name) if name else self._found(path)
        if not source.is_file():
            raise InvalidInput(
                f"The manifest names the file “{manifest.file}”, which is not beside it.",
                "model-file-missing",
            )
        with _disk_errors():
            self._install(manifest, source, move=False)
        return self.get(manifest.name)

    def remove(self, name: str) -> bool:
        """Delete a model's files; true where there were any."""
        names = [entry.name for entry in self.entries()]
        if name not in names:
            raise UnknownModel.named(name, names)
        folder = self._root / name
        partial = self._root / f".download-{name}"
        existed = folder.is_dir() or partial.is_dir()
        for path in (folder, partial):
            if path.is_dir():
                shutil.rmtree(path)
        return existed

    def save(self, manifest: Manifest) -> None:
        """Write the manifest of an installed model anew, for instance with another engine."""
        if self.file(manifest) is None:
            raise NotReady(f"The model “{manifest.name}” is not installed.", "model-missing")
        self._write(manifest)

    def _read(self, folder: Path) -> Entry:
        try:
            manifest = load(folder / FILE_NAME)
        except ManifestError as error:
            return Entry(folder.name, None, None, " ".join(error.mistakes))
        if manifest.name != folder.name:
            problem = f"Its manifest names it “{manifest.name}”, but its folder “{folder.name}”."
            return Entry(folder.name, None, None, problem)
        file = self.file(manifest)
        missing = manifest.file and file is None
        problem = f"Its file “{manifest.file}” is not there." if missing else ""
        return Entry(manifest.name, manifest, file, problem)

    def _named(self, path: Path, name: str) -> tuple[Manifest, Path]:
        manifest = self.get(name)
        return manifest, path / manifest.file if path.is_dir() else path

    def _found(self, path: Path) -> tuple[Manifest, Path]:
        folder = path if path.is_dir() else path.parent
        if path.is_dir() and (path / FILE_NAME).is_file():
            path = path / FILE_NAME
        if path.suffix == ".toml":
            manifest = load(path)
            return manifest, folder / manifest.file
        if not path.exists():
            raise InvalidInput("There is no such file or folder.", "model-file-missing")
        fitting = [
            manifest
            for manifest in self._shipped
            if (path / manifest.file).is_file() or path.name == manifest.file
        ]
        if len(fitting) == 1:
            return fitting[0], path if path.is_file() else path / fitting[0].file
        names = ", ".join(f"--as {manifest.name}" for manifest in fitting)
        raise InvalidInput(
            f"Which model is it? Say so with one of {names}."
            if fitting
            else "There is no model.toml there, and no file of a known model; write a model.toml "
            "beside the file (the documentation shows one).",
            "which-model",
        )

    def _install(self, manifest: Manifest, source: Path, move: bool) -> None:
        """Put file and manifest in place at once: readers see the old state or the new one."""
        if not manifest.file:
            raise InvalidInput("A model without a file cannot be added.", "model-file-missing")
        refuse_wrong_file(manifest, source)
        private_directory(self._root)
        self._sweep()
        with tempfile.TemporaryDirectory(dir=self._root, prefix=_ADDING) as temporary:
            new = private_directory(Path(temporary) / manifest.name)
            target = new / manifest.file
            target.parent.mkdir(parents=True, exist_ok=True)
            if move:
                source.replace(target)
            else:
                shutil.copyfile(source, target)
            found = self._checksums.of(target)
            if manifest.sha256 and found != manifest.sha256:
                raise NotReady(
                    f"The file is not the model “{manifest.name}”: its SHA-256 checksum is not "
                    "the manifest's.",
                    "bad-checksum",
                )
            complete = replace(manifest, sha256=found)
            (new / FILE_NAME).write_text(complete.to_toml(), encoding="utf-8")
            place = self._root / manifest.name
            if place.exists():
                place.rename(Path(temporary) / ".old")
            new.rename(place)

    def _sweep(self) -> None:
        """Delete what processes that were killed have left behind."""
        for leftover in self._root.glob(_ADDING + "*"):
            if time.time() - leftover.stat().st_mtime > _LEFT_BEHIND:
                shutil.rmtree(leftover, ignore_errors=True)

    def _write(self, manifest: Manifest) -> None:
        from_dict(manifest.to_dict())  # never write what cannot be read again
        folder = private_directory(self._root / manifest.name)
        temporary = folder / (FILE_NAME + ".new")
        temporary.write_text(manifest.to_toml(), encoding="utf-8")
        temporary.replace(folder / FILE_NAME)


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Exhausted(
            "The disk is full: free some space and try again; what was there before is kept.",
            "disk-full",
        ) from error


def store_of(root: Path, pull: Callable[..., Path] | None = None) -> ModelStore:
    """Return the store below `root` that downloads from ModelScope."""
    from bshm_bridge.models.pull import pull_from_modelscope

    return ModelStore(root, pull or pull_from_modelscope)
