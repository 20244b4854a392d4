"""Metrics: how good predictions are, over arrays at once or streaming over batches."""
