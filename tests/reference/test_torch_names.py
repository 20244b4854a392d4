"""Every function of PyTorch's is here, or docs/names.md says what it is called or why it is left out."""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType
from typing import Any

import pytest

from tests.names_page import page
from tests.reference.peer import torch


def functions_of(module: Any) -> list[str]:
    """Its functions; those with ``_`` at the end write into their argument, and have no counterpart."""
    public = {n: getattr(module, n) for n in dir(module) if not n.startswith("_") and not n.endswith("_")}
    return [name for name, value in public.items() if isinstance(value, BuiltinFunctionType | FunctionType)]


@pytest.mark.parametrize(
    ("title", "module"),
    [
        ("torch", torch),
        ("torch.linalg", torch.linalg),
        ("torch.special", torch.special),
        ("torch.nn.functional", torch.nn.functional),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_name_is_here_or_has_a_reason(title: str, module: Any) -> None:
    complaints = page()[title].complaints(functions_of(module))
    assert not complaints, "docs/names.md:\n" + "\n".join(complaints)
