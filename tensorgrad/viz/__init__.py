"""Pictures as text: recorded graphs, learning curves, pages of small images.

Every function takes plain data and returns a string; the pictures follow the reader's light or dark
setting and load nothing from elsewhere.
"""

from tensorgrad.viz.chart import Chart, line_chart, panels
from tensorgrad.viz.dot import graph_dot, render
from tensorgrad.viz.images import image_grid, png
from tensorgrad.viz.layout import Layout, layered
from tensorgrad.viz.svg import graph_svg

__all__ = [
    "Chart",
    "Layout",
    "graph_dot",
    "graph_svg",
    "image_grid",
    "layered",
    "line_chart",
    "panels",
    "png",
    "render",
]
