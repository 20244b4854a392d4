"""Saving and loading: safetensors files, which hold data and never code.

A dict of tensors becomes an ordinary safetensors file, as PyTorch and others read and write it. Nested
containers of tensors, numbers and strings work too: the tensors lie in the file under their paths, and
what is around them is JSON in its header.

Writing is atomic: a file is there whole, or as it was before. Reading believes nothing: every length
and offset of the header is checked against the file before data is touched.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import DtypeError, FileFormatError
from ._specialise import plain
from ._tensor import Tensor, wrap

STRUCTURE = "tensorgrad"
"""The key of the header's metadata with what is around the tensors."""

LONGEST_HEADER = 100_000_000  # bytes; the format's own limit

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2"),
    "I64": np.dtype("<i8"), "I32": np.dtype("<i4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"), "U32": np.dtype("<u4"), "U16": np.dtype("<u2"), "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}  # fmt: skip


def save(value: Any, path: str | os.PathLike[str]) -> None:
    """Save tensors, or a nested container of them, as a safetensors file.

    Args:
        value: a dict of name -> tensor, a module or whatever else has a ``state_dict``, or any nesting of dicts,
            lists and tuples with tensors, arrays, numbers, strings, booleans and None.
        path: where to; the file is replaced as a whole, or stays as it is if anything fails.

    Raises:
        DtypeError: something in ``value`` cannot be saved.

    Example:
        >>> import tempfile, tensorgrad as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tg.save({"w": tg.tensor([1.0, 2.0]), "step": 3}, folder + "/state.safetensors")
        ...     tg.load(folder + "/state.safetensors")
        {'w': tensor([1., 2.]), 'step': 3}
    """
    if hasattr(value, "state_dict") and not isinstance(value, Tensor):
        value = value.state_dict()
    write_atomically(Path(path), encoded(value))


def load(path: str | os.PathLike[str]) -> Any:
    """Load what `save` or another library saved as a safetensors file; bfloat16 becomes float32.

    Args:
        path: of the file.

    Returns:
        What was saved; for a file of another library, a dict of name -> tensor.

    Raises:
        FileFormatError: the file is truncated, damaged, or no safetensors file.
    """
    return decoded(Path(path).read_bytes(), str(path))


# ---- writing


def encoded(value: Any) -> bytes:
    """The bytes of a file that holds ``value``."""
    from safetensors.numpy import save as serialise

    arrays: dict[str, np.ndarray[Any, Any]] = {}
    structure = _described(value, "", arrays)
    flat = isinstance(value, Mapping) and structure == {name: {"$tensor": name} for name in value}
    metadata = None if flat and value else {STRUCTURE: json.dumps(structure)}
    return bytes(serialise(arrays, metadata))


def _described(value: Any, path: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """``value`` as JSON; its arrays are collected under their paths."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return _collected(value, path or "tensor", arrays)
    if isinstance(value, Mapping):
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: _described(one, _join(path, key), arrays) for key, one in value.items()}
        return {"$dict": [
            [_described(key, path, arrays), _described(one, _join(path, str(key)), arrays)]
            for key, one in value.items()
        ]}  # fmt: skip
    if isinstance(value, list | tuple):
        parts = [_described(one, _join(path, str(i)), arrays) for i, one in enumerate(value)]
        return parts if isinstance(value, list) else {"$tuple": parts}
    raise DtypeError(
        f"save: {path or 'the value'} is a {type(value).__name__}; tensors, numbers, strings, None and containers of them "
        "can be saved, for an object save its state_dict()"
    )


def _collected(value: Any, path: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    array = np.array(value._leave("save") if isinstance(value, Tensor) else value, order="C")
    note: dict[str, Any] = {} if isinstance(value, Tensor) else {"array": True}
    if array.dtype.kind == "c":  # the format has no complex numbers: pairs of real ones
        note["complex"] = True
        array = np.stack([array.real, array.imag], axis=-1)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.newbyteorder("<") not in DTYPES.values():
        raise DtypeError(f"save: {path} has dtype {array.dtype}, which the file format does not have")
    while path in arrays:
        path += "'"
    arrays[path] = array
    return {"$tensor": path, **note}


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, it is there whole or as it was before."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {path.parent}; make it first")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the new name is on the disk when its folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# ---- reading


def decoded(content: bytes, name: str) -> Any:
    """What the bytes of a file hold; ``name`` is for messages."""
    header, data = _header(content, name)
    metadata = header.pop("__metadata__", {})
    tensors = _tensors(header, data, name)
    if isinstance(metadata, dict) and STRUCTURE in metadata:
        try:
            return _built(json.loads(metadata[STRUCTURE]), tensors)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(name, f"its structure cannot be read ({error!r})") from None
    return {key: wrap(plain(array), None) for key, array in tensors.items()}


def _header(content: bytes, name: str) -> tuple[dict[str, Any], memoryview]:
    if len(content) < 8:
        raise _damaged(name, f"it has {len(content)} bytes")
    length = int.from_bytes(content[:8], "little")
    if length > LONGEST_HEADER or length > len(content) - 8:
        raise _damaged(name, f"its header should have {length} bytes and the file has {len(content)}")
    try:
        header = json.loads(content[8 : 8 + length].decode(), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, f"its header is no JSON ({error})") from None
    if not isinstance(header, dict):
        raise _damaged(name, "its header is no table")
    return header, memoryview(content)[8 + length :]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _tensors(header: dict[str, Any], data: memoryview, name: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays, each its own memory; together they must cover the data without gap or overlap."""
    found, spans = {}, []
    for key, entry in header.items():
        try:
            kind, shape = entry["dtype"], entry["shape"]
            start, stop = entry["data_offsets"]
            whole = all(type(n) is int and n >= 0 for n in (*shape, start, stop))
        except (TypeError, KeyError, ValueError):
            whole = False
        if not whole or not isinstance(kind, str):
            raise _damaged(name, f"the entry of {key!r} cannot be read")
        if kind not in DTYPES:
            raise FileFormatError(f"load: {name}: {key} has dtype {kind}; known are {', '.join(DTYPES)}")
        dtype = DTYPES[kind]
        if stop - start != prod(shape) * dtype.itemsize or stop > len(data):
            raise _damaged(name, f"{key} should lie at {start} to {stop} and have shape {shape} of {kind}")
        spans.append((start, stop))
        array = np.frombuffer(data[start:stop], dtype).reshape(shape)
        if kind == "BOOL" and array.size and array.view(np.uint8).max() > 1:
            raise _damaged(name, f"{key} has booleans that are neither 0 nor 1")
        found[key] = _widened(array) if kind == "BF16" else array.astype(dtype.newbyteorder("="))
    end = 0
    for start, stop in sorted(spans):
        if start != end:
            raise _damaged(name, f"there is a gap or an overlap at byte {end} of the data")
        end = stop
    if end != len(data):
        raise _damaged(name, f"the data has {len(data)} bytes and the header tells of {end}")
    return found


def _widened(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """bfloat16, the upper half of a float32, as float32."""
    return (array.astype(np.uint32) << 16).view(np.float32)


def _built(description: Any, tensors: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(description, list):
        return [_built(one, tensors) for one in description]
    if not isinstance(description, dict):
        return description
    if "$tuple" in description:
        return tuple([_built(one, tensors) for one in description["$tuple"]])
    if "$dict" in description:
        return {_built(key, tensors): _built(one, tensors) for key, one in description["$dict"]}
    if "$tensor" in description:
        array = tensors[description["$tensor"]]
        if description.get("complex"):
            array = array.view(f"c{2 * array.itemsize}")[..., 0]
        return array if description.get("array") else wrap(plain(array), None)
    return {key: _built(one, tensors) for key, one in description.items()}


def _damaged(name: str, what: str) -> FileFormatError:
    return FileFormatError(f"load: {name} is no safetensors file, or damaged: {what}")
