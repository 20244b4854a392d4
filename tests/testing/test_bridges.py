"""What the bridges to other libraries do where no other library is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.testing import bridges, check
from tensorgrad.testing.bridges.host import Call
from tensorgrad.testing.subject import Pair

HOSTS = ("torch", "jax", "autograd")
X = np.array([0.5, 1.5, -2.0])


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_no_host_is_imported_to_find_that_nothing_is_foreign():
    found = run(
        "import sys, numpy as np, tensorgrad as tg, tensorgrad.testing.bridges as bridges\n"
        "import tensorgrad.testing.bridges.torch_host, tensorgrad.testing.bridges.jax_host\n"
        "import tensorgrad.testing.bridges.hips_host\n"
        "asked = [bridges.subject_of(f, [np.ones(3)]) for f in (tg.sin, np.sin, lambda x: x)]\n"
        f"print(asked, [m for m in {HOSTS!r} if m in sys.modules])"
    )
    assert found.strip() == "[None, None, None] []"


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_absent_is_named(host):
    found = run(
        f"import sys; sys.modules[{host!r}] = None\n"
        "import numpy as np, tensorgrad as tg, tensorgrad.testing.bridges as bridges\n"
        f"try: bridges.peer_subject(tg.sin, {host!r}, [np.ones(3)])\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    assert host in found


def test_functions_of_this_library_and_other_subjects_are_not_foreign():
    assert bridges.subject_of(tg.sin, [X]) is None
    assert bridges.subject_of(Pair(np.sin, lambda x, y, g: g, 1), [X]) is None
    assert bridges.host_of(lambda x: x, [X, 3, None, {"k": [X]}]) is None


def test_floating_arrays_are_inputs_and_the_rest_is_constant():
    call = Call.of([X, 3, None, {"w": X[:1], "n": np.arange(2)}, 0.5, "mean"])
    assert call.names(lambda x, k, mask, options, scale, how: x) == ["x", "options['w']"]
    assert call.places == [0, 3]
    args = call.arguments(["X", "W"], lambda leaf: leaf)
    assert args[0] == "X" and args[1:3] == (3, None) and args[3]["w"] == "W" and args[4:] == (0.5, "mean")
    assert args[3]["n"].tolist() == [0, 1]


def test_numbers_are_inputs_where_there_are_no_arrays():
    assert [a.item() for a in Call.of([2.0, 3, 1j]).arrays] == [2.0, 1j]


def test_inputs_are_copied():
    (copy,) = Call.of(X).arrays
    copy[0] = 7.0
    assert X[0] == 0.5


@pytest.mark.parametrize("inputs", [[], [np.arange(3)], [3, None], ["x"]])
def test_nothing_to_differentiate_is_said_with_what_was_given(inputs):
    with pytest.raises(tg.DtypeError, match="none of the inputs is a floating"):
        Call.of(inputs)


def pair(f, slope, **options):
    return Pair(f, lambda inputs, y, g: g * slope(*inputs), 1, **options)


def test_what_agrees_with_a_peer_has_no_findings():
    a, b = pair(np.sin, np.cos), pair(lambda x: np.cos(x - np.pi / 2), lambda x: np.cos(x), name="shifted")
    assert bridges.compare(a, b, [X]) == []


def test_a_value_that_differs_from_a_peer_is_found():
    (found,) = bridges.compare(
        pair(np.sin, np.cos), pair(lambda x: np.sin(x) + (x > 1), np.cos, name="p"), [X]
    )
    assert found.clause == "agrees with p" and found.place == "result[0][1]"
    assert (found.wrong, found.total) == (1, 3)
    assert found.numeric == pytest.approx(np.sin(1.5) + 1) and found.analytic == pytest.approx(np.sin(1.5))


def test_a_gradient_that_differs_from_a_peer_is_found():
    (found,) = bridges.compare(pair(np.sin, np.cos), pair(np.sin, lambda x: -np.cos(x), name="p"), [X])
    assert found.input == "x" and found.wrong == 3
    assert found.ratio == pytest.approx(-1)


def test_shapes_and_numbers_of_results_are_compared_too():
    one = pair(np.sin, np.cos)
    two = Pair(lambda x: (x, x), lambda x, y, g: g[0] + g[1], 1, name="two")
    summed = Pair(np.sum, lambda x, y, g: g * np.ones_like(x[0]), 1)
    assert "1 results, two has 2" in bridges.compare(one, two, [X])[0].message
    assert "shape (3,)" in bridges.compare(one, summed, [X])[0].message


def test_nans_and_infinities_agree_with_themselves_only():
    values = pair(lambda x: np.array([np.nan, np.inf, 1.0]) * x, lambda x: np.ones_like(x), name="a")
    other = pair(lambda x: np.array([np.nan, -np.inf, 1.0]) * x, lambda x: np.ones_like(x), name="b")
    x = np.ones(3)
    assert bridges.compare(values, values, [x]) == []
    (found,) = bridges.compare(values, other, [x])
    assert found.place == "result[0][1]" and found.wrong == 1


def test_the_check_compares_with_a_subject_or_another_function():
    right, other = pair(np.sin, np.cos, name="numpy"), pair(np.sin, lambda x: -np.cos(x), name="wrong")
    assert check(tg.sin, [X], against=right).clauses[-1].name == "agrees with numpy"
    assert check(tg.sin, [X], against=lambda x: tg.cos(x - np.pi / 2))
    report = check(tg.sin, tg.tensor(X, requires_grad=True), against=other)
    assert [one.clause for one in report.findings] == ["agrees with wrong"]
    assert report.clauses[-1].verdict == "failed"


def test_an_unknown_library_is_refused():
    with pytest.raises(tg.DtypeError, match="'torch', 'jax', 'autograd'"):
        bridges.peer_of(tg.sin, "theano")
