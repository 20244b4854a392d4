"""Optimizers and learning-rate schedules by PyTorch's names and numerics."""
