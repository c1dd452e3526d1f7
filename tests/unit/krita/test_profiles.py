from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bshm_bridge.editors.install import build, install, uninstall
from bshm_bridge.editors.krita import PLUGIN, Krita, user_folders


@pytest.mark.parametrize(
    ("platform", "environment", "found"),
    [
        (
            "linux",
            {},
            {
                ("", ".local/share/krita", ".config/kritarc"),
                (
                    "Flatpak",
                    ".var/app/org.kde.krita/data/krita",
                    ".var/app/org.kde.krita/config/kritarc",
                ),
                (
                    "Snap",
                    "snap/krita/current/.local/share/krita",
                    "snap/krita/current/.config/kritarc",
                ),
            },
        ),
        (
            "darwin",
            {},
            {("", "Library/Application Support/Krita", "Library/Preferences/kritarc")},
        ),
        ("win32", {}, {("", "AppData/Roaming/krita", "AppData/Local/kritarc")}),
    ],
)
def test_folders_are_kritas_own(
    platform: str, environment: dict[str, str], found: set[tuple[str, str, str]]
) -> None:
    home = Path("/home/ada")
    folders = user_folders(environment, platform, home)
    assert {
        (word, str(resources.relative_to(home)), str(settings.relative_to(home)))
        for word, resources, settings in folders
    } == found


def test_xdg_folders_win() -> None:
    environment = {"XDG_DATA_HOME": "/data", "XDG_CONFIG_HOME": "/config"}
    word, resources, settings = user_folders(environment, "linux", Path("/home/ada"))[0]
    assert (word, resources, settings) == ("", Path("/data/krita"), Path("/config/kritarc"))


def editor_in(folder: Path) -> Krita:
    return Krita([("", folder / "krita", folder / "kritarc")])


def test_profile_that_was_never_used_is_none(tmp_path: Path) -> None:
    assert editor_in(tmp_path).profiles() == []
    (tmp_path / "krita").mkdir()
    assert [profile.label for profile in editor_in(tmp_path).profiles()] == ["Krita"]


def test_install_enables_and_uninstall_leaves_other_lines_alone(tmp_path: Path) -> None:
    editor = editor_in(tmp_path)
    before = "a=1\n\n[python]\nenable_other=true\n\n[theme]\nTheme=Krita bright\n"
    (tmp_path / "krita").mkdir()
    (tmp_path / "kritarc").write_text(before)
    (profile,) = editor.profiles()
    install(editor, profile)
    assert (
        f"[python]\nenable_{PLUGIN}=true\nenable_other=true\n" in (tmp_path / "kritarc").read_text()
    )
    assert editor.version(profile)
    package = tmp_path / "krita/pykrita" / PLUGIN
    assert (package / "vendor/bridge_client/client.py").is_file()
    assert (package / "vendor/google/protobuf/message.py").is_file()
    assert list((package / "licences").iterdir())
    install(editor, profile)
    assert (tmp_path / "kritarc").read_text().count(f"enable_{PLUGIN}") == 1
    assert uninstall(editor, profile)
    assert (tmp_path / "kritarc").read_text() == before
    assert [path for path in (tmp_path / "krita").rglob("*") if path.is_file()] == []
    assert not uninstall(editor, profile)


def test_settings_are_made_where_there_are_none(tmp_path: Path) -> None:
    editor = editor_in(tmp_path)
    (tmp_path / "krita").mkdir()
    install(editor, editor.profiles()[0])
    assert (tmp_path / "kritarc").read_text() == f"[python]\nenable_{PLUGIN}=true\n"


def test_zip_has_what_kritas_importer_looks_for(tmp_path: Path) -> None:
    with zipfile.ZipFile(build(editor_in(tmp_path), tmp_path / "dist", "1")) as archive:
        names = archive.namelist()
        assert any(name.endswith(f"/{PLUGIN}/") for name in names)
        assert f"pykrita/{PLUGIN}/__init__.py" in names
        assert f"pykrita/{PLUGIN}.desktop" in names
        assert f"actions/{PLUGIN}.action" in names
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())
        assert not any("__pycache__" in name for name in names)
