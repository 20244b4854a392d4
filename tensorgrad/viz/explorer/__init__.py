"""The explorer: one offline page to walk around in a graph."""

from tensorgrad.viz.explorer.page import explorer_html

__all__ = ["explorer_html"]
