"""Without PyTorch what compares with it is not collected; ``make peers`` installs it first."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["*torch*.py", "peer.py"]
