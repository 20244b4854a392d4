"""See what a training step computes: draw it, walk around in it, ask it why, have it explained.

A network reads real digits for a few steps. The last one is recorded; the pictures and the page are written to
the folder you are in. Open see_the_graph.html in a browser: it needs nothing else.
"""

from __future__ import annotations

import numpy as np

import tensorgrad as tg
from tensorgrad import nn


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.body(x))


def main() -> None:
    images, labels = tg.data.load_digits()
    pixels = (images.reshape(-1, 64) / 16).astype(np.float32)
    tg.manual_seed(0)
    model, error = Classifier(), nn.CrossEntropyLoss()
    optimizer = tg.optim.Adam(model.parameters(), lr=0.01)

    def step(start):
        x, target = tg.tensor(pixels[start : start + 64]), labels[start : start + 64]
        optimizer.zero_grad()
        with tg.record() as run:  # nothing in the code of the model has to change
            loss = error(model(x), target)
            loss.backward()
        optimizer.step()
        return run, loss.item()

    # 1. Train, and keep what the last step did.
    for start in range(0, 640, 64):
        run, loss = step(start)
    print(f"loss {loss:.3f} after ten steps; {run}")

    # 2. Look at it: as text, as pictures, as a page to walk around in.
    print(tg.graph(run, depth=0).to_text(width=100))
    tg.graph(run, depth=1, passes="both").to_svg().save("see_the_graph.svg")
    tg.graph(run, colour="gradient").to_svg().save("see_the_gradients.svg")
    tg.graph(run, title="One step on real digits").to_html("see_the_graph.html")
    print("wrote see_the_graph.svg, see_the_gradients.svg and see_the_graph.html")

    # 3. Break it, and ask why the first layer does not learn.
    with tg.no_grad():
        model.body[0].bias -= 20.0
    run, loss = step(0)
    print(f"\n{tg.why(model.body[0].weight, of=run)}")

    # 4. Have a gradient derived: that of a neuron, with numbers.
    w, b = tg.tensor(0.5, requires_grad=True), tg.tensor(0.8, requires_grad=True)
    with tg.record() as neuron:
        out = tg.tanh(2.0 * w + b)
        out.backward()
    print(f"\n{tg.explain(neuron, w, values=True)}")


if __name__ == "__main__":
    main()
