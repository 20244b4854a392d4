"""Weights that PyTorch saved as safetensors load under their names and give the same outputs, and the other way round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.reference.peer import torch

pytest.importorskip("safetensors.torch")
from safetensors.torch import load_file, save_file

N, T = tg.nn, torch.nn
draws = np.random.default_rng(0)


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.PReLU(), nn.Dropout(0.5), nn.Linear(8, 3))


def cnn(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.ConvTranspose2d(4, 3, 2, stride=2), nn.GroupNorm(3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2),
    )  # fmt: skip


def transformer(nn: Any) -> Any:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)


def lstm(nn: Any) -> Any:
    return nn.LSTM(4, 6, num_layers=2, bidirectional=True, batch_first=True)


CASES = {
    "mlp": (mlp, draws.normal(size=(6, 5))),
    "cnn": (cnn, draws.normal(size=(2, 2, 6, 6))),
    "transformer": (transformer, draws.normal(size=(2, 3, 8))),
    "lstm": (lstm, draws.normal(size=(2, 5, 4))),
}


def first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name", CASES)
def test_a_model_saved_by_pytorch_gives_the_same_outputs_here(name: str, tmp_path: Path) -> None:
    make, x = CASES[name]
    theirs = make(T).double()
    theirs(torch.tensor(x))  # so that running statistics are not what they begin with
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    ours = make(N).double().eval()
    assert ours.load_state_dict(tg.load(tmp_path / "model.safetensors")) == ([], [])
    said = first(ours(tg.tensor(x))).numpy()
    np.testing.assert_allclose(
        said, first(theirs.eval()(torch.tensor(x))).detach().numpy(), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("name", CASES)
def test_a_model_saved_here_gives_the_same_outputs_in_pytorch(name: str, tmp_path: Path) -> None:
    make, x = CASES[name]
    ours = make(N).double()
    ours(tg.tensor(x))
    tg.save(ours, tmp_path / "model.safetensors")
    theirs = make(T).double().eval()
    theirs.load_state_dict(load_file(tmp_path / "model.safetensors"))
    said = first(ours.eval()(tg.tensor(x))).numpy()
    np.testing.assert_allclose(said, first(theirs(torch.tensor(x))).detach().numpy(), rtol=1e-9, atol=1e-9)


def test_bfloat16_weights_are_widened_exactly(tmp_path: Path) -> None:
    theirs = T.Linear(4, 3).to(torch.bfloat16)
    save_file(theirs.state_dict(), tmp_path / "half.safetensors")
    ours = N.Linear(4, 3)
    ours.load_state_dict(tg.load(tmp_path / "half.safetensors"))
    np.testing.assert_array_equal(ours.weight.numpy(), theirs.weight.detach().float().numpy())
