"""Invent first names: from counting pairs of letters to a network that sees more of the name.

Shows two models of the same thing, measured by the same number (the mean of -log of the probability of each next
letter): a table of which letter follows which, counted; and a network that reads the last four letters, each as a
vector that it learns.

    python examples/names_generator.py              # downloads names.txt (0.2 MB) if it is missing
    python examples/names_generator.py --small      # a few names

prints names such as marmelea, darleighly and madelyn, and that the network needs 2.048 a letter where the pairs need
2.450, after 51 seconds of processor time.
"""

from __future__ import annotations

import sys

import numpy as np

import tensorgrad as tg
from tensorgrad import nn

FEW = ["ada", "alan", "barbara", "claude", "edsger", "emmy", "grace", "hedy", "john", "kurt", "noether"]
CONTEXT = 4
END = "."


def examples(names: list[str], vocabulary: tg.data.Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """The letters before, filled up with END, and the letter that comes: one row for each letter of each name."""
    rows = [vocabulary.encode(END * CONTEXT + name + END) for name in names]
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(row, CONTEXT + 1) for row in rows])
    return windows[:, :-1], windows[:, -1]


def sample(scores, vocabulary: tg.data.Vocabulary) -> str:
    """A name, given a function from the letters before, (1, CONTEXT), to the scores of the next one."""
    numbers = [vocabulary.ids[END]] * CONTEXT
    while len(numbers) < 20 + CONTEXT:
        numbers.append(int(tg.random.categorical(scores(tg.tensor([numbers[-CONTEXT:]]))).item()))
        if vocabulary.tokens[numbers[-1]] == END:
            break
    return vocabulary.decode(numbers).strip(END)


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    names = FEW if small else tg.data.load_names(download=True)
    vocabulary = tg.data.Vocabulary.of("".join(names), special=[END])
    train, test = tg.data.train_test_split(names, test_size=0.1, generator=0)
    (x, y), (x_test, y_test) = examples(train, vocabulary), examples(test, vocabulary)
    letters = len(vocabulary)

    pairs = np.ones((letters, letters))  # one of each pair beforehand, so that no probability is 0
    np.add.at(pairs, (x[:, -1], y), 1)
    table = tg.tensor(np.log(pairs / pairs.sum(axis=1, keepdims=True)))
    counted = -table.numpy()[x_test[:, -1], y_test].mean()

    model = nn.Sequential(
        nn.Embedding(letters, 12),
        nn.Flatten(),
        nn.Linear(CONTEXT * 12, 200), nn.Tanh(),
        nn.Linear(200, letters),
    )  # fmt: skip
    epochs = 3 if small else 12
    optimizer = tg.optim.AdamW(model.parameters(), lr=3e-3)
    tg.fit(
        model, (x, y), validation=(x_test, y_test), loss=nn.CrossEntropyLoss(), optimizer=optimizer,
        schedule=tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs), epochs=epochs, batch_size=256, seed=0,
        callbacks=[tg.training.Progress(stream=sys.stdout)],
    )  # fmt: skip
    learned = tg.evaluate(model, (x_test, y_test), nn.CrossEntropyLoss())["loss"]

    with tg.no_grad():
        print(
            "by pairs:  ",
            ", ".join(sample(lambda before: table[before[:, -1]], vocabulary) for _ in range(10)),
        )
        print("by network:", ", ".join(sample(model.eval(), vocabulary) for _ in range(10)))
    print(f"new names: {counted:.3f} by pairs, {learned:.3f} by network, {np.log(letters):.3f} by chance")


if __name__ == "__main__":
    main(small="--small" in sys.argv)
