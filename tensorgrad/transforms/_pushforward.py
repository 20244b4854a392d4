"""The forward-mode rule of a card as Python text, for the usual case of one level over plain arrays.

``pushforward(card, args, params, level)`` computes the result of an op and its tangent, and returns a `Dual`. The
rule follows from the kind of the card (see `_primitive`), and the text holds nothing but what this card needs:
what `push` in `jvp` finds out by looking at each call is known when the text is written. What is not the usual
case (a level inside of this one, a tensor that is recorded, a watcher, a user's card) goes to ``slow_``.

To see it::

    from tensorgrad.transforms._pushforward import text
    print(text(tg.multiply.card))

Names with a trailing underscore belong to the text, as in `_writer`.
"""

from __future__ import annotations

from .._primitive import Formula, Primitive
from .._writer import takes_numbers, times


def text(card: Primitive) -> str:
    """The function ``pushforward(card, args_, params_, level_)`` for a card of the library's own."""
    lines = _unpack(card) + _values(card)
    if card.kind == "constant":
        return _function(card, [*lines, f"return {_boxed(card, 'y_')}"])
    lines += _tangent(card)
    if card.several:
        part = "dual_(y1_, t1_, boxed_, level_)"
        pairs = "zip(y_, t_, strict=True)"
        return _function(card, [*lines, f"return tuple([{part} for y1_, t1_ in {pairs}])"])
    return _function(
        card,
        [
            *lines,
            "if t_.shape != y_.shape or t_.dtype is not y_.dtype: t_ = fit_(t_, y_)",
            "if type(t_) is ndarray and not t_.ndim: t_ = t_[()]",
            "if boxed_:",
            "    b_ = new(Tensor); b_._d = y_; b_._node = None; y_ = b_",
            "    b_ = new(Tensor); b_._d = t_; b_._node = None; t_ = b_",
            "out_ = new(Dual); out_.primal = y_; out_.tangent = t_; out_.level = level_",
            "return out_",
        ],
    )


# ---- the value


def _unpack(card: Primitive) -> list[str]:
    """Each input as an array, ``a_`` for ``a``, and its tangent ``ta_`` or None."""
    lines = [
        "mode_ = get_mode()",
        "if mode_ > 1: return slow_(card, args_, params_, level_)",
        "boxed_ = False",
    ]
    numbers = takes_numbers(card)
    for name in _single(card):
        lines += _unpack_one(name, numbers)
    if card.variadic:
        many = card.inputs[-1]
        lines += [
            f"{many}_ = []; t{many}_ = []",
            f"for x1_ in {many}:",
            *map("    {}".format, _unpack_one("x1_", numbers=False)),
            f"    {many}_.append(x1__); t{many}_.append(tx1__)",
        ]
    return lines


def _unpack_one(name: str, numbers: bool) -> list[str]:
    raw = "RAW" if numbers else "ARRAYS"
    return [
        f"if type({name}) is Dual and {name}.level == level_:",
        f"    {name}_ = {name}.primal; t{name}_ = {name}.tangent",
        f"    if type(t{name}_) is Tensor:",
        f"        if mode_ and t{name}_._node is not None: return slow_(card, args_, params_, level_)",
        f"        t{name}_ = t{name}_._d; boxed_ = True",
        f"    if type(t{name}_) not in ARRAYS: return slow_(card, args_, params_, level_)",
        "else:",
        f"    {name}_ = {name}; t{name}_ = None",
        f"if type({name}_) is Tensor or type({name}_) is Parameter:",
        f"    if mode_ and {name}_._node is not None: return slow_(card, args_, params_, level_)",
        f"    {name}_ = {name}_._d; boxed_ = True",
        f"elif type({name}_) not in {raw}: return slow_(card, args_, params_, level_)",
    ]


def _values(card: Primitive) -> list[str]:
    """The result, ``y_``; where a formula reads an input that may be a number, the input in its dtype."""
    lines = [f"y_ = {_call(card, {})}"]
    if takes_numbers(card):
        read = {n.rpartition("_")[0] if n not in card.inputs else n
                for one in card.formulas.values() for n in one.names}  # fmt: skip
        lines += [
            f"if type({name}_) in SCALARS: {name}_ = y_.dtype.type({name}_)"
            for name in card.inputs if name in read
        ]  # fmt: skip
    return lines


# ---- the tangent


def _tangent(card: Primitive) -> list[str]:
    """The tangent of the result, ``t_``."""
    known = [f"t{name}_ is None" for name in _single(card) if _pushes(card, name)]
    if card.variadic and _pushes(card, card.inputs[-1]):
        known.append(f"all([t1_ is None for t1_ in t{card.inputs[-1]}_])")
    lines = [f"if {' and '.join(known)}: return {_boxed(card, 'y_')}"]
    if card.kind in ("linear", "view"):
        return lines + _linear(card)
    lines.append("t_ = None")
    for name in _single(card):
        if _pushes(card, name):
            lines += [f"if t{name}_ is not None:", *map("    {}".format, _contribution(card, name))]
    if card.variadic:
        many = card.inputs[-1]
        call = _call(card, {many: f"*{many}_[:i_], t1_, *{many}_[i_ + 1:]"})
        lines += [
            f"for i_, t1_ in enumerate(t{many}_):",
            "    if t1_ is not None:",
            f"        c_ = {call}",
            *map("        {}".format, _add()),
        ]
    return lines


def _pushes(card: Primitive, name: str) -> bool:
    return name in card.formulas or name in card.tangents


def _linear(card: Primitive) -> list[str]:
    """The op itself on the tangents, zeros where an input has none."""
    lines = []
    for name in _single(card):
        if name in card.formulas and len(card.formulas) > 1:
            zero = "y_.dtype.type(0)" if card.broadcasts else f"zeros_like({name}_)"
            lines.append(f"if t{name}_ is None: t{name}_ = {zero}")
    given = {name: f"t{name}_" for name in card.formulas}
    if card.variadic and (many := card.inputs[-1]) in card.formulas:
        lines.append(
            f"t{many}_ = [zeros_like(x_) if t1_ is None else t1_ for x_, t1_ in zip({many}_, t{many}_, strict=True)]"
        )
        given[many] = f"*t{many}_"
    return [*lines, f"t_ = {_call(card, given)}"]


def _contribution(card: Primitive, name: str) -> list[str]:
    """What the tangent of one input adds to ``t_``."""
    if card.kind == "bilinear":
        return [f"c_ = {_call(card, {name: f't{name}_'})}", *_add()]
    if card.kind == "general":
        formula = card.tangents[name]
        call = f"{_rule('tangent', name)}({_asked(card, formula, name)})"
        return [f"c_ = {call}", *_add(mine=False)]  # it may be a tangent or a saved value
    formula = card.formulas[name]
    if formula.constant is not None:
        return [f"c_ = {times(f't{name}_', formula.constant)}", *_add(mine=formula.constant != 1)]
    others = " and ".join([f"d_ is not {one}_" for one in ("y", *card.inputs)])
    made = f"type(d_) is ndarray and d_.base is None and {others}"
    fits = f"d_.shape == y_.shape and d_.dtype is t{name}_.dtype"
    return [
        f"d_ = {_rule('slope', name)}({_asked(card, formula, name)})",
        f"if {made} and {fits}:",  # memory to multiply in
        f"    c_ = multiply(t{name}_, d_, d_)",
        "else:",
        f"    c_ = t{name}_ * d_",
        *_add(),
    ]


def _add(mine: bool = True) -> list[str]:
    """Add ``c_`` to ``t_``; into its memory, if the text made it."""
    fits = "type(t_) is ndarray and own_ and t_.shape == y_.shape and t_.dtype is c_.dtype"
    return [
        f"if t_ is None: t_ = c_; own_ = {'c_.base is None' if mine else False}",
        f"elif {fits}: add(t_, c_, t_)",
        "else: t_ = t_ + c_; own_ = True",
    ]


# ---- helpers


def _single(card: Primitive) -> list[str]:
    return list(card.inputs[:-1] if card.variadic else card.inputs)


def _asked(card: Primitive, formula: Formula, name: str) -> str:
    """What a formula asks for, in its order."""
    known = {"t": f"t{name}_", "y": "y_", **{one: one for one in card.params}}
    for one in card.inputs:
        known |= {one: f"{one}_", f"{one}_shape": f"{one}_.shape", f"{one}_dtype": f"{one}_.dtype"}
    return ", ".join([known[one] for one in formula.names])


def _call(card: Primitive, instead: dict[str, str]) -> str:
    """A call of the op on arrays, with some of the inputs replaced."""
    plain = {
        name: f"*{name}_" if card.variadic and name == card.inputs[-1] else f"{name}_" for name in card.inputs
    }
    given = {**plain, **instead}.values()
    return f"op({', '.join([*given, *[f'{name}={name}' for name in card.params]])})"


def _rule(what: str, name: str) -> str:
    return f"{what}_{name}_"


def _boxed(card: Primitive, name: str) -> str:
    each = f"tuple([box_(y1_) for y1_ in {name}])" if card.several else f"box_({name})"
    return f"({each} if boxed_ else {name})"


def _function(card: Primitive, lines: list[str]) -> str:
    inputs = [f"*{n}" if card.variadic and n == card.inputs[-1] else n for n in card.inputs]
    unpack = [f"{', '.join(inputs)}, = args_"]
    if card.params:
        unpack.append(f"{', '.join(card.params)}, = params_")
    return "def pushforward(card, args_, params_, level_):\n" + "\n".join(
        [f"    {line}" for line in unpack + lines]
    )
