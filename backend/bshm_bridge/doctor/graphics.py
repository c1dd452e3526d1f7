"""The graphics card and its driver, without any runtime."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bshm_bridge.doctor.finding import Finding
from bshm_worker.gpu import Driver, ask_driver

_AREA = "graphics"
_NVIDIA, _AMD, _INTEL = "0x10de", "0x1002", "0x8086"


def examine_graphics(
    driver: Driver | None = None, vendors: frozenset[str] | None = None
) -> Iterator[Finding]:
    """Look at the card.

    Parameters
    ----------
    driver
        What NVIDIA's driver says; asked where it is None.
    vendors
        PCI vendors of the display adapters; looked up where it is None.
    """
    driver = ask_driver() if driver is None else driver
    vendors = display_vendors() if vendors is None else vendors
    if not driver.problem:
        version = ".".join(map(str, driver.cuda))
        for name, capability in zip(driver.names, driver.capabilities, strict=True):
            yield Finding(
                _AREA,
                "ok",
                f"{name}, compute capability {'.'.join(map(str, capability))}; its driver "
                f"supports CUDA up to {version}.",
            )
            if capability >= (8, 0):
                yield Finding(
                    _AREA,
                    "note",
                    f"{name} is newer than the CUDA 10.0 that tensorflow-gpu 1.15.5 from PyPI "
                    "was built for: it may be slow to start there, or fail.",
                    "Use `bshm engines install tf2`, or a build of TensorFlow 1.15 for a newer "
                    "CUDA with `bshm engines add tf1 --python PATH`.",
                )
        return
    sentence = driver.problem[0].upper() + driver.problem[1:] + "."
    if _NVIDIA in vendors:
        yield Finding(
            _AREA,
            "problem",
            f"There is an NVIDIA card, but {driver.problem}: everything runs on the processor.",
            "Install or repair NVIDIA's driver and restart the computer.",
        )
    elif sys.platform == "darwin":
        yield Finding(_AREA, "ok", "Apple's GPU is used by ONNX models.")
    elif vendors & {_AMD, _INTEL} and sys.platform == "win32":
        yield Finding(_AREA, "ok", "The card is used by ONNX models, through DirectML.")
    else:
        yield Finding(
            _AREA,
            "note",
            f"{sentence} Models run on the processor.",
            "That works, and is slower. A card of NVIDIA with its driver makes it fast.",
        )


def display_vendors(root: Path = Path("/sys/class/drm")) -> frozenset[str]:
    """Return the PCI vendors of the display adapters, as Linux tells them; else nothing."""
    found = set()
    for file in root.glob("card*/device/vendor"):
        try:
            found.add(file.read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError):
            continue
    return frozenset(found)
