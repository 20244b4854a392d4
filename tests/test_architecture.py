"""What the package promises about itself: documented, light, and one definition of everything."""

from __future__ import annotations

import ast
import copy
import dataclasses
import doctest
import importlib
import inspect
import io
import linecache
import pickle
import pydoc
import subprocess
import sys
import traceback
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._array import Array
from tensorgrad._primitive import Primitive, registry
from tensorgrad._ufuncs import UFUNCS

ROOT = Path(__file__).parent.parent
PLAIN = (float, np.dtype, type(None))  # constants and dtypes: nothing of ours to say about them
PUBLIC = [n for n in dir(tg) if not n.startswith("_") and not isinstance(getattr(tg, n), PLAIN)]
CARDS = sorted(registry)
OTHER_NAMES = {"fabs": "abs"}  # the others have NumPy's names here, too


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- public names


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(tg, name)
    text = inspect.getdoc(value)
    assert text and text.strip(), name
    first = text.strip().splitlines()[0]
    assert len(first) <= 110
    assert first.endswith((".", ":")) or isinstance(value, ModuleType) or ";" in first, first


@pytest.mark.parametrize("name", PUBLIC)
def test_documentation_names_the_arguments(name: str) -> None:
    """What has a section on arguments names no argument that does not exist."""
    value = getattr(tg, name)
    if isinstance(value, ModuleType) or "Args:" not in (inspect.getdoc(value) or ""):
        return
    section = inspect.getdoc(value).split("Args:")[1].split("\n\n")[0]
    named = [
        line.split(":")[0].strip()
        for line in section.splitlines()
        if line[:4] == "    " and line[4:5].isalpha()
    ]
    parameters = inspect.signature(value).parameters
    assert set(named) <= set(parameters), (named, list(parameters))


def test_public_names_are_not_modules_by_accident() -> None:
    modules = {name for name in PUBLIC if isinstance(getattr(tg, name), ModuleType)}
    files = {path.stem for path in (ROOT / "tensorgrad").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert modules <= files, "a module of somebody else's is public"


def test_dir_lists_what_can_be_had() -> None:
    for name in dir(tg):
        getattr(tg, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        tg.nothing  # noqa: B018


def test_what_loads_late_is_known_to_type_checkers() -> None:
    tree = ast.parse((ROOT / "tensorgrad" / "__init__.py").read_text())
    (branch,) = [node for node in tree.body if isinstance(node, ast.If)]
    typed = {alias.asname: node.module for node in branch.body for alias in node.names}  # type: ignore[attr-defined]
    assert typed == {**dict.fromkeys(tg._ON_FIRST_USE), **tg._LATE}


def test_every_exception_is_also_the_builtin_that_one_would_expect() -> None:
    expected = {
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
        "StateDictError": RuntimeError,
        "FileFormatError": ValueError,
        "AnomalyError": FloatingPointError,
        "GradcheckError": AssertionError,
    }
    kinds = {n: getattr(tg, n) for n in PUBLIC if isinstance(getattr(tg, n), type)}
    errors = {n for n, kind in kinds.items() if issubclass(kind, Exception)}
    assert errors == {*expected, "TensorgradError", "LoopWarning"} and issubclass(tg.LoopWarning, UserWarning)
    for name, base in expected.items():
        assert issubclass(getattr(tg, name), base) and issubclass(getattr(tg, name), tg.TensorgradError)


def test_the_example_of_the_package_runs() -> None:
    assert doctest.testmod(tg).failed == 0


# ---- importing


def test_subpackages_load_when_they_are_first_asked_for() -> None:
    loaded = fresh(
        "import sys, tensorgrad as tg\n"
        "own = lambda: sorted({m.split('.')[1] for m in sys.modules if m.startswith('tensorgrad.')})\n"
        "before = own(); tg.nn; tg.ir; after = own()\n"
        "print('nn' in before, 'ir' in before, 'viz' in before, 'nn' in after, 'ir' in after, 'viz' in after)"
    )
    assert loaded == "False False False True True False"


def test_trace_loads_by_itself() -> None:
    printed = fresh(
        "import tensorgrad as tg; print(tg.trace(lambda x: x * 2, tg.ones(2))(tg.ones(2)).tolist())"
    )
    assert printed == "[2.0, 2.0]"


def test_importing_needs_numpy_and_the_standard_library_only() -> None:
    printed = fresh(
        "import sys, numpy, numpy.random\n"
        "before = {m.split('.')[0] for m in sys.modules}\n"
        "import tensorgrad\n"
        "more = {m.split('.')[0] for m in sys.modules} - before - set(sys.stdlib_module_names)\n"
        "print(sorted(more))"
    )
    assert printed == "['tensorgrad']"


# ---- one definition


def test_methods_are_the_functions() -> None:
    """``x.sin`` is ``tg.sin``: one object, so one documentation and one behaviour."""
    # The first two take their arguments spread out as well; the others belong to each kind of value.
    adapted = {"reshape", "transpose", "backward"}
    adapted |= {"backward"}  # and this one belongs to tensors; elsewhere it is refused
    adapted |= {"diff"}  # the function compares computations, too; for the rest it calls the method
    assert vars(Array)["diff"] is tg.ops.diff
    for name, value in vars(Array).items():
        function = getattr(tg, name, None)
        if name.startswith("_") or isinstance(value, property) or not callable(function) or name in adapted:
            continue
        assert value is function, f"Array.{name} is not tg.{name}"
    for operator, name in {
        "__add__": "add",
        "__mul__": "multiply",
        "__matmul__": "matmul",
        "__lt__": "less",
    }.items():
        assert vars(Array)[operator] is getattr(tg, name)


def test_numpys_functions_arrive_at_the_same_ops() -> None:
    for ufunc, op in UFUNCS.items():
        name = ufunc.__name__
        assert op is getattr(tg, OTHER_NAMES.get(name, name)), name


def test_public_functions_come_from_where_they_are_defined() -> None:
    for name in PUBLIC:
        value = getattr(tg, name)
        if isinstance(value, FunctionType):
            assert value is getattr(tg, value.__name__) or name in ("asarray",), (name, value.__name__)
            home = importlib.import_module(value.__module__)
            assert value.__module__.startswith("tensorgrad")
            if hasattr(home, name):
                assert getattr(home, name) is value


# ---- ops


@pytest.fixture(scope="module", params=["before", "after"])
def specialised(request: pytest.FixtureRequest) -> str:
    """Whether the ops were called (and so rewrote themselves) before a test looks at them."""
    if request.param == "after":
        from tensorgrad._specialise import specialise

        for card in registry.values():
            specialise(card)
    return str(request.param)


@pytest.mark.parametrize("name", CARDS)
def test_signature_and_help_before_and_after_the_first_call(specialised: str, name: str) -> None:
    card = registry[name]
    assert inspect.signature(card.op) == inspect.signature(card.forward)
    assert card.op.__doc__ == card.forward.__doc__
    assert card.op.__name__ == name
    page = pydoc.plain(pydoc.render_doc(card.op))
    assert name in page and card.op.__doc__.splitlines()[0] in page
    lines, _ = inspect.getsourcelines(card.op)
    assert any("def " in line for line in lines)


@pytest.mark.parametrize("name", CARDS)
def test_cards_pickle_by_name(name: str) -> None:
    card = registry[name]
    assert pickle.loads(pickle.dumps(card)) is card
    assert copy.deepcopy(card) is card


@pytest.mark.parametrize("name", [name for name in PUBLIC if isinstance(getattr(tg, name), FunctionType)])
def test_functions_pickle_by_name(name: str) -> None:
    function = getattr(tg, name)
    assert pickle.loads(pickle.dumps(function)) is function


def test_programs_pickle() -> None:
    graph = tg.trace(lambda x: tg.where(x > 0, tg.einsum("i,i", x, x), tg.concat([x, x]).sum()), tg.ones(3))
    again = pickle.loads(pickle.dumps(graph))
    assert again == graph and str(again) == str(graph)
    assert again(tg.ones(3)).tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("name", CARDS)
def test_cards_are_complete(name: str) -> None:
    card = registry[name]
    assert isinstance(card, Primitive) and card.op.card is card
    assert card.op.__doc__
    first = card.op.__doc__.splitlines()[0]
    assert first.endswith((".", ":")) or ";" in first
    if card.kind == "constant":
        assert not card.formulas and not card.tangents
    else:
        assert card.formulas, f"{name} has no formula"
        assert set(card.formulas) <= set(card.inputs)
    if card.kind == "general":
        assert set(card.tangents) in (set(), set(card.formulas))


def test_an_op_keeps_its_identity_when_it_is_specialised() -> None:
    printed = fresh(
        "import tensorgrad as tg\n"
        "from tensorgrad.ops.elementwise import sin\n"
        "before = sin; code = sin.__code__\n"
        "tg.sin(tg.ones(2))\n"
        "print(sin is before is tg.sin is tg.Tensor.sin, sin.__code__ is not code)"
    )
    assert printed == "True True"


def test_formulas_added_after_the_first_call_count() -> None:
    @tg.elementwise
    def late(x: Any, /) -> Any:
        return 2 * x

    assert late(np.ones(1)) == 2
    late.derivative(x=2)
    assert tg.grad(lambda x: late(x).sum())(np.ones(1)) == 2
    late.derivative(x=3)
    assert tg.grad(lambda x: late(x).sum())(np.ones(1)) == 3


def test_generated_code_is_seen_in_tracebacks() -> None:
    """An error in a formula of a card shows the generated line that called it."""

    def formula(x: Any) -> Any:
        raise KeyError("mine")

    @tg.elementwise
    def broken(x: Any, /) -> Any:
        return x * 1

    broken.derivative(x=formula)
    w = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(KeyError) as caught:
        broken(w).sum().backward()
    text = "".join(traceback.format_exception(caught.value))
    assert "tensorgrad op broken" in text
    assert "rule0_(x)" in text, "the source line of the generated pullback"
    assert 'raise KeyError("mine")' in text


def test_generated_code_can_be_read() -> None:
    tg.multiply(np.ones(1), np.ones(1))
    source = tg.multiply.card.source
    assert "def entry(a, b, /)" in source and "def pullback(" in source
    assert max(map(len, source.splitlines())) <= 160
    code = inspect.unwrap(tg.multiply) is not tg.multiply and tg.multiply.__code__
    assert "".join(linecache.getlines(code.co_filename)).strip()
    compile(source, "source", "exec")


def test_errors_of_an_op_do_not_show_our_insides_first() -> None:
    """The last frame of the user's own is close to the end, and NumPy's error is not chained."""
    with pytest.raises(tg.ShapeError) as caught:
        tg.tensor(np.ones(2)) + tg.tensor(np.ones(3))
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
    assert len(caught.traceback) <= 4


def test_type_checkers_and_people_see_the_same_parameters() -> None:
    assert list(inspect.signature(tg.sum).parameters) == ["x", "axis", "keepdims", "dtype"]
    assert inspect.signature(tg.Tensor.sum).parameters.keys() == inspect.signature(tg.sum).parameters.keys()


# ---- graphs are plain data


def test_graphs_are_frozen_dataclasses_with_a_schema() -> None:
    graph = tg.trace(lambda x: x * 2, tg.ones(2))
    for part in (graph, graph.equations[0], graph.inputs[0]):
        first = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, first, None)
    assert {field.name for field in dataclasses.fields(graph)} >= {
        "inputs",
        "captured",
        "equations",
        "outputs",
    }


def test_printing_help_of_the_package_works() -> None:
    out = io.StringIO()
    pydoc.Helper(output=out).help(tg)
    assert "tensor expressions" in out.getvalue()
