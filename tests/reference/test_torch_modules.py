"""Every module of torch.nn that is here: the arguments of its constructor, and the state of one that was made.

Values and gradients are compared by family, in the other files.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests.reference.peer import torch

OURS_ONLY = {"dtype", "generator"}
NOT_HERE = {
    "device": "there is one",
    "dtype": "here by keyword only",
    "size_average": "deprecated there",
    "reduce": "deprecated there",
    "min_value": "deprecated there",
    "max_value": "deprecated there",
}
OTHERWISE = {
    "ModuleDict": "nothing is an empty tuple here",
    "ModuleList": "nothing is an empty tuple here",
    "ParameterDict": "nothing is an empty tuple here",
    "ParameterList": "nothing is an empty tuple here",
    "Buffer": "the data must be given",
    "Parameter": "the data must be given",
    "Sequential": "no names of arguments there",
}
# What a constructor that asks for something is given.
NEEDS: dict[str, tuple[Any, ...]] = {
    "AdaptiveLogSoftmaxWithLoss": (16, 20, [5, 10], 2.0),
    "AdaptiveAvgPool1d": (2,),
    "AdaptiveAvgPool2d": (2,),
    "AdaptiveAvgPool3d": (2,),
    "AdaptiveMaxPool1d": (2,),
    "AdaptiveMaxPool2d": (2,),
    "AdaptiveMaxPool3d": (2,),
    "Bilinear": (3, 4, 5),
    "ChannelShuffle": (2,),
    "Embedding": (7, 3),
    "EmbeddingBag": (7, 3),
    "Fold": (4, 2),
    "FractionalMaxPool2d": (2, 3),
    "FractionalMaxPool3d": (2, 3),
    "GRU": (3, 4, 2),
    "GRUCell": (3, 4),
    "GroupNorm": (2, 4),
    "LSTM": (3, 4, 2),
    "LSTMCell": (3, 4),
    "LayerNorm": ((3, 4),),
    "Linear": (3, 4),
    "LocalResponseNorm": (2,),
    "LPPool1d": (2, 3),
    "LPPool2d": (2, 3),
    "LPPool3d": (2, 3),
    "MultiheadAttention": (8, 2),
    "PixelShuffle": (2,),
    "PixelUnshuffle": (2,),
    "RMSNorm": ((3, 4),),
    "RNN": (3, 4, 2),
    "RNNBase": ("LSTM", 3, 4),
    "RNNCell": (3, 4),
    "RNNCellBase": (3, 4, True, 4),
    "Threshold": (0.1, 20.0),
    "Transformer": (8, 2, 1, 1, 16),
    "TransformerDecoderLayer": (8, 2, 16),
    "TransformerEncoderLayer": (8, 2, 16),
    "Unflatten": (1, (2, 3)),
    "Unfold": (2,),
}
BY_FAMILY: dict[str, tuple[Any, ...]] = {
    "BatchNorm": (3,),
    "InstanceNorm": (3,),
    "Conv": (4, 6, 3),
    "ConstantPad": (1, 0.0),
    "Pad": (1,),
    "pool": (2,),
    "Pool": (2,),
}
STACKS = {"TransformerDecoder": "TransformerDecoderLayer", "TransformerEncoder": "TransformerEncoderLayer"}
SHARED = sorted(
    name
    for name, value in vars(torch.nn).items()
    if isinstance(value, type) and issubclass(value, torch.nn.Module) and hasattr(nn, name)
)


def arguments(made: Any, leave_out: Any) -> list[tuple[Any, ...]]:
    """Names, defaults and kinds in order; a default that is a function counts by its name."""
    given = inspect.signature(made).parameters.values()
    listed = [p for p in given if p.name not in leave_out and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return [(p.name, getattr(p.default, "__name__", p.default), p.kind) for p in listed]


def made(package: Any, name: str) -> Any:
    stack = (made(package, STACKS[name]), 2) if name in STACKS else ()
    family = next((given for part, given in BY_FAMILY.items() if part in name and "Lazy" not in name), ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PyTorch says of its own defaults is not ours
        return getattr(package, name)(*NEEDS.get(name, stack or family))


def test_there_are_many() -> None:
    assert (
        len(SHARED) > 150
        and set(NEEDS) <= set(SHARED)
        and set(OTHERWISE) - {"Buffer", "Parameter"} <= set(SHARED)
    )


@pytest.mark.parametrize("name", [name for name in SHARED if name not in OTHERWISE])
def test_arguments_of_constructors(name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    if name in ("RNN", "LSTM", "GRU"):  # (*args, **kwargs) there: the documentation says which
        kept = {"mode", "proj_size", *NOT_HERE} if name != "LSTM" else {"mode", *NOT_HERE}
        wanted = [(n, d) for n, d, _ in arguments(torch.nn.RNNBase, kept)]
        if name == "RNN":
            wanted.insert(3, ("nonlinearity", "tanh"))
        assert [(n, d) for n, d, _ in arguments(ours, OURS_ONLY)] == wanted
        return
    found, wanted = arguments(ours, OURS_ONLY), arguments(theirs, NOT_HERE)
    assert [one[:2] for one in found] == [one[:2] for one in wanted]
    by_place = [one[0] for one in wanted if one[2] is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    ours_by_place = [one[0] for one in found if one[2] is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    after_deprecated = any(one in inspect.signature(theirs).parameters for one in ("size_average", "reduce"))
    assert ours_by_place == by_place or (after_deprecated and by_place[: len(ours_by_place)] == ours_by_place)


@pytest.mark.parametrize("name", [name for name in SHARED if "Lazy" not in name])
def test_names_and_shapes_of_the_state(name: str) -> None:
    ours, theirs = made(nn, name).state_dict(), made(torch.nn, name).state_dict()
    assert [(n, tuple(v.shape)) for n, v in ours.items()] == [(n, tuple(v.shape)) for n, v in theirs.items()]
    for key, value in ours.items():
        assert value.dtype == np.dtype(str(theirs[key].dtype).removeprefix("torch.")), key


@pytest.mark.parametrize(
    "name",
    [f"{kind}Norm{rank}d" for kind in ("Batch", "Instance") for rank in (1, 2, 3)]
    + ["GroupNorm", "LayerNorm"],
)
def test_norms_without_a_bias(name: str) -> None:
    given = NEEDS.get(name, (3,))
    settings = {"bias": False} if name in ("LayerNorm", "GroupNorm") else {"affine": True, "bias": False}
    ours, theirs = getattr(nn, name)(*given, **settings), getattr(torch.nn, name)(*given, **settings)
    assert list(ours.state_dict()) == list(theirs.state_dict()) and ours.bias is None
    shape = (
        (2, 3, 4)
        if name == "LayerNorm"
        else (2, given[-1], *[4] * int(name[-2] if name[-2].isdigit() else 1))
    )
    x = np.random.default_rng(0).standard_normal(shape)
    found = ours.double()(tg.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, theirs.double()(torch.tensor(x)).detach().numpy(), rtol=1e-9, atol=1e-9)
