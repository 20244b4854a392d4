"""Layers that read the number of channels from their first input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn

MADE = [(kind, rank) for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm") for rank in (1, 2, 3)]


def lazy(kind: str, rank: int, **settings: Any) -> Any:
    return getattr(nn, f"Lazy{kind}{rank}d")(*([4, 2] if "Conv" in kind else []), **settings)


@pytest.mark.parametrize(("kind", "rank"), MADE)
def test_becomes_the_layer_itself(kind: str, rank: int) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, *[4] * rank)).astype(np.float32)
    drawn = {"generator": np.random.default_rng(1)} if "Conv" in kind else {}
    layer = lazy(kind, rank, **drawn)
    with pytest.raises(tg.GradientError, match=f"Lazy{kind}{rank}d has not seen an input"):
        layer.state_dict()
    y = layer(x)
    finished = getattr(nn, f"{kind}{rank}d")
    drawn = {"generator": np.random.default_rng(1)} if "Conv" in kind else {}
    more = {"affine": True, "track_running_stats": True} if kind == "InstanceNorm" else {}
    twin = finished(3, *([4, 2] if "Conv" in kind else []), **drawn, **more)
    assert type(layer) is finished and repr(layer) == repr(twin)
    assert np.array_equal(y.numpy(), twin(x).numpy())
    assert all(np.array_equal(a.numpy(), twin.state_dict()[name]) for name, a in layer.state_dict().items())


@pytest.mark.parametrize(("kind", "rank"), MADE)
def test_another_number_of_axes_leaves_it_lazy(kind: str, rank: int) -> None:
    layer = lazy(kind, rank)
    with pytest.raises(
        tg.ShapeError, match=rf"Lazy{kind}{rank}d: input has shape \(.*{rank + 2} axes are needed"
    ):
        layer(tg.ones((2,) * (rank + 3)))
    assert layer(tg.ones((2, 5, *[4] * rank))).shape[0] == 2
    assert 5 in next(iter(layer.parameters())).shape


def test_settings_are_kept() -> None:
    layer = nn.LazyConv2d(4, 3, stride=2, padding="valid", bias=False, dtype=tg.float64).eval()
    assert repr(layer).startswith("LazyConv2d(out_channels=4, kernel_size=3, stride=2")
    assert layer(tg.ones((2, 8, 5, 5), dtype=tg.float64)).dtype == tg.float64
    assert layer.bias is None and layer.stride == (2, 2) and not layer.training
    with pytest.raises(tg.ShapeError, match="LazyConv2d: out_channels=-1"):
        nn.LazyConv2d(-1, 3)


def test_features_without_length() -> None:
    assert nn.LazyBatchNorm1d()(tg.ones((4, 3))).shape == (4, 3)
