"""Three libraries behind one namespace, so that a composite function is written once and compared in all."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

import tensorgrad as tg


class Host:
    """Names of NumPy and of transformations, looked up in the modules of a library in turn."""

    def __init__(self, *modules: Any, **own: Any) -> None:
        self._modules = modules
        vars(self).update(own)

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)

    def run(self, case: Any) -> Any:
        """The results of a case, as a list of arrays."""
        with self.setting():
            found = case(self)
            return [self.out(one) for one in flat(found)]


def flat(found: Any) -> list[Any]:
    """The arrays of nested tuples."""
    return [a for one in found for a in flat(one)] if isinstance(found, tuple | list) else [found]


def ours() -> Host:
    return Host(
        tg, tg.linalg, tg.nn.functional, tg.special, array=np.array, out=np.asarray, setting=nullcontext
    )


def torch_host() -> Host:
    from tests.reference.peer import torch

    def array(x: Any) -> Any:
        return torch.from_numpy(np.array(x))

    def scan(f: Any, carry: Any, xs: Any) -> Any:
        ys = []
        for x in xs:
            carry, y = f(carry, x)
            ys.append(y)
        return carry, torch.stack(ys)

    def vjp(f: Any, *primals: Any) -> Any:
        y, pull = torch.func.vjp(f, *primals)
        return y, pull

    return Host(
        torch.func, torch.linalg, torch, torch.special,
        array=array, out=lambda x: x.detach().numpy(), setting=nullcontext, scan=scan, vjp=vjp,
        checkpoint=lambda f: f,
        softmax=lambda x, axis=-1: torch.softmax(x, axis),
        log_softmax=lambda x, axis=-1: torch.log_softmax(x, axis),
        logsumexp=lambda x, axis=-1: torch.logsumexp(x, axis),
    )  # fmt: skip


def jax_host() -> Host:
    import jax
    import jax.numpy as jnp

    def setting() -> AbstractContextManager[Any]:
        return jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()

    return Host(
        jnp, jax, jnp.linalg, jax.nn, jax.scipy.special,
        array=lambda x: jnp.asarray(x), out=np.asarray, setting=setting, scan=jax.lax.scan,
    )  # fmt: skip
