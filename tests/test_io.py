"""Saving and loading: round trips, files of others, damage, and interruption."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import _io

STATE = {
    "weights": [tg.tensor([[1.0, 2.0]]), tg.tensor(3.0)],
    "optimizer": {
        "state": {0: {"step": 2, "m": tg.zeros((0, 3))}},
        "groups": [{"lr": 0.1, "betas": (0.9, 0.999)}],
    },
    "generator": np.random.default_rng(5).bit_generator.state,
    "z": tg.tensor([1 + 2j]),
    "array": np.arange(3),
    "none": None,
    "flag": True,
    "rate": float("inf"),
    "name": "é$",
    "mask": tg.tensor([True, False]),
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, tg.Tensor | np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and bool(a == b)


def test_nested_containers_come_back_as_they_were(tmp_path: Path) -> None:
    tg.save(STATE, tmp_path / "state.safetensors")
    assert same(tg.load(tmp_path / "state.safetensors"), STATE)
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">f4"]
)
def test_every_dtype_comes_back(dtype: str, tmp_path: Path) -> None:
    array = np.array([[0, 1, 2], [1, 0, 1]], dtype)[:, ::-1]
    tg.save({"x": array}, tmp_path / "x")
    back = tg.load(tmp_path / "x")["x"]
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.tolist() == array.tolist()
    assert back.flags.writeable


def test_a_dict_of_tensors_is_an_ordinary_file_that_others_read(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    model = tg.nn.Linear(3, 2)
    tg.save(model, tmp_path / "model")
    theirs = load_file(tmp_path / "model")
    assert {name: array.tolist() for name, array in theirs.items()} == {
        name: value.tolist() for name, value in model.state_dict().items()
    }
    save_file(
        {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(2, np.float32)},
        tmp_path / "theirs",
        {"a": "b"},
    )
    model.load_state_dict(tg.load(tmp_path / "theirs"))
    assert model(tg.ones(3)).tolist() == [3.0, 3.0]


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    numbers = np.array([1.0, -2.5, 3e38, 1e-40], np.float32)
    upper = (numbers.view(np.uint32) >> 16).astype("<u2")
    header = json.dumps({"x": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}).encode()
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + upper.tobytes())
    back = tg.load(tmp_path / "x")["x"]
    assert back.dtype == np.float32
    assert back.tolist() == (numbers.view(np.uint32) & 0xFFFF0000).view(np.float32).tolist()


def test_what_cannot_be_saved_is_named_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "state"
    tg.save({"a": tg.ones(1)}, path)
    with pytest.raises(tg.DtypeError, match=r"save: model.head is a Linear.*state_dict"):
        tg.save({"model": {"head": tg.nn.Linear(1, 1)}}, path)
    with pytest.raises(tg.DtypeError, match=r"a has dtype .* which the file format"):
        tg.save({"a": np.ones(2, np.longdouble)}, path)
    assert tg.load(path)["a"].tolist() == [1.0]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state"
    tg.save({"a": tg.ones(1)}, path)
    for name in ("fsync", "replace"):

        def fails(*args: Any) -> None:
            raise OSError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(_io.os, name, fails)
            with pytest.raises(OSError, match="disk is full"):
                tg.save({"a": tg.zeros(1)}, path)
        assert tg.load(path)["a"].tolist() == [1.0]
        assert os.listdir(tmp_path) == ["state"]


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1e9], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]},
        {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "BOOL", "shape": [4], "data_offsets": [0, 4]},
        None,
    ],
)
def test_a_header_that_lies_is_refused(entry: Any, tmp_path: Path) -> None:
    header = json.dumps({"x": entry}).encode()
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + b"\7\7\7\7")
    with pytest.raises(tg.FileFormatError, match=r"load: .*x"):
        tg.load(tmp_path / "x")


def test_truncated_and_damaged_files_are_refused(tmp_path: Path) -> None:
    """Cut anywhere, or with a byte of the header changed, a file is refused or holds the same names and shapes."""
    path = tmp_path / "state"
    whole = _io.encoded({"a": tg.ones((2, 3)), "b": 1})
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(tg.FileFormatError, match="no safetensors file, or damaged"):
            tg.load(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(tg.FileFormatError):
        tg.load(path)
    draws = random.Random(0)
    refused = 0
    for _ in range(300):
        changed = bytearray(whole)
        changed[draws.randrange(len(whole) - 24)] = draws.randrange(256)
        path.write_bytes(changed)
        try:
            tg.load(path)
        except tg.FileFormatError:
            refused += 1
    assert refused > 100


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    for content in (
        b"",
        b"\x80\x04K\x01.",
        b"PK\3\4" + bytes(100),
        b"[1]" * 10,
        (10**15).to_bytes(8, "little"),
    ):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(tg.FileFormatError):
            tg.load(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"save: there is no folder .*absent; make it first"):
        tg.save({"a": tg.ones(1)}, tmp_path / "absent" / "file")
