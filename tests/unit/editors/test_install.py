"""Plugins come into every profile, are replaced whole, and leave nothing when they go."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bshm_bridge import __version__
from bshm_bridge.editors.base import Profile
from bshm_bridge.editors.gimp import Gimp
from bshm_bridge.editors.install import build, install, uninstall
from bshm_bridge.errors import NotReady

PLUGIN = "plug-ins/bshm_remove_background"


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    folder = tmp_path / "GIMP" / "3.0"
    (folder / "plug-ins").mkdir(parents=True)
    (folder / "gimprc").write_text("(theme nothing)")
    return Profile("gimp", "GIMP 3.0", folder)


def test_every_profile_of_gimp_3_is_found_once(tmp_path: Path) -> None:
    native, snap = tmp_path / "native", tmp_path / "snap"
    for folder in (native / "2.10", native / "3.0", native / "3.2", native / "3.1", snap / "3.0"):
        folder.mkdir(parents=True)
    (native / "3.4").write_text("no folder")
    (tmp_path / "again").symlink_to(native)
    editor = Gimp([(native, ""), (tmp_path / "again", "Flatpak"), (snap, "Snap")])
    found = [(profile.label, profile.folder) for profile in editor.profiles()]
    assert found == [
        ("GIMP 3.0", native / "3.0"),
        ("GIMP 3.2", native / "3.2"),
        ("GIMP 3.0 (Snap)", snap / "3.0"),
    ]


def test_installed_plugin_is_complete_and_executable(profile: Profile) -> None:
    install(Gimp(), profile)
    folder = profile.folder / PLUGIN
    script = folder / "bshm_remove_background.py"
    assert script.stat().st_mode & stat.S_IXUSR
    assert (folder / "vendor/grpclib/client.py").exists()
    assert (folder / "locale/zh_CN/LC_MESSAGES/bshm_remove_background.mo").exists()
    assert Gimp().version(profile) == __version__


def test_installing_again_replaces_the_whole_plugin(profile: Profile) -> None:
    install(Gimp(), profile)
    fresh = contents(profile.folder)
    (profile.folder / PLUGIN / "bshm_gimp/formats.py").write_text("old")
    (profile.folder / PLUGIN / "gone_in_this_version.py").write_text("old")
    (profile.folder / ".bshm-install-leftover").mkdir()
    install(Gimp(), profile)
    assert contents(profile.folder) == fresh
    assert not list(profile.folder.glob(".bshm-install-*"))


def test_uninstalling_leaves_the_profile_as_it_was(profile: Profile) -> None:
    before = contents(profile.folder)
    install(Gimp(), profile)
    (profile.folder / "bshm-remove-background.json").write_text("{}")
    settings = profile.folder / "plug-in-settings"
    settings.mkdir()
    (settings / "plug-in-bshm-remove-background-options.last").write_text("x")
    assert uninstall(Gimp(), profile)
    assert contents(profile.folder) == before
    assert not uninstall(Gimp(), profile)


def test_plugin_that_cannot_be_built_leaves_the_old_one(profile: Profile, tmp_path: Path) -> None:
    install(Gimp(), profile)
    before = contents(profile.folder)

    class Broken(Gimp):
        def write(self, target: Path) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(NotReady, match="No space left"):
        install(Broken(), profile)
    assert contents(profile.folder) == before


def test_zip_holds_the_plugin_and_is_the_same_each_time(tmp_path: Path, profile: Profile) -> None:
    install(Gimp(), profile)
    first = build(Gimp(), tmp_path / "a", "1.0")
    second = build(Gimp(), tmp_path / "b", "1.0")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        archive.extractall(tmp_path / "unpacked")
        script = archive.getinfo("bshm_remove_background/bshm_remove_background.py")
    assert script.external_attr >> 16 & stat.S_IXUSR
    assert contents(tmp_path / "unpacked/bshm_remove_background") == contents(
        profile.folder / PLUGIN
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are those of Linux")
def test_command_lists_installs_and_uninstalls(tmp_path: Path) -> None:
    for folder in (".config/GIMP/3.0", "snap/gimp/current/.config/GIMP/3.0"):
        (tmp_path / folder).mkdir(parents=True)
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}

    def plugins(*words: str) -> tuple[int, list[dict[str, str]]]:
        done = subprocess.run(
            [sys.executable, "-m", "bshm_bridge", "plugins", *words, "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, json.loads(done.stdout or "[]")

    code, rows = plugins("install", "gimp")
    assert code == 0
    assert [(row["label"], row["change"], row["version"]) for row in rows] == [
        ("GIMP 3.0", "installed", __version__),
        ("GIMP 3.0 (Snap)", "installed", __version__),
    ]
    # The plugin starts the service that installed it.
    launch = json.loads((tmp_path / ".local/share/bshm-bridge/launch.json").read_text())
    assert launch["command"][0] == sys.executable
    assert [row["version"] for row in plugins("list", "gimp")[1]] == [__version__] * 2
    assert [row["change"] for row in plugins("uninstall", "gimp")[1]] == ["removed"] * 2
    assert not list(tmp_path.rglob("bshm_remove_background"))
    assert plugins("install", "paint")[0] == 2


@pytest.mark.parametrize(("action", "code"), [("install", 1), ("list", 0)])
def test_command_says_so_where_there_is_no_editor(tmp_path: Path, action: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bshm_bridge", "plugins", action, "gimp"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code
    assert done.stderr == "No GIMP profile was found: start the editor once, then try again.\n"
