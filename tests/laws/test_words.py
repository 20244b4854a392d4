"""Transformations of transformations, three deep: every word of them gives what its letters mean."""

from __future__ import annotations

import functools
import itertools
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tensorgrad as tg
from tensorgrad.testing.samples import COMPOSED, ROWS
from tests.laws.rows import LEFT_OUT, instruction, pick
from tests.laws.words import LETTERS, MORE, expected, jet_by_reverse_mode, spelled

POINT = np.array([0.3, -0.7, 1.1, 0.4])
MIX = np.array([1.0, -0.5, 0.7, 0.4])
ROW_NAMES = [name for name in [*ROWS, *COMPOSED] if name not in LEFT_OUT]


@np.errstate(all="ignore")  # some samples hold infinities
def check(word: tuple[str, ...], op: str = "") -> None:
    """Compare a word of a function made of an op; which one, the word decides."""
    number = crc32(" ".join(word).encode())
    op = op or pick(ROW_NAMES[number % len(ROW_NAMES)], number)
    f, jet_of = subject(op)
    found = spelled(word, f)(POINT)
    assert np.shape(found) == ()
    meant = expected(word, jet_of, POINT)
    assert_allclose(found, meant, rtol=1e-9, atol=1e-9, err_msg=f"{' of '.join(word)}, of {op}")


@functools.cache
def subject(op: str) -> tuple[Any, Any]:
    """A function of a vector to a number, and what gives its derivatives."""
    apply = instruction(op)

    def f(x: Any) -> Any:
        return (apply(x, tg.sin(x)) * MIX).sum()

    return f, jet_by_reverse_mode(f)


@pytest.mark.parametrize("first", LETTERS)
@pytest.mark.parametrize("second", LETTERS)
def test_words_of_three(first: str, second: str) -> None:
    for third in LETTERS:
        check((first, second, third))


@pytest.mark.parametrize("first", LETTERS | MORE)
def test_shorter_words(first: str) -> None:
    for word in ((first,), *itertools.product([first], LETTERS | MORE)):
        check(word)


@pytest.mark.parametrize(
    "word",
    [
        ("trace", "vjp"),
        ("trace", "jacobian"),
        ("trace", "hvp"),
        ("vjp", "checkpoint", "grad of a line"),
        ("grad", "scan", "jacobian"),
        ("grad", "jacrev", "checkpoint"),
        ("grad of a line", "hessian", "scan"),
    ],
    ids=" of ".join,
)
def test_words_that_were_wrong(word: tuple[str, ...]) -> None:
    check(word)


@pytest.mark.slow
@pytest.mark.parametrize("first", LETTERS | MORE)
@pytest.mark.parametrize("second", LETTERS | MORE)
def test_all_words_of_three(first: str, second: str) -> None:
    for third in LETTERS | MORE:
        check((first, second, third))
