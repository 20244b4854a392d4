"""Every row of the table of samples through every check; ids name the op: ``[sin]``; a failure names the sample."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import _record
from tensorgrad._primitive import Primitive, registry
from tensorgrad._specialise import specialise
from tensorgrad._writer import saved_names
from tensorgrad.testing import checks
from tensorgrad.testing.samples import COMPOSED, ROWS, OpSamples, Sample
from tests.planted import WRONG, planted, spoil

ALL = [*ROWS.values(), *COMPOSED.values()]
GOLDEN = Path(__file__).parent / "golden"


def samples(which: Callable[[OpSamples, Sample], bool] = lambda row, sample: True) -> Any:
    """Make a test of a sample one of a row: it goes through the samples, and a failure names those that failed."""

    def decorate(test: Callable[[OpSamples, Sample], None]) -> Any:
        def of_row(row: OpSamples) -> None:
            failed = []
            for sample in row.samples:
                if not which(row, sample):
                    continue
                tg.manual_seed(0)
                try:
                    test(row, sample)
                except Exception as error:
                    error.add_note(f"{row.name}, sample {sample.label!r}")
                    failed.append(error)
            if failed:
                raise (
                    failed[0]
                    if len(failed) == 1
                    else ExceptionGroup(f"{row.name}: {len(failed)} samples", failed)
                )

        of_row.__name__, of_row.__doc__ = test.__name__, test.__doc__
        rows = [row for row in ALL if any(which(row, sample) for sample in row.samples)]
        return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])(of_row)

    return decorate


def has_inputs(row: OpSamples, sample: Sample) -> bool:
    return bool(sample.args)


def differentiable(row: OpSamples, sample: Sample) -> bool:
    return sample.smooth and bool(checks.Case(row, sample).positions)


# ---- the table itself


@pytest.mark.parametrize("name", registry)
def test_every_op_has_a_row(name: str) -> None:
    assert name in ROWS, (
        f"{name} has no row in tensorgrad/testing/samples; CONTRIBUTING.md says what one needs"
    )


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_rows_are_complete(row: OpSamples) -> None:
    labels = [sample.label for sample in row.samples]
    assert len(set(labels)) == len(labels) >= 3
    for starts, what in {
        ("0-d", "size 1"): "0-d or of size 1",
        ("broadcast", "axes"): "with broadcasting or several axes",
        ("edge",): "at the edge of the domain",
    }.items():
        assert any(label.startswith(starts) for label in labels), f"{row.name} has no sample {what}"
    assert row.errors
    names = list(inspect.signature(registry[row.name].forward).parameters) if row.op is None else []
    for sample in row.samples if names else ():
        assert set(sample.params) <= set(names)


def test_rows_name_ops_that_exist() -> None:
    assert set(ROWS) <= set(registry)
    assert not set(ROWS) & set(COMPOSED)


# ---- values and dtypes


@samples()
def test_forward(row: OpSamples, sample: Sample) -> None:
    checks.forward(row, sample)


@samples(has_inputs)
def test_batching(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        checks.batching(row, sample)


@samples(has_inputs)
def test_replay(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        checks.replay(row, sample)


@samples(has_inputs)
def test_layouts(row: OpSamples, sample: Sample) -> None:
    checks.layouts(row, sample)


@samples(has_inputs)
def test_arguments_are_unchanged(row: OpSamples, sample: Sample) -> None:
    checks.unchanged(row, sample)


@samples(has_inputs)
def test_dtypes(row: OpSamples, sample: Sample) -> None:
    checks.dtypes(row, sample)


@samples(lambda row, sample: len(checks.Case(row, sample).positions) > 1)
def test_mixed_dtypes(row: OpSamples, sample: Sample) -> None:
    checks.mixed_dtypes(row, sample)


@samples(lambda row, sample: row.numpy is not None and has_inputs(row, sample))
def test_integers(row: OpSamples, sample: Sample) -> None:
    with np.errstate(all="ignore"):
        checks.integers(row, sample)


@samples(lambda row, sample: not checks.Case(row, sample).positions and has_inputs(row, sample))
def test_constants_are_not_tracked(row: OpSamples, sample: Sample) -> None:
    args = [tg.tensor(a, requires_grad=a.dtype.kind in "fc") for a in sample.args]
    for y in checks.Case(row, sample).call(*args):
        assert not y.requires_grad


@pytest.mark.parametrize(
    ("row", "number"),
    [(row, i) for row in ALL for i in range(len(row.errors))],
    ids=lambda value: value.name if isinstance(value, OpSamples) else str(value),
)
def test_errors(row: OpSamples, number: int) -> None:
    checks.errors(row, row.errors[number])


# ---- derivatives


@samples(differentiable)
def test_first(row: OpSamples, sample: Sample) -> None:
    checks.first(row, sample)


@samples(differentiable)
def test_second(row: OpSamples, sample: Sample) -> None:
    checks.second(row, sample)


@samples(differentiable)
def test_third(row: OpSamples, sample: Sample) -> None:
    checks.third(row, sample)


@samples(differentiable)
def test_forward_mode(row: OpSamples, sample: Sample) -> None:
    checks.forward_mode(row, sample)


@pytest.mark.parametrize(
    ("row", "kink"),
    [(row, kink) for row in ALL for kink in row.kinks],
    ids=lambda value: value.name if isinstance(value, OpSamples) else value.label,
)
def test_kinks(row: OpSamples, kink: Any) -> None:
    checks.kinks(row, kink)


# ---- the fast entry and the general path build the same nodes


@samples(lambda row, sample: row.name in ROWS and bool(registry[row.name].formulas))
def test_both_paths_build_the_same_node(row: OpSamples, sample: Sample) -> None:
    card, case = registry[row.name], checks.Case(row, sample)
    params = tuple([{**card.defaults, **sample.named()}[name] for name in card.params])
    subsets = [
        set(some)
        for n in range(1, len(case.positions) + 1)
        for some in itertools.combinations(case.positions, n)
    ]
    others: list[Callable[[Any], Any]] = [tg.tensor, lambda a: a]
    if card.kind == "elementwise":
        others.append(lambda a: a.item() if not a.ndim else a)
    for leaves, plain, leaf in itertools.product(subsets, others, [tg.nn.Parameter, track]):
        args = [leaf(a) if i in leaves else plain(a) for i, a in enumerate(sample.args)]
        fast = card.op(*args, **sample.named())
        general = _record.process(card, tuple(args), params)
        several = isinstance(fast, tuple)
        assert several == isinstance(general, tuple)
        for y, z in zip(fast, general, strict=True) if several else [(fast, general)]:
            assert type(y) is type(z)
            assert_same(y._d, z._d)
        node, twin = (one[0]._node.edges[0] if several else one._node for one in (fast, general))
        assert node.prim is twin.prim is card
        assert node.edges == twin.edges
        assert node.shape == twin.shape
        assert node.extra is twin.extra is None
        for name, a, b in zip(saved_names(card), node.saved, twin.saved, strict=True):
            assert_same(a, b, name)


def track(a: Any) -> tg.Tensor:
    return tg.tensor(a, requires_grad=True)


def assert_same(a: Any, b: Any, what: str = "result") -> None:
    if isinstance(a, tuple) and isinstance(b, tuple):
        assert len(a) == len(b), what
        for one, other in zip(a, b, strict=True):
            assert_same(one, other, what)
    elif isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
        assert a is not None and b is not None, f"{what}: only one of the two is saved"
        np.testing.assert_array_equal(a, b, err_msg=what)
        # A Python number has no dtype of its own, and one path may keep it as it is.
        if type(a) not in (bool, int, float) and type(b) not in (bool, int, float):
            assert a.dtype == b.dtype, what
    else:
        assert a == b, what


# ---- the checks themselves: a wrong formula must be found


def is_found(check: Callable[[OpSamples, Sample], None], row: OpSamples) -> bool:
    for sample in row.samples:
        if differentiable(row, sample):
            try:
                check(row, sample)
            except AssertionError:
                return True
    return False


FORMULAS = [(card, name, which) for card in registry.values() for name in card.formulas for which in WRONG]
TANGENTS = [(card, name, which) for card in registry.values() for name in card.tangents for which in WRONG]


@pytest.mark.parametrize(("card", "name", "which"), FORMULAS, ids=[f"{c}-{n}-{w}" for c, n, w in FORMULAS])
def test_a_wrong_formula_is_found(card: Primitive, name: str, which: str) -> None:
    with planted(card, card.formulas, name, WRONG[which]):
        assert is_found(checks.first, ROWS[card.name])
    assert not is_found(checks.first, ROWS[card.name])


# A linear formula is differentiated in g; one of an elementwise card has to have a slope to lose.
CURVED = [
    (card, name)
    for card in registry.values()
    for name, formula in card.formulas.items()
    if card.kind != "elementwise" or (card.analytic and formula.names)
]


@pytest.mark.parametrize(("card", "name"), CURVED, ids=[f"{c}-{n}" for c, n in CURVED])
def test_a_formula_that_cannot_be_differentiated_is_found(card: Primitive, name: str) -> None:
    """Right at first order, but computed outside of the graph."""
    with planted(card, card.formulas, name, tg.stop_gradient):
        assert not is_found(checks.first, ROWS[card.name]) or card.name in ("sum", "multiply")
        assert is_found(checks.second, ROWS[card.name])


@pytest.mark.parametrize(("card", "name", "which"), TANGENTS, ids=[f"{c}-{n}-{w}" for c, n, w in TANGENTS])
def test_a_wrong_tangent_is_found(card: Primitive, name: str, which: str) -> None:
    with planted(card, card.tangents, name, WRONG[which]):
        assert is_found(checks.forward_mode, ROWS[card.name])


BATCHED = [card for card in registry.values() if card.batch is not None]


@pytest.mark.parametrize("card", BATCHED, ids=str)
def test_a_wrong_batching_rule_is_found(card: Primitive, monkeypatch: pytest.MonkeyPatch) -> None:
    right = card.batch
    assert right is not None
    monkeypatch.setattr(card, "batch", lambda *args, **params: spoil(right(*args, **params), lambda y: y + 1))
    found = 0
    for sample in ROWS[card.name].samples:
        try:
            with np.errstate(all="ignore"):
                checks.batching(ROWS[card.name], sample)
        except AssertionError:
            found += 1
    assert found


# ---- the generated text


@pytest.mark.parametrize("name", ["sin", "multiply", "where", "sum", "concat", "split", "matmul"])
def test_generated_text(name: str) -> None:
    """The text that runs an op, one card for each arity. After a change that is meant: UPDATE_GOLDEN=1."""
    card = registry[name]
    specialise(card)
    file = GOLDEN / f"{name}.txt"
    text = card.source + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()
