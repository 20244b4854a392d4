"""Data: sets of samples, batches of them, readers of files, and changes of arrays before training."""

from __future__ import annotations

from . import transforms as transforms
from .collate import default_collate as default_collate
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import IterableDataset as IterableDataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .digits import load_digits as load_digits
from .loader import DataLoader as DataLoader
from .samplers import BatchSampler as BatchSampler
from .samplers import RandomSampler as RandomSampler
from .samplers import Sampler as Sampler
from .samplers import SequentialSampler as SequentialSampler
from .samplers import WeightedRandomSampler as WeightedRandomSampler
