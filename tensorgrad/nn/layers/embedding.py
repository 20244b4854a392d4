"""Tables of vectors, read by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ..._errors import ShapeError
from ..._random import normal
from ..._tensor import Parameter
from ...ops.positions import positions_of
from .. import functional as F
from ..module import Module
from .linear import check_sizes

if TYPE_CHECKING:
    from numpy.random import Generator


class Embedding(Module):
    """A table of vectors, ``weight``, read by number: see `nn.functional.embedding`.

    Args:
        num_embeddings: how many vectors, the size of the vocabulary.
        embedding_dim: the length of each.
        padding_idx: a row that begins with zeros and gets no gradient; negative ones count from the end.
        max_norm: rows that are used and have a greater norm are first scaled down to it.
        norm_type: which norm, the p of the p-norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often a batch names it.
        sparse: taken for PyTorch's sake; gradients are dense tensors, and only rows that were used cost time.
        _weight: the table, in place of one drawn from the standard normal distribution.
        _freeze: whether it is not trained.
        dtype: of the table; the default float if None.
        generator: to draw the table from.

    Raises:
        ShapeError: the table has another shape.
        IndexingError: ``padding_idx`` is out of range.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.Embedding(10, 3)(tg.tensor([[1, 2], [9, 0]])).shape
        (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = _padding("Embedding", padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.weight = _table(self, _weight, _freeze, dtype, generator)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """A layer with a given table, (vectors, length), which is not trained unless ``freeze`` is False."""
        rows, columns = _shape_of(cls.__name__, embeddings)
        more = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        return cls(rows, columns, *more, _weight=embeddings, _freeze=freeze)

    def forward(self, input: Any) -> Any:
        """The vectors that integers of any shape name."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        return _settings(self, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False)


class EmbeddingBag(Module):
    """Sums, means or maxima of the vectors of a table over bags of numbers: see `nn.functional.embedding_bag`.

    Args:
        num_embeddings: how many vectors, the size of the vocabulary.
        embedding_dim: the length of each.
        max_norm: rows that are used and have a greater norm are first scaled down to it.
        norm_type: which norm, the p of the p-norm.
        scale_grad_by_freq: whether the gradient of a row is divided by how often a batch names it.
        mode: 'sum', 'mean' or 'max'.
        sparse: taken for PyTorch's sake; gradients are dense tensors, and only rows that were used cost time.
        _weight: the table, in place of one drawn from the standard normal distribution.
        include_last_offset: whether the last of the offsets is the end of the last bag.
        padding_idx: a number that is left out of its bag, and whose row begins with zeros.
        dtype: of the table; the default float if None.
        generator: to draw the table from.

    Raises:
        ShapeError: the table has another shape, or the mode is another word.
        IndexingError: ``padding_idx`` is out of range.

    Example:
        >>> import tensorgrad as tg
        >>> tg.nn.EmbeddingBag(10, 3)(tg.tensor([1, 2, 4, 5]), tg.tensor([0, 3])).shape
        (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        *,
        dtype: Any = None,
        generator: Generator | None = None,
    ) -> None:
        if mode not in ("sum", "mean", "max"):
            raise ShapeError(f"EmbeddingBag: mode is {mode!r}; it is 'sum', 'mean' or 'max'")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = _padding("EmbeddingBag", padding_idx, num_embeddings)
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.mode, self.sparse, self.include_last_offset = mode, sparse, include_last_offset
        self.weight = _table(self, _weight, False, dtype, generator)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """A layer with a given table, (vectors, length), which is not trained unless ``freeze`` is False."""
        rows, columns = _shape_of(cls.__name__, embeddings)
        more = (max_norm, norm_type, scale_grad_by_freq, mode, sparse, embeddings, include_last_offset)
        made = cls(rows, columns, *more, padding_idx)
        made.weight.requires_grad = not freeze
        return made

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        """One vector for each bag."""
        return F.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
            per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the usual ones."""
        usual = {"max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}
        return _settings(self, **usual) + f", mode={self.mode!r}" + _settings_of(self, padding_idx=None)


def _shape_of(layer: str, table: Any) -> tuple[int, int]:
    if len(getattr(table, "shape", ())) != 2:
        raise ShapeError(
            f"{layer}: a table (vectors, length) is needed, not one of shape {getattr(table, 'shape', None)}"
        )
    rows, columns = table.shape
    return rows, columns


def _padding(layer: str, padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    return int(positions_of(layer, padding_idx, "0 of weight (by padding_idx)", rows))


def _table(layer: Any, weight: Any, freeze: bool, dtype: Any, generator: Generator | None) -> Parameter:
    kind, shape = type(layer).__name__, (layer.num_embeddings, layer.embedding_dim)
    check_sizes(kind, num_embeddings=shape[0], embedding_dim=shape[1])
    if weight is not None:
        if weight.shape != shape:
            raise ShapeError(f"{kind}: _weight {weight.shape}; the sizes given make it {shape}")
        return Parameter(weight, requires_grad=not freeze)
    drawn = normal(0.0, 1.0, shape, generator=generator, dtype=dtype).numpy().copy()
    if layer.padding_idx is not None:
        drawn[layer.padding_idx] = 0
    return Parameter(drawn, requires_grad=not freeze)


def _settings(layer: Any, **usual: Any) -> str:
    return f"{layer.num_embeddings}, {layer.embedding_dim}" + _settings_of(layer, **usual)


def _settings_of(layer: Any, **usual: Any) -> str:
    return "".join(
        f", {name}={getattr(layer, name)}" for name, value in usual.items() if getattr(layer, name) != value
    )
