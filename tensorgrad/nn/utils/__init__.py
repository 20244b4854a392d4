"""What is done with models and their data besides calling them."""

from __future__ import annotations

from . import rnn as rnn
