"""Training: the loop around a model, with callbacks, checkpoints and reports."""

from __future__ import annotations

from .averaging import WeightAverage as WeightAverage
from .balance import balanced_weights as balanced_weights
from .callback import Callback as Callback
from .checkpoint import Checkpoint as Checkpoint
from .evaluation import evaluate as evaluate
from .evaluation import predict as predict
from .history import History as History
from .live import LivePlot as LivePlot
from .logs import CSVLog as CSVLog
from .logs import TensorBoard as TensorBoard
from .progress import Progress as Progress
from .range_finder import RangeTest as RangeTest
from .range_finder import lr_range_test as lr_range_test
from .stopping import EarlyStopping as EarlyStopping
from .trainer import Trainer as Trainer
from .trainer import fit as fit
