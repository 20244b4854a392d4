"""Optimizers and learning-rate schedules by PyTorch's names and numerics."""

from . import lr_scheduler as lr_scheduler
