"""A pair of axes in an SVG figure: it places data, and writes marks, lines, bars and pixels."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

Number = int | float
# Marks as paths around (0, 0), for a radius of 1.
SHAPES = {
    "circle": "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0z",
    "square": "M-.9 -.9h1.8v1.8h-1.8z",
    "diamond": "M0 -1.25L1.25 0L0 1.25L-1.25 0z",
    "triangle-up": "M0 -1.2L1.1 .8H-1.1z",
    "triangle-down": "M0 1.2L1.1 -.8H-1.1z",
    "star": "M0 -1.4L.4 -.4L1.4 0L.4 .4L0 1.4L-.4 .4L-1.4 0L-.4 -.4z",
    "hexagon": "M-.6 -1H.6L1.15 0L.6 1H-.6L-1.15 0z",
    "x": "M-1 -1L1 1M-1 1L1 -1",
    "triangle-right": "M1.2 0L-.8 1.1V-1.1z",
    "triangle-left": "M-1.2 0L.8 1.1V-1.1z",
}


def text(x: Number, y: Number, words: str, anchor: str = "start", **style: Any) -> str:
    """One line of text; names of styles are written with ``_`` for ``-``."""
    own = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{own}>{escape(words)}</text>'


def mark(x: Number, y: Number, shape: str, colour: str, size: Number = 4.5, hollow: bool = False) -> str:
    """One mark; the hollow ones are outlines, and so is the cross."""
    outline = hollow or shape == "x"
    paint = f'fill="none" stroke="{colour}" stroke-width="{2 / size:.3g}"' if outline else f'fill="{colour}"'
    return f'<path transform="translate({x:.1f} {y:.1f}) scale({size:g})" d="{SHAPES[shape]}" {paint}/>'


def nice_ticks(low: Number, high: Number, most: int = 5) -> list[float]:
    """Round numbers in a range, at most ``most`` + 1 of them.

    Examples
    --------
    >>> nice_ticks(0, 1), nice_ticks(-2.3, 31)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 10.0, 20.0, 30.0])
    """
    raw = (high - low) / most
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    places = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1)
    return [float(np.round(place * step, 12)) + 0.0 for place in places]


def evenly(n: int, most: int) -> Int[np.ndarray, " k"]:
    """Places of at most so many of n things, evenly spaced, both ends among them; for a figure that cannot hold all.

    Examples
    --------
    >>> evenly(7, 3).tolist(), evenly(2, 3).tolist(), evenly(0, 3).tolist()
    ([0, 3, 6], [0, 1], [])
    """
    return np.asarray(np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)))


@dataclass(frozen=True)
class Axes:
    """A rectangle of a figure and the range of data that it shows.

    Parameters
    ----------
    left, top, width, height : float
        The rectangle, in pixels.
    x, y : (float, float)
        Least and largest value shown; ``y`` grows upwards.
    log_x : bool
        Whether x runs with its logarithm.
    """

    left: Number
    top: Number
    width: Number
    height: Number
    x: tuple[Number, Number]
    y: tuple[Number, Number]
    log_x: bool = False

    def across(self, values: Any) -> Float[np.ndarray, " *n"]:
        """Pixels from the left of values of x."""
        scale = np.log if self.log_x else np.asarray
        low, high = (float(scale(end)) for end in self.x)
        return np.asarray(self.left + (scale(np.asarray(values, float)) - low) / (high - low) * self.width)

    def down(self, values: Any) -> Float[np.ndarray, " *n"]:
        """Pixels from the top of values of y."""
        low, high = self.y
        share = (np.asarray(values, float) - low) / (high - low)
        return np.asarray(self.top + (1 - share) * self.height)

    def frame(self, x_title: str, y_title: str, x_ticks: Sequence[Number] | None = None, percent: bool = False) -> str:
        """Axis lines, ticks and titles."""
        bottom = self.top + self.height
        corner = f"M{self.left:.1f} {self.top:.1f}V{bottom:.1f}h{self.width:.1f}"
        out = f'<path d="{corner}" fill="none" stroke="currentColor"/>'
        for value in nice_ticks(*self.x) if x_ticks is None else x_ticks:
            at = float(self.across(value))
            out += f'<path d="M{at:.1f} {bottom:.1f}v4" stroke="currentColor"/>'
            out += text(at, bottom + 16, f"{value:g}", "middle")
        for value in nice_ticks(*self.y):
            at = float(self.down(value))
            out += f'<path d="M{self.left:.1f} {at:.1f}h-4" stroke="currentColor"/>'
            out += text(self.left - 7, at + 4, f"{value:.0%}" if percent else f"{value:g}", "end")
        middle = self.top + self.height / 2
        out += text(self.left + self.width / 2, bottom + 32, x_title, "middle")
        turned = f"rotate(-90 {self.left - 40:.1f} {middle:.1f})"
        return out + text(self.left - 40, middle, y_title, "middle", transform=turned)

    def line(self, x: Any, y: Any, colour: str = "currentColor", dash: str = "", width: Number = 1.5) -> str:
        """Straight lines through points."""
        places = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(self.across(x), self.down(y), strict=True))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'

    def marks(self, x: Any, y: Any, shape: str, colour: str, size: Number = 4, hollow: bool = False) -> str:
        """A mark at each point."""
        places = zip(self.across(x), self.down(y), strict=True)
        return "".join(mark(float(a), float(b), shape, colour, size, hollow) for a, b in places)

    def dots(self, x: Any, y: Any, colour: str, size: Number = 3) -> str:
        """Round dots as one path: a tenth of the text that marks take."""
        places = zip(np.round(self.across(x), 1), np.round(self.down(y), 1), strict=True)
        path = "".join(f"M{a:g} {b:g}h0" for a, b in places)
        return f'<path d="{path}" stroke="{colour}" stroke-width="{size:g}" stroke-linecap="round"/>'

    def box(self, x: tuple[Number, Number], y: tuple[Number, Number], colour: str, opacity: Number = 1) -> str:
        """A filled rectangle between two values of x and two of y."""
        (x0, x1), (y1, y0) = self.across(x), self.down(y)
        paint = f'fill="{colour}"' + (f' fill-opacity="{opacity:g}"' if opacity < 1 else "")
        return f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0, 0):.1f}" height="{max(y1 - y0, 0):.1f}" {paint}/>'

    def pixels(self, colours: UInt8[np.ndarray, "n m 3"]) -> str:
        """An image that fills the axes, first row on top."""
        data = base64.b64encode(png(colours)).decode()
        return (
            f'<image x="{self.left:g}" y="{self.top:g}" width="{self.width:g}" height="{self.height:g}" '
            'preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/>'
        )


def png(colours: UInt8[np.ndarray, "n m 3"]) -> bytes:
    """An image as PNG, eight bits a channel (ISO/IEC 15948)."""
    height, width, _ = colours.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), colours.reshape(height, -1)], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
