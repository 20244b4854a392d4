"""An LSTM that learns Shakespeare letter by letter, and then writes.

Shows a recurrent network whose state goes from one piece of text to the next, though the gradient does not
(truncated backpropagation through time), a training loop written out by hand, gradient clipping, and drawing
letter after letter from what the network predicts.

    python examples/character_lstm.py              # downloads tinyshakespeare (1 MB) if it is missing
    python examples/character_lstm.py --small      # learns this file instead

prints a loss of 1.970 on text that it never saw after 800 steps, 39 seconds of processor time, and lines such as "And
for thear my and the mant may of the knould". More steps write better.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tensorgrad as tg
from tensorgrad import nn

PIECE, BATCH = 64, 32


class Writer(nn.Module):
    def __init__(self, letters: int, size: int) -> None:
        self.lstm = nn.LSTM(letters, size, batch_first=True)
        self.head = nn.Linear(size, letters)
        self.letters = letters

    def forward(self, x, state=None):
        """Scores of the next letter after each of (batch, length), and the state for what follows."""
        y, state = self.lstm(nn.functional.one_hot(x, self.letters).astype("float32"), state)
        return self.head(y), state


def sample(
    model: Writer, vocabulary: tg.data.Vocabulary, start: str, length: int, temperature: float = 0.7
) -> str:
    """Go on writing; a low temperature keeps to the likely, a high one dares more."""
    x, state, written = tg.tensor(vocabulary.encode(start))[None], None, start
    with tg.no_grad():
        for _ in range(length):
            scores, state = model(x, state)
            x = tg.random.categorical(scores[:, -1] / temperature)[None]
            written += vocabulary.decode(x)
    return written


def main(small: bool = False) -> None:
    tg.manual_seed(0)
    text = (
        Path(__file__).read_text(encoding="utf-8") if small else tg.data.load_tinyshakespeare(download=True)
    )
    vocabulary = tg.data.Vocabulary.of(text)
    numbers = vocabulary.encode(text)
    cut = int(0.9 * len(numbers))
    batch = 4 if small else BATCH
    steps, size = (30, 32) if small else (800, 128)
    # Each row of the batch reads its own stretch of the text, piece by piece.
    stretch = (cut - 1) // batch
    rows = tg.tensor(numbers[: stretch * batch].reshape(batch, stretch))

    model = Writer(len(vocabulary), size)
    optimizer = tg.optim.Adam(model.parameters(), lr=3e-3)
    place, state = 0, None
    for step in range(1, steps + 1):
        if place + PIECE >= stretch:
            place, state = 0, None
        x, y = rows[:, place : place + PIECE], rows[:, place + 1 : place + PIECE + 1]
        scores, state = model(x, state)
        state = tuple(part.detach() for part in state)  # the memory stays, its history is let go
        loss = nn.functional.cross_entropy(scores.reshape(-1, len(vocabulary)), y.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        place += PIECE
        if step == 1 or step % (steps // 10) == 0:
            print(f"step {step:5}  loss {loss.item():.3f}")

    held_out = numbers[cut:][: 20_001 if not small else 201]
    with tg.no_grad():
        scores, _ = model(tg.tensor(held_out[:-1])[None])
        loss = nn.functional.cross_entropy(scores[0], tg.tensor(held_out[1:])).item()
    print(sample(model, vocabulary, text[0], 50 if small else 400))
    print(
        f"loss on text that it never saw: {loss:.3f} (guessing all letters alike: {tg.log(len(vocabulary)):.3f})"
    )


if __name__ == "__main__":
    main(small="--small" in sys.argv)
