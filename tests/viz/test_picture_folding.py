"""Folded modules in pictures: fewer boxes, which tell of what is in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import tensorgrad as tg
from tensorgrad.ir.graph import Graph
from tests.viz.conftest import boxes, classes, stats


def test_modules_fold_with_their_parameters(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1))
    assert [lines[0] for lines in shown.values()] == [
        "x", "Sequential.0", "Sequential.1", "Sequential.2", "Sequential.3", "loss = sum", "loss",
    ]  # fmt: skip
    assert shown["e0"][1:] == ["%8 (2, 3)", "operations", "4", "parameters", "4 tensors of 38 numbers"]
    whole = boxes(tg.graph(blocks))
    assert len(whole) > 3 * len(shown)
    assert "peripheries=2" in tg.graph(blocks, depth=1).to_dot()
    assert "several operations" in tg.graph(blocks, depth=1).to_svg()
    assert "several operations" not in tg.graph(blocks).to_svg()


def test_repeats_fold_and_say_how_often(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1, fold_repeats=True))
    assert [key for key in shown if key[0] == "e"] == ["e0", "e1"]
    assert shown["e0"][0].endswith(" × 4")
    assert shown["e0"][2:] == ["operations", "16", "parameters", "16 tensors of 152 numbers"]


def test_a_folded_module_tells_of_bad_gradients_inside(blocks: Graph) -> None:
    weight = next(var for var in blocks.captured if var.label.endswith("down.weight"))
    gradients = {**blocks.gradients, weight.index: stats([np.nan])}
    broken = replace(blocks, passes=(replace(blocks.passes[-1], gradients=gradients),))
    shown = boxes(tg.graph(broken, depth=1, colour="gradient"))
    assert [lines[-1] for lines in shown.values() if lines[-1].startswith("!")] == [
        "! NaN in gradient of a parameter"
    ]


def test_both_passes_of_folded_modules_stay_small(blocks: Graph) -> None:
    shown = boxes(tg.graph(blocks, depth=1, passes="both"))
    assert sum(key[0] == "e" for key in shown) == 10
    assert not any(key[0] == "w" for key in shown), "gradients of parameters are in the boxes"
    assert any("gradients" in lines for lines in shown.values())
    edges = [line for line in tg.graph(blocks, depth=1, passes="both").to_dot().splitlines() if "->" in line]
    assert len({line.split("[")[0] + str("dashed" in line) for line in edges}) == len(edges), (
        "one line for many values"
    )


def test_the_backward_pass_of_a_run_is_drawn_from_what_it_recorded(blocks: Graph) -> None:
    both, backward = (tg.graph(blocks, passes=name) for name in ("both", "backward"))
    assert {"forward", "backward", "write"} <= set(classes(both).values())
    assert "forward" not in classes(backward).values() and "write" in classes(backward).values()
    heat = classes(tg.graph(blocks, passes="both", colour="gradient", show=()))
    assert all(
        " heat-" in name for name in heat.values() if name.startswith(("backward", "forward", "captured"))
    )
