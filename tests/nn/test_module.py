"""Modules: what they hold, their state, hooks, copies, and calls with other parameters."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn


class Net(nn.Module):
    """Everything a module can hold: parameters, buffers, modules, lists and dicts of them."""

    def __init__(self, seed: int = 0) -> None:
        draws = np.random.default_rng(seed)
        self.first = nn.Linear(3, 4, generator=draws)
        self.scale = nn.Parameter(tg.ones(4))
        self.layers = [nn.Linear(4, 4, generator=draws), nn.Linear(4, 2, bias=False, generator=draws)]
        self.heads = {"a": nn.Linear(2, 1, generator=draws)}
        self.seen = nn.Buffer(tg.zeros(1))
        self.scratch = nn.Buffer(tg.zeros(1), persistent=False)

    def forward(self, x: Any) -> Any:
        x = tg.tanh(self.first(x)) * self.scale
        for layer in self.layers:
            x = layer(x)
        return self.heads["a"](x)


PARAMETERS = [
    "scale", "first.weight", "first.bias", "layers.0.weight", "layers.0.bias", "layers.1.weight",
    "heads.a.weight", "heads.a.bias",
]  # fmt: skip
X = tg.tensor([[0.1, -0.2, 0.3], [1.0, 2.0, -1.0]])


@pytest.fixture
def net() -> Net:
    return Net()


def test_parameters_are_found_without_being_registered(net: Net) -> None:
    assert [name for name, _ in net.named_parameters()] == PARAMETERS
    assert sum(p.size for p in net.parameters()) == 4 + 16 + 20 + 8 + 3
    assert [name for name, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [name for name, _ in net.named_children()] == ["first", "layers.0", "layers.1", "heads.a"]


def test_super_init_may_be_forgotten_or_called() -> None:
    class Called(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(tg.ones(2))

    assert len(list(Called().parameters())) == 1


def test_the_state_holds_parameters_and_persistent_buffers_and_is_a_copy(net: Net) -> None:
    state = net.state_dict()
    assert set(state) == {*PARAMETERS, "seen"}
    with tg.no_grad():
        net.scale[...] = 7.0
    assert state["scale"].tolist() == [1.0] * 4


def test_a_loaded_state_gives_the_same_results_in_the_same_objects(net: Net) -> None:
    other = Net(seed=1)
    weight = other.first.weight
    memory = id(weight._d)
    assert other(X).tolist() != net(X).tolist()
    assert other.load_state_dict(net.state_dict()) == ([], [])
    assert other(X).tolist() == net(X).tolist()
    assert other.first.weight is weight
    assert id(weight._d) == memory


def test_who_holds_the_old_values_keeps_them(net: Net) -> None:
    """A constant that shares a parameter's memory has no version that could tell it was overwritten."""
    seen, constant = net.scale.numpy(), net.scale.detach()
    x = tg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = (x * constant).sum()
    net.load_state_dict({**net.state_dict(), "scale": tg.zeros(4)})
    y.backward()
    assert x.grad.tolist() == seen.tolist() == [1.0] * 4
    assert net.scale.tolist() == [0.0] * 4


def test_loading_names_everything_that_does_not_fit_and_changes_nothing(net: Net) -> None:
    before = net.state_dict()
    state = Net(seed=1).state_dict()
    state["head.weight"] = state.pop("heads.a.weight")
    state["first.bias"] = tg.zeros(5)
    state["layers.0.bias"] = tg.zeros(4, dtype="complex64")
    with pytest.raises(tg.StateDictError) as caught:
        net.load_state_dict(state)
    for part in (
        "missing heads.a.weight",
        "unexpected head.weight",
        "first.bias is (5,), expected (4,)",
        "complex64",
    ):
        assert part in str(caught.value)
    assert all((before[name] == value).all() for name, value in net.state_dict().items())
    del state["first.bias"], state["layers.0.bias"]
    assert net.load_state_dict(state, strict=False) == (
        ["first.bias", "layers.0.bias", "heads.a.weight"],
        ["head.weight"],
    )


def test_a_graph_from_before_loading_is_stale(net: Net) -> None:
    loss = net(X).sum()
    net.load_state_dict(Net(seed=1).state_dict())
    with pytest.raises(tg.MutatedError):
        loss.backward()


def test_shared_parameters_come_once_and_stay_shared() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            self.inner, self.outer = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
            self.outer.weight = self.inner.weight

        def forward(self, x: Any) -> Any:
            return self.outer(self.inner(x))

    tied = Tied()
    assert [name for name, _ in tied.named_parameters()] == ["inner.weight"]
    assert list(tied.state_dict()) == ["inner.weight", "outer.weight"]
    for twin in (copy.deepcopy(tied),):
        assert twin.inner.weight is twin.outer.weight
        assert twin.inner.weight is not tied.inner.weight
    eye = tg.tensor([[0.0, 1.0], [1.0, 0.0]])
    swapped = nn.functional_call(tied, {"inner.weight": eye}, tg.tensor([1.0, 2.0]))
    assert swapped.tolist() == [1.0, 2.0]


def test_copies_and_pickles_are_independent(net: Net) -> None:
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin(X).tolist() == net(X).tolist()
        with tg.no_grad():
            twin.scale[...] = 0.0
        assert net.scale.tolist() == [1.0] * 4


def test_a_module_in_a_circle_is_walked_once(net: Net) -> None:
    net.first.parent = net
    assert [name for name, _ in net.named_parameters()] == PARAMETERS
    assert set(net.state_dict()) == {*PARAMETERS, "seen"}


def test_training_evaluation_freezing_and_apply(net: Net) -> None:
    assert all(m.training for m in net.modules())
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    net.first.requires_grad_(False)
    net(X).sum().backward()
    assert net.first.weight.grad is None
    assert net.scale.grad is not None
    net.zero_grad()
    assert net.scale.grad is None
    visited: list[nn.Module] = []
    net.apply(visited.append)
    assert visited[-1] is net
    assert len(visited) == 5


def test_conversion_keeps_the_objects(net: Net) -> None:
    weight = net.first.weight
    net(X).sum().backward()
    assert net.double().first.weight is weight
    assert weight.dtype == weight.grad.dtype == np.float64
    assert net(X.astype("float64")).dtype == np.float64
    with pytest.raises(tg.DtypeError, match="int64 given"):
        net.to("int64")
    net.phase = nn.Parameter(tg.ones(1, dtype="complex64"))
    with pytest.raises(tg.DtypeError, match="complex64 cannot become float32"):
        net.float()
    assert weight.dtype == np.float64  # nothing is half-changed


def test_overwriting_a_parameter_by_a_tensor_is_an_error_that_shows_the_way(net: Net) -> None:
    with pytest.raises(tg.DtypeError, match=r"is a parameter, and a Tensor is given.*no_grad"):
        net.scale = net.scale - 0.1
    with pytest.raises(tg.DtypeError, match="is a buffer, and a float is given"):
        net.seen = 1.0
    net.seen = tg.ones(1)
    assert net.state_dict()["seen"].tolist() == [1.0]
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'nothing'"):
        net.nothing  # noqa: B018
    with pytest.raises(tg.DtypeError, match="a string without a dot"):
        net.register_buffer("a.b", tg.zeros(1))
    with pytest.raises(tg.DtypeError, match="is a method"):
        net.register_buffer("forward", tg.zeros(1))
    del net.seen
    assert "seen" not in net.state_dict()


def test_paths_lead_to_parts(net: Net) -> None:
    assert net.get_submodule("layers.1") is net.layers[1]
    assert net.get_parameter("layers.1.weight") is net.layers[1].weight
    with pytest.raises(tg.StateDictError, match=r"no module .layers\.2."):
        net.get_submodule("layers.2")


def test_repr_is_a_tree(net: Net) -> None:
    assert repr(net).splitlines() == [
        "Net(",
        "  (first): Linear(in_features=3, out_features=4, bias=True)",
        "  (layers.0): Linear(in_features=4, out_features=4, bias=True)",
        "  (layers.1): Linear(in_features=4, out_features=2, bias=False)",
        "  (heads.a): Linear(in_features=2, out_features=1, bias=True)",
        ")",
    ]


def test_a_module_without_forward_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)


# ---- hooks


def test_forward_hooks_see_and_replace() -> None:
    layer = nn.Linear(2, 2)
    calls: list[str] = []
    before = layer.register_forward_pre_hook(lambda module, args: (calls.append("before"), (args[0] * 0,))[1])
    after = layer.register_forward_hook(lambda module, args, y: (calls.append("after"), y + 1)[1])
    assert layer(tg.ones(2)).tolist() == (layer.bias + 1).tolist()
    assert calls == ["before", "after"]
    before.remove()
    after.remove()
    assert layer(tg.zeros(2)).tolist() == layer.bias.tolist()
    assert len(calls) == 2


def test_backward_hooks_see_and_replace_gradients() -> None:
    class Two(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a * b, a + 0 * b

    module, seen = Two(), []
    module.register_full_backward_pre_hook(lambda m, out: seen.append(("out", [g.tolist() for g in out])))
    module.register_full_backward_hook(
        lambda m, grads, out: (seen.append(("in", [g.tolist() for g in grads])), (grads[0] * 10, grads[1]))[1]
    )
    a, b = tg.tensor([2.0], requires_grad=True), tg.tensor([3.0], requires_grad=True)
    product, _ = module(a, b)
    product.sum().backward()
    assert seen == [("out", [[1.0], [0.0]]), ("in", [[3.0], [2.0]])]
    assert (a.grad.tolist(), b.grad.tolist()) == ([30.0], [2.0])


def test_a_hook_that_returns_too_few_gradients_is_told() -> None:
    layer = nn.Linear(2, 1)
    layer.register_full_backward_hook(lambda m, grads, out: (None, None, None))
    with pytest.raises(tg.ShapeError, match="3 gradients returned for 1"):
        layer(tg.ones(2).requires_grad_()).sum().backward()


# ---- calls with other parameters


def test_functional_call_is_a_function_of_the_parameters(net: Net) -> None:
    weights = dict(net.named_parameters())
    ours = tg.grad(lambda w: nn.functional_call(net, w, X).sum())(weights)
    net(X).sum().backward()
    assert all((ours[name] == p.grad).all() for name, p in net.named_parameters())
    batch = tg.vmap(lambda s: nn.functional_call(net, {"scale": s}, X))(tg.ones((5, 4)))
    assert batch.shape == (5, 2, 1)
    assert net.scale is weights["scale"]


def test_functional_call_leaves_the_module_alone_after_an_error(net: Net) -> None:
    scale = net.scale
    with pytest.raises(tg.StateDictError, match="Net has no wrong"):
        nn.functional_call(net, {"wrong": tg.ones(4)}, X)
    with pytest.raises(tg.ShapeError, match=r"scale has shape \(4,\) and is given \(5,\)"):
        nn.functional_call(net, {"scale": tg.ones(5)}, X)
    with pytest.raises(tg.ShapeError):
        nn.functional_call(net, {"scale": tg.ones(4)}, tg.ones((2, 7)))
    assert net.scale is scale


# ---- containers


def test_sequential_is_a_list_of_modules() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 1))
    assert len(model) == 3
    assert model[-1].out_features == 1
    assert model[:2](tg.ones((4, 2))).shape == (4, 3)
    assert list(model.state_dict()) == [f"{i}.{name}" for i in range(3) for name in ("weight", "bias")]
    del model[1]
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    model.insert(1, nn.Linear(3, 3))
    assert model(tg.ones((4, 2))).shape == (4, 1)
    named = nn.Sequential({"hidden": nn.Linear(2, 2), "out": nn.Linear(2, 1)})
    assert next(iter(named.state_dict())) == "hidden.weight"
    assert named.hidden is named[0]
    with pytest.raises(IndexError, match="index 5 is out of range for 3"):
        model[5]
    with pytest.raises(TypeError, match="it holds modules"):
        nn.Sequential(nn.Linear(2, 2), tg.relu)


def test_lists_and_dicts_of_modules_and_parameters() -> None:
    modules = nn.ModuleList([nn.Linear(1, 1)]).append(nn.Linear(1, 2))
    assert [m.out_features for m in modules] == [1, 2]
    named = nn.ModuleDict({"a": nn.Linear(1, 1)})
    named["b"] = nn.Linear(1, 2)
    assert (list(named), "b" in named, len(named)) == (["a", "b"], True, 2)
    assert named.pop("a").out_features == 1
    assert named.keys() == ["b"]
    weights = nn.ParameterList([tg.ones(2), np.zeros(3)])
    assert [w.requires_grad for w in weights] == [True, True]
    table = nn.ParameterDict({"w": tg.ones(2)})
    assert list(table.state_dict()) == ["w"]
    with pytest.raises(KeyError, match="has no 'z'"):
        table["z"]


# ---- layers


def test_batch_of_the_first_example_of_the_sources() -> None:
    layer = nn.Linear(4, 3)
    weights = [[0.2, 0.8, -0.5, 1.0], [0.5, -0.91, 0.26, -0.5], [-0.26, -0.27, 0.17, 0.87]]
    layer.load_state_dict({"weight": np.array(weights), "bias": np.array([2.0, 3.0, 0.5])})
    x = np.array([[1.0, 2.0, 3.0, 2.5], [2.0, 5.0, -1.0, 2.0], [-1.5, 2.7, 3.3, -0.8]])
    expected = [[4.8, 1.21, 2.385], [8.9, -1.81, 0.2], [1.41, 1.051, 0.026]]
    np.testing.assert_allclose(layer.double()(x).numpy(), expected, atol=1e-7)


def test_a_lazy_layer_becomes_the_finished_one() -> None:
    model = nn.Sequential(nn.LazyLinear(4, generator=np.random.default_rng(0)), nn.LazyLinear(1))
    with pytest.raises(tg.GradientError, match="LazyLinear has not seen an input"):
        list(model.parameters())
    with pytest.raises(tg.GradientError, match="call the model once"):
        model.state_dict()
    assert model(tg.ones((2, 3))).shape == (2, 1)
    assert type(model[0]) is nn.Linear
    assert model[0].weight.shape == (4, 3)
    twin = nn.Linear(3, 4, generator=np.random.default_rng(0))
    assert twin.weight.tolist() == model[0].weight.tolist()


def test_wrong_features_are_named() -> None:
    with pytest.raises(tg.ShapeError, match=r"linear: input \(2, 5\) and weight \(4, 3\)"):
        nn.Linear(3, 4)(tg.ones((2, 5)))
    with pytest.raises(tg.ShapeError, match="in_features=-1"):
        nn.Linear(-1, 4)
    with pytest.raises(tg.ShapeError, match="bilinear"):
        nn.Bilinear(2, 3, 4)(tg.ones((5, 2)), tg.ones((6, 3)))


def test_operations_are_shown_under_the_path_of_their_module(net: Net) -> None:
    scopes = {equation.scope for equation in tg.trace(net, X).equations}
    assert {"Net/first", "Net/layers.0", "Net/layers.1", "Net/heads.a", "Net"} <= scopes


def test_a_module_in_a_module_list_is_named_by_its_path() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([nn.Linear(3, 3) for _ in range(2)])

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return x

    scopes = [equation.scope for equation in tg.trace(Net(), tg.ones((2, 3))).equations]
    assert list(dict.fromkeys(scopes)) == ["Net/blocks.0", "Net/blocks.1"]


# ---- the table


def test_the_table_counts_parameters_once_and_arithmetic_exactly() -> None:
    shared = nn.Linear(3, 3)
    model = nn.Sequential({"a": shared, "b": shared, "c": nn.Linear(3, 2, bias=False)})
    shared.bias.requires_grad = False
    found = nn.summary(model, (5, 3))
    assert (found.params, found.trainable) == (18, 15)
    assert [(row.name, row.params, row.flops) for row in found.rows] == [
        ("", 18, 2 * (2 * 5 * 9 + 15) + 2 * 5 * 6), ("a", 12, 2 * 5 * 9 + 15), ("a", 0, 2 * 5 * 9 + 15), ("c", 6, 60)
    ]  # fmt: skip
    assert found.rows[-1].outputs == [(5, 2)]
    assert "18 parameters, 3 frozen; 270 FLOP forward" in str(found)
    assert model.training
    with pytest.raises(tg.ShapeError, match="summary: 'x' given"):
        nn.summary(model, "x")


def test_arguments_of_a_traced_module_are_called_as_its_forward_calls_them() -> None:
    assert [var.label for var in tg.trace(nn.ReLU(), tg.ones(3)).inputs] == ["x"]

    class Sum(nn.Module):
        def forward(self, first: Any, *others: Any) -> Any:
            return first + others[0] * others[1]

    assert [var.label for var in tg.trace(Sum(), *tg.ones((3, 2))).inputs] == ["first", "others0", "others1"]
