"""What beginners write: each works as expected, or the message names the layer, the shapes and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

Doing = Callable[[], Any]


def linear() -> nn.Linear:
    return nn.Linear(4, 3, generator=np.random.default_rng(0))


def scores() -> tg.Tensor:
    return tg.zeros((5, 3), requires_grad=True)


def used_up() -> Any:
    parameters = linear().parameters()
    list(parameters)
    return tg.optim.SGD(parameters, lr=0.1)


def twice() -> None:
    loss = nn.CrossEntropyLoss()(linear()(tg.ones((5, 4))), [0] * 5)
    loss.backward()
    loss.backward()


def unrecorded() -> None:
    with tg.no_grad():
        loss = linear()(tg.ones((5, 4))).sum()
    loss.backward()


class Misspelt(nn.Module):
    def forwrad(self, x: Any) -> Any:
        return x


CE, ROWS = nn.CrossEntropyLoss(), np.ones((5, 4), np.float32)
REFUSED: dict[str, tuple[Doing, type[Exception], str]] = {
    # shapes of inputs
    "features": (
        lambda: linear()(tg.ones((5, 6))),
        tg.ShapeError,
        r"linear: input \(5, 6\) and weight \(3, 4\)",
    ),
    "output and state": (
        lambda: nn.Linear(4, 2)(nn.LSTM(3, 4)(tg.ones((5, 2, 3)))),
        tg.DtypeError,
        r"linear: input is a tuple; a recurrent layer returns \(output, state\)",
    ),
    "made with the data": (
        lambda: nn.ReLU(tg.ones((5, 4))),
        tg.DtypeError,
        r"ReLU: inplace is an array; .* nn\.ReLU\(\)\(x\)",
    ),
    "no flatten": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(72, 10))(tg.ones((4, 1, 8, 8))),
        tg.ShapeError,
        r"linear: input \(4, 2, 6, 6\) and weight \(10, 72\)",
    ),
    "no channels": (
        lambda: nn.Conv2d(1, 2, 3)(tg.ones((8, 8))),
        tg.ShapeError,
        r"conv2d: x \(N, C, H, W\) or \(C, H, W\).*\(8, 8\)",
    ),
    "images as channels": (
        lambda: nn.Conv2d(1, 2, 3)(tg.ones((10, 8, 8))),
        tg.ShapeError,
        "x has 10 channels and weight is for 1",
    ),
    "channels last": (
        lambda: nn.Conv2d(3, 2, 3)(tg.ones((10, 8, 8, 3))),
        tg.ShapeError,
        r"8 channels and weight is for 3; .* where they are last, give tg.moveaxis\(x, -1, 1\)",
    ),
    "small image": (
        lambda: nn.Conv2d(1, 2, 9)(tg.ones((1, 1, 4, 4))),
        tg.ShapeError,
        r"a window of \(9, 9\) does not fit the lengths \(4, 4\)",
    ),
    "channels of a norm": (
        lambda: nn.BatchNorm2d(3)(tg.ones((2, 4, 5, 5))),
        tg.ShapeError,
        r"BatchNorm2d: input has shape \(2, 4, 5, 5\); 4 axes and 3 channels",
    ),
    "a batch of one": (
        lambda: nn.BatchNorm1d(3)(tg.ones((1, 3))),
        tg.ShapeError,
        r"1 elements for each channel; .* module.eval\(\)",
    ),
    "heads": (lambda: nn.MultiheadAttention(10, 3), tg.ShapeError, "embed_dim=10, num_heads=3"),
    "sequence features": (
        lambda: nn.LSTM(3, 4)(tg.ones((2, 5))),
        tg.ShapeError,
        "lstm: the input has 5 features",
    ),
    # labels and targets
    "float labels": (
        lambda: CE(scores(), np.zeros(5)),
        tg.DtypeError,
        "labels of dtype float64.*integers from 0 to 2",
    ),
    "labels in a column": (
        lambda: CE(scores(), np.zeros((5, 1), int)),
        tg.ShapeError,
        r"target has shape \(5, 1\); for input \(5, 3\) labels have shape \(5,\)",
    ),
    "label too large": (
        lambda: CE(scores(), [0, 1, 2, 3, 0]),
        tg.IndexingError,
        "label 3 at 3; there are 3 classes",
    ),
    "label negative": (lambda: CE(scores(), [0, 1, 2, -1, 0]), tg.IndexingError, "label -1 at 3"),
    "one-hot too wide": (
        lambda: CE(scores(), np.eye(4)[[0, 1, 2, 3, 0]]),
        tg.ShapeError,
        r"target has shape \(5, 4\); .*probabilities of classes that of the input",
    ),
    "one-hot of integers": (
        lambda: CE(scores(), np.eye(3, dtype=int)[[0, 1, 2, 1, 0]]),
        tg.DtypeError,
        "holds probabilities of classes, and dtype int64; floats are needed",
    ),
    "swapped": (
        lambda: CE(np.array([0, 1, 2]), tg.zeros((3, 3))),
        tg.DtypeError,
        "input has dtype int64; floating",
    ),
    "column against row": (
        lambda: nn.MSELoss()(tg.zeros((5, 1)), tg.zeros(5)),
        tg.ShapeError,
        r"input \(5, 1\), target \(5,\); their shapes must be equal, reshape one",
    ),
    "scores as probabilities": (
        lambda: nn.BCELoss()(tg.tensor([[3.0]]), tg.tensor([[1.0]])),
        tg.ShapeError,
        r"input 3.0 at \(0, 0\); each is between 0 and 1",
    ),
    "word out of range": (
        lambda: nn.Embedding(10, 3)([1, 10]),
        tg.IndexingError,
        "index 10 is out of range.*length 10",
    ),
    "words as floats": (
        lambda: nn.Embedding(10, 3)(tg.ones(2)),
        tg.DtypeError,
        "float32; integers are needed",
    ),
    # optimizers
    "no parameters": (
        lambda: tg.optim.SGD([], lr=0.1),
        ValueError,
        "params is empty; there is nothing to optimize",
    ),
    "parameters used up": (used_up, ValueError, r"params is empty.*one pass only"),
    "a model to optimize": (
        lambda: tg.optim.SGD(linear(), lr=0.1),  # type: ignore[arg-type]
        tg.DtypeError,
        r"params is a Linear; give the parameters, as SGD\(model.parameters\(\)\)",
    ),
    "parentheses left out": (
        lambda: tg.optim.Adam(linear().parameters),  # type: ignore[arg-type]
        tg.DtypeError,
        r"params is a method; give the parameters, as Adam\(model.parameters\(\)\)",
    ),
    "one parameter": (
        lambda: tg.optim.SGD(linear().weight, lr=0.1),
        tg.DtypeError,
        r"single Parameter; give a list, as SGD\(\[p\]\)",
    ),
    "schedule of a model": (
        lambda: tg.optim.lr_scheduler.StepLR(linear(), 1),  # type: ignore[arg-type]
        TypeError,
        "StepLR: optimizer is a Linear",
    ),
    # models
    "a class in it": (
        lambda: nn.Sequential(linear(), nn.ReLU),  # type: ignore[arg-type]
        tg.DtypeError,
        r"it holds modules, and ReLU is a class: write ReLU\(\.\.\.\)",
    ),
    "a list": (
        lambda: nn.Sequential([linear(), nn.ReLU()]),  # type: ignore[arg-type]
        tg.DtypeError,
        r"a list given.*Sequential\(\*layers\)",
    ),
    "a function in it": (
        lambda: nn.Sequential(linear(), tg.relu),  # type: ignore[arg-type]
        tg.DtypeError,
        r"a function given; .*nn.ReLU\(\) for relu",
    ),
    "a list of layers called": (
        lambda: nn.ModuleList([linear()])(ROWS),
        NotImplementedError,
        "ModuleList has no forward",
    ),
    "forward misspelt": (
        lambda: Misspelt()(ROWS),
        NotImplementedError,
        r"Misspelt has no forward; define forward",
    ),
    "weights of another": (
        lambda: linear().load_state_dict(nn.Linear(5, 3).state_dict()),
        tg.StateDictError,
        r"weight is \(3, 5\), expected \(3, 4\)",
    ),
    "names of another": (
        lambda: linear().load_state_dict(nn.Sequential(linear()).state_dict()),
        tg.StateDictError,
        r"missing weight; missing bias; unexpected 0\.weight; unexpected 0\.bias",
    ),
    "a model to load": (
        lambda: linear().load_state_dict(linear()),  # type: ignore[arg-type]
        tg.StateDictError,
        "a Linear given; a dict of path -> tensor",
    ),
    "a weight set": (
        lambda: setattr(linear(), "weight", ROWS),
        tg.DtypeError,
        r"with tg.no_grad\(\): module.weight",
    ),
    "a size as text": (lambda: nn.Linear("4", 3), tg.ShapeError, "in_features='4'; an integer"),  # type: ignore[arg-type]
    "dropout in per cent": (lambda: nn.Dropout(50), tg.ShapeError, "p is 50; a probability from 0 to 1"),
    "a device": (lambda: linear().to("cuda:0"), tg.DtypeError, "one device, the CPU, so leave the line out"),
    # gradients
    "backward twice": (twice, tg.NoGraphError, "freed by an earlier backward; pass retain_graph=True"),
    "backward of many": (
        lambda: linear()(ROWS).backward(),
        tg.ShapeError,
        r"shape \(5, 3\).*y.sum\(\).backward\(\)",
    ),
    "backward of nothing": (unrecorded, tg.NoGraphError, r"outside of tg.no_grad\(\)"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_the_message_says_the_way_out(mistake: str) -> None:
    do, error, message = REFUSED[mistake]
    with pytest.raises(error, match=message):
        do()


def test_softmax_without_an_axis_warns() -> None:
    with pytest.warns(UserWarning, match="softmax: no dim given, so axis 1 is taken"):
        nn.Softmax()(tg.ones((2, 3)))


WORKS: dict[str, tuple[Doing, Any]] = {
    "one sample": (lambda: linear()(tg.ones(4)).shape, (3,)),
    "one image": (lambda: nn.Conv2d(1, 2, 3)(tg.ones((1, 8, 8))).shape, (2, 6, 6)),
    "pixels as bytes": (lambda: linear()(np.ones((5, 4), np.uint8)).shape, (5, 3)),
    "an empty batch": (lambda: linear()(tg.ones((0, 4))).shape, (0, 3)),
    "an empty batch of images": (lambda: nn.Conv2d(1, 2, 3)(tg.ones((0, 1, 8, 8))).shape, (0, 2, 6, 6)),
    "a list": (lambda: linear()([[1.0, 2.0, 3.0, 4.0]]).shape, (1, 3)),
    "an array, and parameters": (lambda: type(linear()(ROWS)), tg.Tensor),
    "an array, and none": (lambda: type(nn.ReLU()(ROWS)), np.ndarray),
    "float64 data": (lambda: linear()(np.ones((5, 4))).dtype, tg.float64),
    "integer targets of yes and no": (lambda: nn.BCEWithLogitsLoss()(tg.tensor([0.0]), [1]).shape, ()),
    "a step before any gradient": (lambda: tg.optim.SGD(linear().parameters(), lr=0.1).step(), None),
    "NaN stays visible": (lambda: bool(tg.isnan(linear()(np.full((1, 4), np.nan, np.float32))).all()), True),
}


@pytest.mark.parametrize("case", WORKS)
def test_works_as_expected(case: str) -> None:
    do, expected = WORKS[case]
    assert do() == expected


def test_gradients_that_are_not_cleared_add_up() -> None:
    layer = linear()
    layer(ROWS).sum().backward()
    once = layer.weight.grad.numpy().copy()
    layer(ROWS).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy(), 2 * once)


def test_dropout_is_silent_in_evaluation_only() -> None:
    model = nn.Sequential(nn.Dropout(0.5, generator=np.random.default_rng(0)))
    assert 0 in model(ROWS) and 0 not in model.eval()(ROWS) and 0 in model.train()(ROWS)


def test_after_a_refused_call_a_model_is_as_before() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4), linear())
    before = model.state_dict()
    with pytest.raises(tg.ShapeError):
        model(tg.ones((5, 6)))
    with pytest.raises(tg.StateDictError):
        model.load_state_dict({**before, "1.bias": np.zeros(7), "0.weight": np.zeros(4)})
    after = model.state_dict()
    assert all(np.array_equal(after[name].numpy(), value.numpy()) for name, value in before.items())
