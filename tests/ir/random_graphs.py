"""Hypothesis strategies for recorded graphs of every form, with names and values as bad as they may be."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tensorgrad.ir.graph import Contribution, Equation, Graph, Pass, Position, Stats, Step, Var, Write
from tensorgrad.ops.window.along import Window

DTYPES = ["float32", "float64", "int64", "bool", "complex64", "float16", "uint8"]

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "]]><x>",
    "<!--",
    "&lt;b&gt; &amp; &#60; &quot;",
    'say "hi"',
    "it's",
    "back\\slash \\N \\G \\l",
    "two\nlines",
    "cr\r\nlf",
    "tab\t",
    "nul\x00 bell\x07 esc\x1b[31m del\x7f",
    "\u202eright to left\u202c \u200f\u2066",
    "zero\u200bwidth\ufeff",
    "\ud800",
    "\udc00x\ud800",
    "emoji 👩‍👩‍👧 🇨🇭 ❤️",
    "中文字符 한글 日本",
    "e\u0301 Z\u0351\u0352\u0353a\u0301\u0302l\u0303go",
    "end",
    "end subgraph click A href",
    "%%{init: {'theme':'x'}}%%",
    "%% comment",
    "#quot; #35; #amp;",
    "`code` **bold** _it_",
    "1. list",
    "- item",
    "[x](javascript:x)",
    "{x} (y) [z] |w| --> A:::b ;",
    "subgraph",
    "--",
    "{{{",
    "$$x$$",
    "${x}",
    "<%= x %>",
    "x" * 5000,
    "宽" * 500,
    "",
    " ",
    "  lead and trail  ",
]

plain_names = st.text("abcdefghij_.0123456789/", max_size=12)
hostile_names = st.sampled_from(HOSTILE) | st.text(max_size=12)
finite = st.floats(allow_nan=False)
numbers = st.integers(-(2**70), 2**70) | finite | st.booleans() | st.none()


def values(names: Any, *, only_data: bool = False) -> Any:
    """Parameters. With `only_data` what equals itself when it was read back."""
    scalars = st.sampled_from(
        [np.float32(0.1), np.int64(2**60), np.bool_(True), np.complex64(1 + 2j), np.uint64(2**64 - 1)]
    )
    simple = numbers | names | scalars | st.complex_numbers(allow_nan=False) | st.just(...)
    simple |= st.sampled_from([np.dtype(name) for name in DTYPES] + [np.dtype(">f4")])
    simple |= st.builds(
        slice, st.none() | st.integers(), st.none() | st.integers(), st.none() | st.integers()
    )
    simple |= st.just(Window(3, 1, 0, 1, 4))
    keys = st.none() | names | st.tuples(st.integers(0, 5), st.booleans())
    if not only_data:
        arrays = [
            np.arange(6.0).reshape(2, 3),
            np.array(np.nan),
            np.ones(3, ">i2"),
            np.array([1 + 2j, np.inf]),
        ]
        odd = [
            np.nan,
            -np.inf,
            complex("nan+infj"),
            np.float64("nan"),
            len,
            values,
            object(),
            np.random.default_rng(),
            b"x",
        ]
        simple |= st.sampled_from([*arrays, np.array(["a"]), np.zeros((0, 3)), np.datetime64(1, "s"), *odd])
        simple |= st.builds(Awkward, names)

    def extend(inner: Any) -> Any:
        some = st.lists(inner, max_size=3)
        return some | some.map(tuple) | st.dictionaries(keys, inner, max_size=3)

    return st.recursive(simple, extend, max_leaves=6) | st.frozensets(st.integers() | names, max_size=3)


class Awkward:
    """An object whose words are anything."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        if self.words == "end":
            raise ValueError("no words")
        return self.words


@st.composite
def stats(draw: Any) -> Stats:
    number = st.none() | st.floats(allow_nan=False)
    return Stats(
        tuple(draw(st.lists(st.integers(0, 5), max_size=3))),
        draw(st.sampled_from(DTYPES)),
        *[draw(st.integers(0, 9)) for _ in range(3)],
        *[draw(number) for _ in range(4)],
        draw(st.floats(0, allow_nan=False)),
        tuple(draw(st.lists(st.integers(0, 99), max_size=3))),
        draw(st.none() | st.lists(finite | st.booleans() | st.integers(0, 2**65), max_size=3).map(tuple)),
    )


@st.composite
def graphs(draw: Any, names: Any = hostile_names, *, only_data: bool = False, most: int = 6) -> Graph:
    """A graph with up to `most` equations, all fields filled by chance."""
    indices = draw(st.permutations(range(40)))
    params = st.dictionaries(names, values(names, only_data=only_data), max_size=2)
    position = st.none() | st.builds(Position, names, st.integers(1, 10**6), names)

    def var(role: Any) -> Var:
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
        return Var(
            indices.pop(), shape, draw(st.sampled_from(DTYPES)), role, draw(names), draw(st.booleans())
        )

    leaves = {
        role: [var(role) for _ in range(draw(st.integers(0, 2)))]
        for role in ("input", "captured", "constant")
    }
    known = [one for some in leaves.values() for one in some]
    if draw(st.booleans()):
        known.append(Var(indices.pop(), (), "", "unknown", draw(names)))
    equations = []
    for _ in range(draw(st.integers(0, most))):
        inputs = draw(st.lists(st.sampled_from(known), max_size=3)) if known else []
        outputs = [var("result") for _ in range(draw(st.sampled_from([1, 1, 1, 2, 0])))]
        known += outputs
        equations.append(
            Equation(
                draw(names), tuple(inputs), tuple(outputs), draw(params), "/".join(draw(st.lists(names, max_size=3))),
                draw(st.sampled_from(["forward", "backward"])), None, draw(st.booleans()), draw(position),
                draw(st.none() | st.floats(0, 1e3)), draw(st.none() | st.integers(0, 10**15)),
                draw(st.none() | st.integers(0, 10**15)),
            )
        )  # fmt: skip
    used = {one for equation in equations for one in equation.inputs}
    known = [one for one in known if one.role != "unknown" or one in used]
    some = st.lists(st.sampled_from(known), max_size=2) if known else st.just([])
    writes = tuple(
        [
            Write(
                one,
                draw(st.sampled_from([None, *known])),
                draw(st.sampled_from(["data", "grad"])),
                draw(st.none() | st.integers(0, 9)),
            )
            for one in draw(some)
        ]
    )
    measured = {index: draw(stats()) for index in sorted(one.index for one in known) if draw(st.booleans())}
    return Graph(
        *(tuple(leaves[role]) for role in ("input", "captured", "constant")), tuple(equations), tuple(draw(some)), writes,
        values={one.index: draw(values(names, only_data=only_data)) for one in leaves["constant"]},
        stats=measured,
        passes=tuple([draw(passes(equations, known)) for _ in range(draw(st.integers(0, 1)))]),
    )  # fmt: skip


@st.composite
def passes(draw: Any, equations: list[Equation], known: list[Var]) -> Pass:
    maybe = st.none() | stats()
    steps = []
    for index in reversed(range(len(equations))):
        equation = equations[index]
        parts = [
            Contribution(i, one, draw(maybe)) for i, one in enumerate(equation.inputs) if draw(st.booleans())
        ]
        steps.append(
            Step(
                index,
                tuple([draw(maybe) for _ in equation.outputs]),
                tuple(parts),
                draw(st.none() | st.floats(0, 9)),
            )
        )
    return Pass(
        tuple([(one, draw(maybe)) for one in known[-1:]]),
        tuple(steps),
        {one.index: draw(maybe) for one in known[:3]},
        frozenset(one.index for one in known[:1] if draw(st.booleans())),
    )
