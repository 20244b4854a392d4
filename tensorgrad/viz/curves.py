"""The course of a training: one panel for each measure, with training and validation in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorgrad.viz.chart import Chart, panels
from tensorgrad.viz.picture import Picture

VALIDATION = "val_"


def learning_curves(
    history: Mapping[str, Sequence[float]], *, title: str = "", x_label: str = "epoch", start: int = 1
) -> Picture:
    """Draw how measures went from epoch to epoch.

    Args:
        history: for each measure its values. ``"val_loss"`` stands in the panel of ``"loss"``.
        title: a heading.
        x_label: what the values are counted by.
        start: the number of the first value.

    Returns:
        The picture, for light and dark.

    Raises:
        ShapeError: the values of a measure are no row of numbers.

    Example:
        >>> picture = learning_curves({"loss": [0.9, 0.4], "val_loss": [1.0, 0.6], "accuracy": [0.5, 0.8]})
        >>> picture.count('class="panel"'), picture.count('class="curve"')
        (2, 3)
    """
    measures = list(dict.fromkeys(name.removeprefix(VALIDATION) for name in history))
    return panels([_chart(history, measure, x_label, start) for measure in measures], title=title)


def _chart(history: Mapping[str, Sequence[float]], measure: str, x_label: str, start: int) -> Chart:
    found = {"training": history.get(measure), "validation": history.get(VALIDATION + measure)}
    series: dict[str, tuple[Any, Any]] = {
        name: (range(start, start + len(values)), values)
        for name, values in found.items()
        if values is not None
    }
    values = [value for _, ys in series.values() for value in ys]
    share = "acc" in measure and all(0 <= value <= 1 for value in values)
    return Chart(series, measure.replace("_", " "), x_label, y_format=".1%" if share else None)
