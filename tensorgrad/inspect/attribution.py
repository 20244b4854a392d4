"""What `attribute` found: the parts of a gradient, measured against the whole."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._errors import GradientError
from .._tree import flatten, unflatten
from ..viz import SVG
from ..viz.shares import Bar, share_chart
from . import attribution_text as text

Array = np.ndarray[Any, np.dtype[Any]]

MOST = 20
"""So many parts are shown where nobody says how many."""


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a gradient.

    Attributes:
        label: what to call it.
        gradient: an array, or a container of arrays like the parameters that were given.
        norm: the root of the sum of its squares, over all parameters.
        share: how much of the whole it makes up, measured along the whole: ``part · g / |g|²``. Shares of all parts and
            the remainder sum to 1; a negative one pulls against the whole. NaN if the whole is zero.
        cosine: of the angle to the whole. NaN if either is zero.
        key: what it is, as data: the name of a term, the number of a sample or a use, the names along a path.
        note: where it comes from, in words.
    """

    label: str
    gradient: Any = field(repr=False)
    norm: float
    share: float
    cosine: float
    key: Any = None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Attribution:
    """A gradient taken apart: made by `tensorgrad.attribute`. Print it, or take its parts.

    Attributes:
        by: what it was split by.
        parts: terms, uses in the order of the program; samples, paths with the greatest norm first.
        remainder: what belongs to no part, or was left together; None if there is nothing.
        total: the whole gradient, from a pass of its own.
        residue: the norm of the whole less all parts and the remainder: rounding.
        parameters: their names, in the order of the gradients.
        loss: its name.
    """

    by: str
    parts: tuple[Part, ...]
    remainder: Part | None
    total: Part
    residue: float
    parameters: tuple[str, ...]
    loss: str = "loss"

    def __len__(self) -> int:
        return len(self.parts)

    def __str__(self) -> str:
        lines = [self.table()]
        if self.by == "term" and 1 < len(self.parts) <= MOST:
            lines += ["", str(self.conflicts())]
        return "\n".join(lines)

    def __getitem__(self, name: str) -> Attribution:
        """The same for one of several parameters, by its name.

        Args:
            name: one of ``parameters``.

        Raises:
            GradientError: there is none of that name.
        """
        if name not in self.parameters:
            raise GradientError(
                f"attribution: there is no parameter {name!r}; there are {', '.join(self.parameters[:20])}"
            )
        i = self.parameters.index(name)

        def one(part: Part) -> Part:
            return replace(part, gradient=flatten(part.gradient)[0][i])

        rest = None if self.remainder is None else one(self.remainder)
        return measured(self.by, map(one, self.parts), rest, one(self.total).gradient, (name,), self.loss)

    def top(self, k: int, by: str = "norm") -> Attribution:
        """The strongest parts, and all others in the remainder.

        Args:
            k: how many.
            by: ``"norm"``, or ``"share"`` for its magnitude: what moves the parameters most along the whole gradient.

        Raises:
            GradientError: ``by`` is neither.
        """
        if by not in ("norm", "share"):
            raise GradientError(f"attribution: top by {by!r}; give 'norm' or 'share'")
        ranked = sorted(self.parts, key=lambda part: _rank(getattr(part, by)), reverse=True)
        kept, others = ranked[:k], ranked[k:]
        if not others:
            return replace(self, parts=tuple(kept))
        gradient = summed([part.gradient for part in others if part is not None])
        label = f"{len(others)} more {text.plural(self.by, len(others))}"
        if self.remainder is not None:
            gradient = summed([gradient, self.remainder.gradient])
            label = f"{label} and {self.remainder.label}"
        rest = Part(label, gradient, 0.0, 0.0, 0.0)
        return measured(self.by, kept, rest, self.total.gradient, self.parameters, self.loss)

    def conflicts(self) -> Conflicts:
        """The cosine between each two parts: below 0 they pull in opposite directions."""
        rows = np.stack([flat(part.gradient) for part in self.parts]) if self.parts else np.zeros((0, 0))
        norms = np.array([part.norm for part in self.parts])
        with np.errstate(all="ignore"):
            cosines = (rows @ rows.conj().T).real / np.outer(norms, norms)
        return Conflicts(tuple([part.label for part in self.parts]), np.clip(cosines, -1, 1))

    def table(self, limit: int = MOST) -> str:
        """All as text: a row for each part.

        Args:
            limit: how many parts are shown; the strongest, and a line says how many others there are.
        """
        return text.table(self, limit)

    def _repr_html_(self) -> str:
        more = self.conflicts()._repr_html_() if self.by == "term" and 1 < len(self.parts) <= MOST else ""
        return f"<div>{self.to_svg()}{more}</div>"

    def to_svg(self, limit: int = MOST) -> SVG:
        """A picture: a bar for the share of each part, to the left of zero where it pulls against the whole.

        Args:
            limit: how many parts have a bar of their own; the strongest, and one bar for all others.

        Returns:
            The text of an SVG file, for light and dark.
        """
        shown = self if len(self.parts) <= limit else self.top(limit)
        bars = [
            Bar(part.label, part.share, f"norm {text.amount(part.norm)}", part.note) for part in shown.parts
        ]
        if shown.remainder is not None:
            rest = shown.remainder
            bars.append(Bar(rest.label, rest.share, f"norm {text.amount(rest.norm)}", rest.note, rest=True))
        return share_chart(bars, title=text.title(self), note=text.foot(self))

    def to_json(self, *, gradients: bool = False, indent: int | None = None) -> str:
        """All as JSON. A number that is not finite is null.

        Args:
            gradients: write the gradients as well, as nested lists by the names of the parameters.
            indent: of the text.
        """

        def one(part: Part) -> dict[str, Any]:
            key = list(part.key) if isinstance(part.key, tuple) else part.key
            row = {"label": part.label, "key": key, "note": part.note}
            row |= {name: _finite(getattr(part, name)) for name in ("norm", "share", "cosine")}
            if gradients:
                row["gradient"] = {
                    name: _listed(g)
                    for name, g in zip(self.parameters, flatten(part.gradient)[0], strict=True)
                }
            return row

        content = {
            "by": self.by,
            "loss": self.loss,
            "parameters": list(self.parameters),
            "parts": [one(part) for part in self.parts],
            "remainder": None if self.remainder is None else one(self.remainder),
            "total": one(self.total),
            "residue": _finite(self.residue),
        }
        return json.dumps(content, indent=indent, ensure_ascii=False)


@dataclass(frozen=True, eq=False)
class Conflicts:
    """The cosines between the parts of a gradient.

    Attributes:
        labels: of the parts.
        cosines: of shape (parts, parts); NaN beside a part that is zero.
    """

    labels: tuple[str, ...]
    cosines: Array

    @property
    def worst(self) -> tuple[str, str, float] | None:
        """The two parts that pull against each other most, and their cosine; None if no two do."""
        upper = np.triu(np.nan_to_num(self.cosines), 1)
        if not upper.size or upper.min() >= 0:
            return None
        i, j = np.unravel_index(int(upper.argmin()), upper.shape)
        return self.labels[i], self.labels[j], float(upper[i, j])

    def __str__(self) -> str:
        return text.matrix(self)

    def _repr_html_(self) -> str:
        return text.matrix_html(self)


def measured(
    by: str,
    parts: Iterable[Part],
    remainder: Part | None,
    total: Any,
    parameters: Sequence[str],
    loss: str,
) -> Attribution:
    """An attribution whose parts are measured against the whole."""
    whole = flat(total)
    size = float(np.linalg.norm(whole))
    left = whole.copy()

    def one(part: Part) -> Part:
        row = flat(part.gradient)
        left.__isub__(row)
        return replace(part, **against(row, whole, size))

    found = tuple([one(part) for part in parts])
    rest = None if remainder is None else one(remainder)
    everything = Part("total", total, **against(whole, whole, size))
    return Attribution(by, found, rest, everything, float(np.linalg.norm(left)), tuple(parameters), loss)


def against(row: Array, whole: Array, size: float) -> dict[str, Any]:
    """The three numbers of a part whose entries are ``row``."""
    norm = float(np.linalg.norm(row))
    along = float(np.vdot(whole, row).real)
    share = along / size / size if size else math.nan
    return {"norm": norm, "share": share, "cosine": along / size / norm if size and norm else math.nan}


def flat(gradient: Any) -> Array:
    """All entries of a gradient in one row, in double precision."""
    rows = [np.ravel(one) for one in flatten(gradient)[0]]
    row = np.concatenate(rows) if rows else np.zeros(0)
    return row.astype(np.complex128 if row.dtype.kind == "c" else np.float64)


def summed(gradients: Sequence[Any]) -> Any:
    """The sum of gradients of one structure."""
    leaves, tree = flatten(gradients[0])
    others = [flatten(one)[0] for one in gradients[1:]]
    return unflatten(tree, [sum(rest, first) for first, *rest in zip(leaves, *others, strict=True)])


# ---- helpers


def _rank(value: float) -> float:
    """What is not finite comes first, for it is what somebody looks for."""
    return abs(value) if math.isfinite(value) else math.inf


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _listed(g: Any) -> Any:
    g = np.asarray(g)
    if g.dtype.kind == "c":
        return {"real": _listed(g.real), "imag": _listed(g.imag)}
    kept: Any = np.where(np.isfinite(g), g.astype(object), None)
    return kept.tolist()
