"""Learning-rate schedules by PyTorch's names, arguments and numerics, and four more.

A schedule changes ``group["lr"]`` of each of an optimizer's parameter groups. Step it after the
optimizer, once an epoch or once a batch, as its numbers are meant::

    for epoch in range(30):
        for inputs, targets in batches:
            ...
            optimizer.step()
        schedule.step()

One schedule after another is `SequentialLR`, several at once `ChainedScheduler`, a gentle start before
any other `WarmupLR`. A stopped run goes on by the state dicts of both: make the schedule first, then load
the optimizer's, then the schedule's.
"""

from .base import LRScheduler as LRScheduler
from .compose import ChainedScheduler as ChainedScheduler
from .compose import SequentialLR as SequentialLR
from .compose import WarmupLR as WarmupLR
from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cyclic import CyclicLR as CyclicLR
from .cyclic import OneCycleLR as OneCycleLR
from .decay import ConstantLR as ConstantLR
from .decay import ExponentialLR as ExponentialLR
from .decay import InverseTimeDecay as InverseTimeDecay
from .decay import LambdaLR as LambdaLR
from .decay import LinearLR as LinearLR
from .decay import MultiplicativeLR as MultiplicativeLR
from .decay import MultiStepLR as MultiStepLR
from .decay import NoamLR as NoamLR
from .decay import PolynomialLR as PolynomialLR
from .decay import StepLR as StepLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .swa import SWALR as SWALR
