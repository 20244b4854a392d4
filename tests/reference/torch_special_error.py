"""What the ops of this family are called in PyTorch, and where the two differ on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.reference.peer import torch

TORCH: dict[str, Callable[..., Any]] = {
    "erf": torch.special.erf, "erfc": torch.special.erfc, "erfcx": torch.special.erfcx,
    "erfinv": torch.special.erfinv, "ndtr": torch.special.ndtr, "log_ndtr": torch.special.log_ndtr,
    "ndtri": torch.special.ndtri, "expit": torch.special.expit, "logit": torch.special.logit,
    "log_expit": torch.nn.functional.logsigmoid, "entr": torch.special.entr, "xlogy": torch.special.xlogy,
    "xlog1py": torch.special.xlog1py,
}  # fmt: skip

WITHOUT_COUNTERPART: dict[str, str] = {
    "erfcinv": "PyTorch has erfinv only",
    "laplace_fraction": "a part of the derivatives of erfcx",
    "ndtr_ratio": "the derivative of log_ndtr",
    "rel_entr": "PyTorch has kl_div of nn.functional only, in other arguments",
}

DIFFERENT: dict[tuple[str, str], str] = {}

SECOND_ORDER_DIFFERS: dict[tuple[str, str], str] = {}

A_IS_0 = "in a the slope log(b) also at b = 0, where PyTorch says 0; in b 0, where it says 0 / 0 = NaN"

KINKS_THAT_DIFFER: dict[tuple[str, str], str] = {
    ("rel_entr", "a = 0"): "PyTorch has no rel_entr",
    ("xlogy", "a = 0"): A_IS_0,
    ("xlog1py", "a = 0"): A_IS_0,
}
