"""Real photographs with a matte of higher resolution than the network is given."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .scenes import PORTRAIT, Scene, read


def from_files(picture: Path, matte: Path) -> Scene:
    """A photograph and its matte, from files of one size."""
    image, alpha = read(picture), read(matte, cv2.IMREAD_GRAYSCALE)
    if image.shape[:2] != alpha.shape:
        raise SystemExit(f"{picture} and {matte} are not a picture and its matte.")
    image = np.ascontiguousarray(image[..., ::-1])
    return Scene(f"photo {picture.stem}", image, alpha.astype(np.float32) / np.float32(255), None)


def portrait() -> Scene | None:
    """The sample portrait with its closed-form matte; None where pymatting is not installed.

    The trimap comes from GrabCut with a rough outline of the sitter drawn by hand.
    """
    try:
        from pymatting import estimate_alpha_cf
    except ImportError:
        return None
    picture = read(PORTRAIT)
    labels = np.full(picture.shape[:2], cv2.GC_BGD, np.uint8)
    body = np.array(
        [[0, 511], [20, 330], [90, 190], [160, 120], [300, 120], [380, 230], [500, 511]]
    )
    cv2.fillPoly(labels, [body], cv2.GC_PR_FGD)
    cv2.ellipse(labels, (222, 95), (85, 95), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(labels, (222, 105), (50, 65), 0, 0, 360, cv2.GC_FGD, -1)
    cv2.ellipse(labels, (215, 420), (130, 110), 0, 0, 360, cv2.GC_FGD, -1)
    cv2.setRNGSeed(0)
    cv2.grabCut(
        picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_MASK
    )
    subject = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    trimap = np.full(subject.shape, 0.5)
    trimap[cv2.erode(subject, disc) > 0] = 1
    trimap[cv2.dilate(subject, disc) == 0] = 0
    image = np.ascontiguousarray(picture[..., ::-1])
    alpha = estimate_alpha_cf(image / 255, trimap)
    return Scene("photo portrait", image, np.clip(alpha, 0, 1).astype(np.float32), None)
