"""The kinds of pathology of `benchmarks.why_pathologies`: how to plant each, and what a right answer says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .why_programs import MARK, Plan


@dataclass(frozen=True)
class Kind:
    """A kind of pathology: how to plant it, and what a right answer says."""

    plant: Callable[[Plan], None]
    verdicts: tuple[str, ...]
    causes: tuple[str, ...]


KINDS: dict[str, Kind] = {}


def kind(name: str, verdicts: str, causes: str) -> Callable[[Callable[[Plan], Any]], Callable[[Plan], Any]]:
    """Enter a generator; verdicts and causes are separated by ``|``."""

    def enter(plant: Callable[[Plan], Any]) -> Callable[[Plan], Any]:
        KINDS[name] = Kind(plant, tuple(verdicts.split("|")), tuple(causes.split("|")))
        return plant

    return enter


def between(made: Plan, *options: str | tuple[str, ...], ask: bool = True) -> None:
    """Plant one of the statements, its last line to blame unless one is marked."""
    chosen = options[int(made.rng.integers(len(options)))]
    lines = (chosen,) if isinstance(chosen, str) else chosen
    made.plant = lines if any(MARK in line for line in lines) else (*lines[:-1], lines[-1] + MARK)
    made.ask = made.ask or made.upstream()


# ---- no gradient


@kind("detached", "none", "detached")
def _(made: Plan) -> None:
    between(
        made, "h = h.detach()", "h = tg.stop_gradient(h)", "h = h.detach() * 2 + 1", "h = tg.tanh(h.detach())"
    )


@kind("left for NumPy or Python", "none", "left")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.tensor(h.numpy())",
        "h = tg.tensor(np.tanh(h.numpy()))",
        "h = tg.tensor(h.tolist())",
        ("m = h.mean().item()" + MARK, "h = tg.ones(({n}, {d}), dtype=h.dtype) * m"),
        ("m = float(h.sum())" + MARK, "h = tg.full(({n}, {d}), 0.5, dtype=h.dtype) + m"),
    )


@kind("integer cast", "none", "integer")
def _(made: Plan) -> None:
    between(
        made,
        ("h = (h * 10).astype('int64')" + MARK, "h = h.astype('float64') / 10"),
        "h = h.astype('int32') * 0.1",
    )


@kind("argmax", "none", "positions")
def _(made: Plan) -> None:
    between(
        made,
        ("k = h.argmax(axis=-1)" + MARK, "h = tg.one_hot(k, {d}).astype('float64')"),
        ("k = tg.argsort(h, axis=1)" + MARK, "h = k.astype('float64')"),
    )


@kind("comparison", "none", "comparison")
def _(made: Plan) -> None:
    between(
        made,
        "h = (h > 0.1) * 1.0",
        "h = tg.where(h > 0, 1.0, -1.0)",
        ("m = h >= 0" + MARK, "h = m.astype('float64')"),
    )


@kind("rounding", "none", "rounding")
def _(made: Plan) -> None:
    between(made, "h = tg.floor(h * 4) / 4", "h = tg.round(h)", "h = tg.sign(h)", "h = tg.ceil(h) + 0.5")


@kind("no_grad", "none", "no_grad")
def _(made: Plan) -> None:
    inside = ("h = h * 2.0", "h = tg.tanh(h)", "h = h + 1.0")[int(made.rng.integers(3))]
    between(made, ("with tg.no_grad():", f"    {inside}{MARK}"))


@kind("unused", "none", "unused")
def _(made: Plan) -> None:
    made.before.append("extra = tg.tensor(data.standard_normal(4), requires_grad=True)")
    if made.rng.random() < 0.5 and not made.modules:
        made.plant = ("side = tg.sin(extra) * 2.0" + MARK,)
    made.ask = "extra"


@kind("frozen", "none", "frozen|not required")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    made.before.append(f"{made.ask}.requires_grad = False")


@kind("parameter replaced", "none", "replaced|unused")
def _(made: Plan) -> None:
    made.modules = True
    name = made.upstream()
    made.before += [f"old = {name}", f"{name} = tg.nn.Parameter(old.detach() * 1.5)"]
    made.ask = "old"


@kind("rebound", "none", "rebound")
def _(made: Plan) -> None:
    made.modules = False
    k = int(made.rng.integers(made.place + 1))
    if k == made.place:
        made.after = ("loss.backward()",)
    made.before.append(f"b{k} = tg.tensor(np.zeros({made.widths[k + 1]}), requires_grad=True)")
    made.loss = ("loss = (h ** 2).mean()", "loss.backward()", f"w{k} = w{k} - 0.1 * w{k}.grad{MARK}")
    made.after = ()
    made.ask = f"w{k}"


@kind("backward not called", "none", "no backward|elsewhere")
def _(made: Plan) -> None:
    made.after = (
        ()
        if made.rng.random() < 0.5
        else ("other = tg.tensor(1.0, requires_grad=True)", "(other * other).backward()")
    )
    made.ask = made.upstream()


@kind("gradient cleared", "none|zero", "cleared|zeroed")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    if made.modules:
        made.after = ("loss.backward()", "net.zero_grad()")
    else:
        made.after = (
            "loss.backward()",
            f"{made.ask}.grad = None"
            if made.rng.random() < 0.5
            else f"{made.ask}.grad = {made.ask}.grad * 0",
        )


# ---- zero


@kind("dead relu", "zero", "relu")
def _(made: Plan) -> None:
    shift = made.rng.uniform(60, 100)
    between(
        made,
        f"h = tg.relu(h - {shift:.1f})",
        f"h = F.relu(-{shift:.1f} - h * h)",
        (f"z = h - {shift:.1f}", "h = tg.relu(z) * 2.0"),
    )


@kind("mask", "zero", "mask")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.where(h > 1e6, h, 0.0)",
        "h = tg.where(h < 1e6, 0.5, tg.sin(h))",
        ("m = h.numpy() > 1e6", "h = tg.where(m, h * h, 1.0)"),
    )


@kind("clip", "zero", "clip")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.clip(h, 200.0, 300.0)",
        "h = tg.maximum(h, 100.0)",
        "h = tg.minimum(h, -100.0)",
        "h = tg.clip(h - 500.0, -1.0, 1.0)",
    )


@kind("exact zero factor", "zero", "zero factor")
def _(made: Plan) -> None:
    between(
        made,
        "h = h * 0.0",
        ("m = tg.zeros(({n}, {d}), dtype=h.dtype)", "h = h * m" + MARK),
        "h = h @ np.zeros(({d}, {d}))",
    )


@kind("weights initialised to zero", "zero", "zero factor")
def _(made: Plan) -> None:
    made.modules = False
    made.before.append(f"dead = tg.tensor(np.zeros(({made.width}, {made.width})), requires_grad=True)")
    between(made, "h = h @ dead + 0.3", "h = tg.einsum('nd,de->ne', h, dead) + 0.1")


@kind("dead activations behind weights", "zero", "relu")
def _(made: Plan) -> None:
    # The gradient of the next layer's weights: its input is zero.
    made.modules = False
    made.before.append(
        f"v = tg.tensor(data.standard_normal(({made.width}, {made.width})), requires_grad=True)"
    )
    made.ask = "v"
    between(made, ("h = tg.relu(h - 80.0)" + MARK, "h = h @ v"))


@kind("dropout of everything", "zero", "dropout|zero factor")
def _(made: Plan) -> None:
    between(made, "h = F.dropout(h, 1.0)", "h = tg.nn.Dropout(1.0)(h)")


@kind("exact cancellation", "zero", "cancel")
def _(made: Plan) -> None:
    between(
        made,
        "h = h - h",
        "h = h + tg.sin(h) * 0.0 - h",
        ("a = h * 2.0", "h = a + 1.0 - a"),
        "h = -h + h + 1.0",
    )


@kind("underflow", "zero", "underflow")
def _(made: Plan) -> None:
    made.calm = False
    option = int(made.rng.integers(3))
    if option == 0:
        made.dtype = "float16"
        between(made, "h = h * 4e-8")
    elif option == 1:
        made.dtype = "float32"
        between(made, ("h = h * 1e-30" + MARK, "h = h * 1e-25"))
    else:
        made.dtype = "float32"
        between(made, "h = tg.exp(-h * h - 200.0)")


@kind("saturated to zero", "zero", "saturated")
def _(made: Plan) -> None:
    shift = made.rng.uniform(60, 120)
    made.dtype = "float32" if made.rng.random() < 0.5 else "float64"
    made.calm = False
    between(
        made,
        f"h = tg.tanh(h + {shift:.1f})",
        f"h = tg.sigmoid(h + {shift:.1f})",
        f"h = tg.tanh(h - {shift:.1f})",
    )


@kind("hook that zeroes", "zero", "hook")
def _(made: Plan) -> None:
    made.before.append("def blank(g): return g * 0")
    between(
        made,
        ("h = h * 1.5" + MARK, "h.register_hook(blank)"),
        ("h = tg.sin(h)" + MARK, "h.register_hook(lambda g: tg.zeros(g.shape, dtype=g.dtype))"),
    )


@kind("all targets ignored", "zero", "ignored targets|mask")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    made.before.append(f"targets = tg.tensor(np.full({made.n}, -100))")
    made.loss = (f"loss = F.cross_entropy(h, targets){MARK}",)


@kind("loss at its minimum", "zero", "minimum")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    made.loss = (
        "goal = h.numpy()",
        f"loss = F.mse_loss(h, goal){MARK}"
        if made.rng.random() < 0.5
        else f"loss = ((h - goal) ** 2).mean(){MARK}",
    )


# ---- NaN and infinite


@kind("log of zero or less", "nan|inf|zero", "log")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.log(tg.relu(h - h.numpy().mean()))",
        "h = tg.log(h - 60.0)",
        "h = tg.log(h * 0.0)",
        "h = tg.log2(tg.abs(h) * 0.0)",
    )


@kind("division by zero", "nan|inf|zero", "division")
def _(made: Plan) -> None:
    between(
        made,
        ("z = tg.relu(h - 60.0)", "h = h / z"),
        "h = 1.0 / (h - h.detach())",
        ("z = h * 0.0", "h = z / z"),
        "h = tg.reciprocal(h * 0.0)",
    )


@kind("outside of the domain", "nan|zero", "domain")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.sqrt(h - 60.0)",
        "h = tg.asin(h + 40.0)",
        "h = (h - 70.0) ** 0.5",
        "h = tg.acosh(h * 1e-3)",
        "h = tg.sqrt(-h * h - 1e-3)",
    )


@kind("overflow", "nan|inf|zero", "overflow")
def _(made: Plan) -> None:
    option = int(made.rng.integers(3))
    if option == 0:
        made.dtype = "float32"
        made.calm = False
        between(made, "h = tg.exp(h * h + 100.0)", "h = (h + 1e20) ** 3")
    elif option == 1:
        made.dtype = "float16"
        made.calm = False
        between(made, "h = h + tg.ones(({n}, {d}), dtype='float16') * 6e4 * 2.0", "h = tg.exp(h + 12.0)")
    else:
        between(made, "h = tg.exp(h * 0.0 + 800.0)", "h = tg.sinh(h + 900.0)")


@kind("softmax by hand overflows", "nan|zero", "overflow")
def _(made: Plan) -> None:
    between(made, ("e = tg.exp(h * 0.1 + 720.0)" + MARK, "h = e / e.sum(axis=1, keepdims=True)"))


@kind("infinity minus infinity", "nan|zero", "undefined|data")
def _(made: Plan) -> None:
    made.before.append("far = tg.tensor(np.inf)")
    between(made, "h = (h + far) - far" + MARK)


@kind("NaN in the data", "nan|zero", "data")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    i, j = int(made.rng.integers(made.n)), int(made.rng.integers(made.widths[0]))
    made.before.append(f"x[{i}, {j}] = {'np.nan' if made.rng.random() < 0.6 else 'np.inf'}")


@kind("NaN in a parameter", "nan", "data")
def _(made: Plan) -> None:
    made.ask = made.upstream()
    name = made.ask
    made.before += ["with tg.no_grad():", f"    {name}[0, 0] = np.nan"]


@kind("infinite slope", "nan|inf", "infinite slope|masked")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.sqrt(tg.relu(h - 60.0))",
        "h = tg.relu(h - h.numpy().mean()) ** 0.5",
        "h = tg.sqrt(h * 0.0)",
        "h = tg.sqrt(h - h.detach())",
        "h = tg.cbrt(h * 0.0)",
    )


@kind("where over a NaN slope", "nan|inf", "masked")
def _(made: Plan) -> None:
    between(
        made,
        ("p = tg.relu(h - h.numpy().mean())", "q = tg.sqrt(p)" + MARK, "h = tg.where(p > 0, q, 0.0)"),
        ("p = tg.relu(h - h.numpy().mean())", "q = p ** 0.5" + MARK, "h = tg.where(p.numpy() > 0, q, 1.0)"),
    )


@kind("where over a value that is not finite", "nan|inf", "log|division|domain")
def _(made: Plan) -> None:
    between(
        made,
        ("p = tg.relu(h - h.numpy().mean())", "q = tg.log(p)" + MARK, "h = tg.where(p > 0, q, 0.0)"),
        ("p = tg.relu(h - h.numpy().mean())", "q = 1.0 / p" + MARK, "h = tg.where(p > 0, tg.tanh(q), 0.0)"),
    )


@kind("gradient overflows", "nan|inf", "overflow|infinite slope")
def _(made: Plan) -> None:
    made.dtype, made.calm = "float32", False
    between(
        made,
        ("z = h * 1e-36 * 1e-4 + 1e-39", "h = tg.log(z)" + MARK),
        ("z = h * 1e-35 + 1e-30", "h = 1e-15 * tg.rsqrt(z)" + MARK),
    )


@kind("hook that gives NaN", "nan", "hook")
def _(made: Plan) -> None:
    made.before.append("def spoil(g): return g * np.nan")
    between(made, ("h = h * 1.5" + MARK, "h.register_hook(spoil)"))


# ---- vanishing and exploding


@kind("saturated", "vanishing", "saturated")
def _(made: Plan) -> None:
    between(
        made,
        "h = tg.tanh(h * 0.1 + 12.0)",
        "h = tg.sigmoid(h * 0.1 + 25.0)",
        "h = tg.sigmoid(h * 0.1 - 24.0)",
        "h = tg.tanh(h * 0.1 - 13.0)",
    )


@kind("small factor", "vanishing", "small factor")
def _(made: Plan) -> None:
    between(made, "h = h * 1e-11", "h = h / 1e12", ("z = h * 1e-12" + MARK, "h = z + 0.5"))


@kind("large factor", "exploding", "large factor")
def _(made: Plan) -> None:
    made.loss = ("loss = h.sum()",)
    made.activations = ("tg.sin(h)", "F.elu(h)", "tg.relu(h)")
    made.place = len(made.widths) - 2
    between(made, "h = h * 1e13", "h = h / 1e-13", "h = h * (1e12 + h * h)")


@kind("small gains", "vanishing", "small gains|saturated|small factor")
def _(made: Plan) -> None:
    deep(made, 14, ("tg.sigmoid(h)",), 0.8)


@kind("large gains", "exploding", "large gains|large factor")
def _(made: Plan) -> None:
    deep(made, 16, ("h * 1.5", "h + h", "F.elu(h) + h"), 4.0)


def deep(made: Plan, layers: int, activations: tuple[str, ...], gain: float) -> None:
    """Many layers alike: no single line is to blame."""
    made.widths = [6] * (layers + 1)
    made.activations, made.gain, made.calm, made.modules = activations, gain, False, False
    made.loss = ("loss = h.sum()",)
    made.ask = "w0"
