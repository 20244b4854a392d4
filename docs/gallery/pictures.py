"""The pictures of the gallery: one function for each, which computes something real and returns what to show of it.

The first line of a docstring is the picture's heading in README.md, the rest what is said of it there, and the
body the code below it. `make gallery` (tools/gallery.py) writes pictures and page.
"""

from __future__ import annotations

import numpy as np

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

images, labels = tg.data.load_digits()  # 1,797 handwritten digits of 8 x 8 pixels
pixels = (images.reshape(-1, 64) / 16).astype(np.float32)


def neuron() -> tg.viz.Picture:
    """A neuron, in numbers.

    Two inputs, two weights, a bias and a tanh. Each box says what the value is and what its gradient is: what a
    small change of it would do to `out`. Nobody asked for gradients of the inputs, so the dotted lines carry none.
    """
    x1, x2 = tg.tensor(2.0), tg.tensor(-1.0)
    w1, w2, b = (tg.tensor(v, requires_grad=True) for v in (0.5, 1.5, 0.8))
    with tg.record() as run:
        out = tg.tanh(w1 * x1 + w2 * x2 + b)
        out.backward()
    return tg.graph(run)


def neuron_backward() -> tg.viz.Picture:
    """The same neuron, forward and backward.

    The orange half is the chain rule as the library ran it, one box for each product. Dashed lines are forward
    values that it needed.
    """
    w, x, b = (tg.tensor(v, requires_grad=True) for v in (0.5, 2.0, 0.8))
    with tg.record() as run:
        out = tg.tanh(w * x + b)
        out.backward()
    return tg.graph(run, passes="both", show="values")


def linear_regression() -> tg.viz.Picture:
    """A step of linear regression.

    Everything that one step does: prediction, loss, backward pass and update. The thick frames are what it
    leaves behind: new weights and their gradients.
    """
    tg.manual_seed(0)
    x, noise = tg.randn(20, 2), 0.1 * tg.randn(20)
    y = x @ tg.tensor([2.0, -1.0]) + 0.5 + noise
    w, b = tg.zeros(2, requires_grad=True), tg.zeros(1, requires_grad=True)

    def step(x, y):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with tg.no_grad():
            w[...] = w - 0.1 * w.grad
            b[...] = b - 0.1 * b.grad
        return loss

    return tg.graph(step, x, y, names={"w": w, "b": b})


def digits_mlp() -> tg.viz.Picture:
    """A network that reads digits, with its backward pass.

    Two layers and a loss on 32 real digits. Softmax and cross-entropy are one operation here, so their backward pass
    is one, too.
    """
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    x, y = tg.tensor(pixels[:32]), labels[:32]
    with tg.record() as run:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
    return tg.graph(run, passes="both")


class Autoencoder(nn.Module):
    """Digits through a narrow place, and back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return tg.sigmoid(self.decoder(self.encoder(x)))


def modules() -> tg.viz.Picture:
    """An autoencoder, module by module.

    What a module computes stands in its frame, and frames stand in frames.
    """
    return tg.graph(Autoencoder(), pixels[:16])


def modules_folded() -> tg.viz.Picture:
    """The same autoencoder, folded.

    With `depth=1` each part of the model is one box: this is how to look at a large model first.
    """
    return tg.graph(Autoencoder(), pixels[:16], depth=1)


def cnn() -> tg.viz.Picture:
    """A convolutional network.

    Shapes tell the story: channels grow, pictures shrink.
    """
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    return tg.graph(model, images[:4, None] / np.float32(16))


class Residual(nn.Module):
    """A block that adds to what it is given."""

    def __init__(self, size: int, activation=F.gelu) -> None:
        super().__init__()
        self.activation, self.norm = activation, nn.LayerNorm(size)
        self.wide, self.narrow = nn.Linear(size, 2 * size), nn.Linear(2 * size, size)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.narrow(self.activation(self.wide(self.norm(x))))


def residual() -> tg.viz.Picture:
    """A residual block, and its gradient.

    The way round the block is the line on its own: the gradient takes it back unchanged, and the two halves are added
    where it arrives.
    """
    tg.manual_seed(0)
    block = Residual(64)
    x = tg.tensor(pixels[:8], requires_grad=True)
    with tg.record() as run:
        block(x).sum().backward()
    return tg.graph(run, passes="both")


class RowReader(nn.Module):
    """Reads a digit row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(8, 16), nn.Linear(16, 10)

    def forward(self, rows: tg.Tensor) -> tg.Tensor:
        h, c = tg.zeros((len(rows), 16)), tg.zeros((len(rows), 16))
        for i in range(rows.shape[1]):
            with tg.scope(f"row {i}"):
                h, c = self.cell(rows[:, i], (h, c))
        return self.head(h)


def lstm() -> tg.viz.Picture:
    """An LSTM over two rows of a digit.

    The cell runs once for each row, with the same weights.
    """
    tg.manual_seed(0)
    rows = tg.tensor(images[:4, :2] / np.float32(16))
    return tg.graph(RowReader(), rows)


def lstm_through_time() -> tg.viz.Picture:
    """Backpropagation through time.

    The same over four rows and folded to a box for each: the backward pass takes them in reverse.
    """
    tg.manual_seed(0)
    model = RowReader()
    rows, y = tg.tensor(images[:32, :4] / np.float32(16)), labels[:32]
    with tg.record() as run:
        loss = F.cross_entropy(model(rows), y)
        loss.backward()
    return tg.graph(run, passes="both", depth=1)


def transformer_block() -> tg.viz.Picture:
    """A transformer block.

    Attention, a feed-forward part, and what goes around each of them.
    """
    tg.manual_seed(0)
    block = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    return tg.graph(block, tg.randn(2, 10, 32))


class Reader(nn.Module):
    """Characters in, the next character out, by twelve transformer blocks."""

    def __init__(self, letters: int, size: int, depth: int) -> None:
        super().__init__()
        self.letters, self.places = nn.Embedding(letters, size), nn.Embedding(32, size)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(size, 4, 2 * size, dropout=0.0, batch_first=True) for _ in range(depth)
        )
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, letters)

    def forward(self, text: tg.Tensor) -> tg.Tensor:
        x = self.letters(text) + self.places(tg.arange(text.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def transformer_folded() -> tg.viz.Picture:
    """Twelve transformer blocks in one box.

    Equal blocks that follow one another are drawn once, "x 12".
    """
    tg.manual_seed(0)
    return tg.graph(Reader(65, 32, depth=12), tg.randint(0, 65, (2, 16)), depth=1, fold_repeats=True)


def transformer_training() -> tg.viz.Picture:
    """A training step of three transformer blocks, nothing folded.

    About 150 operations and 300 boxes. Where a value is read far away from where it was made, a small box names it
    instead of a line across the whole picture.
    """
    tg.manual_seed(0)
    model = Reader(65, 32, depth=3)
    text = np.random.default_rng(0).integers(0, 65, (2, 17))
    with tg.record() as run:
        loss = F.cross_entropy(model(text[:, :-1]).reshape(-1, 65), text[:, 1:].reshape(-1))
        loss.backward()
    return tg.graph(run, passes="both")


def deep(activation: nn.Module, gain: float = 1.0) -> tg.ir.Run:
    """A training step of five layers on digits, recorded."""
    tg.manual_seed(0)
    model = nn.Sequential(*(part for _ in range(5) for part in (nn.Linear(64, 64), activation)))
    with tg.no_grad():
        for weight in model.parameters():
            weight *= gain
    x = tg.tensor(pixels[:32])
    with tg.record() as run:
        loss = ((model(x) - x) ** 2).mean()
        loss.backward()
    return run


def vanishing() -> tg.viz.Picture:
    """Gradients that vanish.

    Five layers with sigmoids between them. Colours are norms of gradients against the usual one near the loss: from
    layer to layer they fade, and the first layers learn nothing.
    """
    return tg.graph(deep(nn.Sigmoid()), colour="gradient", passes="forward")


def exploding() -> tg.viz.Picture:
    """Gradients that explode.

    The same depth with ReLU and weights that are eight times too large.
    """
    return tg.graph(deep(nn.ReLU(), gain=8.0), colour="gradient", passes="forward")


def not_a_number() -> tg.viz.Picture:
    """A gradient that is not a number.

    The root of a distance, at distance zero: its slope is infinite, and infinity times zero is NaN. The loss looks
    healthy; the picture shows where the illness starts.
    """
    x, centre = tg.tensor(pixels[:4]), tg.tensor(pixels[0], requires_grad=True)
    with tg.record() as run, np.errstate(all="ignore"):
        distance = tg.sqrt(((x - centre) ** 2).sum(axis=1))
        loss = distance.mean()
        loss.backward()
    return tg.graph(run, colour="gradient")


def stopped() -> tg.viz.Picture:
    """Where gradients do not flow.

    A target from a frozen copy under `no_grad`, and a `detach`. Dotted lines carry values, and no gradient.
    """
    tg.manual_seed(0)
    w, slow = tg.randn(64, 4, requires_grad=True), tg.randn(64, 4)
    x = tg.tensor(pixels[:8])
    with tg.record() as run:
        with tg.no_grad():
            target = tg.tanh(x @ slow)
        found = tg.tanh(x @ w)
        confidence = found.detach().max(axis=1, keepdims=True)
        loss = (confidence * (found - target) ** 2).mean()
        loss.backward()
    return tg.graph(run, show={"shapes", "gradients"})


def cost() -> tg.viz.Picture:
    """What it cost.

    Time forward and backward, bytes of values, bytes that the tape keeps for the backward pass, and FLOPs. The
    heading has the sums.
    """
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
    x, y = tg.tensor(pixels[:256]), labels[:256]
    with tg.record() as run:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
    return tg.graph(run, show={"shapes", "time", "memory", "flops"})


def second_order() -> tg.viz.Picture:
    """A derivative of a derivative.

    The gradient of tanh is made of operations, so it has a gradient itself.
    """
    return tg.graph(tg.grad(tg.grad(tg.tanh)), tg.tensor(0.5), names={"x": 0})


def text() -> str:
    """In a terminal.

    `print(tg.graph(...))` draws with characters: rails at the left show where values go, and columns at the right what
    was measured, as far as there is room.
    """
    tg.manual_seed(0)
    block, x = Residual(64), tg.tensor(pixels[:8], requires_grad=True)
    with tg.record() as run:
        loss = block(x).sum()
        loss.backward()
    return tg.graph(run).to_text(width=110)


def mermaid() -> str:
    """As Mermaid.

    Many pages that show Markdown draw this source themselves.
    """
    return tg.graph(Autoencoder(), pixels[:16]).to_mermaid()


def why() -> str:
    """Why is there no gradient?

    Negative biases everywhere, and ReLU lets nothing through: `tg.why` names the operation, its line, the share of
    entries, and a way out.
    """
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    with tg.no_grad():
        model[0].bias[...] = -20.0
    with tg.record() as run:
        loss = F.cross_entropy(model(pixels[:32]), labels[:32])
        loss.backward()
    return str(tg.why(model[0].weight, of=run))


def explain() -> str:
    """A derivation.

    `tg.explain` derives a gradient the way a textbook does: forward formulas, local derivatives, chain rule, closed
    form. `to_markdown` and `to_latex` set it with formulas.
    """
    x, y = tg.tensor(2.0), tg.tensor(1.0)
    w, b = tg.tensor(0.5, requires_grad=True), tg.tensor(0.8, requires_grad=True)
    with tg.record() as run:
        p = tg.sigmoid(w * x + b)
        loss = (p - y) ** 2
        loss.backward()
    return str(tg.explain(run, w, values=True))


def difference() -> str:
    """What changed?

    `tg.diff` compares two computations op by op. Of recorded runs it says, too, where numbers part first, in both
    directions. `to_html` shows them side by side.
    """

    def step(activation):
        tg.manual_seed(0)
        block, x = Residual(64, activation), tg.tensor(pixels[:8])
        with tg.record() as run:
            loss = (block(x) ** 2).mean()
            loss.backward()
        return run

    return tg.diff(step(F.gelu), step(F.relu)).to_text()


def explorer() -> str:
    """The explorer.

    One offline page to walk around in: fold and unfold modules, search, click a box for its line, formula, values and
    cost, and play the backward pass step by step. This is a training step of a small transformer; open
    [explorer.html](explorer.html) in a browser.
    """
    tg.manual_seed(0)
    model = Reader(65, 32, depth=3)
    text = np.random.default_rng(0).integers(0, 65, (2, 17))
    with tg.record() as run:
        loss = F.cross_entropy(model(text[:, :-1]).reshape(-1, 65), text[:, 1:].reshape(-1))
        loss.backward()
    return tg.graph(run, title="A training step of a transformer").to_html()
