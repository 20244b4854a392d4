"""Published bugs of axes, indices and sums: the right numbers in the wrong places, or not all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .published_pair import Published

_PICKED = np.array([0, 2, 2, 1, 0, 2])


def _gather_right(inputs: Any, y: Any, g: Any) -> Any:
    total = np.zeros_like(inputs[0])
    np.add.at(total, _PICKED, g)
    return (total,)


def _gather_overwritten(inputs: Any, y: Any, g: Any) -> Any:
    total = np.zeros_like(inputs[0])
    total[_PICKED] = g
    return (total,)


_LABELS = np.eye(3)[[0, 2, 1, 1]]


def _softmax(z: Any, axis: int) -> Any:
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _cross_entropy(x: Any, w: Any) -> Any:
    return np.asarray(-np.sum(_LABELS * np.log(_softmax(x @ w, 1))))


def _cross_entropy_vjp(axis: int) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        x, w = inputs
        of_logits = g * (_softmax(x @ w, 1) - _LABELS)
        return of_logits @ w.T, g * x.T @ (_softmax(x @ w, axis) - _LABELS)

    return vjp


def _centred(x: Any) -> Any:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def _layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    return _centred(x) * gamma + beta


def _layer_norm_vjp(along_rows: bool) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        x, gamma, beta = inputs
        h, n = g * gamma, _centred(x)
        of_x = h - h.mean(1, keepdims=True) - n * (h * n).mean(1, keepdims=True)
        recovered = (y - beta[:, None]) / gamma[:, None] if along_rows else (y - beta) / gamma
        return of_x / np.sqrt(x.var(1, keepdims=True) + 1e-5), (g * recovered).sum(0), g.sum(0)

    return vjp


def _causal_conv(x: Any, w: Any) -> Any:
    return np.convolve(x, w)[: x.size]


def _causal_conv_right(inputs: Any, y: Any, g: Any) -> Any:
    x, w = inputs
    of_x = [sum(g[t + k] * w[k] for k in range(w.size) if t + k < g.size) for t in range(x.size)]
    return np.array(of_x), np.array([g[k:] @ x[: x.size - k] for k in range(w.size)])


def _causal_conv_shifted(inputs: Any, y: Any, g: Any) -> Any:
    of_x, of_w = _causal_conv_right(inputs, y, g)
    return np.append(0.0, of_x[:-1]), of_w


def _final_state_vjp(first_slot: int) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        of_start = np.concatenate([np.zeros((2, 2)), g[:, :2]], axis=1)
        return g[:, first_slot : first_slot + 2].copy(), of_start

    return vjp


def _every_other_vjp(first: int) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        of_x = np.zeros_like(inputs[0])
        of_x[first::2, first::2] = g
        return (of_x,)

    return vjp


def _huber(x: Any, t: Any) -> Any:
    d = np.abs(x - t)
    return np.where(d <= 1, 0.5 * d * d, d - 0.5).sum(1)


def _huber_vjp(with_upstream: bool) -> Any:
    def vjp(inputs: Any, y: Any, g: Any) -> Any:
        slope = np.clip(inputs[0] - inputs[1], -1.0, 1.0)
        of_x = g[:, None] * slope if with_upstream else slope
        return of_x, -of_x

    return vjp


def _huber_inputs(rng: np.random.Generator) -> Any:
    t = rng.standard_normal((2, 3))
    distance = rng.permutation(np.append(rng.uniform(0.2, 0.8, 3), rng.uniform(-2.0, -1.3, 3)))
    return t + distance.reshape(2, 3), t


ARRAYS: tuple[Published, ...] = (
    Published(
        name="gather of repeated indices",
        issue="pytorch/pytorch#1631",
        what="an entry that was picked several times kept the gradient of the last pick only",
        label="missing sum",
        f=lambda x: x[_PICKED],
        f_vjp=_gather_overwritten,
        right_vjp=_gather_right,
        inputs=lambda rng: (rng.standard_normal(4),),
    ),
    Published(
        name="sum with a row that is broadcast",
        issue="deeplearning4j/nd4j#2424",
        what="the row got a gradient for each row that it was added to, not their sum",
        label="missing sum",
        f=lambda a, b: a + b,
        f_vjp=lambda inputs, y, g: (g, g.copy()),
        right_vjp=lambda inputs, y, g: (g, g.sum(0, keepdims=True)),
        inputs=lambda rng: (rng.standard_normal((3, 4)), rng.standard_normal((1, 4))),
    ),
    Published(
        name="mean over an empty list of axes",
        issue="pytorch/pytorch#28993",
        what="no axes means all of them, and the gradient was not divided by their size",
        label="factor",
        f=lambda x: np.asarray(x.mean()),
        f_vjp=lambda inputs, y, g: (g * np.ones_like(inputs[0]),),
        right_vjp=lambda inputs, y, g: (g * np.full_like(inputs[0], 1 / inputs[0].size),),
        inputs=lambda rng: (rng.standard_normal((2, 3)),),
    ),
    Published(
        name="mean along one axis",
        issue="swiftlang/swift#23033",
        what="the gradient was divided by the number of all entries, not of those along the axis",
        label="factor",
        f=lambda x: x.mean(1),
        f_vjp=lambda inputs, y, g: (np.repeat(g[:, None] / 12, 4, axis=1),),
        right_vjp=lambda inputs, y, g: (np.repeat(g[:, None] / 4, 4, axis=1),),
        inputs=lambda rng: (rng.standard_normal((3, 4)),),
    ),
    Published(
        name="product with a second factor that is transposed",
        issue="tensorflow/swift-apis#884",
        what="the gradient was that of the transpose, and was not turned back",
        label="transposed",
        f=lambda q, k: q @ k.T,
        f_vjp=lambda inputs, y, g: (g @ inputs[1], inputs[0].T @ g),
        right_vjp=lambda inputs, y, g: (g @ inputs[1], g.T @ inputs[0]),
        inputs=lambda rng: (rng.standard_normal((3, 3)), rng.standard_normal((3, 3))),
    ),
    Published(
        name="stack of matrices",
        issue="Oneflow-Inc/oneflow#8194",
        what="split along their columns, the matrices got their gradients transposed",
        label="transposed",
        f=lambda a, b: np.stack([a, b]),
        f_vjp=lambda inputs, y, g: (g[0].T.copy(), g[1].T.copy()),
        right_vjp=lambda inputs, y, g: (g[0].copy(), g[1].copy()),
        inputs=lambda rng: (rng.standard_normal((2, 2)), rng.standard_normal((2, 2))),
    ),
    Published(
        name="cross entropy, in the weights",
        issue="deeplearning4j/deeplearning4j#345",
        what="the gradient of the weights took the softmax over the batch, not over the classes",
        label="wrong axis",
        f=_cross_entropy,
        f_vjp=_cross_entropy_vjp(0),
        right_vjp=_cross_entropy_vjp(1),
        inputs=lambda rng: (rng.standard_normal((4, 3)), rng.standard_normal((3, 3))),
    ),
    Published(
        name="pad of axes that are not in order",
        issue="ml-explore/mlx#4441",
        what="the widths, listed like the axes, were looked up by axis number: each axis got another one's",
        label="wrong axis",
        f=lambda x: np.pad(x, ((0, 1), (1, 0))),
        f_vjp=lambda inputs, y, g: (g[1:, :-1].copy(),),
        right_vjp=lambda inputs, y, g: (g[:-1, 1:].copy(),),
        inputs=lambda rng: (rng.standard_normal((3, 3)),),
    ),
    Published(
        name="layer normalisation recovered from its result",
        issue="deepspeedai/DeepSpeed#692",
        what="undoing scale and shift, the kernel took both at the number of the row, not of the column",
        label="wrong axis",
        f=_layer_norm,
        f_vjp=_layer_norm_vjp(along_rows=True),
        right_vjp=_layer_norm_vjp(along_rows=False),
        inputs=lambda rng: (rng.standard_normal((3, 3)), rng.uniform(0.5, 1.5, 3), rng.standard_normal(3)),
    ),
    Published(
        name="causal convolution, in the signal",
        issue="KonduitAI/deeplearning4j#90",
        what="each gradient landed one step later than the entry that it belongs to",
        label="off by one",
        f=_causal_conv,
        f_vjp=_causal_conv_shifted,
        right_vjp=_causal_conv_right,
        inputs=lambda rng: (rng.standard_normal(6), rng.standard_normal(3)),
    ),
    Published(
        name="state after a chunk shorter than the window",
        issue="fla-org/flash-linear-attention#1140",
        what="a start that lies before the chunk was moved to its first token, and all slots moved along",
        label="off by one",
        f=lambda x, start: np.concatenate([start, x], axis=1)[:, 2:],
        f_vjp=_final_state_vjp(1),
        right_vjp=_final_state_vjp(2),
        inputs=lambda rng: (rng.standard_normal((2, 2)), rng.standard_normal((2, 4))),
    ),
    Published(
        name="nearest neighbours at half the size",
        issue="pytorch/pytorch#38985",
        what="the gradient went to the last pixel of each block, while the first one had been read",
        label="off by one",
        f=lambda x: x[::2, ::2].copy(),
        f_vjp=_every_other_vjp(1),
        right_vjp=_every_other_vjp(0),
        inputs=lambda rng: (rng.standard_normal((4, 4)),),
    ),
    Published(
        name="pad with zeros",
        issue="apache/mxnet#19043",
        what="the gradient was one at each entry that was kept, whatever came from upstream",
        label="missing upstream factor",
        f=lambda x: np.pad(x, ((0, 1), (0, 0))),
        f_vjp=lambda inputs, y, g: (np.ones_like(inputs[0]),),
        right_vjp=lambda inputs, y, g: (g[:-1].copy(),),
        inputs=lambda rng: (rng.standard_normal((2, 3)),),
    ),
    Published(
        name="prod of all entries",
        issue="pytorch/pytorch#995",
        what="the backward pass did not multiply by what came from upstream, so -prod(x) lost its sign",
        label="missing upstream factor",
        f=lambda x: np.asarray(np.prod(x)),
        f_vjp=lambda inputs, y, g: (y / inputs[0],),
        right_vjp=lambda inputs, y, g: (g * y / inputs[0],),
        inputs=lambda rng: (rng.uniform(0.5, 2.0, 5),),
    ),
    Published(
        name="Huber loss",
        issue="chainer/chainer#1175",
        what="the upstream gradient was ignored, so nothing done to the loss had an effect",
        label="missing upstream factor",
        f=_huber,
        f_vjp=_huber_vjp(with_upstream=False),
        right_vjp=_huber_vjp(with_upstream=True),
        inputs=_huber_inputs,
    ),
)
