"""Metrics: how good predictions are, over arrays at once or streaming over batches.

Each is a function of ``(prediction, target)`` and a class with ``update(prediction, target)``,
``compute()`` and ``reset()``. What they mean is what they mean in scikit-learn; classes count from 0.
"""

from .base import Collected as Collected
from .base import Mean as Mean
from .base import Metric as Metric
from .classes import Accuracy as Accuracy
from .classes import accuracy as accuracy
from .confusion import F1 as F1
from .confusion import ConfusionMatrix as ConfusionMatrix
from .confusion import Precision as Precision
from .confusion import Recall as Recall
from .confusion import confusion_matrix as confusion_matrix
from .confusion import f1 as f1
from .confusion import precision as precision
from .confusion import recall as recall
from .likelihood import LogLoss as LogLoss
from .likelihood import Perplexity as Perplexity
from .likelihood import log_loss as log_loss
from .likelihood import perplexity as perplexity
from .ranking import ROCAUC as ROCAUC
from .ranking import AveragePrecision as AveragePrecision
from .ranking import average_precision as average_precision
from .ranking import precision_recall_curve as precision_recall_curve
from .ranking import roc_auc as roc_auc
from .ranking import roc_curve as roc_curve
from .regression import R2 as R2
from .regression import MeanAbsoluteError as MeanAbsoluteError
from .regression import MeanSquaredError as MeanSquaredError
from .regression import RegressionAccuracy as RegressionAccuracy
from .regression import RootMeanSquaredError as RootMeanSquaredError
from .regression import mean_absolute_error as mean_absolute_error
from .regression import mean_squared_error as mean_squared_error
from .regression import r2_score as r2_score
from .regression import regression_accuracy as regression_accuracy
from .regression import root_mean_squared_error as root_mean_squared_error
