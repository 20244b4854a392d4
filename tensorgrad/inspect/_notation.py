r"""Formulas in print: in the notation of Python and NumPy, and in LaTeX.

Text can be pasted into Python where the names are defined: ``X.T @ e``, ``sum(g, axis=0)``; ``ones(5)`` and
``broadcast(x, (5, 3))`` repeat, ``zeros(3).at[0].add(g)`` puts ``g`` into zeros. Derivatives are written
without blanks, divisions with them: ``∂u/∂w`` is the derivative of one step, ``dL/dw`` that along all paths.

LaTeX has the notation of matrix calculus: vectors are columns, ``X^{\\top}`` is a transpose, what stands side by
side is a matrix product or a multiple, ``\\odot`` multiplies element by element (shapes broadcast), fractions and
functions act element by element, an index in brackets selects, and ``\\left[a > b\\right]`` is 1 where it holds.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import prod
from typing import Any

from ._symbols import Array, Call, Expr, Name, Number, Range, Shape, Slope, call, is_transpose, transposed

ADD, NEGATIVE, PRODUCT, SLOPE, ATOM = 1, 2, 3, 5, 6
"""How tightly a printed formula holds together; an operand that is looser gets parentheses."""

INFIX = {
    "add": (" + ", ADD, ADD, NEGATIVE + 1),
    "subtract": (" - ", ADD, ADD, NEGATIVE + 1),
    "multiply": (" * ", PRODUCT, PRODUCT, PRODUCT + 1),
    "divide": (" / ", PRODUCT, PRODUCT, PRODUCT + 1),
    "power": (" ** ", PRODUCT + 1, ATOM, PRODUCT + 1),
    "equal": (" == ", 0, ADD, ADD),
    "not_equal": (" != ", 0, ADD, ADD),
    "less": (" < ", 0, ADD, ADD),
    "less_equal": (" <= ", 0, ADD, ADD),
    "greater": (" > ", 0, ADD, ADD),
    "greater_equal": (" >= ", 0, ADD, ADD),
}
"""For each infix op: its sign, how tightly it holds, and what its left and right operands need."""

COMPARISONS = {"equal": "=", "not_equal": r"\ne", "less": "<", "less_equal": r"\le", "greater": ">",
               "greater_equal": r"\ge"}  # fmt: skip

FUNCTIONS = frozenset(["exp", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh"])
"""What LaTeX has a command for."""

_GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega
Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"""
GREEK = frozenset(_GREEK.split())
LATEX_NAMES = {"place": "scatter", "add_at": "scatter", "take_at": "pick", "broadcast_to": "broadcast",
               "one_hot": "onehot", "permute_dims": "transpose"}  # fmt: skip
LETTERS = "ijklmnpq"


def text(e: Expr) -> str:
    """``e`` in the notation of Python and NumPy."""
    return _text(e)[0]


def latex(e: Expr) -> str:
    """``e`` in LaTeX, for math mode."""
    return _latex(e)[0]


# ---- text


def _text(e: Expr) -> tuple[str, int]:
    if isinstance(e, Name):
        return e.text, ATOM
    if isinstance(e, Slope):
        d = "∂" if e.partial else "d"
        return f"{d}{e.of}/{d}{e.by}", SLOPE
    if isinstance(e, Number):
        return _number(e.value)
    if isinstance(e, Array):
        return _entries(e.values, e.shape), ATOM
    if (outer := _outer(e)) is not None:
        return f"outer({text(outer[0])}, {text(outer[1])})", ATOM
    if (summed := _mean(e)) is not None:
        return _text_call(Call("mean", summed.args, summed.params, summed.shape)), ATOM
    if e.op in INFIX:
        sign, level, left, right = INFIX[e.op]
        a, b = e.args
        return f"{_wrapped(a, left, matmul=e.op != 'add')}{sign}{_wrapped(b, right)}", level
    if e.op == "negative":
        return f"-{_wrapped(e.args[0], PRODUCT)}", NEGATIVE
    if e.op == "matmul":
        a, b = e.args
        left = PRODUCT if isinstance(a, Call) and a.op == "matmul" else PRODUCT + 1
        return f"{_wrapped(a, left)} @ {_wrapped(b, PRODUCT + 1)}", PRODUCT
    return _text_call(e), ATOM


def _text_call(e: Call) -> str:
    params = dict(e.params)
    if is_transpose(e):
        return f"{_wrapped(e.args[0], ATOM)}.{'T' if len(e.shape) == 2 else 'mT'}"
    if e.op == "permute_dims":
        return f"transpose({text(e.args[0])}, {tuple(params['axes'])})"
    if e.op == "getitem":
        return f"{_wrapped(e.args[0], ATOM)}[{index_text(params['index'])}]"
    if e.op == "take_at":
        return f"{_wrapped(e.args[0], ATOM)}[{_filled_index(e)}]"
    if e.op == "place":
        return f"zeros({_shape(e.shape)}).at[{index_text(params['index'])}].add({text(e.args[0])})"
    if e.op == "add_at":
        return f"zeros({_shape(e.shape)}).at[{_filled_index(e)}].add({text(e.args[0])})"
    if e.op == "broadcast_to":
        (x,) = e.args
        if x.shape:
            return f"broadcast({text(x)}, {e.shape})"
        if isinstance(x, Number) and x.value in (0, 1):
            return f"{'ones' if x.value else 'zeros'}({_shape(e.shape)})"
        return f"full({_shape(e.shape)}, {text(x)})"
    if e.op == "reshape":
        (x,) = e.args
        if (new := _new_axes(x.shape, e.shape)) is not None:
            return f"{_wrapped(x, ATOM)}[{', '.join('None' if one else ':' for one in new)}]"
        return f"reshape({text(x)}, {e.shape})"
    if e.op == "one_hot":
        return f"one_hot({text(e.args[0])}, {params['num_classes']})"
    if e.op == "wins":
        return f"heaviside({text(call('subtract', *e.args))}, 1 / 2)"
    given = [text(one) for one in e.args]
    given += [f"{name}={_value(value)}" for name, value in e.params if not _is_default(e, name, value)]
    return f"{e.op}({', '.join(given)})"


def _wrapped(e: Expr, needed: int, matmul: bool = True) -> str:
    shown, level = _text(e)
    is_product = matmul and isinstance(e, Call) and e.op == "matmul" and needed == PRODUCT
    return f"({shown})" if level < needed or is_product else shown


def _number(value: Any) -> tuple[str, int]:
    if isinstance(value, Fraction):
        shown = str(value.numerator) if value.denominator == 1 else f"{value.numerator} / {value.denominator}"
        return shown, NEGATIVE if value < 0 else ATOM if value.denominator == 1 else PRODUCT
    return repr(value), NEGATIVE if value < 0 else ATOM


def _entries(values: tuple[Any, ...], shape: Shape) -> str:
    if not shape:
        return repr(values[0])
    step = len(values) // shape[0] if shape[0] else 0
    parts = [_entries(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
    return f"[{', '.join(parts)}]"


def _shape(shape: Shape) -> str:
    return str(shape[0]) if len(shape) == 1 else str(shape)


def _value(value: Any) -> str:
    return repr(value) if isinstance(value, int | float | str | tuple | list | None) else repr(str(value))


def _is_default(e: Call, name: str, value: Any) -> bool:
    if e.op in ("softmax", "log_softmax") and name == "axis":
        return isinstance(value, int) and value in (-1, len(e.shape) - 1)
    if e.op == "cross_entropy":
        return True
    return value is None or value is False or (name in ("correction",) and value == 0)


def index_text(index: Any) -> str:
    """A basic index as it is written between brackets."""
    items = index if isinstance(index, tuple) else (index,)
    return ", ".join([_item(one) for one in items]) or "()"


def _item(item: Any) -> str:
    if isinstance(item, slice | Range):
        start, stop, step = ["" if end is None else str(end) for end in (item.start, item.stop, item.step)]
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if item is Ellipsis else str(item)


def _filled_index(e: Call) -> str:
    arrays = iter(e.args[1:])
    return ", ".join([text(next(arrays)) if one == "array" else _item(one) for one in e.param("pattern")])


def _new_axes(before: Shape, after: Shape) -> list[bool] | None:
    """For each axis of ``after`` whether it is a new one of length 1; None if that is not all that happened."""
    if len(after) <= len(before) or not before:
        return None
    found: list[bool] = []
    left = list(before)
    for n in after:
        if left and n == left[0] and not (n == 1 and len(after) - len(found) > len(left)):
            left.pop(0)
            found.append(False)
        elif n == 1:
            found.append(True)
        else:
            return None
    return None if left else found


def _outer(e: Call) -> tuple[Expr, Expr] | None:
    """The two vectors, if ``e`` is the product of a column and a row."""
    if e.op != "multiply" or len(e.shape) != 2 or min(e.shape) < 2:
        return None
    for column, row in (e.args, e.args[::-1]):
        if column.shape == (e.shape[0], 1) and isinstance(column, Call) and column.op == "reshape":
            bare = row.args[0] if isinstance(row, Call) and row.op == "reshape" else row
            if (
                len(bare.shape) == 1
                and row.shape in ((e.shape[1],), (1, e.shape[1]))
                and len(column.args[0].shape) == 1
            ):
                return column.args[0], bare
    return None


def _mean(e: Call) -> Call | None:
    """The sum, if ``e`` is one divided by how many entries it adds up."""
    if e.op != "divide":
        return None
    x, n = e.args
    if (
        isinstance(x, Call)
        and isinstance(n, Number)
        and x.op == "sum"
        and n.value * max(1, prod(x.shape)) == prod(x.args[0].shape)
    ):
        return x
    return None


# ---- LaTeX


def _latex(e: Expr) -> tuple[str, int]:
    if isinstance(e, Name):
        return latex_name(e.text), ATOM
    if isinstance(e, Slope):
        d = r"\partial" if e.partial else r"\mathrm{d}"
        return rf"\frac{{{d} {latex_name(e.of)}}}{{{d} {latex_name(e.by)}}}", ATOM
    if isinstance(e, Number):
        return _latex_number(e.value)
    if isinstance(e, Array):
        return _latex_entries(e.values, e.shape), ATOM
    if (outer := _outer(e)) is not None:
        return rf"{_held(outer[0], PRODUCT + 1)} {_held(outer[1], ATOM)}^{{\top}}", PRODUCT
    if e.op in ("add", "subtract"):
        sign = "+" if e.op == "add" else "-"
        return f"{_held(e.args[0], ADD)} {sign} {_held(e.args[1], PRODUCT)}", ADD
    if e.op in COMPARISONS:
        return rf"\left[{latex(e.args[0])} {COMPARISONS[e.op]} {latex(e.args[1])}\right]", ATOM
    if e.op == "negative":
        return f"-{_held(e.args[0], PRODUCT)}", NEGATIVE
    if e.op == "multiply":
        return _latex_product(e)
    if e.op == "divide" and _mean(e) is not None:
        return rf"\frac{{1}}{{{latex(e.args[1])}}} {latex(e.args[0])}", PRODUCT - 1
    if e.op == "divide":
        return rf"\frac{{{latex(e.args[0])}}}{{{latex(e.args[1])}}}", ATOM
    if e.op == "power":
        base, exponent = e.args
        dot = r"\odot " if base.shape else ""
        return f"{_held(base, ATOM, power=True)}^{{{dot}{latex(exponent)}}}", PRODUCT + 1
    if e.op == "matmul":
        return _latex_matmul(e)
    return _latex_call(e)


def _latex_product(e: Call) -> tuple[str, int]:
    a, b = e.args
    left = _held(a, PRODUCT)
    right = _held(b, PRODUCT + 1)
    if a.shape and b.shape:
        if isinstance(a, Call) and a.op == "matmul":
            left = rf"\left({latex(a)}\right)"
        return rf"{left} \odot {right}", PRODUCT
    digits = right[0].isdigit() or (right.startswith(r"\frac") and isinstance(b, Number))
    return left + (r" \cdot " if digits else " ") + right, PRODUCT


def _latex_matmul(e: Call) -> tuple[str, int]:
    a, b = e.args
    ranks = (len(a.shape), len(b.shape))
    if ranks == (1, 1):
        return rf"{_held(a, ATOM)}^{{\top}} {_held(b, PRODUCT + 1)}", PRODUCT
    if ranks == (1, 2):  # vectors are columns
        inner = b.args[0] if isinstance(b, Call) and is_transpose(b) else transposed(b)
        return _latex_matmul(call("matmul", inner, a))
    if min(ranks) == 1 and max(ranks) > 2:
        return rf"\operatorname{{matmul}}\left({latex(a)}, {latex(b)}\right)", ATOM
    is_chain = isinstance(a, Call) and a.op == "matmul" and min(len(one.shape) for one in a.args) > 1
    left = _latex(a)[0] if is_chain else _held(a, PRODUCT + 1)
    return f"{left} {_held(b, PRODUCT + 1)}", PRODUCT


def _latex_call(e: Call) -> tuple[str, int]:
    params = dict(e.params)
    first = e.args[0]
    if is_transpose(e):
        return rf"{_held(first, ATOM, power=True)}^{{\top}}", PRODUCT + 1
    if e.op == "sum":
        return _latex_sum(e)
    if e.op == "sqrt":
        return rf"\sqrt{{{latex(first)}}}", ATOM
    if e.op == "getitem":
        return f"{_held(first, ATOM, index=True)}_{{[{_latex_index(params['index'])}]}}", ATOM
    if e.op == "broadcast_to" and not first.shape:
        ones = rf"\mathbf{{1}}_{{{_times(e.shape)}}}"
        if isinstance(first, Number) and first.value == 1:
            return ones, ATOM
        return f"{_held(first, PRODUCT)} {ones}", PRODUCT
    if e.op == "reshape" and (new := _new_axes(first.shape, e.shape)) is not None:
        letters = iter(LETTERS)
        subscript = "".join(["1" if one else next(letters) for one in new])
        return rf"\left[{latex(first)}\right]_{{{subscript}}}", ATOM
    if e.op == "wins":  # the step function, 1/2 at 0
        return rf"\operatorname{{H}}\left({latex(call('subtract', *e.args))}\right)", ATOM
    arguments = ", ".join([latex(one) for one in e.args])
    if e.op in FUNCTIONS and not params:
        return rf"\{e.op}\left({arguments}\right)", ATOM
    if e.op == "sigmoid":
        return rf"\sigma\left({arguments}\right)", ATOM
    if e.op == "abs":
        return rf"\left|{arguments}\right|", ATOM
    subscript = ""
    if e.op in ("place", "add_at", "take_at"):
        index = _latex_index(params["index"]) if "index" in params else _latex_index(params["pattern"])
        subscript = f"[{index}]" + ("" if e.op == "take_at" else rf" \to {_times(e.shape)}")
    elif e.op in ("reshape", "broadcast_to"):
        subscript = _times(e.shape)
    elif e.op == "one_hot":
        subscript = str(params["num_classes"])
    elif e.op == "permute_dims":
        subscript = ",".join(map(str, params["axes"]))
    else:
        chosen = [f"{k}={_value(v)}" for k, v in e.params if not _is_default(e, k, v)]
        subscript = r",\,".join([rf"\mathrm{{{_escaped(one)}}}" for one in chosen])
    below = f"_{{{subscript}}}" if subscript else ""
    name = LATEX_NAMES.get(e.op, e.op)
    return rf"\operatorname{{{_escaped(name)}}}{below}\left({arguments}\right)", ATOM


def _latex_sum(e: Call) -> tuple[str, int]:
    """Sums with a letter for each axis: those below the sign are summed over, the others stay."""
    (x,) = e.args
    rank = len(x.shape)
    axis, keep = e.param("axis"), e.param("keepdims", False)
    gone = range(rank) if axis is None else [a % rank for a in (axis if isinstance(axis, tuple) else (axis,))]
    letters = LETTERS[:rank]
    below = ",".join([letters[a] for a in gone])
    bare = isinstance(x, Name) and "_" not in latex_name(x.text)
    inside = latex(x) if bare else rf"\left({latex(x)}\right)"
    shown = rf"\sum_{{{below}}} {inside}_{{{letters}}}"
    if keep:
        kept = "".join(["1" if i in gone else one for i, one in enumerate(letters)])
        return rf"\left[{shown}\right]_{{{kept}}}", ATOM
    return shown, PRODUCT - 1


def _held(e: Expr, needed: int, power: bool = False, index: bool = False) -> str:
    """An operand, in parentheses where it is too loose, or has an index or a power where there can be one only."""
    shown, level = _latex(e)
    compound = isinstance(e, Call)
    tall = power and (shown.startswith((r"\frac", r"\sum")) or "^" in shown or (compound and "_" in shown))
    tall |= index and ("_" in shown or "^" in shown)
    return rf"\left({shown}\right)" if level < needed or (tall and not shown.startswith(r"\left(")) else shown


def _latex_number(value: Any) -> tuple[str, int]:
    if isinstance(value, Fraction) and value.denominator != 1:
        sign = "-" if value < 0 else ""
        return (
            rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}",
            NEGATIVE if value < 0 else ATOM,
        )
    shown = str(value.numerator) if isinstance(value, Fraction) else repr(value)
    shown = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(shown, shown)
    if "e" in shown and "\\" not in shown:
        digits, exponent = shown.split("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}", NEGATIVE if value < 0 else PRODUCT
    return shown, NEGATIVE if value < 0 else ATOM


def _latex_entries(values: tuple[Any, ...], shape: Shape) -> str:
    if len(shape) > 2 or not shape:
        return rf"\mathrm{{{_escaped(_entries(values, shape))}}}"
    numbers = [_latex_number(one)[0] for one in values]
    width = shape[1] if len(shape) == 2 else 1
    rows = [" & ".join(numbers[i : i + width]) for i in range(0, len(numbers), max(1, width))]
    return r"\begin{bmatrix}" + r" \\ ".join(rows) + r"\end{bmatrix}"


def _latex_index(index: Any) -> str:
    return (
        index_text(index)
        .replace("array", r"\cdot")
        .replace("...", r"\dots")
        .replace(", ", ",")
        .replace("None", "*")
    )


def _times(shape: Shape) -> str:
    return r" \times ".join(map(str, shape))


def latex_name(name: str) -> str:
    """A name in LaTeX: letters as they are, Greek ones by their command, digits at the end as an index."""
    stem, _, index = name.partition("_")
    if not index and (found := re.fullmatch(r"([A-Za-z]+?)(\d+)", name)):
        stem, index = found.groups()
    if not (stem in GREEK or (len(stem) == 1 and stem.isalpha())) or "_" in index:
        return rf"\mathrm{{{_escaped(name)}}}"
    shown = rf"\{stem}" if stem in GREEK else stem
    if not index:
        return shown
    return (
        f"{shown}_{{{index}}}" if index.isdigit() or len(index) == 1 else rf"{shown}_{{\mathrm{{{index}}}}}"
    )


def _escaped(shown: str) -> str:
    return re.sub(r"([_&%#${}])", r"\\\1", shown.replace("\\", "")).replace("~", "").replace("^", "")
