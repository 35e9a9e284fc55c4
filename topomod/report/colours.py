"""The colours of all figures: distinct kinds, residues, and amounts; legible on light and on dark pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

# Each has a contrast of at least 3 : 1 with the light and with the dark page.
KINDS = ("#2a78c2", "#c46a00", "#00855f", "#b0588f", "#8a6fd0", "#2f8fb8", "#7a7a7a")
MARKERS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star", "hexagon")
GREY = "#7a7a7a"
PAPER = "#ffffff"  # the ground of clouds and heat maps, on dark pages too

# From Oklab to linear sRGB (Ottosson 2020).
_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def styles(architectures: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each architecture."""
    size = len(KINDS)
    return {name: (KINDS[i % size], MARKERS[i % size]) for i, name in enumerate(architectures)}


def oklab_to_srgb(lab: Float[np.ndarray, "n 3"]) -> UInt8[np.ndarray, "n 3"]:
    """Colours of the Oklab space as 8-bit sRGB."""
    linear = np.clip((lab @ _TO_CONES.T) ** 3 @ _TO_RGB.T, 0, 1)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(curved * 255), np.uint8)


def cyclic(turns: Float[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3"]:
    """Colour of an angle in turns: 0 and 1 have the same one.

    The colours run round an ellipse in Oklab: lightness follows the cosine, blue to yellow the sine. Readers who do not
    tell red from green see both.
    """
    angle = 2 * np.pi * np.asarray(turns, float)
    lab = [0.52 + 0.13 * np.cos(angle), 0.03 + 0.07 * np.cos(angle), 0.10 * np.sin(angle)]
    return oklab_to_srgb(np.stack(lab, axis=1))


def diverging(values: Float[np.ndarray, "n m"]) -> UInt8[np.ndarray, "n m 3"]:
    """Colours of values from -1 (blue) over 0 (white) to 1 (orange); lightness carries the amount."""
    share = np.clip(values, -1, 1).ravel()
    size = np.abs(share)
    a = np.where(share > 0, 0.07, -0.03) * size
    b = np.where(share > 0, 0.10, -0.13) * size
    return oklab_to_srgb(np.stack([1 - 0.5 * size, a, b], axis=1)).reshape(*values.shape, 3)


def css(colour: UInt8[np.ndarray, 3]) -> str:
    """A colour as CSS writes it."""
    return "#" + "".join(f"{int(part):02x}" for part in colour)
