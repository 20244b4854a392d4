"""The course of a training: one panel for each measure, with training and validation in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorgrad._errors import ShapeError
from tensorgrad.viz.chart import Chart, panels
from tensorgrad.viz.svgfile import SVG

VALIDATION = "val_"


def learning_curves(history: Any, *, title: str = "", x_label: str = "epoch") -> SVG:
    """Draw how measures went from epoch to epoch.

    Args:
        history: for each measure its values, a `tensorgrad.training.History` or a dict. ``"val_loss"``
            stands in the panel of ``"loss"``; ``"epoch"`` numbers them, otherwise they count from 1. None
            is a value that was not measured.
        title: a heading.
        x_label: what the values are counted by.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the values of a measure are no row of numbers, or not as many as epochs.

    Example:
        >>> picture = learning_curves({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6], "accuracy": [0.5, 0.8]})
        >>> picture.count('class="panel"'), picture.count('class="curve"')
        (2, 3)
    """
    columns = {name: history[name] for name in getattr(history, "names", history)}
    epochs = columns.pop("epoch", None)
    measures = list(dict.fromkeys(name.removeprefix(VALIDATION) for name in columns))
    return panels([_chart(columns, epochs, measure, x_label) for measure in measures], title=title)


def _chart(columns: Mapping[str, Any], epochs: Any, measure: str, x_label: str) -> Chart:
    found = {"training": columns.get(measure), "validation": columns.get(VALIDATION + measure)}
    series = {name: _measured(values, epochs) for name, values in found.items() if values is not None}
    values = [value for _, ys in series.values() for value in ys]
    share = "acc" in measure and all(0 <= value <= 1 for value in values)
    return Chart(series, measure.replace("_", " "), x_label, y_format=".1%" if share else None)


def _measured(values: Sequence[float | None], epochs: Any) -> tuple[list[Any], list[Any]]:
    """Epochs and values where there is one."""
    xs = range(1, len(values) + 1) if epochs is None else epochs
    if len(xs) != len(values):
        raise ShapeError(f"learning_curves: there are {len(values)} values for {len(xs)} epochs")
    kept = [(x, y) for x, y in zip(xs, values, strict=True) if y is not None]
    return [x for x, _ in kept], [y for _, y in kept]
