"""The kinds of cause that `why` knows, each with the way out; and which ops are of a kind."""

from __future__ import annotations

CAUSES: dict[str, str] = {
    # no gradient
    "not required": "create it with requires_grad=True, or call {x}.requires_grad_() before it is used",
    "frozen": "thaw it before it is used: parameter.requires_grad = True",
    "not a leaf": "call {x}.retain_grad() before backward to keep its gradient",
    "rebound": "keep the leaf: write in place under tg.no_grad() ({x} -= ...), or give the result another name",
    "no backward": "call .backward() on the loss before you look at the gradient",
    "elsewhere": "call .backward() on the loss that {x} is used for",
    "cleared": "look at .grad before it is cleared; it is filled again by the next backward",
    "unused": "use {x} in what the loss is computed from, or look at the tensor that is used in its place",
    "replaced": "change the parameter in place (under tg.no_grad()), and build optimizers after replacing parameters",
    "detached": "take the detach away from this path if a gradient is meant to flow through it",
    "left": "stay with tensors: what leaves for Python or NumPy comes back without history",
    "no_grad": "compute this outside of tg.no_grad()",
    "integer": "stay with floats: an integer or bool has no gradient; cast only what no gradient is wanted of",
    "positions": "positions have no derivative; use the values (max, softmax, take_along_axis) or a soft argmax",
    "comparison": "a comparison has no derivative; use tg.where between two values, or sigmoid for a soft step",
    "rounding": "steps have derivative 0; x + tg.stop_gradient(tg.round(x) - x) rounds and lets gradients pass",
    "no formula": "no gradient flows through this argument; only the values that it chooses have one",
    # zero
    "relu": "use leaky_relu or gelu, a smaller learning rate, or another initial bias",
    "clip": "widen the bounds, or scale the values into them before clipping",
    "mask": "check the condition: it never chooses this branch",
    "dropout": "lower the dropout probability, or call .eval()",
    "selection": "other entries were chosen: their gradient is all there is",
    "zero factor": "check where the zeros come from; weights must not be initialised to 0",
    "stationary": "this is a point where the derivative is exactly 0; start from another",
    "minimum": "nothing is wrong if this is where the loss has its minimum; else check that the targets are not the outputs",
    "ignored targets": "check the targets and ignore_index; skip batches without any target",
    "underflow": "use float32 or float64 here, scale the loss up, or compute with logarithms",
    "cancel": "contributions cancel exactly; check signs, and sums over what adds up to a constant (softmax, x - mean)",
    "zeroed": "look at .grad before zero_grad; the next backward fills it again",
    "hook": "see what the hook returns; a hook that only looks must return None",
    "seed": "the backward pass was started with this: check the argument of backward, or the loss's own weight",
    # NaN and infinite
    "data": "clean the data (tg.isfinite), or look at the step that wrote it",
    "overflow": "keep the magnitude down: scale, clip, use a wider dtype or the stable form (logsumexp, log_softmax, expm1)",
    "log": "keep the argument above 0: log(x + eps), log1p, log_softmax, or clip it from below",
    "division": "keep the denominator away from 0: add an eps, or choose a safe one by tg.where before dividing",
    "domain": "keep the argument inside the domain: clip it, or choose a safe one by tg.where before the op",
    "infinite slope": "the function is steep without bound here: add an eps under the root or norm (sqrt(x + eps))",
    "masked": "0 * inf is NaN: choose a safe input first, tg.where(mask, f(tg.where(mask, x, 1)), 0), "
    "or differentiate inside of tg.structural_zeros()",
    "undefined": "inf - inf, 0 * inf and inf / inf are undefined; keep one of the two finite",
    # vanishing and exploding
    "saturated": "bring the inputs nearer to 0: smaller initial weights, normalise inputs, or another activation",
    "small factor": "check the scale of this factor; normalise, or scale the loss",
    "large factor": "check the scale of the data or of this factor; normalise it, or clip gradients",
    "small gains": "use residual connections, normalisation, or initial weights of gain 1 (He, Xavier)",
    "large gains": "use normalisation, clip gradients, or initial weights of gain 1 (He, Xavier)",
    # without a recording
    "not recorded": "run it again under `with tg.record() as run:` and ask again; then the op and its line are named",
}  # fmt: skip
"""The way out for each kind of cause; ``{x}`` stands for the name of the tensor."""

ROUNDING = {"floor", "ceil", "round", "trunc", "truncate", "floor_divide", "sign", "signs", "nextafter"}
COMPARISONS = {
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isclose", "isfinite", "isinf", "isnan",
    "logical_and", "logical_or", "logical_not", "logical_xor", "signbit", "all", "any", "within", "winners", "wins",
}  # fmt: skip
POSITIONS = {
    "argmax", "argmin", "argsort", "positions", "best_number", "leaders", "insertion", "segment_of", "class_positions",
    "window_leader", "plane_positions",
}  # fmt: skip
CLIPS = {"at_least", "at_most", "hardtanh", "maximum", "minimum", "fmax", "fmin", "nan_to_num"}
CHOICES = {
    "max", "min", "getitem", "take_at", "take_along_axis", "window_max", "window_read", "split", "concat", "joined",
    "place", "setitem", "set_at", "prod",
}  # fmt: skip
SATURATING = {
    "sigmoid", "tanh", "softmax", "erf", "erfc", "log_softmax", "softplus", "log_expit", "gelu", "expit", "atan",
    "softmax_cross_entropy", "binary_cross_entropy_with_logits", "lstm", "gru", "elman", "attention", "ndtr",
}  # fmt: skip
RESIDUALS = {"square", "power", "abs", "multiply", "_vector_norm", "softmax_cross_entropy", "log_cosh"}
MIXING = {"softmax", "log_softmax", "row_norm", "batch_norm", "subtract", "add", "sum", "divide"}
SUMS = {
    "linear",
    "matmul",
    "einsum",
    "correlation",
    "correlation_filters",
    "correlation_spread",
    "broadcast_to",
    "sum_to",
}
LOGS = {
    "log",
    "log2",
    "log10",
    "log1p",
    "xlogy",
    "xlog1py",
    "logit",
    "entr",
    "rel_entr",
    "lgamma",
    "log_softmax",
}
DIVISIONS = {"divide", "reciprocal", "rsqrt", "remainder", "fmod"}
RANDOM = {"random", "random_mask", "random_given"}

MASKS = {
    "relu": "relu", "where": "mask", "at_least": "clip", "at_most": "clip", "hardtanh": "clip", "maximum": "clip",
    "minimum": "clip", "fmax": "clip", "fmin": "clip", "sigmoid": "saturated", "tanh": "saturated",
}  # fmt: skip
"""Elementwise ops that may hold back nearly all entries, and the cause that this is."""
