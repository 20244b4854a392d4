"""The page about a training run: figures, curves, confusions, mistakes, filters, and how to repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics, viz
from .._environment import report as environment
from ..nn import Conv2d, summary
from ..ops import softmax

if TYPE_CHECKING:
    from .command import Outcome

MISTAKES = 24  # shown, the surest first

_STYLE = """
:root {
  color-scheme: light dark;
  --text: #1c1e21; --faint: #646a73; --line: #d9dce1; --paper: #fff; --tint: #f5f6f8;
}
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e6ea; --faint: #9aa1ab; --line: #3a3f47; --paper: #16181c; --tint: #1f2228 }
}
body {
  font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
}
h1 { font-size: 1.6rem; margin: 0 }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
p.lead { color: var(--faint); margin: .2rem 0 1.4rem }
.figures { display: flex; flex-wrap: wrap; gap: .8rem }
.figures div { background: var(--tint); border-radius: .5rem; padding: .6rem 1rem }
.figures b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.figures span { color: var(--faint); font-size: .85rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--line) }
th:first-child, td:first-child { text-align: left }
pre { background: var(--tint); padding: .8rem 1rem; border-radius: .5rem; overflow-x: auto; font-size: .85rem }
svg { max-width: 100%; height: auto }
"""


def page(outcome: Outcome) -> str:
    """The report as one HTML file that needs nothing else."""
    task, model = outcome.task, outcome.model
    images, labels = (np.asarray(part) for part in task.test)
    said = outcome.predictions.argmax(1)
    sections = [
        _figures(outcome),
        _section("Learning curves", outcome.history.plot()),
        _section(
            "What is taken for what",
            viz.confusion_chart(metrics.confusion_matrix(outcome.predictions, labels), task.classes),
        ),
        _section("By class", _by_class(said, labels, task.classes)),
        _section("Surest mistakes", _mistakes(images, labels, outcome.predictions, task.classes)),
    ]
    first = next((module for module in model.modules() if isinstance(module, Conv2d)), None)
    if first is not None:
        sections.append(_section("Filters of the first convolution", viz.filter_sheet(first.weight)))
    sections += [
        _section("The model", _pre(str(summary(model, (1, *images.shape[1:]))))),
        _section("To repeat it", _pre(outcome.command + "\n\n" + environment())),
    ]
    title = f"{escape(task.name)}: {outcome.test_accuracy:.2%} right"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>\n'
        f'<h1>{title}</h1>\n<p class="lead">{escape(outcome.recipe.describe)}</p>\n'
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def _figures(outcome: Outcome) -> str:
    figures = {
        "test accuracy": f"{outcome.test_accuracy:.2%}",
        "test loss": f"{outcome.test_loss:.4f}",
        "test images": f"{len(outcome.task.test[1]):,}",
        "training images": f"{len(outcome.task.train[1]):,}",
        "epochs": str(len(outcome.history)),
        "parameters": f"{sum(p.size for p in outcome.model.parameters()):,}",
        "training time": f"{outcome.seconds:.0f} s",
        "seed": str(outcome.seed),
    }
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for name, value in figures.items())
    return f'<div class="figures">{cells}</div>'


def _by_class(said: Any, labels: Any, names: Sequence[str]) -> str:
    measures = [
        measure(said, labels, average=None, num_classes=len(names))
        for measure in (metrics.precision, metrics.recall, metrics.f1)
    ]
    head = "".join(f"<th>{title}</th>" for title in ("class", "precision", "recall", "F1", "images"))
    rows = [f"<tr>{head}</tr>"]
    for k, name in enumerate(names):
        shares = "".join(f"<td>{float(measure[k]):.1%}</td>" for measure in measures)
        rows.append(f"<tr><td>{escape(name)}</td>{shares}<td>{int(np.sum(labels == k)):,}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _mistakes(images: Any, labels: Any, predictions: Any, names: Sequence[str]) -> str:
    shares = np.asarray(softmax(predictions, -1))
    said = shares.argmax(1)
    wrong = np.flatnonzero(said != labels)
    worst = wrong[np.argsort(-shares[wrong, said[wrong]], kind="stable")][:MISTAKES]
    if not len(worst):
        return "<p>There are none.</p>"
    captions = [f"{names[said[i]]}, {shares[i, said[i]]:.0%}\nis {names[labels[i]]}" for i in worst]
    return viz.image_sheet(
        images[worst], captions, note=f"{len(wrong):,} of {len(labels):,} images are named wrongly"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{body}"


def _pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"
