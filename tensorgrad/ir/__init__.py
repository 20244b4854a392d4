"""The computation graph as data: recording it, printing it, running it again."""

from __future__ import annotations

from .backward import with_backward as with_backward
from .fold import Group as Group
from .fold import Scope as Scope
from .fold import fold as fold
from .fold import folded as folded
from .fold import groups as groups
from .fold import tree as tree
from .graph import Contribution as Contribution
from .graph import Equation as Equation
from .graph import Graph as Graph
from .graph import Pass as Pass
from .graph import Position as Position
from .graph import Stats as Stats
from .graph import Step as Step
from .graph import Var as Var
from .graph import Write as Write
from .json import from_json as from_json
from .json import to_json as to_json
from .printer import text as text
from .recorder import Run as Run
from .recorder import record as record
from .recorder import run_of as run_of
from .recorder import runs as runs
from .replayer import replay as replay
from .stats import stats_of as stats_of
from .tape import of_tape as of_tape
from .tracer import trace as trace
