"""Figures of single results, for notebooks and papers: each takes what the library returns and gives a figure back.

A figure shows itself in a notebook, and saves itself as SVG or its table as CSV::

    figure = topomod.plots.plot_verdict(topomod.classify_manifold(X, p=59), X, p=59)
    figure.save("cloud.svg")
    figure.save("cloud.csv")
"""

from topomod.report.draw_groups import plot_group
from topomod.report.draw_moves import plot_move
from topomod.report.draw_shapes import plot_cloud, plot_diagram, plot_verdict
from topomod.report.draw_tests import plot_equivalence, plot_power
from topomod.report.svg_figure import Figure

__all__ = [
    "Figure",
    "plot_cloud",
    "plot_diagram",
    "plot_equivalence",
    "plot_group",
    "plot_move",
    "plot_power",
    "plot_verdict",
]
