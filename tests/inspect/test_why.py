"""What `tg.why` says in single cases: with a run, without one, of modules, of hooks, of long chains."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.inspect import CAUSES, Diagnosis
from tensorgrad.nn import functional as F

pytestmark = pytest.mark.filterwarnings(
    "ignore:(divide by zero|invalid value|overflow|underflow):RuntimeWarning"
)


def leaf(*shape: int, seed: int = 0) -> Any:
    return tg.tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def line_of(test: Any, text: str) -> int:
    """The line of this file in which a test says ``text``."""
    lines, start = inspect.getsourcelines(test)
    return start + next(i for i, line in enumerate(lines) if text in line)


def told(diagnosis: Diagnosis, verdict: str, cause: str) -> Diagnosis:
    assert (diagnosis.verdict, diagnosis.cause) == (verdict, cause), str(diagnosis)
    return diagnosis


# ---- without a recording


def test_without_a_run_the_tensor_says_what_it_can() -> None:
    told(tg.why(tg.ones(3)), "none", "not required")
    told(tg.why(tg.nn.Parameter([1.0], requires_grad=False)), "none", "frozen")
    x = leaf(3)
    answer = told(tg.why(x), "none", "no backward")
    assert "tg.record()" in answer.advice and answer.name == "x"
    y = x * 2
    told(tg.why(y), "none", "not a leaf")
    loss = leaf(2).sum()
    told(tg.why(x, of=loss), "none", "unused")
    (x * 0).sum().backward()
    assert "tg.record()" in told(tg.why(x), "zero", "not recorded").advice
    x.grad = x.grad + np.nan
    told(tg.why(x), "nan", "not recorded")
    x.grad = tg.ones(3, dtype=np.float64)
    assert tg.why(x).ok


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(tg.DtypeError, match="x is a int"):
        tg.why(3)  # type: ignore[arg-type]
    with pytest.raises(tg.DtypeError, match="of is a str"):
        tg.why(leaf(2), of="loss")  # type: ignore[arg-type]


# ---- with one


def test_the_op_its_line_and_the_share() -> None:
    w = leaf(4, 5)
    with tg.record() as run:
        h = tg.tanh(leaf(6, 4, seed=1) @ w)
        h = tg.relu(h - 2)
        loss = (h + 1).sum()
        loss.backward()
    answer = told(tg.why(w), "zero", "relu")
    assert answer.equation is not None and answer.equation.op == "relu"
    assert run.graph.equations[answer.index] is answer.equation
    assert answer.position is not None and answer.position.file == __file__
    assert answer.position.line == line_of(test_the_op_its_line_and_the_share, "relu(h - 2)")
    assert answer.share == 1.0
    assert answer.path[0].startswith("relu") and answer.path[-1] == "w"
    text = str(answer)
    assert "h = tg.relu(h - 2)" in text and f"{__file__}:{answer.position.line}" in text and "100 %" in text
    assert "leaky_relu" in answer.advice and not answer and not answer.ok


def test_a_part_that_was_not_chosen_is_not_taken_for_the_op_that_stops() -> None:
    """The other part of a concatenation has a gradient; the relu behind it stops this one."""
    a, b = leaf(3), leaf(3, seed=1)
    with tg.record() as run:
        both = tg.concat([a - 100, b * b + 1])
        tg.relu(both).sum().backward()
    assert told(tg.why(a, of=run), "zero", "relu").equation.op == "relu"  # type: ignore[union-attr]
    assert tg.why(b, of=run).ok
    with tg.record() as run:
        c = leaf(5)
        (c[:0].sum() + b.sum()).backward()
    told(tg.why(c, of=run), "zero", "selection")


def test_healthy_gradients_are_not_accused() -> None:
    w = leaf(3, 4)
    with tg.record() as run:
        (tg.relu(leaf(5, 3, seed=1) @ w) ** 2).mean().backward()
    answer = tg.why(w)
    assert answer and answer.cause == "" and answer.equation is None
    assert str(answer).startswith("ok: the gradient of w (float64[3, 4]) has norm")
    del run


def test_mostly_zero_is_told_where_one_op_holds_back_nearly_everything() -> None:
    x = leaf(200)
    with tg.record() as run:
        tg.relu(x - 1.9).sum().backward()
    answer = told(tg.why(x, of=run), "partly zero", "relu")
    assert answer.share is not None and 0.9 <= answer.share < 1
    table = leaf(100, 2)
    with tg.record() as run:
        table[np.array([3, 5])].sum().backward()
    assert tg.why(table, of=run).ok, "rows that are not used are no accident"


def test_a_factor_that_is_zero_where_it_counts() -> None:
    a, b = leaf(3), leaf(3, seed=1)
    with tg.record() as run:
        both = tg.concat([a, b]) * np.array([0.0, 0, 0, 1, 2, 3])
        both.sum().backward()
    answer = told(tg.why(a, of=run), "zero", "zero factor")
    assert answer.share == 0.5 and tg.why(b, of=run).ok


def test_a_bias_whose_examples_balance_is_not_accused() -> None:
    """Of the absolute error, as many examples pull up as down."""
    b = tg.tensor(np.array([0.0]), requires_grad=True)
    for goal in (np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0], [3.0], [-2.0]])):
        b.grad = None
        with tg.record() as run:
            F.l1_loss(tg.zeros(goal.shape, dtype=np.float64) + b, goal).backward()
        answer = tg.why(b, of=run)
        assert answer.ok and "balances" in answer.reason


def test_most_entries_of_a_selection_may_be_zero() -> None:
    """The condition holds for half; that indexing leaves one row is nobody's fault."""
    x = leaf(40, 2)
    with tg.record() as run:
        tg.where(np.arange(80).reshape(40, 2) % 2 == 0, x, 0.0)[3].sum().backward()
    assert tg.why(x, of=run).ok
    with tg.record() as run:
        tg.where(np.arange(80).reshape(40, 2) == 7, x, 0.0).sum().backward()
    told(tg.why(x, of=run), "partly zero", "mask")


def test_intermediate_values_and_rebound_names() -> None:
    w = leaf(3)
    with tg.record() as run:
        h = tg.sin(w)
        h.sum().backward()
    assert "norm 1.73" in told(tg.why(h, of=run), "none", "not a leaf").reason
    with tg.record() as run:
        h = tg.sin(w)
        h.retain_grad()
        h.sum().backward()
    assert tg.why(h, of=run).ok
    with tg.record() as run:
        w.sum().backward()
        w = w - 0.1 * w.grad
    answer = told(tg.why(w, of=run), "none", "rebound")
    assert answer.position is not None
    assert answer.position.line == line_of(test_intermediate_values_and_rebound_names, "w = w - 0.1")


def test_a_value_without_history_says_where_it_lost_it() -> None:
    w = leaf(3)
    with tg.record() as run:
        with tg.no_grad():
            y = tg.exp(w)
        z = y * 2
        flag = w > 0
    answer = told(tg.why(z, of=run), "none", "no_grad")
    assert answer.equation is not None and answer.equation.op == "exp"
    told(tg.why(flag, of=run), "none", "comparison")


def test_gradients_that_are_gone_again() -> None:
    w, v = leaf(3), leaf(3)
    with tg.record() as run:
        (w * v).sum().backward()
    w.grad = None
    v.grad = v.grad * 0
    told(tg.why(w, of=run), "none", "cleared")
    told(tg.why(v, of=run), "zero", "zeroed")


def test_hooks_are_named_with_their_place() -> None:
    w, v = leaf(3), leaf(3)

    def blank(g: Any) -> Any:
        return g * 0

    w.register_hook(blank)
    with tg.record() as run:
        h = v * 2
        h.register_hook(blank)
        (h * w).sum().backward()
    where = f"{__file__}:{line_of(test_hooks_are_named_with_their_place, 'def blank')}"
    for x in (w, v):
        answer = told(tg.why(x, of=run), "zero", "hook")
        assert "blank" in answer.reason and where in answer.reason


def test_a_hook_that_only_looks_is_not_blamed() -> None:
    w = leaf(3)
    with tg.record() as run:
        h = w * 2
        h.register_hook(lambda g: None)
        tg.relu(h - 100).sum().backward()
    told(tg.why(w, of=run), "zero", "relu")


def test_a_tensor_without_entries_has_no_gradient_to_ask_about() -> None:
    empty = tg.zeros((0, 3), requires_grad=True)
    with tg.record():
        loss = (empty.tanh() * 2.0).sum()
        loss.backward()
    answer = tg.why(empty)
    assert answer.verdict == "ok"
    assert "no entries" in answer.finding


def test_the_loss_itself_can_be_asked_about() -> None:
    w = leaf(3)
    with tg.record() as run:
        loss = tg.log(w * 0 - 1).sum()
        loss.backward()
    answer = told(tg.why(loss, of=run), "nan", "log")
    assert "the value of loss" in answer.finding and "-1" in answer.reason
    with tg.record() as run:
        part = tg.sin(w)
        (part.sum() + np.nan).backward()
    assert told(tg.why(w, of=run), "nan", "data").finding.startswith("the gradient of w is finite, but")


def test_a_mask_of_minus_infinity_is_not_the_cause() -> None:
    scores = leaf(2, 3)
    with tg.record() as run:
        allowed = tg.where(np.array([[True, True, False], [True, False, False]]), scores, -np.inf)
        (tg.softmax(allowed, axis=1) * np.arange(3)).sum().backward()
    assert tg.why(scores, of=run).ok
    with tg.record() as run:
        nothing = tg.where(np.zeros((2, 3), bool), scores, -np.inf)
        tg.exp(nothing - nothing.max(axis=1, keepdims=True)).sum().backward()
    answer = tg.why(scores, of=run)
    assert (answer.verdict, answer.cause) in {
        ("zero", "undefined"),
        ("nan", "undefined"),
        ("zero", "mask"),
    }, str(answer)


# ---- what it is of


def test_of_a_function_is_recorded_now_and_leaves_no_gradient_behind() -> None:
    w = leaf(3)
    answer = told(tg.why(w, of=lambda: tg.relu(w - 50).sum()), "zero", "relu")
    assert answer.position is not None and w.grad is None
    told(tg.why(w, of=lambda: tg.relu(w).detach().sum()), "none", "detached")
    told(tg.why(w, of=lambda: tg.floor(w).sum().backward()), "none", "rounding")
    assert tg.why(w, of=lambda: (w * w).sum()).ok


def test_of_a_loss_finds_the_run_that_it_was_computed_in() -> None:
    w = leaf(3)
    with tg.record() as first:
        dead = tg.relu(w - 50).sum()
        dead.backward()
    with tg.record() as second:
        alive = (w * w).sum()
    told(tg.why(w, of=dead), "ok" if w.grad.numpy().any() else "zero", "relu")
    told(tg.why(w, of=alive), "ok" if w.grad.numpy().any() else "zero", "not recorded")
    del first, second


def test_the_newest_run_that_is_still_held_is_asked() -> None:
    w = leaf(3)
    with tg.record() as run:
        tg.relu(w - 50).sum().backward()
    told(tg.why(w), "zero", "relu")
    del run
    told(tg.why(w), "zero", "not recorded")


def test_a_tensor_that_was_written_to_after_the_pass_is_recognised() -> None:
    w = leaf(3)
    with tg.record() as run:
        tg.relu(w - 50).sum().backward()
        with tg.no_grad():
            w -= 0.1 * w.grad
        tg.sin(w).sum()
    told(tg.why(w, of=run), "zero", "relu")


# ---- modules


class Net(tg.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = tg.nn.Linear(3, 4), tg.nn.Linear(4, 2)
        self.spare = tg.nn.Linear(2, 2)

    def forward(self, x: Any) -> Any:
        return self.second(tg.relu(self.first(x) - 40))


def test_a_module_tells_the_worst_and_lists_the_others() -> None:
    net = Net()
    with tg.record() as run:
        (net(tg.ones((5, 3))) ** 2).sum().backward()
    answer = told(tg.why(net, of=run), "zero", "relu")
    assert answer.equation is not None and answer.equation.scope == "Net"
    assert [(one.name, one.verdict) for one in answer.others] == [
        ("first.bias", "zero"), ("second.weight", "zero"), ("spare.weight", "none"), ("spare.bias", "none"),
    ]  # fmt: skip
    assert "also first.bias (zero), second.weight (zero), spare.weight (none)" in str(answer)
    del net.spare
    answer = told(tg.why(net, of=run), "zero", "relu")
    assert {one.index for one in answer.others} == {answer.index}
    assert "the same holds for first.bias" in str(answer)
    assert tg.why(tg.nn.Sequential()).ok


# ---- looks


def test_every_cause_has_a_way_out_that_can_be_filled_in() -> None:
    for cause, advice in CAUSES.items():
        assert advice.format(x="w"), cause


def test_the_page_lists_every_cause() -> None:
    page = (Path(__file__).parents[2] / "docs" / "why.md").read_text(encoding="utf-8")
    assert not [cause for cause in CAUSES if f"`{cause}`" not in page]


def test_notebook_forms_carry_hostile_names_as_text() -> None:
    answer = Diagnosis(
        "nan", "log", "<b>x</b>", "the gradient of <b>x</b> is NaN", "log gives `NaN`", advice="a < b"
    )
    html = answer._repr_html_()
    assert "<b>x</b>" not in html and "&lt;b&gt;x&lt;/b&gt;" in html
    assert answer._repr_markdown_().count("`") % 2 == 0


def test_messages_are_short() -> None:
    w = leaf(3, 4)
    with tg.record() as run:
        h = w
        for _ in range(50):
            h = tg.sin(h) * 1.01
        (h * 0.0).sum().backward()
    text = str(tg.why(w, of=run))
    assert len(text.splitlines()) <= 6 and "..." in text


# ---- size


def test_a_long_chain_does_not_recurse() -> None:
    w = leaf(2)
    with tg.record(statistics=False) as run:
        h = w
        for _ in range(20_000):
            h = h + 1.0
        tg.relu(-h).sum().backward()
    told(tg.why(w, of=run), "zero", "relu")


def test_losses_that_ignore_every_target() -> None:
    logits = leaf(4, 3)
    with tg.record() as run:
        F.cross_entropy(logits, tg.tensor([-100] * 4)).backward()
    told(tg.why(logits, of=run), "zero", "ignored targets")


def test_a_named_loss_is_what_is_asked_about_whatever_else_went_backward() -> None:
    w = leaf(2)
    with tg.record() as run:
        lost = (tg.tensor((w * 2).numpy()) * 3).sum()
        good = (w * w).sum()
        good.backward()
    assert tg.why(w, of=good).ok and tg.why(w, of=run).ok
    answer = tg.why(w, of=lost)
    assert answer.verdict == "none" and "numpy" in str(answer)


def test_a_parameter_of_a_module_that_was_called_is_not_called_replaced() -> None:
    class Unused(tg.nn.Module):
        def __init__(self) -> None:
            self.used, self.spare = tg.nn.Linear(2, 2), tg.nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            return self.used(x)

    net = Unused()
    with tg.record() as run:
        net(tg.ones((3, 2))).sum().backward()
    assert run.modules == (net,)
    answer = tg.why(net.spare.weight)
    assert answer.verdict == "none" and answer.cause != "replaced"
