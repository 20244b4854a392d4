"""A card as Python text: the entry, the pullback, and the revival of what it saved.

`_specialise` compiles what is written here in its own namespace, where the global names stand that the
text reads (`Tensor`, `Node`, `process`, `sum_to`, ...). Names with a trailing underscore belong to the
text, so that no input or parameter of a card can collide with them.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any


def saved_names(card: Any) -> Sequence[str]:
    """What a node of this card saves, in order: inputs, the result, shapes and dtypes, parameters."""
    if card.saves is not None:
        return tuple(card.saves)
    asked = {name for formula in card.formulas.values() for name in formula.names}
    facts = [f"{name}_{what}" for what in ("shape", "dtype") for name in card.inputs]
    names = [n for n in [*card.inputs, "y", *facts] if n in asked]
    if card.several:
        names.append("outputs_")
    if not card.trusted:
        names += [name for name in facts if name.endswith("_dtype") and name not in names]
    return names + list(card.params)


def readers(card: Any, name: str) -> list[int]:
    """The inputs (by number) whose formula asks for ``name``."""
    return [
        i for i, one in enumerate(card.inputs) if one in card.formulas and name in card.formulas[one].names
    ]


# ---- the entry


def entry(card: Any, shown: bool = False) -> str:
    """The entry of an op; or its twin, which runs while all watchers are light, and tells them what it did."""
    if not card.trusted or not card.inputs:
        return _header(card, shown) + "\n" + _indent([_send(card, shown)])
    lines = ["began_ = clock()"] if shown else []
    lines += _unpack_list(card, shown) if card.variadic else _unpack(card, shown)
    if not shown:
        lines += ["mode_ = get_mode()", "if mode_ > 1:", f"    {_send(card)}"]
    lines += [
        "try:",
        f"    r_ = forward({_forward_arguments(card)})",
        "except FORWARD_ERRORS as error_:",
        f"    raise explain(card, {_data_tuple(card)}, {_tuple(card.params)}, error_) from None",
    ]
    if card.formulas:
        lines += [f"if mode_ and ({_any_edge(card)}):", *map("    {}".format, _record(card, shown))]
    if card.broadcasts and len(card.inputs) > 2:  # numbers alone become tensors
        arrays = " or ".join([f"type({n}) in ARRAYS" for n in card.inputs])
        lines += [
            f"if {_nothing_but_arrays(card)}:",
            f"    if {arrays}: return r_",
            f"    {_send(card, shown)}",
        ]
    else:
        lines += [f"if {_nothing_but_arrays(card)}:", "    return r_"]
    if card.several:
        lines += ["out_ = constants(r_)", *_give(card, shown)]
    else:
        lines += ["out_ = new(Tensor)", "out_._d = r_", "out_._node = None", *_give(card, shown)]
    return _header(card, shown) + "\n" + _indent(lines)


def takes_numbers(card: Any) -> bool:
    """Whether a Python number may stand beside a tensor, with a dtype that is weak."""
    return bool(card.broadcasts and card.kind != "bilinear" and len(card.inputs) > 1)


def _give(card: Any, shown: bool) -> list[str]:
    """Return the result, ``out_``; the twin shows it first."""
    if not shown:
        return ["return out_"]
    *fixed, many = card.inputs if card.variadic else (*card.inputs, "")
    data = [f"(Given(d{i}_) if d{i}_ is {n} else d{i}_)" for i, n in enumerate(fixed)]
    nodes = [f"n{i}_" for i in range(len(fixed))]
    if many:
        data.append(f"*[Given(d_) if d_ is x_ else d_ for d_, x_ in zip(ds_, {many})]")
        nodes.append("*ns_")
    told = f"card, {_tuple(data)}, {_tuple(nodes)}, {_tuple(card.params)}, out_, mode_, clock() - began_"
    return [f"for watcher_ in watchers(): watcher_.note({told})", "return out_"]


def _unpack(card: Any, shown: bool) -> list[str]:
    """Take data and node out of each input: ``d0_``, ``n0_``, ``d1_``, ..."""
    lines: list[str] = []
    weak = takes_numbers(card)
    for i, name in enumerate(card.inputs):
        lines += [
            f"if type({name}) is Tensor or type({name}) is Parameter:",
            f"    d{i}_ = {name}._d; n{i}_ = {name}._node",
        ]
        if weak and i == 1 and len(card.inputs) == 2:
            lines += [
                f"elif type({name}) in SCALARS:",
                f"    d1_ = WEAK[d0_.dtype if type(d0_) is ndarray else type(d0_)][{name}]; n1_ = None",
            ]
        elif weak:
            lines += [f"elif type({name}) in SCALARS:", f"    d{i}_ = {name}; n{i}_ = None"]
        lines += [
            f"elif type({name}) in ARRAYS and {name}.dtype.kind in NUMERIC:",
            f"    d{i}_ = {name}; n{i}_ = None",
            "else:",
            f"    {_send(card, shown)}",
        ]
    if weak and len(card.inputs) == 2:
        a, b = card.inputs
        lines += [
            f"if d0_ is {a} and type(d0_) in SCALARS:",
            f"    if type({b}) in SCALARS: {_send(card, shown)}",
            "    d0_ = WEAK[d1_.dtype if type(d1_) is ndarray else type(d1_)][d0_]",
        ]
    return lines


def _unpack_list(card: Any, shown: bool) -> list[str]:
    """The same for a card whose last input is a list; fixed inputs before it are unpacked as usual."""
    *fixed, many = card.inputs
    lines: list[str] = []
    for i, name in enumerate(fixed):
        lines += [
            f"if type({name}) is Tensor or type({name}) is Parameter:",
            f"    d{i}_ = {name}._d; n{i}_ = {name}._node",
            f"elif type({name}) in ARRAYS and {name}.dtype.kind in NUMERIC:",
            f"    d{i}_ = {name}; n{i}_ = None",
            "else:",
            f"    {_send(card, shown)}",
        ]
    return [
        *lines,
        "ds_ = []; ns_ = []; tensors_ = False; edges_ = False",
        f"for x_ in {many}:",
        "    if type(x_) is Tensor or type(x_) is Parameter:",
        "        ds_.append(x_._d); ns_.append(x_._node); tensors_ = True",
        "        if x_._node is not None: edges_ = True",
        "    elif type(x_) in ARRAYS and x_.dtype.kind in NUMERIC:",
        "        ds_.append(x_); ns_.append(None)",
        "    else:",
        f"        {_send(card, shown)}",
    ]


def _record(card: Any, shown: bool) -> list[str]:
    lines = []
    if shares_dtype(card):
        lines += _same_dtypes(card, shown)
    edges = [f"n{i}_" if name in card.formulas else "None" for i, name in enumerate(card.inputs)]
    if card.variadic:
        edges[-1] = "*ns_" if card.inputs[-1] in card.formulas else "*[None] * len(ns_)"
    lines += [
        "n_ = new(Node)",
        "n_.prim = card",
        f"n_.edges = {_tuple(edges)}",
        f"n_.saved = {_tuple([_saved(card, name) for name in saved_names(card)])}",
    ]
    if card.several:
        return [
            *lines,
            "n_.shape = shapes_of(r_)",
            "n_.seq = tick()",
            "n_.extra = None",
            "out_ = picks(n_, r_)",
            *_give(card, shown),
        ]
    return [
        *lines,
        "n_.shape = r_.shape",
        "n_.seq = tick()",
        "n_.extra = None",
        "out_ = new(Tensor)",
        "out_._d = r_",
        "out_._node = n_",
        *_give(card, shown),
    ]


def shares_dtype(card: Any) -> bool:
    """Whether several inputs need gradients, which mixed dtypes would give the wrong dtype."""
    many = card.variadic and card.inputs[-1] in card.formulas
    return card.kind != "general" and not card.several and (many or len(card.formulas) > 1)


def _same_dtypes(card: Any, shown: bool) -> list[str]:
    """Send mixed dtypes to `process`, which casts by a recorded ``astype`` first.

    So every cotangent has the dtype of its node without a look at it, and the cast back is the
    transpose of the cast.
    """
    positions = [i for i, name in enumerate(card.inputs) if name in card.formulas]
    if card.variadic:
        test = f"any([type(d_) in SCALARS or d_.dtype is not r_.dtype for d_ in {_data_tuple(card)}])"
        return [f"if {test}:", f"    {_send(card, shown)}"]
    if positions == [0, 1] and len(card.inputs) == 2 and card.kind == "elementwise":
        # A Python number has no dtype of its own; two NumPy scalars of one type have the same.
        differ = "type(d1_) not in SCALARS and type(d0_) not in SCALARS and d0_.dtype is not d1_.dtype"
        return [
            "if type(d0_) is not type(d1_) or type(d0_) is ndarray:",
            f"    if {differ}: {_send(card, shown)}",
        ]
    return [f"if n{i}_ is not None and d{i}_.dtype is not r_.dtype: {_send(card, shown)}" for i in positions]


def _saved(card: Any, name: str) -> str:
    """The expression that saves one name; an input only where a formula that is wanted reads it."""
    many = card.inputs[-1] if card.variadic else None
    if name in card.inputs:
        i = card.inputs.index(name)
        if name == many:
            return f"tuple([keep(d_) if d_ is x_ else d_ for d_, x_ in zip(ds_, {name})])"
        if len(card.inputs) == 1:
            return f"d{i}_"
        value = f"(keep(d{i}_) if d{i}_ is {name} else d{i}_)"
        wanted = [f"n{j}_ is not None" if card.inputs[j] != many else "edges_" for j in readers(card, name)]
        if set(wanted) == {"edges_"} or _always(card, readers(card, name)):
            return value
        return f"({value} if {' or '.join(wanted)} else None)"
    if name == "y":
        return "r_"
    if name == "outputs_":
        return "layouts_of(r_)"
    base, _, what = name.rpartition("_")
    if base in card.inputs and what in ("shape", "dtype"):
        if base == many:
            return f"tuple([d_.{what} for d_ in ds_])"
        i = card.inputs.index(base)
        return f"shape(d{i}_)" if takes_numbers(card) and what == "shape" else f"d{i}_.{what}"
    return f"{name} if type({name}) is not list else tuple({name})"  # the user may change a list


def _always(card: Any, which: list[int]) -> bool:
    """Whether some of these inputs has an edge whenever anything is recorded: the only one there is."""
    return len(card.formulas) == 1 and bool(which)


def _header(card: Any, shown: bool) -> str:
    if shown:
        parts = [f"*{n}" if card.variadic and n == card.inputs[-1] else n for n in card.inputs]
        return f"def entry(args_, params_, mode_):\n    {_tuple(parts)} = args_\n    {_tuple(card.params)} = params_"
    *fixed, many = (*card.inputs, "") if not card.variadic else card.inputs
    parts = [*fixed]
    if parts:
        parts.append("/")
    keyword_only = [n for n in card.params if n in _keyword_only(card)]
    parts += [_with_default(card, n) for n in card.params if n not in keyword_only]
    if many:
        parts.append(f"*{many}")
    elif keyword_only:
        parts.append("*")
    parts += [_with_default(card, n) for n in keyword_only]
    return f"def entry({', '.join(parts)}):"


def _keyword_only(card: Any) -> set[str]:
    parameters = inspect.signature(card.forward).parameters.values()
    return {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}


def _with_default(card: Any, name: str) -> str:
    return f"{name}=card.defaults[{name!r}]" if name in card.defaults else name


def _forward_arguments(card: Any) -> str:
    *fixed, _ = card.inputs if card.variadic else (*card.inputs, "")
    keyword_only = _keyword_only(card)
    data = [f"d{i}_" for i in range(len(fixed))] + (["*ds_"] if card.variadic else [])
    return ", ".join(data + [f"{n}={n}" if n in keyword_only else n for n in card.params])


def _data_tuple(card: Any) -> str:
    *fixed, _ = card.inputs if card.variadic else (*card.inputs, "")
    return _tuple([f"d{i}_" for i in range(len(fixed))] + (["*ds_"] if card.variadic else []))


def _send(card: Any, shown: bool = False) -> str:
    arguments = [f"*{n}" if card.variadic and n == card.inputs[-1] else n for n in card.inputs]
    return f"return {'general' if shown else 'process'}(card, {_tuple(arguments)}, {_tuple(card.params)})"


def _any_edge(card: Any) -> str:
    single = [
        i
        for i, n in enumerate(card.inputs)
        if n in card.formulas and not (card.variadic and n == card.inputs[-1])
    ]
    tests = [f"n{i}_ is not None" for i in single]
    if card.variadic and card.inputs[-1] in card.formulas:
        tests.append("edges_")
    return " or ".join(tests)


def _nothing_but_arrays(card: Any) -> str:
    plain = [f"type({n}) is not Tensor and type({n}) is not Parameter" for n in card.inputs]
    if card.variadic:
        plain[-1] = "not tensors_"
    return " and ".join(plain)


# ---- the pullback


def pullback(card: Any) -> str:
    """One function for all inputs: ``pullback(g, edges, saved, shape) -> one cotangent per edge``."""
    if not card.formulas:
        return "def pullback(g, edges_, saved_, shape_):\n    return (None,) * len(edges_)"
    names = list(saved_names(card))
    lines = (
        [f"{_tuple(names)} = saved_" if card.trusted else f"{_tuple(names)} = guarded_(saved_)"]
        if names
        else []
    )
    if not card.trusted:
        lines.append("(g,) = guarded_((g,))")
    if card.several:
        lines.append("g = fill_(g, outputs_)")
    *fixed, many = card.inputs if card.variadic else (*card.inputs, None)
    lines.append(f"{_tuple([f'e{i}_' for i in range(len(fixed))] + (['*es_'] if many else []))} = edges_")
    conjugates = card.kind in ("elementwise", "bilinear") and any(
        one.constant is None and (card.kind == "elementwise" or set(one.names) & {*card.inputs})
        for one in card.formulas.values()
    )
    if conjugates:
        lines.append("conj_ = g.dtype.kind == 'c'")
        if card.kind == "bilinear":
            lines += _conjugate_inputs(card, names)
    for number, (name, formula) in enumerate(card.formulas.items()):
        i = card.inputs.index(name)
        if name == many:
            lines += _pull_list(card, number, formula)
        else:
            lines += _pull_one(card, number, i, name, formula)
    results = [f"c{i}_" if n in card.formulas else "None" for i, n in enumerate(fixed)]
    if many:
        results.append("*cs_" if many in card.formulas else "*[None] * len(es_)")
    return "def pullback(g, edges_, saved_, shape_):\n" + _indent([*lines, f"return {_tuple(results)}"])


def _conjugate_inputs(card: Any, names: list[str]) -> list[str]:
    lines = ["if conj_:"]
    for name in card.inputs:
        if name in names:
            many = card.variadic and name == card.inputs[-1]
            value = f"tuple([conjugate_(v_) for v_ in {name}])" if many else f"conjugate_({name})"
            lines.append(f"    {name} = None if {name} is None else {value}")
    return lines


def _pull_one(card: Any, number: int, i: int, name: str, formula: Any) -> list[str]:
    call = f"rule{number}_({', '.join(formula.names)})"
    if card.kind != "elementwise":
        value = call if formula.constant is None else times("g", formula.constant)
    elif formula.constant is not None:
        value = times("g", formula.constant)
    else:
        value = f"g * (conjugate_({call}) if conj_ else {call})"
        if not card.trusted:
            value = f"g * slope_(card, {name!r}, {call}, shape_, conj_)"
    lines = [f"c{i}_ = {value}"]
    if not card.trusted:
        lines.append(f"c{i}_ = gate_(card, {name!r}, c{i}_, e{i}_.shape, {name}_dtype)")
    elif card.kind == "elementwise":
        if len(card.inputs) > 1:
            lines.append(f"if e{i}_.shape != shape_: c{i}_ = sum_to_(c{i}_, e{i}_.shape)")
    else:
        lines.append(
            f"if c{i}_ is not None and c{i}_.shape != e{i}_.shape: "
            f"c{i}_ = refit_(card, {name!r}, c{i}_, e{i}_.shape)"
        )
    if len(card.formulas) == 1 and len(card.inputs) == 1:
        return lines  # the only edge of a node that exists is there
    return [f"if e{i}_ is None:", f"    c{i}_ = None", "else:", *["    " + line for line in lines]]


def _pull_list(card: Any, number: int, formula: Any) -> list[str]:
    name = card.inputs[-1]
    lines = ["wanted = tuple([e_ is not None for e_ in es_])"] if "wanted" in formula.names else []
    gate = (
        f"gate_(card, {name!r}, c_, e_.shape, d_)"
        if not card.trusted
        else (f"c_ if c_ is None or c_.shape == e_.shape else refit_(card, {name!r}, c_, e_.shape)")
    )
    pairs = f"zip(cs_, es_, {name}_dtype, strict=True)" if not card.trusted else "zip(cs_, es_, strict=True)"
    targets = "c_, e_, d_" if not card.trusted else "c_, e_"
    return [
        *lines,
        f"cs_ = rule{number}_({', '.join(formula.names)})",
        *([] if card.trusted else [f"listed_(card, {name!r}, cs_, len(es_))"]),
        f"cs_ = [None if e_ is None else {gate} for {targets} in {pairs}]",
    ]


def times(name: str, number: float) -> str:
    """The product of what a name stands for and a number."""
    return name if number == 1 else f"-{name}" if number == -1 else f"{name} * {number!r}"


# ---- for higher orders


def revive(card: Any) -> str:
    """Saved values as tensors on the nodes that they came from: ``revive(saved, edges, node, wrap)``."""
    names = list(saved_names(card))
    out = []
    for name in names:
        i = card.inputs.index(name) if name in card.inputs else None
        if name == "y" and card.several:
            out.append("tuple([wrap_(v_, pick(node_, i_, v_)) for i_, v_ in enumerate(y)])")
        elif name == "y":
            out.append("wrap_(y, node_)")
        elif i is not None and card.variadic and i == len(card.inputs) - 1:
            pairs = f"zip({name}, edges_[{i}:], strict=True)"
            out.append(f"tuple([v_ if e_ is None else wrap_(v_, e_) for v_, e_ in {pairs}])")
        elif i is not None and name in card.formulas:
            out.append(f"{name} if {name} is None or edges_[{i}] is None else wrap_({name}, edges_[{i}])")
        else:
            out.append(name)
    lines = [f"{_tuple(names)} = saved_"] if names else []
    return "def revive(saved_, edges_, node_, wrap_):\n" + _indent([*lines, f"return {_tuple(out)}"])


# ---- text


def _tuple(parts: Any) -> str:
    parts = list(parts)
    return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"


def _indent(lines: list[str]) -> str:
    return "\n".join("    " + line for line in lines)
