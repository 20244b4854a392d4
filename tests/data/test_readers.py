"""Readers of files: what they read, and what they say of files that are damaged or others."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import data
from tensorgrad.data import DataError
from tensorgrad.data.mnist import FASHION_CONTENT, FOUR

DRAW = np.random.default_rng(0)


# ---- IDX and the MNIST family


def idx(array: Any, code: int = 0x08) -> bytes:
    """An array as the content of an IDX file."""
    array = np.asarray(array)
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def mnist(folder: Path, n: int = 5, *, label: int = 9) -> Path:
    folder.mkdir(exist_ok=True)
    for file, content in zip(
        FOUR,
        (
            DRAW.integers(0, 256, (n, 28, 28), np.uint8),
            np.arange(n, dtype=np.uint8),
            np.zeros((2, 28, 28), np.uint8),
            np.array([0, label], np.uint8),
        ),
        strict=True,
    ):
        (folder / f"{file}.gz").write_bytes(gzip.compress(idx(content), mtime=0))
    return folder


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]
)
@pytest.mark.parametrize("compressed", [False, True])
def test_idx_files_of_every_type(code: int, dtype: str, compressed: bool, tmp_path: Path) -> None:
    array = DRAW.integers(-100, 100, (3, 2, 4)).astype(dtype)
    content = idx(array, code)
    (tmp_path / "file").write_bytes(gzip.compress(content, mtime=0) if compressed else content)
    found = data.read_idx(tmp_path / "file")
    assert found.dtype == array.dtype and found.dtype.isnative and np.array_equal(found, array)
    found[0] = 0  # may be written to


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with b''"),
        (b"\0\0\x08", "starts with"),
        (b"\0\0\x07\x01" + GOOD[4:], "known type"),
        (b"\1\0\x08\x02" + GOOD[4:], "two zero bytes"),
        (GOOD[:9], "within the sizes of its 2 axes"),
        (GOOD[:-1], r"cut short: 5 bytes for shape \(2, 3\) of uint8, which has 6"),
        (GOOD + b"\0", "goes on after"),
        (idx(np.zeros((0,), np.uint8))[:4] + struct.pack(">I", 2**32 - 1), "cut short: 0 bytes"),
        (gzip.compress(GOOD, mtime=0)[:-1], "compressed data is cut short"),
        (gzip.compress(GOOD, mtime=0)[:12], "compressed data is cut short"),
        (gzip.compress(GOOD, mtime=0)[:-8] + b"\0" * 8, "damaged: CRC"),
        (gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 20, "damaged"),
    ],
)
def test_idx_files_that_are_damaged(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        data.read_idx(tmp_path / "file")
    assert "file" in str(caught.value)


def test_idx_content_is_compared_uncompressed(tmp_path: Path) -> None:
    from hashlib import sha256

    file, digest = tmp_path / "file.gz", sha256(GOOD).hexdigest()
    for level in (1, 9):
        file.write_bytes(gzip.compress(GOOD, level, mtime=0))
        assert data.read_idx(file, digest).shape == (2, 3)
    with pytest.raises(DataError, match=f"SHA-256 {digest}, not 00"):
        data.read_idx(file, "00")


def test_the_mnist_family_loads_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mnist(tmp_path / "mnist")
    (x, y), (x_test, y_test), classes = data.load_mnist(folder)
    assert (x.shape, x.dtype, y.dtype) == ((5, 28, 28), np.uint8, np.int64) and y.tolist() == [0, 1, 2, 3, 4]
    assert x_test.shape == (2, 28, 28) and classes[y_test[1]] == "9"
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path))
    assert np.array_equal(data.load_mnist().train[0], x)
    (folder / f"{FOUR[0]}.gz").unlink()  # as some programs unpack it
    (folder / "train-images.idx3-ubyte").write_bytes(idx(x))
    assert np.array_equal(data.load_mnist(folder).train[0], x)
    assert data.load_fashion_mnist(folder, verify=False).classes[9] == "Ankle boot"
    with pytest.raises(DataError, match="another file than meant"):
        data.load_fashion_mnist(folder)


def test_what_is_missing_is_said_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "here"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for load, name in (
        (data.load_fashion_mnist, "fashion-mnist"),
        (data.load_mnist, "mnist"),
        (data.load_cifar10, "cifar-10"),
    ):
        with pytest.raises(
            FileNotFoundError, match=rf"here.*download\('{name}'\), or {load.__name__}\(download=True\)"
        ):
            load()
        with pytest.raises(FileNotFoundError, match="is this the folder"):
            load(tmp_path)
    (mnist(tmp_path / "part") / f"{FOUR[3]}.gz").unlink()
    with pytest.raises(FileNotFoundError, match=f"no {FOUR[3]}"):
        data.load_mnist(tmp_path / "part")


def test_images_and_labels_must_go_together(tmp_path: Path) -> None:
    folder = mnist(tmp_path, label=10)
    with pytest.raises(DataError, match="a label is 10"):
        data.load_mnist(folder)
    mnist(folder)
    (folder / f"{FOUR[1]}.gz").write_bytes(idx(np.zeros(4, np.uint8)))
    with pytest.raises(DataError, match=r"\(5, 28, 28\) of uint8 and labels of shape \(4,\)"):
        data.load_mnist(folder)


@pytest.mark.slow
def test_the_real_fashion_mnist() -> None:
    try:
        train, test, _ = data.load_fashion_mnist()
    except FileNotFoundError:
        pytest.skip("TENSORGRAD_DATA has no fashion-mnist")
    assert train[0].shape == (60000, 28, 28) and test[0].shape == (10000, 28, 28)
    mean, std = data.transforms.mean_std(train[0])
    assert (round(mean, 5), round(std, 5)) == (72.94035, 90.02118)
    assert np.bincount(train[1]).tolist() == [6000] * 10 and len(FASHION_CONTENT) == 4


# ---- CIFAR-10


def python_2_pickle(batch: dict[str, Any]) -> bytes:
    """A batch as Python 2 pickled it: strings of bytes, and arrays by NumPy's old module."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(value)) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def item(value: Any) -> bytes:
        if isinstance(value, np.ndarray):
            made = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n"
            made += b"(K\0t" + text(b"b") + b"\x87R(" + number(1)
            made += b"(" + b"".join(map(number, value.shape)) + b"t"
            made += b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
            made += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
            return made + b"I00\n" + text(value.tobytes()) + b"tb"
        if isinstance(value, list):
            return b"](" + b"".join(map(item, value)) + b"e"
        return number(value) if isinstance(value, int) else text(value)

    return b"\x80\x02}(" + b"".join(text(key.encode()) + item(value) for key, value in batch.items()) + b"u."


PICTURES = DRAW.integers(0, 256, (12, 3072), np.uint8)
LABELS = [int(label) for label in DRAW.integers(0, 10, 12)]
NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def cifar(folder: Path, form: str) -> Path:
    """Six files of two pictures each."""
    folder.mkdir(parents=True)
    for place, name in enumerate(NAMES):
        pictures, labels = PICTURES[2 * place : 2 * place + 2], LABELS[2 * place : 2 * place + 2]
        if form == "binary":
            records = np.concatenate([np.array(labels, np.uint8)[:, None], pictures], axis=1)
            (folder / f"{name}.bin").write_bytes(records.tobytes())
        elif form == "python 2":
            batch = {"data": pictures, "labels": labels, "batch_label": b"a batch", "filenames": [b"a", b"b"]}
            (folder / name).write_bytes(python_2_pickle(batch))
        else:
            (folder / name).write_bytes(pickle.dumps({"data": pictures, "labels": labels}, protocol=4))
    return folder


@pytest.mark.parametrize("form", ["binary", "python 2", "python 3"])
@pytest.mark.parametrize("packed", [False, True])
def test_cifar_in_every_form(form: str, packed: bool, tmp_path: Path) -> None:
    inner = "cifar-10-batches-bin" if form == "binary" else "cifar-10-batches-py"
    folder = cifar(tmp_path / inner, form)
    if packed:
        archive = tmp_path / "packed" / f"cifar-10-{'binary' if form == 'binary' else 'python'}.tar.gz"
        archive.parent.mkdir()
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, inner)
    for place in [tmp_path / "packed"] if packed else [tmp_path, folder]:
        train, test, classes = data.load_cifar10(place)
        assert train[0].shape == (10, 3, 32, 32) and train[0].dtype == np.uint8 and len(classes) == 10
        assert np.array_equal(np.concatenate([train[0], test[0]]).reshape(12, -1), PICTURES)
        assert [*train[1], *test[1]] == LABELS and test[1].dtype == np.int64


def test_the_pickle_of_python_2_is_one(tmp_path: Path) -> None:
    """The file written by hand is what Python itself reads as such a dict."""
    batch = pickle.loads(python_2_pickle({"data": PICTURES, "labels": LABELS}), encoding="bytes")
    assert np.array_equal(batch[b"data"], PICTURES) and batch[b"labels"] == LABELS


class Harmful:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("call", [os.system, eval, os.remove, getattr, np.load, np.frombuffer])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_runs_nothing(call: Any, protocol: int, tmp_path: Path) -> None:
    folder = cifar(tmp_path / "set", "python 3")
    victim = tmp_path / "victim"
    victim.touch()
    harmful = {"data": Harmful(call, str(victim)), "labels": [0]}
    (folder / "data_batch_2").write_bytes(pickle.dumps(harmful, protocol=protocol))
    with pytest.raises(DataError, match=r"data_batch_2.*names .*, which is no part of an array"):
        data.load_cifar10(folder)
    assert victim.exists()


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([], "holds a list"),
        ({}, "data is no array"),
        ({"data": PICTURES.astype(np.int16), "labels": LABELS}, "data is no array of bytes"),
        ({"data": np.asfortranarray(PICTURES), "labels": LABELS}, "data is no array of bytes"),
        ({"data": PICTURES, "labels": LABELS[1:]}, r"\(12, 3072\) for 11 labels"),
        ({"data": PICTURES[:, 1:], "labels": LABELS}, r"\(12, 3071\)"),
        ({"data": PICTURES, "labels": ["a"] * 12}, "labels are no list"),
        ({"data": PICTURES, "labels": [10] * 12}, "a label is 10"),
        ({"data": "text", "labels": []}, "data is no array"),
    ],
)
def test_pickles_of_something_else(batch: Any, message: str, tmp_path: Path) -> None:
    folder = cifar(tmp_path / "set", "python 3")
    (folder / "data_batch_1").write_bytes(pickle.dumps(batch, protocol=4))
    with pytest.raises(DataError, match=message):
        data.load_cifar10(folder)


def test_cifar_files_that_are_damaged(tmp_path: Path) -> None:
    folder = cifar(tmp_path / "python", "python 2")
    content = (folder / "data_batch_3").read_bytes()
    for damaged in (content[:-1], content[:100], b"", b"garbage"):
        (folder / "data_batch_3").write_bytes(damaged)
        with pytest.raises(DataError, match="data_batch_3"):
            data.load_cifar10(folder)
    (folder / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match="no data_batch_3"):
        data.load_cifar10(folder)
    folder = cifar(tmp_path / "binary", "binary")
    (folder / "test_batch.bin").write_bytes(bytes(3072))
    with pytest.raises(DataError, match="3072 bytes; records of 3073"):
        data.load_cifar10(folder)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"\x1f\x8bgarbage")
    with pytest.raises(DataError, match="cut short or damaged"):
        data.load_cifar10(tmp_path)


# ---- tables


def table(text: str, **options: Any) -> data.Table:
    return data.read_csv(io.StringIO(text), **options)


def test_columns_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(
        '\ufeffa;"b ; c";d;e\r\n1;x;1.5;-3\r\n\r\n2; y ;?;4\r\n3;x;2e3;\r\n'.encode()
    )
    found = data.read_csv(tmp_path / "t.csv", delimiter=";")
    assert found.names == ["a", "b ; c", "d", "e"] and len(found) == 3
    assert found["a"].dtype == np.int64 and found["a"].tolist() == [1, 2, 3]
    assert found["b ; c"].tolist() == [0, 1, 0] and found.categories == {"b ; c": ("x", "y")}
    np.testing.assert_array_equal(found["d"], [1.5, np.nan, 2000.0])
    np.testing.assert_array_equal(found["e"], [-3.0, 4.0, np.nan])


def test_matrices_of_columns() -> None:
    found = table("a,k,b\n1,x,0.5\n2,?,1.5\n3,y,2.5")
    assert found["k"].tolist() == [0, -1, 1]
    assert found.matrix(["b", "a"]).tolist() == [[0.5, 1], [1.5, 2], [2.5, 3]]
    assert (
        found.matrix(["a"]).dtype == np.float32 and found.matrix(["a"], dtype=np.float64).dtype == np.float64
    )
    assert found.matrix(one_hot=True).tolist() == [[1, 1, 0, 0.5], [2, 0, 0, 1.5], [3, 0, 1, 2.5]]
    with pytest.raises(tg.DtypeError, match="column 'k' holds categories"):
        found.matrix()
    with pytest.raises(KeyError, match="no column 'z'"):
        found.matrix(["z"])


def test_headers_and_names() -> None:
    assert table("1,2\n3,4", header=False).names == ["0", "1"]
    assert table("1,2\n3,4", header=False, names=["u", "v"])["v"].tolist() == [2, 4]
    assert table("a,b\n3,4", names=["u", "v"])["u"].tolist() == [3]
    assert table("zip\n00501\n10001", categorical=["zip"]).categories["zip"] == ("00501", "10001")
    assert len(table("a,b\n")) == 0
    big = table(f"a\n{2**70}")["a"]
    assert big.dtype == np.float64 and big[0] == 2.0**70
    assert table("a\n1_000").categories == {"a": ("1_000",)}
    np.testing.assert_array_equal(table("a\n?\nNA", numbers=["a"])["a"], [np.nan, np.nan])


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "no lines"),
        ("a,b\n1,2\n\n3", {}, "line 4 has 1 values; there are 2 columns"),
        ("a,b\n1,2\n3,four", {"numbers": ["b"]}, "line 3, column 'b': 'four' is no number"),
        ("a,b\n1,1_0", {"numbers": ["b"]}, "line 2, column 'b': '1_0'"),
        ("a,a\n1,2", {}, "two columns are called 'a'"),
        ("a,b\n1,2", {"numbers": ["c"]}, "no column 'c'"),
        ('a,b\n"1,2', {}, "line 2: unexpected end"),
        ('a,b\n"x\ny",2\n3', {}, "line 4 has 1 values"),
    ],
)
def test_tables_that_are_damaged(text: str, options: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        table(text, **options)


def test_a_table_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("größe\n1".encode("latin-1"))
    with pytest.raises(DataError, match="utf-8"):
        data.read_csv(tmp_path / "t.csv")
    assert data.read_csv(tmp_path / "t.csv", encoding="latin-1").names == ["größe"]


# ---- text


def test_vocabularies_of_characters_and_words() -> None:
    letters = data.Vocabulary.of("to be\n")
    assert letters.tokens == ("\n", " ", "b", "e", "o", "t") and len(letters) == 6 and "b" in letters
    assert letters.decode(letters.encode("beet to")) == "beet to"
    words = data.Vocabulary.of("The cat, the dog's cat.", "words", unknown="<?>", special=["<end>"])
    assert words.tokens == ("<end>", "<?>", ",", ".", "The", "cat", "dog's", "the")
    assert words.decode(tg.tensor(words.encode("the cow ."))) == "the <?> ."
    again = data.Vocabulary(words.tokens, "words", words.unknown)
    assert np.array_equal(again.encode("the cow"), words.encode("the cow"))
    assert letters.encode("").dtype == np.int64 and letters.decode([]) == ""


def test_vocabularies_of_the_most_frequent() -> None:
    text = ["a", "b", "b", "c", "c", "c", "d", "d"]
    assert data.Vocabulary.of(text, max_size=2).tokens == ("b", "c")
    assert data.Vocabulary.of(text, max_size=3, unknown="?").tokens == ("?", "b", "c")
    assert data.Vocabulary.of(text, min_count=3).tokens == ("c",)


def test_vocabularies_refuse() -> None:
    letters = data.Vocabulary("abc")
    with pytest.raises(DataError, match="'x', token 1"):
        letters.encode("axb")
    for wrong in (3, -1):
        with pytest.raises(tg.IndexingError, match=f"number {wrong}"):
            letters.decode([0, wrong])
    with pytest.raises(tg.DtypeError, match="float32"):
        letters.decode([0.5])
    with pytest.raises(tg.ShapeError, match="'a' is given twice"):
        data.Vocabulary("aba")
    with pytest.raises(tg.ShapeError, match="none of the tokens"):
        data.Vocabulary("ab", unknown="?")
    with pytest.raises(tg.DtypeError, match="'letters'"):
        data.Vocabulary("ab", "letters")  # type: ignore[arg-type]


def test_windows_of_text() -> None:
    windows = data.TextWindows(np.arange(10), 4, stride=3)
    assert len(windows) == 2
    loader = data.DataLoader(windows, 2)
    ((x, y),) = loader
    assert x.tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]] and y.tolist() == [[1, 2, 3, 4], [4, 5, 6, 7]]
    assert windows[-1][1].tolist() == [4, 5, 6, 7]
    assert len(data.TextWindows(np.arange(5), 4)) == 1
    for wrong in ((np.arange(4), 4), (np.arange(4), 0), (np.ones((2, 2)), 1)):
        with pytest.raises(tg.ShapeError, match="longer than length"):
            data.TextWindows(*wrong)


def test_files_of_text(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_bytes("émile\r\n\r\n  ava \n".encode())
    assert data.read_text(tmp_path / "names.txt") == "émile\r\n\r\n  ava \n"
    assert data.read_lines(tmp_path / "names.txt") == ["émile", "ava"]
    with pytest.raises(DataError, match="byte 0 is not ascii"):
        data.read_text(tmp_path / "names.txt", "ascii")


def test_texts_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path))
    for name, file in (("names", "names.txt"), ("tinyshakespeare", "input.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_bytes(b"emma\nava\n")
    assert data.load_names() == ["emma", "ava"] == data.load_names(tmp_path / "names")
    assert data.load_tinyshakespeare() == "emma\nava\n"
    with pytest.raises(FileNotFoundError, match=r"load_names: no names\.txt"):
        data.load_names(tmp_path)


@pytest.mark.slow
def test_the_real_texts() -> None:
    try:
        text, names = data.load_tinyshakespeare(), data.load_names()
    except FileNotFoundError:
        pytest.skip("TENSORGRAD_DATA has no tinyshakespeare or names")
    assert len(text) == 1_115_394 and len(data.Vocabulary.of(text)) == 65
    assert len(names) == 32_033 and len(data.Vocabulary.of("".join(names))) == 26


# ---- pictures


def test_pictures_in_portable_formats(tmp_path: Path) -> None:
    grey = DRAW.integers(0, 256, (3, 4), np.uint8)
    (tmp_path / "grey.pgm").write_bytes(b"P5\n# a comment\n4 3\n255\n" + grey.tobytes())
    assert np.array_equal(data.load_image(tmp_path / "grey.pgm", grey=True), grey)
    assert np.array_equal(data.load_image(tmp_path / "grey.pgm"), np.stack([grey] * 3))
    colour = DRAW.integers(0, 256, (3, 4, 3), np.uint8)
    (tmp_path / "colour.ppm").write_bytes(b"P6 4 3 255 " + colour.tobytes())
    assert np.array_equal(data.load_image(tmp_path / "colour.ppm"), colour.transpose(2, 0, 1))
    luma = np.rint(colour @ [0.299, 0.587, 0.114])
    assert np.array_equal(data.load_image(tmp_path / "colour.ppm", grey=True), luma)
    assert data.load_image(tmp_path / "colour.ppm", (28, 20)).shape == (3, 28, 20)


@pytest.mark.parametrize(
    "content", [b"P5 4 3 255 " + bytes(11), b"P5 4 3 65535 " + bytes(24), b"P6 a 3 255 ", b"P5"]
)
def test_pictures_that_are_damaged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pgm").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.pgm"):
        data.load_image(tmp_path / "x.pgm")


def test_pictures_in_folders_of_their_classes(tmp_path: Path) -> None:
    for name in ("10", "2", "cat"):
        (tmp_path / "set" / "train" / name).mkdir(parents=True)
        for place in range(2):
            value = bytes([len(name) * 10 + place] * 4)
            (tmp_path / "set" / "train" / name / f"{place}.pgm").write_bytes(b"P5 2 2 255 " + value)
    (tmp_path / "set" / "train" / "cat" / "notes.txt").write_text("no picture")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in (tmp_path / "set").rglob("*"):
            archive.write(file, file.relative_to(tmp_path / "set").as_posix())
    for path in (tmp_path / "set", tmp_path / "set.zip"):
        images, labels, classes = data.load_image_folder(path, grey=True, inside="train")
        assert classes == ("2", "10", "cat") and labels.tolist() == [0, 0, 1, 1, 2, 2]
        assert images.shape == (6, 2, 2) and images[:, 0, 0].tolist() == [10, 11, 20, 21, 30, 31]
    assert data.load_image_folder(tmp_path / "set" / "train", 3).images.shape == (6, 3, 3, 3)
    with pytest.raises(DataError, match="no pictures"):
        data.load_image_folder(tmp_path)
    (tmp_path / "set" / "train" / "cat" / "2.pgm").write_bytes(b"P5 1 1 255 " + bytes(1))
    with pytest.raises(DataError, match="give size="):
        data.load_image_folder(tmp_path / "set", inside="train")


def test_other_formats_need_pillow(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    try:
        from PIL import Image
    except ImportError:
        with pytest.raises(ImportError, match=r"tensorgrad\[images\]"):
            data.load_image(tmp_path / "x.png")
        return
    with pytest.raises(DataError, match="no picture, or damaged"):
        data.load_image(tmp_path / "x.png")
    colour = DRAW.integers(0, 256, (3, 4, 3), np.uint8)
    Image.fromarray(colour).save(tmp_path / "x.png")
    assert np.array_equal(data.load_image(tmp_path / "x.png"), colour.transpose(2, 0, 1))
    turned = Image.Exif()
    turned[0x0112] = 3  # held upside down
    Image.fromarray(colour).save(tmp_path / "y.png", exif=turned)
    assert np.array_equal(data.load_image(tmp_path / "y.png"), colour.transpose(2, 0, 1)[:, ::-1, ::-1])
