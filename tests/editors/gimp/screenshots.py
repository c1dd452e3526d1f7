"""Makes the README's pictures of GIMP: ``python -m tests.editors.gimp.screenshots``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from bshm_bridge import samples
from tests.editors.gimp.runner import GimpRunner
from tests.editors.provision import sandbox_for
from tests.editors.sandbox import REPOSITORY
from tests.editors.service import TestService, wait_for

IMAGES = REPOSITORY / "docs" / "images"
WORDS = {
    "en_US": ("Layer", "Remove Background"),
    "zh_CN": ("图层", "移除背景"),
}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    sandbox = sandbox_for("gimp")
    service = TestService(sandbox, folder / "service")
    gimp = GimpRunner(sandbox, folder / "gimp", service.home)
    with Image.open(samples.portrait()) as portrait:
        picture = portrait.convert("RGB")
        picture.thumbnail((512, 512))
    file = folder / "picture"
    file.write_bytes(picture.tobytes())
    try:
        for language, words in WORDS.items():
            take(gimp, language, words, file, picture.size)
    finally:
        service.kill()


def take(
    gimp: GimpRunner, language: str, words: tuple[str, str], file: Path, size: tuple[int, int]
) -> None:
    menu, name = words
    short = language.split("_")[0]
    with gimp.window(language=language) as window:
        window.do(f"""
            global image, layer, display
            image, layer, display = open_picture({str(file)!r}, *{size})
            layer.set_name('photo')
            menu({menu!r}, {name + "…"!r})
            dialog = find('dialog', {name!r})
            find('label', 'classic', dialog)
            window_screenshot({name!r}, {str(IMAGES / f"gimp-dialog-{short}.png")!r})
            press(find('button', {name!r}, dialog))
        """)
        if language != "en_US":
            return
        wait_for(lambda: window.do("return layer.get_mask() is not None"))
        window.do(f"""
            press(find('button', 'OK', find('dialog', 'GIMP Message')))
            time.sleep(1)
            window_screenshot('GIMP', {str(IMAGES / "gimp-window.png")!r}, (1150, 760))
        """)


if __name__ == "__main__":
    main()
