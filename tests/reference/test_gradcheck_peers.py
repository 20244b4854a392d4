"""The peers' own gradient checkers, as the mutation suite calls them, and the same faults in each library."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gradcheck_mutants.hosts import HOSTS, faults
from benchmarks.gradcheck_mutants.peers import PEERS
from tensorgrad.testing import check
from tensorgrad.testing.subject import Pair

X = np.append(np.random.default_rng(0).standard_normal((2, 3)), [[-2.5, 1.0, 2.0]], axis=0)
EXPECTED = {
    "none (a complaint is a false alarm)": dict.fromkeys(PEERS, False),
    "one entry +10 %": {name: True for name in PEERS if name != "torch fast"},
    "wrong where x < -2": dict.fromkeys(PEERS, True),
    "backward doubles its upstream gradient in place": {
        "torch slow": False, "torch fast": True, "jax check_grads rev": None, "HIPS check_grads rev": True,
    },
    "returns float32 for float64": {
        "torch slow": False, "torch fast": False, "jax check_grads rev": False, "HIPS check_grads rev": True,
    },
}  # fmt: skip


def cube(fault):
    return Pair(lambda x: x**3, faults(np.random.default_rng(0), X.shape)[fault], 1)


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("name", PEERS)
def test_peers_say_what_the_design_notes_measured(name, fault):
    if name in EXPECTED[fault]:
        assert PEERS[name](cube(fault), [X]) is EXPECTED[fault][name]


SHAPES = {
    "two inputs": (lambda x, y: x * y, lambda i, y, g: (g * i[1], g * i[0]), [X, X + 1]),
    "two results": (lambda x: (x * 2, x**2), lambda i, y, g: g[0] * 2 + 2 * i[0] * g[1], [X]),
    "no gradient": (lambda x, y: x * 2, lambda i, y, g: (g * 2, None), [X, X]),
    "complex": (lambda z: z * z, lambda i, y, g: g * np.conj(2 * i[0]), [X * (1 + 1j)]),
    "0-d": (np.sin, lambda i, y, g: g * np.cos(i[0]), [np.array(0.5)]),
    "reversed": (np.sin, lambda i, y, g: g * np.cos(i[0]), [X[::-1]]),
    "upstream returned": (lambda x, y: x + y, lambda i, y, g: (g, g), [X, X]),
}


@pytest.mark.parametrize("case", SHAPES)
def test_nobody_complains_of_what_is_right(case):
    f, vjp, arrays = SHAPES[case]
    pair = Pair(f, vjp, len(arrays))
    assert {name: peer(pair, arrays) for name, peer in PEERS.items()} == dict.fromkeys(PEERS, False)
    for build, subject in HOSTS.values():
        assert check(
            subject(build(pair)), arrays, clauses=["derivative", "upstream unchanged", "used twice"]
        ).ok


@pytest.mark.parametrize("name", PEERS)
def test_single_precision_is_not_what_the_default_tolerances_are_for(name):
    assert PEERS[name](cube("one entry +10 %"), [X.astype("f")]) is None


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("host", HOSTS)
def test_the_check_finds_the_same_faults_in_each_library(host, fault):
    build, subject = HOSTS[host]
    report = check(subject(build(cube(fault))), [X])
    right = fault.startswith("none") or (host == "jax" and "in place" in fault)  # its arrays are immutable
    assert report.ok == right


def test_drawing_random_numbers_elsewhere_is_not_disturbed():
    np.random.seed(1)  # noqa: NPY002
    expected = np.random.random(2)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    found = [np.random.random()]  # noqa: NPY002
    for peer in PEERS.values():
        peer(cube("one entry +10 %"), [X])
    assert [*found, np.random.random()] == expected.tolist()  # noqa: NPY002
