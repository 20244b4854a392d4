"""Planted pathologies are found and healthy programs are left alone, by the share that the project promises.

The seed is fixed; ``TENSORGRAD_SEED=20300101`` chooses another, and ``TENSORGRAD_SEED=date`` that of the day.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

import pytest

import tensorgrad as tg
from benchmarks import why_pathologies
from tensorgrad.inspect import why_zero


def seed() -> int:
    chosen = os.environ.get("TENSORGRAD_SEED", "20261121")
    found = int(datetime.date.today().strftime("%Y%m%d")) if chosen == "date" else int(chosen)
    print(f"TENSORGRAD_SEED={found}")
    return found


def test_planted_pathologies_are_found() -> None:
    answers = why_pathologies.campaign(seed(), 400)
    print(why_pathologies.table(answers))
    assert len(why_pathologies.KINDS) >= 12
    assert not why_pathologies.missed(answers, [])


def test_healthy_programs_are_not_accused() -> None:
    accused = why_pathologies.accusations(seed(), 500)
    assert not accused, f"{len(accused)}, first {accused[0][0]}\n{accused[0][1]}"


@pytest.mark.slow
def test_a_larger_campaign() -> None:
    for offset in range(10):
        answers = why_pathologies.campaign(seed() + offset, 20 * len(why_pathologies.KINDS))
        assert not why_pathologies.missed(answers, why_pathologies.accusations(seed() + offset, 1000))


def test_the_same_seed_gives_the_same_program() -> None:
    for name in why_pathologies.KINDS:
        assert why_pathologies.instance(name, (1, 2)) == why_pathologies.instance(name, (1, 2))


def test_a_campaign_notices_a_worse_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the entries that depend on the tensor, or with the first suspect for an answer, kinds are missed."""

    def first(evidence: Any, var: Any) -> Any:
        use = evidence.received[var.index][0]
        return why_zero.stopped(
            evidence, use, [evidence.gradient(out) for out in use.equation.outputs], True, [True]
        )

    monkeypatch.setattr("tensorgrad.inspect.why_words.zero", first)
    names = ("dead relu", "mask", "clip", "exact zero factor")
    assert not any(why_pathologies.asked(name, (3, 4)).right for name in names)


def test_a_campaign_notices_accusations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorgrad.inspect.why_words.SMALLEST", 0.5)
    assert why_pathologies.accusations(1, 20)


def test_the_table_and_its_limits() -> None:
    right = why_pathologies.asked("dead relu", (1,))
    wrong = why_pathologies.Answer("mask", right.program, tg.why(tg.ones(1)), False)
    text = why_pathologies.table([right, wrong])
    assert "50.0 %" in text
    assert next(line for line in text.splitlines() if line.startswith("mask")).endswith("<")
    assert why_pathologies.missed([right, wrong], [("a", "b")])[0].startswith("1 healthy")
    assert len(why_pathologies.missed([right, wrong], [])) == 2
    assert why_pathologies.main(["--seed", "1", "--instances", "2", "--healthy", "2"]) == 0
