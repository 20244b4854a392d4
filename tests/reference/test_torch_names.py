"""Every function of PyTorch's is here, or docs/names.md says what it is called or why it is left out."""

from __future__ import annotations

from importlib import import_module
from types import BuiltinFunctionType, FunctionType
from typing import Any

import pytest

import tensorgrad as tg
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
        ("torch.fft", torch.fft),
        ("torch.linalg", torch.linalg),
        ("torch.special", torch.special),
        ("torch.nn.functional", torch.nn.functional),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_name_is_here_or_has_a_reason(title: str, module: Any) -> None:
    complaints = page()[title].complaints(functions_of(module))
    assert not complaints, "docs/names.md:\n" + "\n".join(complaints)


@pytest.mark.parametrize(
    "title",
    [
        "torch.nn",
        "torch.nn.init",
        "torch.nn.utils",
        "torch.nn.utils.parametrizations",
        "torch.nn.utils.parametrize",
        "torch.nn.utils.rnn",
        "torch.optim",
        "torch.optim.lr_scheduler",
        "torch.utils.data",
    ],
)
def test_classes_too(title: str) -> None:
    """Of these packages everything that is theirs counts, also what writes into its argument."""
    module = import_module(title)
    public = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    own = [
        name for name, value in public.items() if (getattr(value, "__module__", None) or "").startswith(title)
    ]
    complaints = page()[title].complaints(own)
    assert len(own) > 2 and not complaints, "docs/names.md:\n" + "\n".join(complaints)


def test_what_means_something_else_does() -> None:
    x = [[0.0, 3.0, 1.0], [4.0, 2.0, 5.0]]
    ours, theirs = tg.tensor(x), torch.tensor(x)
    assert tg.std(ours, correction=1).item() == pytest.approx(torch.std(theirs).item())
    assert [len(part) for part in torch.split(theirs, 2, 1)] == [2, 2] and torch.split(theirs, 2, 1)[
        1
    ].shape == (2, 1)
    assert torch.equal(theirs, theirs) is True and tg.equal(ours, ours).shape == (2, 3)
    assert len(torch.nonzero(theirs)) == len(tg.argwhere(ours)) == 5 and len(tg.nonzero(ours)) == 2
    assert torch.median(theirs) == 2 and tg.median(ours) == 2.5
    for name in ("max", "min", "median", "sort", "cummax", "cummin"):
        assert len(getattr(torch, name)(theirs, dim=1)) == 2
        assert getattr(tg, name)(ours, axis=1).shape in [(2,), (2, 3)]
    assert torch.nn.functional.pad(theirs, (1, 1)).tolist() == tg.pad(ours, ((0, 0), (1, 1))).tolist()
    assert torch.transpose(theirs, 0, 1).tolist() == tg.swapaxes(ours, 0, 1).tolist()
    with pytest.raises(TypeError):
        torch.normal(0.0, 1.0)
    assert tg.normal(0.0, 1.0).shape == ()
