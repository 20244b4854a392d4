"""Text as numbers: vocabularies of characters or words, and windows for models of language."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .._data import as_data
from .._errors import DtypeError, IndexingError, ShapeError
from .._tensor import Tensor, fresh
from ._errors import DataError
from .dataset import Dataset
from .places import find_folder

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


class Vocabulary:
    """Tokens and their numbers.

    Args:
        tokens: all different; the number of each is its place.
        kind: what a string given to `encode` is taken apart into.
        unknown: the token, one of ``tokens``, that stands for any other; without, others are refused.

    Example:
        >>> letters = Vocabulary.of("hello")
        >>> letters.tokens
        ('e', 'h', 'l', 'o')
        >>> letters.encode("hole"), letters.decode([1, 0, 2, 2])
        (array([1, 3, 2, 0]), 'hell')
    """

    def __init__(
        self,
        tokens: Iterable[str],
        kind: Literal["characters", "words"] = "characters",
        unknown: str | None = None,
    ) -> None:
        self.tokens = tuple(tokens)
        self.kind = kind
        self.unknown = unknown
        self.ids = {token: number for number, token in enumerate(self.tokens)}
        if len(self.ids) < len(self.tokens):
            twice = Counter(self.tokens).most_common(1)[0][0]
            raise ShapeError(f"Vocabulary: the token {twice!r} is given twice")
        if kind not in ("characters", "words"):
            raise DtypeError(f"Vocabulary: kind={kind!r} given; it is 'characters' or 'words'")
        if unknown is not None and unknown not in self.ids:
            raise ShapeError(f"Vocabulary: unknown={unknown!r} is none of the tokens")

    @classmethod
    def of(
        cls,
        text: str | Iterable[str],
        kind: Literal["characters", "words"] = "characters",
        *,
        min_count: int = 1,
        max_size: int | None = None,
        special: Sequence[str] = (),
        unknown: str | None = None,
    ) -> Vocabulary:
        """The vocabulary of a text, sorted.

        Args:
            text: a string, or its tokens.
            kind: what a string is taken apart into; words include signs of punctuation.
            min_count: how often a token must occur.
            max_size: how many tokens there are at most, the most frequent ones, with the special ones.
            special: tokens that come first, such as one for the end of a text.
            unknown: a token for those that were left out; it becomes a special one if it is not.
        """
        front = [*special, *([unknown] if unknown is not None and unknown not in special else [])]
        counts = Counter(split(text, kind))
        kept = [token for token, count in counts.items() if count >= min_count and token not in front]
        if max_size is not None:
            kept = sorted(kept, key=lambda token: (-counts[token], token))[: max(0, max_size - len(front))]
        return cls([*front, *sorted(kept)], kind, unknown)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.ids

    def encode(self, text: str | Iterable[str]) -> NDArray[np.int64]:
        """The numbers of the tokens of a text.

        Raises:
            DataError: a token is not in the vocabulary, and there is none for unknown ones.
        """
        tokens = split(text, self.kind)
        default = None if self.unknown is None else self.ids[self.unknown]
        found = [self.ids.get(token, default) for token in tokens]
        if default is None and None in found:
            place = found.index(None)
            raise DataError(
                f"Vocabulary.encode: {tokens[place]!r}, token {place} of the text, is not in the vocabulary"
            )
        return np.array(found, np.int64)

    def decode(self, numbers: Any) -> str:
        """The text of numbers: characters joined, words with spaces between.

        Raises:
            IndexingError: a number is that of no token.
        """
        found = np.asarray(as_data(numbers))
        if found.size and found.dtype.kind not in "iu":
            raise DtypeError(f"Vocabulary.decode: numbers of dtype {found.dtype}; whole numbers are needed")
        wrong = found[(found < 0) | (found >= len(self))]
        if wrong.size:
            raise IndexingError(
                f"Vocabulary.decode: no token has the number {wrong.flat[0]}; there are {len(self)}"
            )
        return ("" if self.kind == "characters" else " ").join(
            self.tokens[number] for number in found.ravel().tolist()
        )


class TextWindows(Dataset):
    """Windows of a long sequence: ``x`` of ``length`` numbers, and ``y``, the same one step later.

    Args:
        numbers: of the tokens of a text, as `Vocabulary.encode` gives them.
        length: how many there are to a window.
        stride: the distance from one window to the next; with 1 each place begins one.

    Example:
        >>> windows = TextWindows([1, 2, 3, 4, 5], length=3)
        >>> len(windows), windows[1]
        (2, (tensor([2, 3, 4]), tensor([3, 4, 5])))
    """

    def __init__(self, numbers: Any, length: int, stride: int = 1) -> None:
        self.numbers: NDArray[Any] = np.asarray(as_data(numbers))
        self.length, self.stride = length, stride
        if self.numbers.ndim != 1 or length < 1 or stride < 1 or len(self.numbers) <= length:
            raise ShapeError(
                f"TextWindows: numbers of shape {self.numbers.shape}, length {length}, stride {stride}; "
                "a sequence longer than length, and a length and stride of at least 1, are needed"
            )
        self._windows = sliding_window_view(self.numbers, length + 1)[::stride]

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: Any) -> tuple[Tensor, Tensor]:
        return self._pair(self._windows[index])

    def batch(self, indices: Any) -> tuple[Tensor, Tensor]:
        """Windows of these numbers: ``x`` and ``y`` of shape (N, length)."""
        return self._pair(self._windows[np.asarray(indices)])

    def _pair(self, window: NDArray[Any]) -> tuple[Tensor, Tensor]:
        return fresh(window[..., :-1].copy()), fresh(window[..., 1:].copy())


def split(text: str | Iterable[str], kind: Literal["characters", "words"]) -> list[str]:
    """The tokens of a text: its characters, or its words and signs of punctuation; a list of tokens stays."""
    return WORD.findall(text) if isinstance(text, str) and kind == "words" else list(text)


def read_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    """The text of a file, with line ends as in the file, so that every machine reads the same characters.

    Args:
        path: the file.
        encoding: of the file.

    Raises:
        DataError: the file has another encoding.
    """
    try:
        return Path(path).read_bytes().decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not {encoding}: {error.reason}") from None


def read_lines(path: str | os.PathLike[str], encoding: str = "utf-8") -> list[str]:
    """The lines of a file that are not empty, without spaces around: a list of names, for example.

    Args:
        path: the file.
        encoding: of the file.
    """
    return [line.strip() for line in read_text(path, encoding).splitlines() if line.strip()]


def load_tinyshakespeare(folder: str | os.PathLike[str] | None = None, *, download: bool = False) -> str:
    """The 1,115,394 characters of Shakespeare on which small models of language are tried.

    Args:
        folder: where ``input.txt`` is. By default the folder ``tinyshakespeare`` of `tensorgrad.data.data_folder`.
        download: fetch it there first, if it is missing.

    Raises:
        FileNotFoundError: the file is missing; the message says how to fetch it.

    Source:
        A. Karpathy, char-rnn, 2015.
    """
    return read_text(
        find_folder("load_tinyshakespeare", "tinyshakespeare", folder, [["input.txt"]], download)
        / "input.txt"
    )


def load_names(folder: str | os.PathLike[str] | None = None, *, download: bool = False) -> list[str]:
    """32,033 given names in small letters, for generators of names.

    Args:
        folder: where ``names.txt`` is. By default the folder ``names`` of `tensorgrad.data.data_folder`.
        download: fetch it there first, if it is missing.

    Raises:
        FileNotFoundError: the file is missing; the message says how to fetch it.

    Source:
        A. Karpathy, makemore, 2022.
    """
    return read_lines(find_folder("load_names", "names", folder, [["names.txt"]], download) / "names.txt")
