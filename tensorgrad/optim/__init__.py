"""Optimizers and learning-rate schedules by PyTorch's names and numerics."""

from __future__ import annotations

from . import book as book
from . import lr_scheduler as lr_scheduler
from . import regularise as regularise
from . import swa_utils as swa_utils
from .adagrad import Adadelta as Adadelta
from .adagrad import Adagrad as Adagrad
from .adagrad import RMSprop as RMSprop
from .adam import Adam as Adam
from .adam import Adamax as Adamax
from .adam import AdamW as AdamW
from .adam import NAdam as NAdam
from .adam import RAdam as RAdam
from .asgd import ASGD as ASGD
from .elementwise import Elementwise as Elementwise
from .lbfgs import LBFGS as LBFGS
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD
from .signs import Lion as Lion
from .signs import Rprop as Rprop
from .tensorwise import LAMB as LAMB
from .tensorwise import LARS as LARS
from .tensorwise import Adafactor as Adafactor
from .tensorwise import Muon as Muon
from .wrappers import SAM as SAM
from .wrappers import Lookahead as Lookahead
