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
}


def missing(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that ``owner`` does not have, with the name that is meant, if there is one."""
    meant = ELSEWHERE.get(name)
    hint = f"; {meant} does that" if meant is not None and meant in known else ""
    return AttributeError(f"{owner} has no attribute {name!r}{hint}")
