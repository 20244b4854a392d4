"""Training: the loop around a model, with callbacks, checkpoints and reports."""
