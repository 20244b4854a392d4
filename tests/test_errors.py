"""Errors: our own kinds over Python's, naming op, arguments and way out; and nothing is half-changed."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import _errors


def leaf(data, dtype=None):
    return tg.tensor(data, dtype, requires_grad=True)


TREE = {
    "ShapeError": ValueError,
    "IndexingError": IndexError,
    "DtypeError": TypeError,
    "LinalgError": np.linalg.LinAlgError,
    "ConvergenceError": ArithmeticError,
    "GradientError": RuntimeError,
    "NoGraphError": tg.GradientError,
    "MutatedError": tg.GradientError,
    "RuleMissingError": NotImplementedError,
    "TraceError": RuntimeError,
    "StateDictError": ValueError,
    "FileFormatError": ValueError,
    "AnomalyError": FloatingPointError,
    "GradcheckError": AssertionError,
}


@pytest.mark.parametrize(("name", "built_in"), TREE.items())
def test_each_error_is_ours_and_the_built_in_one(name, built_in):
    kind = getattr(tg, name)
    assert issubclass(kind, tg.TensorgradError) and issubclass(kind, built_in)
    assert kind.__doc__ and re.search(rf"\b{name}\b", _errors.__doc__)


def test_the_tree_is_complete():
    raised = {n: v for n, v in vars(_errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    ours = {n for n, v in raised.items() if not issubclass(v, Warning)}
    assert ours == {*TREE, "TensorgradError"}


v, m, i = tg.tensor([1.0, 2.0, 3.0]), tg.tensor(np.ones((2, 3))), tg.tensor([1, 2])
w = leaf([1.0, 2.0, 3.0])

# call: (the call, the kind, everything that the message must say)
BAD_CALLS = {
    "add shapes": (lambda: v + np.ones(4), tg.ShapeError, ["add", r"\(3,\)", r"\(4,\)", "broadcast"]),
    "multiply shapes": (lambda: m * np.ones((3, 2)), tg.ShapeError, ["multiply", r"\(2, 3\)", r"\(3, 2\)"]),
    "where shapes": (lambda: tg.where(v > 0, np.ones(2), m), tg.ShapeError, ["where", r"\(3,\)", r"\(2,\)"]),
    "maximum shapes": (lambda: tg.maximum(v, i), tg.ShapeError, ["maximum", r"\(3,\)", r"\(2,\)"]),
    "matmul lengths": (lambda: m @ m, tg.ShapeError, ["matmul", r"\(2, 3\)", r"3.*2|2.*3"]),
    "matmul 0-d": (
        lambda: m @ tg.tensor(1.0),
        tg.ShapeError,
        ["matmul", r"\(\)", "0-d|scalar|axes|multiply"],
    ),
    "matmul batch": (
        lambda: tg.ones((2, 3, 4)) @ tg.ones((3, 4, 5)),
        tg.ShapeError,
        ["matmul", r"\(2, 3, 4\)"],
    ),
    "einsum lengths": (lambda: tg.einsum("ij,jk->ik", m, m), tg.ShapeError, ["einsum", r"\(2, 3\)", "j"]),
    "einsum letters": (lambda: tg.einsum("ij->q", m), tg.ShapeError, ["einsum", "'q'"]),
    "einsum count": (lambda: tg.einsum("ij,jk->ik", m), ValueError, ["einsum"]),
    "reshape": (lambda: m.reshape(4), tg.ShapeError, ["reshape", r"\(2, 3\)", "4"]),
    "reshape two unknown": (lambda: m.reshape(-1, -1), tg.ShapeError, ["reshape", "unknown|-1"]),
    "reshape float": (lambda: m.reshape(3.0, 2), tg.DtypeError, ["reshape", "float|3.0"]),
    "transpose": (lambda: m.transpose(0, 0), tg.ShapeError, ["transpose", r"\(0, 0\)", "2"]),
    "mT of a vector": (lambda: v.mT, tg.ShapeError, ["matrix_transpose", r"\(3,\)", "two axes"]),
    "squeeze": (lambda: m.squeeze(0), tg.ShapeError, ["squeeze", r"\(2, 3\)", "0"]),
    "expand_dims": (lambda: m.expand_dims(9), tg.ShapeError, ["expand_dims", "9"]),
    "broadcast_to": (
        lambda: m.broadcast_to((3, 3)),
        tg.ShapeError,
        ["broadcast_to", r"\(2, 3\)", r"\(3, 3\)"],
    ),
    "sum axis": (lambda: m.sum(5), tg.ShapeError, ["sum", r"\(2, 3\)", "5"]),
    "sum axis twice": (lambda: m.sum((0, 0)), tg.ShapeError, ["sum", r"\(0, 0\)"]),
    "sum axis text": (lambda: m.sum("a"), tg.DtypeError, ["sum", "axis|'a'|str"]),
    "sum axis float": (lambda: m.sum(1.0), tg.DtypeError, ["sum", "axis|1.0|float"]),
    "mean axis": (lambda: m.mean(2), tg.ShapeError, ["mean", "2"]),
    "softmax axis": (lambda: tg.softmax(m, axis=2), tg.ShapeError, ["softmax", "2"]),
    "sort axis": (lambda: tg.sort(m, axis=2), tg.ShapeError, ["sort", "2"]),
    "max of nothing": (lambda: tg.max(tg.zeros(0)), tg.ShapeError, ["max", r"\(0,\)"]),
    "argmax of nothing": (lambda: tg.argmax(tg.zeros((0, 2))), tg.ShapeError, ["argmax", r"\(0, 2\)"]),
    "concat shapes": (lambda: tg.concat([m, v]), tg.ShapeError, ["concat", r"\(2, 3\)", r"\(3,\)"]),
    "concat nothing": (lambda: tg.concat([]), tg.ShapeError, ["concat", "at least one"]),
    "concat axis": (lambda: tg.concat([m, m], axis=7), tg.ShapeError, ["concat", "7"]),
    "stack shapes": (lambda: tg.stack([m, v]), tg.ShapeError, ["stack", r"\(2, 3\)", r"\(3,\)"]),
    "split parts": (lambda: tg.split(v, 2), tg.ShapeError, ["split", "3", "2"]),
    "split axis": (lambda: tg.split(v, 3, axis=1), tg.ShapeError, ["split", "axis 1"]),
    "conv2d": (lambda: tg.nn.functional.conv2d(m, m), ValueError, ["conv2d", r"\(2, 3\)"]),
    "take_along_axis": (
        lambda: tg.take_along_axis(v, np.array([9])),
        tg.IndexingError,
        ["take_along_axis", "9"],
    ),
    "index range": (lambda: v[5], tg.IndexingError, ["getitem", r"\(3,\)", "5"]),
    "index axes": (lambda: v[0, 0], tg.IndexingError, ["getitem", r"\(3,\)", r"\(0, 0\)"]),
    "index list range": (lambda: v[[0, 7]], tg.IndexingError, ["7", r"\(3,\)"]),
    "index float": (lambda: v[1.0], tg.IndexingError, ["index", "float", "integers"]),
    "index text": (lambda: v["a"], tg.IndexingError, ["index", "str", "integers"]),
    "index float tensor": (lambda: v[v], tg.IndexingError, ["index", "float32", "integers"]),
    "index boolean": (lambda: v[True], tg.IndexingError, ["boolean", "where|mask"]),
    "index mask shape": (lambda: v[np.array([True])], tg.IndexingError, ["mask", r"\(1,\)", r"\(3,\)"]),
    "index slice end": (lambda: v["a":], tg.IndexingError, ["slice", "'a'"]),
    "index huge": (lambda: v[10**30], tg.IndexingError, ["getitem|index", "10{30}"]),
    "bool minus": (lambda: (v > 1) - (v > 2), tg.DtypeError, ["subtract", "bool"]),
    "negative integer power": (lambda: i**-1, tg.TensorgradError, ["power", "negative"]),
    "text operand": (lambda: v + "a", tg.DtypeError, ["add", "str"]),
    "text on the left": (lambda: "a" * v, tg.DtypeError, ["multiply", "str"]),
    "None operand": (lambda: v * None, tg.DtypeError, ["multiply", "NoneType"]),
    "object operand": (lambda: v / object(), tg.DtypeError, ["divide", "object"]),
    "text array": (lambda: v + np.array(["a"] * 3), tg.DtypeError, ["add", "U1|str"]),
    "date operand": (lambda: v * np.datetime64("2020"), tg.DtypeError, ["multiply", "datetime64"]),
    "function of text": (lambda: tg.sin("a"), tg.DtypeError, ["sin", "str"]),
    "function of None": (lambda: tg.exp(None), tg.DtypeError, ["exp", "NoneType"]),
    "out of bounds": (lambda: tg.zeros(2, dtype="int8") + 300, tg.DtypeError, ["add", "300", "int8"]),
    "invert": (lambda: ~v, tg.DtypeError, ["bitwise_invert", "float32"]),
    "and": (lambda: i & v, tg.DtypeError, ["bitwise_and", "int64", "float32"]),
    "len": (lambda: len(tg.tensor(1.0)), tg.DtypeError, ["len", "0-d", r"item\(\)"]),
    "iter": (lambda: iter(tg.tensor(1.0)), tg.DtypeError, ["0-d", r"item\(\)"]),
    "item": (lambda: v.item(), tg.ShapeError, ["item", r"\(3,\)", "tolist"]),
    "bool": (lambda: bool(v), tg.ShapeError, ["bool", r"\(3,\)", r"all\(\)"]),
    "float": (lambda: float(v), tg.ShapeError, ["float", r"\(3,\)"]),
    "operator.index": (lambda: [0][tg.tensor(1.0)], tg.DtypeError, ["index", "float32", "integer"]),
    "out=": (lambda: np.add(1, 2, out=v), tg.DtypeError, ["add", "out=", "a = a"]),
    "unknown ufunc": (lambda: np.spacing(v), tg.DtypeError, ["spacing", r"numpy\(\)"]),
    "requires_grad of ints": (lambda: leaf([1]), tg.DtypeError, ["requires_grad", "int64", "astype"]),
    "requires_grad off": (
        lambda: (w * 2).requires_grad_(False),
        tg.GradientError,
        ["requires_grad", "detach"],
    ),
    "astype": (lambda: v.astype("foo"), tg.DtypeError, ["astype", "foo"]),
    "zeros shape": (lambda: tg.zeros((2, -1)), tg.ShapeError, ["zeros|full", "-1"]),
    "zeros text": (lambda: tg.zeros("a"), tg.TensorgradError, ["zeros|full", "'a'|str"]),
    "zeros float": (lambda: tg.zeros(2.5), tg.TensorgradError, ["zeros|full", "2.5"]),
    "ones dtype": (lambda: tg.ones(2, dtype="foo"), tg.DtypeError, ["ones|full|dtype", "foo"]),
    "eye": (lambda: tg.eye(-1), tg.ShapeError, ["eye", "-1"]),
    "arange step": (lambda: tg.arange(1, 2, 0), tg.ShapeError, ["arange", "step"]),
    "arange nan": (lambda: tg.arange(float("nan")), tg.TensorgradError, ["arange", "nan"]),
    "arange text": (lambda: tg.arange("a"), tg.TensorgradError, ["arange", r"\ba\b|str"]),
    "linspace": (lambda: tg.linspace(0, 1, -1), tg.ShapeError, ["linspace", "-1"]),
    "linspace float": (lambda: tg.linspace(0, 1, 2.5), tg.TensorgradError, ["linspace", "2.5"]),
    "one_hot range": (lambda: tg.one_hot([5], 3), tg.TensorgradError, ["one_hot", "5", "3"]),
    "one_hot negative": (lambda: tg.one_hot([-1], 3), tg.TensorgradError, ["one_hot", "-1"]),
    "one_hot floats": (lambda: tg.one_hot([1.0], 3), tg.DtypeError, ["one_hot", "float32"]),
    "zeros_like list": (lambda: tg.zeros_like([1, 2]), tg.TensorgradError, ["zeros_like", "list"]),
    "default dtype": (
        lambda: tg.set_default_dtype(int),
        tg.DtypeError,
        ["set_default_dtype", "int", "float32"],
    ),
    "default dtype text": (lambda: tg.set_default_dtype("q8"), tg.DtypeError, ["set_default_dtype", "q8"]),
    "ragged": (lambda: tg.tensor([[1], [1, 2]]), tg.DtypeError, ["list", "shape"]),
    "tensor dtype": (lambda: tg.tensor([1.0], "foo"), tg.DtypeError, ["foo"]),
    "tensor cast": (lambda: tg.tensor([1j], "float32"), tg.DtypeError, ["complex", "float32"]),
    "list of tracked": (lambda: tg.tensor([w, w]), tg.GradientError, ["history", "stack"]),
    "backward shape": (lambda: w.backward(), tg.ShapeError, ["backward", r"\(3,\)", r"sum\(\)"]),
    "backward plain": (lambda: v.sum().backward(), tg.NoGraphError, ["backward", "requires_grad=True"]),
    "grad of vector": (
        lambda: tg.grad(lambda x: x * 2)(np.ones(3)),
        tg.ShapeError,
        ["grad", r"\(3,\)", "sum"],
    ),
    "grad of None": (lambda: tg.grad(lambda x: None)(np.ones(3)), tg.ShapeError, ["grad", "returned None"]),
    "grad of ints": (lambda: tg.grad(lambda x: x)(np.arange(3)), tg.DtypeError, ["grad", "int64"]),
    "grad of text": (lambda: tg.grad(lambda x: x)("a"), tg.DtypeError, ["grad", "'a'"]),
    "grad argnums": (lambda: tg.grad(lambda x: x, argnums=3)(1.0), tg.GradientError, ["argnums", "3", "1"]),
    "grad has_aux": (lambda: tg.grad(lambda x: x, has_aux=True)(1.0), tg.GradientError, ["has_aux", "aux"]),
    "jvp shapes": (
        lambda: tg.jvp(tg.sin, (np.ones(3),), (np.ones(2),)),
        ValueError,
        ["jvp", r"\(3,\)", r"\(2,\)"],
    ),
    "vmap sizes": (lambda: tg.vmap(tg.add)(np.ones(3), np.ones(2)), ValueError, ["vmap", "3", "2"]),
    "vmap of 0-d": (lambda: tg.vmap(tg.sin)(np.float64(1)), ValueError, ["vmap", r"\(\)|0-d|axis|axes"]),
}


@pytest.mark.parametrize(("call", "kind", "says"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_the_message_names_op_arguments_and_way_out(call, kind, says):
    with pytest.raises(kind) as error:
        call()
    assert isinstance(error.value, tg.TensorgradError), f"a bare {type(error.value).__name__}: {error.value}"
    text = str(error.value)
    missing = [pattern for pattern in says if not re.search(pattern, text)]
    assert not missing, f"{text!r} does not say {missing}"
    assert len(text) < 400 and "\n" not in text
    assert error.value.__cause__ is None and (
        error.value.__suppress_context__ or error.value.__context__ is None
    )


def test_nothing_is_changed_by_any_of_the_bad_calls():
    # They ran above, in whatever order; the tensors that they share must be as they were made.
    assert v.tolist() == w.tolist() == [1, 2, 3] and m.tolist() == [[1] * 3] * 2 and i.tolist() == [1, 2]
    assert w.grad is None and w.is_leaf and not v.requires_grad and v.dtype == np.float32
    assert tg.is_grad_enabled() and tg.get_default_dtype() == np.float32


@pytest.mark.parametrize("transform", ["grad", "jvp", "vmap", "trace", "no_grad"])
def test_an_error_inside_a_transformation_leaves_no_trace(transform):
    def f(x):
        return (x * np.ones(7)).sum()

    run = {
        "grad": lambda: tg.grad(f)(np.ones(3)),
        "jvp": lambda: tg.jvp(f, (np.ones(3),), (np.ones(3),)),
        "vmap": lambda: tg.vmap(f)(np.ones((2, 3))),
        "trace": lambda: tg.trace(f, tg.ones(3)),
        "no_grad": lambda: tg.no_grad()(f)(tg.ones(3)),
    }[transform]
    with pytest.raises(tg.ShapeError, match=r"multiply.*\(7,\)"):
        run()
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    assert tg.grad(lambda x: (x * x).sum())(np.ones(2)).tolist() == [2, 2]


def test_an_error_in_a_loop_does_not_spoil_the_next_round():
    x = leaf([1.0, 2.0, 3.0])
    for bad in (np.ones(4), "a", None, np.array([1], object)):
        y = x * 2
        with pytest.raises(tg.TensorgradError):
            y * bad
        (y * x).sum().backward()
        assert x.grad.tolist() == [4, 8, 12]
        x.grad = None


def test_messages_stay_short_for_large_arguments():
    big = tg.zeros((100, 100))
    for bad in (
        lambda: big + np.zeros((99, 99)),
        lambda: big[np.zeros((50, 50), int) + 1000],
        lambda: big.__setitem__(np.zeros((50, 50), int) + 1000, 1.0),
        lambda: big.__setitem__(np.zeros((50, 50), bool), 1.0),
        lambda: tg.concat([big] * 50 + [tg.zeros(3)]),
    ):
        with pytest.raises(tg.TensorgradError) as error:
            bad()
        assert len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: tg.cat([1.0]), "concat"),
        (lambda: tg.tensor([1.0]).view(1, 1), "reshape"),
        (lambda: tg.nonsense, "nonsense"),
    ],
    ids=["function", "method", "unknown"],
)
def test_names_of_other_libraries_lead_to_ours(call, meant):
    with pytest.raises(AttributeError, match=meant):
        call()
