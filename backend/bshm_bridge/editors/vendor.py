"""Collects what an editor's own Python needs beside a plugin: pure-Python packages.

An editor's Python cannot load compiled packages from PyPI, and its version differs from
ours. So only the ``.py`` files of the installed distributions are taken; each of them
falls back to pure Python where its compiled part is missing.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
from importlib.metadata import Distribution, PackagePath, distribution
from pathlib import Path

from bshm_bridge import __version__
from bshm_bridge.errors import NotReady

DISTRIBUTIONS = (
    "grpclib",
    "h2",
    "hpack",
    "hyperframe",
    "multidict",
    "protobuf",
    "typing_extensions",
    "platformdirs",
)
OLDEST_EDITOR_PYTHON = (3, 10)  # Krita 5.2 for Windows and Flatpak
OWN_PACKAGES = ("bridge_client", "bshm")
_NOT_COPIED = ("__pycache__", "*.pyc", "*.pyi", "*.proto", "*.po")
_NOT_NEEDED = {"tests", "testing", "plugin", "compiler", "__pycache__"}


def plugin_sources(editor: str) -> Path:
    """Return the folder with an editor's plugin: in the wheel, or in a checkout."""
    here = Path(__file__).resolve()
    for folder in (here.parent / "sources" / editor, here.parents[3] / "plugins" / editor):
        if folder.is_dir():
            return folder
    raise NotReady(
        f"This installation lacks the {editor} plugin: install bshm-bridge again.", "no-sources"
    )


def copy_package(source: Path, target: Path) -> None:
    """Copy a source tree without what only its development needs."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_NOT_COPIED))


def vendor(target: Path, licences: Path) -> None:
    """Write the packages that a plugin imports into `target`, their licences into `licences`.

    Raises
    ------
    NotReady
        A distribution is missing from the running environment, or too new for an editor.
    """
    target.mkdir(parents=True, exist_ok=True)
    for name in DISTRIBUTIONS:
        try:
            found = distribution(name)
        except ModuleNotFoundError as error:
            raise NotReady(
                f"The Python package {name} is missing: install bshm-bridge again.", "no-package"
            ) from error
        if not _runs_in_editors(found):
            raise NotReady(
                f"{name} {found.version} needs a newer Python than the editors have: "
                "install bshm-bridge in an environment of its own.",
                "package-too-new",
            )
        _copy_distribution(found, target, licences / f"{name}-{found.version}")
    for name in OWN_PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise NotReady(
                f"The Python package {name} is missing: install bshm-bridge again.", "no-package"
            )
        copy_package(Path(spec.submodule_search_locations[0]), target / name)


def write_version(folder: Path) -> None:
    """Record which version a plugin is, for it to compare with the service's."""
    (folder / "VERSION").write_text(__version__ + "\n", encoding="utf-8")


def read_version(folder: Path) -> str:
    """Return the version of the plugin in `folder`, or nothing where there is none."""
    try:
        return (folder / "VERSION").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _copy_distribution(found: Distribution, target: Path, licences: Path) -> None:
    for file in found.files or ():
        if _is_licence(file):
            destination = licences / file.name
        elif file.suffix == ".py" and not _NOT_NEEDED.intersection(file.parts):
            destination = target.joinpath(*file.parts)
        else:
            continue
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), destination)


def _runs_in_editors(found: Distribution) -> bool:
    oldest = re.search(r">=\s*(\d+)\.(\d+)", found.metadata["Requires-Python"] or "")
    return oldest is None or (int(oldest[1]), int(oldest[2])) <= OLDEST_EDITOR_PYTHON


def _is_licence(file: PackagePath) -> bool:
    in_metadata = file.parts[0].endswith(".dist-info")
    return in_metadata and file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
