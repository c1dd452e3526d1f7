from __future__ import annotations

from pathlib import Path

import pytest

from bshm_bridge.config import Settings, load_settings
from bshm_bridge.errors import InvalidInput


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "config.toml") == Settings()


def test_settings_are_read_and_whole_numbers_may_stand_for_seconds(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[service]\ndevice = "cpu"\nidle_unload = 5\nqueue_limit = 3\n')
    settings = load_settings(path)
    assert (settings.device, settings.idle_unload, settings.queue_limit) == ("cpu", 5.0, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[service]\nspeed = 3", "no setting named 'speed'"),
        ("[service]\nqueue_limit = 'many'", "queue_limit must be of type int"),
        ("[service]\ntcp = 1", "tcp must be of type bool"),
        ("[service]\nqueue_limit = true", "queue_limit must be of type int"),
        ("[service]\nidle_exit = -1", "must not be negative"),
        ("service = 3", "must be a table"),
        ("[service", "cannot be read"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        load_settings(path)
