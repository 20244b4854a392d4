"""The computation graph as data: recording it, printing it, running it again."""

from __future__ import annotations

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
from .replayer import replay as replay
from .tracer import trace as trace
