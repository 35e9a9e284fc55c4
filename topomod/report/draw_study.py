"""Figures of a study's first page: what each architecture learnt, value by value, and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from topomod.neurons.sites import layer_cloud, layer_sites
from topomod.report.colours import GREY, PAPER, styles
from topomod.report.draw_shapes import residue_dots, square_axes
from topomod.report.examples import Middle, principal_components
from topomod.report.plots_labels import LABEL_COLOURS
from topomod.report.svg_axes import Axes, evenly, mark, nice_ticks, text
from topomod.report.svg_figure import Figure
from topomod.report.words import number
from topomod.study.sentences import short_name

THUMB = 116  # pixels of a small cloud
THUMB_POINTS = 300
STRIP_POINTS = 200  # circuits drawn of each architecture; more are thinned evenly by rank


def cloud_pair(middles: Mapping[str, Middle], names: Sequence[str], site: str) -> Figure:
    """Small clouds of two architectures at one site, each of the circuit nearest the middle, coloured by f (a + b)."""
    body, rows = "", []
    for place, name in enumerate(names):
        left = 4 + place * (THUMB + 10)
        body += f'<rect x="{left}" y="4" width="{THUMB}" height="{THUMB}" fill="{PAPER}" stroke="{GREY}"/>'
        body += text(left + THUMB / 2, THUMB + 18, short_name(name), "middle", font_size="11")
        if name in middles and not middles[name].circuit.converged:
            body += text(left + THUMB / 2, THUMB + 32, "(not converged)", "middle", font_size="11")
        if name not in middles or site not in layer_sites(middles[name].layer):
            body += text(left + THUMB / 2, 66, "no cloud", "middle", fill="#1c2024")
            continue
        middle, p = middles[name], len(middles[name].layer.preactivations)
        scores, _ = principal_components(layer_cloud(middle.layer, middle.group, site), 2)
        drawn = evenly(len(scores), THUMB_POINTS)
        a, b = np.divmod(drawn, p)
        residues = middle.group.frequency * (a + b) % p
        body += residue_dots(square_axes(left, 4, THUMB, scores), scores[drawn], residues, p, 2.6)
        table = {"point": drawn, "pc1": scores[drawn, 0], "pc2": scores[drawn, 1], "residue": residues}
        rows.append(pd.DataFrame(table).assign(architecture=name, seed=middle.circuit.seed, site=site))
    frame = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame({"architecture": []})
    words = f"Largest group of the circuit nearest the middle, at the site {site}: first two principal components."
    title = f"{' and '.join(map(short_name, names))}, {site}"
    return Figure(body, 2 * THUMB + 18, THUMB + 38, title, words, frame)


def strip_pair(values: Mapping[str, Float[np.ndarray, " n"]], title: str, unit: str) -> Figure:
    """Every circuit's value of two architectures on one axis, with their means."""
    finite = np.concatenate([own[np.isfinite(own)] for own in values.values()])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    axes = Axes(14, 4, 222, 86, (low - room, high + room), (0, 2))
    body, rows, told = "", [], []
    for place, (name, (colour, shape)) in enumerate(styles(list(values)).items()):
        own = np.sort(values[name][np.isfinite(values[name])])
        y = 1.35 - place
        body += text(14, float(axes.down(y + 0.38)), short_name(name), font_size="11")
        drawn = own[evenly(len(own), STRIP_POINTS)]
        spread = (np.arange(len(drawn)) * 0.618034 % 1 - 0.5) * 0.3  # a fixed scatter, evenly filled
        if len(own):
            body += axes.line([own.mean()] * 2, [y - 0.4, y + 0.2], "currentColor", width=2)
            told.append(f"{short_name(name)}: mean {number(own.mean())} of {len(own)} circuits")
        else:
            body += text(125, float(axes.down(y - 0.1)), "no converged circuit", "middle", font_size="11")
        body += axes.marks(drawn, y - 0.1 + spread, shape, colour, 2.6)
        rows.append(pd.DataFrame({"value": own}).assign(architecture=name, unit=unit))
    body += '<path d="M14 92h222" stroke="currentColor"/>'
    for tick in nice_ticks(*axes.x, 4):
        at = float(axes.across(tick))
        body += f'<path d="M{at:.1f} 92v4" stroke="currentColor"/>' + text(
            at, 108, f"{tick:g}", "middle", font_size="11"
        )
    body += text(125, 124, f"{title}{f' ({unit})' if unit else ''}", "middle", font_size="11")
    frame = pd.concat(rows, ignore_index=True)
    return Figure(body, 250, 132, f"{title}, every circuit", "; ".join(told) + ".", frame)


def label_figure(shares: pd.DataFrame) -> Figure:
    """Share of each label at each site and architecture, as stacked bars with the share written in."""
    rows = [(str(s), str(a), own) for (s, a), own in shares.groupby(["site", "architecture"], sort=False)]
    axes = Axes(220, 24, 400, 26 * len(rows), (0, 1), (0, len(rows)))
    body = ""
    for place, (label, colour) in enumerate(LABEL_COLOURS.items()):
        body += f'<rect x="{220 + 84 * place}" y="4" width="11" height="11" fill="{colour}"/>'
        body += text(235 + 84 * place, 14, label)
    for place, (site, name, own) in enumerate(rows):
        y, start = len(rows) - place, 0.0
        body += text(212, float(axes.down(y - 0.6)), f"{short_name(name)}, {site}", "end")
        for label, share in zip(own["label"], own["mean"].astype(float), strict=True):
            body += axes.box((start, start + share), (y - 0.85, y - 0.1), LABEL_COLOURS[label])
            if share >= 0.1:
                at = float(axes.across(start + share / 2))
                body += text(
                    at, float(axes.down(y - 0.6)), f"{share:.0%}", "middle", fill="#ffffff", font_weight="bold"
                )
            start += share
    described = "; ".join(f"{name} at {site}: {_commonest(own)}" for site, name, own in rows)
    return Figure(body, 640, 32 + 26 * len(rows), "What the groups are", f"{described}.", shares)


def _commonest(own: pd.DataFrame) -> str:
    best = own.sort_values("mean").iloc[-1]
    return f"{best['mean']:.0%} {best['label']}"


def training_figure(histories: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Training loss of all circuits: median, middle 80 %, and the step at which half were right on all pairs."""
    grid = np.unique(np.geomspace(1, max(float(histories["step"].max()), 2.0), 50).round())
    table = pd.concat([_loss_band(histories, name, grid) for name in names], ignore_index=True)
    lowest, highest = float(np.log10(table["low"].min())), float(np.log10(table["high"].max()))
    top = 24 + 16 * len(names)
    axes = Axes(64, top, 460, 200, (1, float(grid[-1])), (lowest - 0.1, highest + 0.1), True)
    ticks = [10**power for power in range(int(np.log10(grid[-1])) + 1)]
    body, told = axes.frame("training step", "loss (power of ten)", ticks), []
    for place, (name, (colour, shape)) in enumerate(styles(list(names)).items()):
        own = table[table["architecture"] == name]
        if own.empty:
            continue
        right = histories[(histories["architecture"] == name) & histories["accurate"].astype(bool)]
        first = right.groupby("seed")["step"].min()
        told.append(f"{short_name(name)}: {_first_right(first, int(own['n'].max()))}")
        body += mark(72, 12 + 16 * place, shape, colour) + text(82, 16 + 16 * place, told[-1])
        body += _band(axes, own, first, colour, shape)
    width = max(540.0, 96 + 7 * max(map(len, told)))
    return Figure(body, width, top + 246, "Training loss", "; ".join(told) + ".", table)


def _band(axes: Axes, own: pd.DataFrame, first: pd.Series, colour: str, shape: str) -> str:
    """Median and middle 80 % of one architecture's losses, and a mark where half of its circuits were right."""
    steps, middle = own["step"].to_numpy(float), np.log10(own["median"].to_numpy(float))
    low, high = (np.log10(own[column].to_numpy(float)) for column in ("low", "high"))
    across, down = axes.across(np.concatenate([steps, steps[::-1]])), axes.down(np.concatenate([low, high[::-1]]))
    edge = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True))
    out = f'<polygon points="{edge}" fill="{colour}" fill-opacity=".2"/>' + axes.line(steps, middle, colour, width=2)
    if len(first):
        half = float(first.median())
        out += axes.marks([half], [np.interp(half, steps, middle)], shape, colour, 6)
    return out


def _first_right(first: pd.Series, n: int) -> str:
    if first.empty:
        return f"none of {n} circuits was right on all pairs"
    return f"{len(first)} of {n} circuits right on all pairs, half of these by step {first.median():.0f}"


def _loss_band(histories: pd.DataFrame, name: str, grid: Float[np.ndarray, " s"]) -> pd.DataFrame:
    """Quantiles of the loss over circuits at steps of a grid, from lines between the stored steps."""
    own = histories[histories["architecture"] == name]
    curves = [np.interp(grid, one["step"], np.log(one["loss"]), right=np.nan) for _, one in own.groupby("seed")]
    stacked = np.array(curves).reshape(-1, len(grid))
    steps = np.isfinite(stacked).any(axis=0)
    low, middle, high = np.exp(np.nanquantile(stacked[:, steps], [0.1, 0.5, 0.9], axis=0))
    table = {"architecture": name, "step": grid[steps], "n": len(curves)}
    return pd.DataFrame(table | {"low": low, "median": middle, "high": high})
