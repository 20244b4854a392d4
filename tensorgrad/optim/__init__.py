"""Optimizers and learning-rate schedules by PyTorch's names and numerics."""

from __future__ import annotations

from . import book as book
from . import lr_scheduler as lr_scheduler
from . import regularise as regularise
from . import swa_utils as swa_utils
from .adafactor import Adafactor as Adafactor
from .adagrad import Adadelta as Adadelta
from .adagrad import Adagrad as Adagrad
from .adagrad import RMSprop as RMSprop
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .adam_kin import Adamax as Adamax
from .adam_kin import NAdam as NAdam
from .adam_kin import RAdam as RAdam
from .asgd import ASGD as ASGD
from .elementwise import Elementwise as Elementwise
from .lbfgs import LBFGS as LBFGS
from .muon import Muon as Muon
from .optimizer import Optimizer as Optimizer
from .regularise import Penalty as Penalty
from .regularise import max_norm_ as max_norm_
from .sgd import SGD as SGD
from .signs import Lion as Lion
from .signs import Rprop as Rprop
from .trust import LAMB as LAMB
from .trust import LARS as LARS
from .wrappers import SAM as SAM
from .wrappers import Lookahead as Lookahead
