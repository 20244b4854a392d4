"""Names that other libraries use for what has another name here."""

from __future__ import annotations

from collections.abc import Iterable

ELSEWHERE = {
    "cat": "concat",
    "unsqueeze": "expand_dims",
    "permute": "transpose",
    "view": "reshape",
    "expand": "broadcast_to",
    "as_tensor": "asarray",
    "array": "tensor",
    "mm": "matmul",
    "bmm": "matmul",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "neg": "negative",
    "pow": "power",
    "clamp": "clip",
    "to": "astype",
    "type": "astype",
    "value": "numpy",
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "broadcast_tensors": "broadcast_arrays",
    "bucketize": "searchsorted",
    "fabs": "abs",
    "ger": "outer",
    "movedim": "moveaxis",
    "mv": "matmul",
    "repeat_interleave": "repeat",
    "row_stack": "vstack",
    "sgn": "sign",
    "swapdims": "swapaxes",
    "take_along_dim": "take_along_axis",
    "tensor_split": "array_split",
    "trapz": "trapezoid",
    "unbind": "unstack",
}


def missing(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that ``owner`` does not have, with the name that is meant, if there is one."""
    meant = ELSEWHERE.get(name)
    hint = f"; {meant} does that" if meant is not None and meant in known else ""
    return AttributeError(f"{owner} has no attribute {name!r}{hint}")
