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
from .scaling import MinMaxScaler as MinMaxScaler
from .scaling import Scaler as Scaler
from .scaling import StandardScaler as StandardScaler
from .split import kfold as kfold
from .split import random_split as random_split
from .split import train_test_split as train_test_split
from .synthetic import blobs_data as blobs_data
from .synthetic import circles_data as circles_data
from .synthetic import line_data as line_data
from .synthetic import moons_data as moons_data
from .synthetic import regression_data as regression_data
from .synthetic import sinc_data as sinc_data
from .synthetic import sine_data as sine_data
from .synthetic import spiral_data as spiral_data
from .synthetic import vertical_data as vertical_data
from .synthetic import xor_data as xor_data
