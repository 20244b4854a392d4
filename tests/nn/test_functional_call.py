"""Models as functions: gradients of each example of every layer, ensembles, buffers, errors, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tensorgrad as tg
from tensorgrad import nn

NORMAL = np.random.default_rng(1).normal
DOUBLE: dict[str, Any] = {"dtype": tg.float64}
ROWS, SEQUENCES, IMAGES = NORMAL(size=(3, 4)), NORMAL(size=(3, 5, 4)), NORMAL(size=(3, 2, 5, 5))
TOKENS = np.array([[0, 1], [3, 1], [2, 2]])


class Tied(nn.Module):
    """A decoder with the encoder's weights."""

    def __init__(self) -> None:
        self.encode = nn.Linear(4, 4, bias=False, **DOUBLE)
        self.decode = nn.Linear(4, 4, bias=False, **DOUBLE)
        self.decode.weight = self.encode.weight

    def forward(self, x: Any) -> Any:
        return self.decode(tg.tanh(self.encode(x)))


class Shelf(nn.Module):
    """Parameters in containers, reached by paths such as ``parts.a`` and ``scales.0``."""

    def __init__(self) -> None:
        self.scales = nn.ParameterList([nn.Parameter(np.ones(4)), nn.Parameter(np.full(4, 2.0))])
        self.parts = nn.ModuleDict({"a": nn.Linear(4, 4, **DOUBLE)})
        self.named = nn.ParameterDict({"shift": nn.Parameter(np.ones(4))})
        self.layers = [nn.Linear(4, 2, **DOUBLE)]

    def forward(self, x: Any) -> Any:
        return self.layers[0](self.parts["a"](x * self.scales[0]) * self.scales[1] + self.named["shift"])


LAYERS: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "Linear": (lambda: nn.Linear(4, 2, **DOUBLE), ROWS),
    "Bilinear": (lambda: nn.Bilinear(4, 4, 2, **DOUBLE), ROWS),
    "Conv1d": (lambda: nn.Conv1d(5, 2, 2, **DOUBLE), SEQUENCES),
    "Conv2d": (lambda: nn.Conv2d(2, 4, 3, padding=1, groups=2, **DOUBLE), IMAGES),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(2, 2, 2, stride=2, **DOUBLE), IMAGES),
    "BatchNorm1d in evaluation": (lambda: nn.BatchNorm1d(4, **DOUBLE).eval(), ROWS),
    "BatchNorm2d in evaluation": (lambda: nn.BatchNorm2d(2, **DOUBLE).eval(), IMAGES),
    "BatchNorm2d without statistics": (
        lambda: nn.BatchNorm2d(2, track_running_stats=False, **DOUBLE),
        IMAGES,
    ),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(2, affine=True, **DOUBLE), IMAGES),
    "LayerNorm": (lambda: nn.LayerNorm(4, **DOUBLE), SEQUENCES),
    "RMSNorm": (lambda: nn.RMSNorm(4, **DOUBLE), SEQUENCES),
    "GroupNorm": (lambda: nn.GroupNorm(1, 2, **DOUBLE), IMAGES),
    "PReLU": (lambda: nn.PReLU(2, **DOUBLE), IMAGES),
    "Embedding": (lambda: nn.Embedding(4, 2, **DOUBLE), TOKENS),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(4, 2, mode="sum", **DOUBLE), TOKENS),
    "RNN": (lambda: nn.RNN(4, 2, batch_first=True, **DOUBLE), SEQUENCES),
    "LSTM": (lambda: nn.LSTM(4, 2, num_layers=2, batch_first=True, **DOUBLE), SEQUENCES),
    "GRU": (lambda: nn.GRU(4, 2, bidirectional=True, batch_first=True, **DOUBLE), SEQUENCES),
    "LSTMCell": (lambda: nn.LSTMCell(4, 2, **DOUBLE), ROWS),
    "MultiheadAttention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True, **DOUBLE), SEQUENCES),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0, batch_first=True, **DOUBLE),
        SEQUENCES,
    ),
    "Sequential with pooling": (
        lambda: nn.Sequential(
            nn.Conv2d(2, 2, 2, **DOUBLE), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 2, **DOUBLE)
        ),
        IMAGES,
    ),
    "Dropout in evaluation": (
        lambda: nn.Sequential(nn.Linear(4, 2, **DOUBLE), nn.Dropout(0.5)).eval(),
        ROWS,
    ),
    "tied weights": (Tied, ROWS),
    "containers of parameters": (Shelf, ROWS),
    "weight_norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 2, **DOUBLE)), ROWS),
}


def made(name: str) -> tuple[nn.Module, Any, dict[str, Any], Any]:
    tg.manual_seed(0)
    make, x = LAYERS[name]
    module = make()
    inputs = {"MultiheadAttention": 3, "Bilinear": 2}.get(name, 1)

    def loss(weights: Any, x: Any) -> Any:
        y = nn.functional_call(module, weights, (x,) * inputs)
        y = y[0] if isinstance(y, tuple) else y
        return (tg.tanh(y) * (1 + tg.arange(y.size, dtype=y.dtype).reshape(y.shape))).sum()

    return module, loss, {key: p.numpy().copy() for key, p in module.named_parameters()}, x


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_each_example_are_those_of_a_loop(name: str) -> None:
    module, loss, weights, x = made(name)
    before = dict(module.named_parameters())
    each = tg.vmap(lambda w, one: tg.grad(loss)(w, one[None]), in_axes=(None, 0))(weights, x)
    for i in range(len(x)):
        alone = {key: tg.tensor(w, requires_grad=True) for key, w in weights.items()}
        loss(alone, x[i : i + 1]).backward()
        for key, leaf in alone.items():
            assert_allclose(each[key][i], leaf.grad, rtol=1e-9, atol=1e-10, err_msg=key)
    assert all(p is before[key] for key, p in module.named_parameters())


@pytest.mark.parametrize("name", ["Linear", "LayerNorm", "GRU", "MultiheadAttention", "tied weights"])
def test_products_with_the_hessian(name: str) -> None:
    _, loss, weights, x = made(name)
    along = {key: NORMAL(size=w.shape) for key, w in weights.items()}
    value, product = tg.hvp(lambda w: loss(w, x), weights, along)
    _, other = tg.jvp(lambda w: tg.grad(loss)(w, x), (weights,), (along,))
    assert_allclose(value, loss(weights, x))
    for key in weights:
        assert_allclose(product[key], other[key], rtol=1e-8, atol=1e-9)


def test_a_whole_hessian() -> None:
    _, loss, weights, x = made("Linear")
    h = tg.hessian(loss)(weights, x)
    assert h["weight"]["bias"].shape == (2, 4, 2)
    along = {key: NORMAL(size=w.shape) for key, w in weights.items()}
    _, product = tg.hvp(lambda w: loss(w, x), weights, along)
    assert_allclose(h["bias"]["weight"].reshape(2, 8) @ along["weight"].ravel() + h["bias"]["bias"] @ along["bias"],
                    product["bias"])  # fmt: skip


# ---- ensembles

MODELS = {
    "Linear": lambda: nn.Sequential(nn.Linear(4, 3, **DOUBLE), nn.Tanh(), nn.Linear(3, 2, **DOUBLE)),
    "BatchNorm": lambda: nn.Sequential(nn.Linear(4, 3, **DOUBLE), nn.BatchNorm1d(3, **DOUBLE)),
    "cumulative BatchNorm": lambda: nn.Sequential(
        nn.Linear(4, 3, **DOUBLE), nn.BatchNorm1d(3, momentum=None, **DOUBLE)
    ),
    "GRU": lambda: nn.GRU(4, 2, **DOUBLE),
}


@pytest.mark.parametrize("name", MODELS)
def test_an_ensemble_runs_as_one(name: str) -> None:
    tg.manual_seed(0)
    models = [MODELS[name]() for _ in range(3)]
    params, buffers = nn.stack_module_state(models)
    assert all(p.requires_grad for p in params.values())
    assert not any(b.requires_grad for b in buffers.values())

    def one(params: Any, buffers: Any, x: Any) -> Any:
        y = nn.functional_call(models[0], (params, buffers), x)
        return (y[0] if isinstance(y, tuple) else y), buffers

    run = tg.vmap(one, in_axes=(0, 0, None))
    held = {key: b.numpy().copy() for key, b in models[0].named_buffers()}
    y, new = run(params, buffers, ROWS)
    for key, b in models[0].named_buffers():
        assert_array_equal(b, held[key])
    (y**2).sum().backward()
    for i, model in enumerate(models):
        expected = model(tg.tensor(ROWS))
        expected = expected[0] if isinstance(expected, tuple) else expected
        (expected**2).sum().backward()
        assert_allclose(y[i].numpy(), expected.numpy())
        for key, p in model.named_parameters():
            assert_allclose(params[key].grad[i], p.grad, atol=1e-12)  # type: ignore[index]
        for key, b in model.named_buffers():
            assert_allclose(new[key][i].numpy(), b.numpy())
            assert new[key].dtype == b.dtype


def test_models_that_are_not_alike_cannot_be_stacked() -> None:
    pair = nn.Linear(2, 2), nn.Linear(2, 2)
    for models, says in [
        ([], "no models were given"),
        ([pair[0], nn.Tanh()], "model 0 is Linear in training and model 1 Tanh in training"),
        ([pair[0], nn.Linear(2, 2).eval()], "model 1 Linear in evaluation"),
        ([pair[0], nn.Linear(2, 3)], r"weight has shape \(2, 2\) in model 0 and \(3, 2\) in model 1"),
        ([pair[0], nn.Linear(2, 2, bias=False)], "only one of model 0 and model 1 has bias"),
    ]:
        with pytest.raises(tg.StateDictError, match=f"stack_module_state: .*{says}"):
            nn.stack_module_state(models)


# ---- buffers


def normalised() -> nn.Sequential:
    tg.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3, **DOUBLE), nn.BatchNorm1d(3, **DOUBLE))


WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda f, w: f(w),
    "grad": lambda f, w: tg.grad(f)(w),
    "jvp": lambda f, w: tg.jvp(f, (w,), (w,)),
    "jvp of grad": lambda f, w: tg.jvp(tg.grad(f), (w,), (w,)),
    "linearize": lambda f, w: tg.linearize(f, w),
    "hvp": lambda f, w: tg.hvp(f, w, w),
    "hessian": lambda f, w: tg.hessian(f)(w),
    "vmap over something else": lambda f, w: tg.vmap(lambda s: f(w) * s)(np.ones(2)),
    "grad under vmap over something else": lambda f, w: tg.vmap(lambda s: tg.grad(lambda w: f(w) * s)(w))(
        np.ones(2)
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_running_statistics_are_noted_once_and_as_plain_values(way: str) -> None:
    model, reference = normalised(), normalised()
    reference(tg.tensor(ROWS))
    weights = {key: p.numpy().copy() for key, p in model.named_parameters()}
    WAYS[way](lambda w: (nn.functional_call(model, w, ROWS) ** 3).sum(), weights)
    for key, b in model.named_buffers():
        assert type(b) is tg.Tensor and not b.level and not b.requires_grad
        assert type(b._d) in (np.ndarray, np.int64)
        assert_allclose(b, dict(reference.named_buffers())[key], err_msg=key)


@pytest.mark.parametrize("way", WAYS)
def test_buffers_that_are_given_are_written_to_and_the_modules_own_are_not(way: str) -> None:
    model, reference = normalised(), normalised()
    reference(tg.tensor(ROWS))
    weights = {key: p.numpy().copy() for key, p in model.named_parameters()}
    buffers = {key: tg.tensor(b) for key, b in model.named_buffers()}
    WAYS[way](lambda w: (nn.functional_call(model, (w, buffers), ROWS) ** 3).sum(), weights)
    for key, b in model.named_buffers():
        assert_array_equal(b, dict(normalised().named_buffers())[key])
        assert_allclose(buffers[key], dict(reference.named_buffers())[key], err_msg=key)


def test_statistics_of_each_example_need_a_buffer_each() -> None:
    model = nn.Sequential(
        nn.BatchNorm1d(4, **DOUBLE), *normalised()
    )  # the first one has noted its batch by then
    before = {key: b.numpy().copy() for key, b in model.named_buffers()}
    weights = {key: np.stack([p.numpy()] * 2) for key, p in model.named_parameters()}
    with pytest.raises(tg.GradientError, match=r"tg.nn.stack_module_state.*model\.eval|module\.eval"):
        tg.vmap(lambda w: nn.functional_call(model, w, ROWS))(
            {k: w for k, w in weights.items() if k[0] != "0"}
        )
    for key, b in model.named_buffers():
        assert_array_equal(b, before[key])


# ---- what may be given, errors


def test_arguments_and_several_dicts() -> None:
    model = nn.Linear(4, 2, **DOUBLE)
    w, b = NORMAL(size=(2, 4)), NORMAL(size=2)
    want = ROWS @ w.T + b
    for found in (
        nn.functional_call(model, {"weight": w, "bias": b}, ROWS),
        nn.functional_call(model, ({"weight": w}, {"bias": tg.tensor(b)}), (ROWS,)),
        nn.functional_call(model, [{"weight": w, "bias": b}], kwargs={"x": ROWS}, strict=True),
    ):
        assert_allclose(found, want)
    assert_allclose(nn.functional_call(model, {"bias": b}, ROWS), ROWS @ model.weight.numpy().T + b)


def test_a_value_stands_for_every_place_of_a_shared_parameter() -> None:
    model = Tied()
    eye = np.eye(4)
    assert_allclose(nn.functional_call(model, {"encode.weight": eye}, ROWS), np.tanh(ROWS))
    assert_allclose(nn.functional_call(model, {"decode.weight": eye}, ROWS), np.tanh(ROWS))
    found = nn.functional_call(model, {"encode.weight": eye}, ROWS, tie_weights=False)
    assert_allclose(found, np.tanh(ROWS) @ model.encode.weight.numpy().T)
    both = nn.functional_call(model, {"encode.weight": eye, "decode.weight": 2 * eye}, ROWS)
    assert_allclose(both, 2 * np.tanh(ROWS))
    assert model.encode.weight is model.decode.weight


def test_errors_say_what_is_wanted_and_leave_the_module_alone() -> None:
    model = normalised()
    before = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    w = np.ones((3, 4))
    for given, kind, says in [
        ({"weight": w}, tg.StateDictError, "Sequential has no weight; it has 0.weight, 0.bias, 1.weight"),
        (
            {"0.weight": w.T},
            tg.ShapeError,
            r"0.weight has shape \(3, 4\) and is given \(4, 3\)",
        ),
        ({"0.weight": w[None]}, tg.ShapeError, "call it under tg.vmap"),
        ({"0.weight": None}, tg.ShapeError, "is given a NoneType"),
        (({"0.weight": w}, {"0.weight": w}), tg.StateDictError, "0.weight is in two of the dicts"),
        (w, tg.StateDictError, r"dict\(model.named_parameters\(\)\)"),
    ]:
        with pytest.raises(kind, match=f"functional_call: .*{says}"):
            nn.functional_call(model, given, ROWS)  # type: ignore[arg-type]
    with pytest.raises(tg.StateDictError, match=r"nothing is given for 0.bias, 1.weight, 1.bias"):
        nn.functional_call(model, {"0.weight": w}, ROWS, strict=True)
    with pytest.raises(tg.ShapeError):
        nn.functional_call(model, {"0.weight": w}, np.ones((2, 7)))
    now = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    assert before.keys() == now.keys() and all(before[key] is now[key] for key in now)


def test_calls_in_threads_do_not_see_each_others_values() -> None:
    model = nn.Linear(4, 2, bias=False, **DOUBLE)
    entered = threading.Event()
    model.register_forward_pre_hook(lambda *_: (entered.set(), threading.Event().wait(0.002))[0])
    found: dict[int, Any] = {}

    def call(i: int) -> None:
        found[i] = nn.functional_call(model, {"weight": np.full((2, 4), float(i))}, np.ones((1, 4)))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [float(found[i][0, 0]) for i in range(6)] == [4.0 * i for i in range(6)]
