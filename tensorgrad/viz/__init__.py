"""Pictures as text: recorded graphs, learning curves, confusion matrices, regions, small images.

Every function takes plain data and returns a string, most of them an `SVG`, which notebooks show. They
follow the reader's light or dark setting and load nothing from elsewhere.
"""

from tensorgrad.viz.chart import Chart, line_chart, panels
from tensorgrad.viz.curves import learning_curves
from tensorgrad.viz.dot import graph_dot
from tensorgrad.viz.engines import render
from tensorgrad.viz.images import image_grid, png
from tensorgrad.viz.layout import Layout, layered
from tensorgrad.viz.matrix import confusion_chart
from tensorgrad.viz.mermaid import graph_mermaid
from tensorgrad.viz.options import Options
from tensorgrad.viz.picture import Picture, graph
from tensorgrad.viz.plane import decision_regions, scatter_chart
from tensorgrad.viz.sheet import filter_sheet, image_sheet
from tensorgrad.viz.svg import graph_svg
from tensorgrad.viz.svgfile import SVG
from tensorgrad.viz.text import graph_text

__all__ = [
    "Chart",
    "Layout",
    "Options",
    "Picture",
    "SVG",
    "confusion_chart",
    "decision_regions",
    "filter_sheet",
    "graph",
    "graph_dot",
    "graph_mermaid",
    "graph_svg",
    "graph_text",
    "image_grid",
    "image_sheet",
    "layered",
    "learning_curves",
    "line_chart",
    "panels",
    "png",
    "render",
    "scatter_chart",
]
