"""Learning curves that are drawn while the run goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .callback import Callback

if TYPE_CHECKING:
    from .trainer import Trainer

DEFAULT = "learning-curves.svg"


class LivePlot(Callback):
    """Draw the learning curves after each epoch: in a notebook in one place, elsewhere as an SVG file.

    Args:
        path: the file, which is written in a notebook too if it is given; ``learning-curves.svg`` by default.

    Raises:
        ValueError: the ending is not ``.svg``.

    Example:
        >>> import pathlib, tempfile, tensorgrad as tg
        >>> x, model = tg.ones((4, 1)), tg.nn.Linear(1, 1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "curves.svg"
        ...     plot = tg.training.LivePlot(path)
        ...     _ = tg.fit(model, (x, x), loss=tg.nn.MSELoss(), epochs=2, callbacks=[plot])
        ...     path.read_text().startswith("<svg")
        True
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path)
        if self.path is not None and self.path.suffix.lower() != ".svg":
            raise ValueError(
                f"LivePlot: {self.path.name!r} does not end in .svg, and the picture is an SVG file"
            )
        self._place: Any = None  # in the notebook

    def on_train_begin(self, trainer: Trainer) -> None:
        """Make the folder; a new run is drawn in a new place."""
        self._place = None
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Trainer) -> None:
        """Draw the history again."""
        picture = trainer.history.plot()
        inside = _is_notebook()
        if self.path is not None or not inside:
            picture.save(self.path or DEFAULT)
        if self._place is not None:
            self._place.update(picture)
        elif inside:
            from IPython.display import display

            self._place = display(picture, display_id=True)


def _is_notebook() -> bool:
    """Whether there is a kernel that shows pictures; the IPython of a terminal has none."""
    if "IPython" not in sys.modules:  # where it runs it is there
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
