"""What all optimizers share: parameter groups, hooks, and state as a dict that can be saved."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from .._config import WATCHED, enable_grad, get_mode, no_grad
from .._errors import DtypeError, ShapeError, StateDictError
from .._hooks import HookHandle
from .._specialise import plain
from .._tape import Leaf, tick
from .._tensor import Tensor, tensor

Group = dict[str, Any]
Numbers = Mapping[str, Any]
Closure = Callable[[], Any]


class Optimizer:
    """Base of the optimizers: it holds parameters in groups and lets a subclass write its step.

    A subclass defines `step`; it may keep what it remembers of a parameter ``p`` in ``self.state[p]``, a
    dict of arrays and numbers, and write new values with `write`. An update that works element by
    element is better made a subclass of `Elementwise`, which runs it over all parameters at once.

    The interface is PyTorch's, without ``foreach``, ``fused``, ``capturable`` and ``differentiable``,
    which choose between implementations there: here is one. Frozen parameters (``requires_grad`` is
    False) and those whose ``.grad`` is None are left out of a step, and their state does not advance.

    Args:
        params: the parameters; or pairs of a name and a parameter, as ``model.named_parameters()`` gives
            them; or dicts with the key "params" and options of that group, which replace the defaults.
        defaults: the options, by name, of groups that do not say otherwise.

    Raises:
        ValueError: there is no parameter, one is given twice or was computed from others, or an option is
            out of its range.
        TypeError: what is given is not a tensor.
    """

    param_groups: list[Group]
    defaults: dict[str, Any]
    state: Any
    unsaved: ClassVar = frozenset({"_pre_hooks", "_post_hooks", "_stepped", "_stepping"})
    """Attributes that pickle and deepcopy leave out."""

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        if isinstance(params, Tensor | dict):
            raise DtypeError(
                f"{type(self).__name__}: params is a single {type(params).__name__}; give a list, as "
                f"{type(self).__name__}([p])"
            )
        if not isinstance(params, Iterable):
            raise DtypeError(
                f"{type(self).__name__}: params is a {type(params).__name__}; give the parameters, as "
                f"{type(self).__name__}(model.parameters())"
            )
        given = list(params)
        if not given:
            raise ValueError(
                f"{type(self).__name__}: params is empty; there is nothing to optimize (model.parameters() serves for one "
                "pass only; where it is needed twice, make a list of it)"
            )
        self._prepare()
        self.defaults = dict(defaults)
        self._take([], defaultdict(dict))
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "step" in vars(cls):
            cls.step = _with_hooks(vars(cls)["step"])  # type: ignore[method-assign]

    # ---- what a subclass writes

    @abstractmethod
    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters once by their gradients.

        Args:
            closure: clears the gradients, computes the loss, calls backward and returns the loss.

        Returns:
            What the closure returned, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def check(self, group: Group) -> None:
        """Raise ValueError if an option of a group is out of its range."""

    # ---- parameters

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters, with options of their own.

        Args:
            param_group: a dict with the key "params"; options that it lacks are the defaults.
        """
        who = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise DtypeError(
                f"{who}: a parameter group is a dict with the key 'params'; got {param_group!r:.60}"
            )
        params = param_group["params"]
        if isinstance(params, set | frozenset):
            raise DtypeError(f"{who}: params is a set, whose order differs between runs; give a list")
        params = [params] if isinstance(params, Tensor) else list(params)
        names = [one[0] for one in params if isinstance(one, tuple)]
        params = [one[1] if isinstance(one, tuple) else one for one in params]
        group = {**self.defaults, **param_group, "params": params}
        if names:
            group["param_names"] = names
        if names and len(names) < len(params):
            raise ValueError(f"{who}: {len(params) - len(names)} of {len(params)} parameters have no name")
        if any(("param_names" in group) != ("param_names" in other) for other in self.param_groups):
            raise ValueError(f"{who}: either all parameter groups have names or none has")
        seen = {id(p) for other in self.param_groups for p in other["params"]}
        for position, p in enumerate(params):
            what = f"{who}: parameter {names[position] if names else position}"
            if not isinstance(p, Tensor):
                raise DtypeError(f"{what} is a {type(p).__name__}; only tensors can be optimized")
            if not p.is_leaf or p.level:
                raise ValueError(
                    f"{what} was computed from others; optimize the leaves that it was computed from, or p.detach()"
                )
            if id(p) in seen:
                raise ValueError(f"{what} of shape {p.shape} is given twice")
            seen.add(id(p))
        self._normalise(group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters.

        Args:
            set_to_none: make them None; otherwise they are filled with zeros, and a step then counts.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else np.zeros(p.shape, p.dtype)

    # ---- hooks

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return other arguments for it.

        Args:
            hook: returns None, or a pair of a tuple and a dict.

        Returns:
            A handle; ``handle.remove()`` takes the hook away.
        """
        return HookHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> HookHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step.

        Args:
            hook: what it returns is ignored.

        Returns:
            A handle; ``handle.remove()`` takes the hook away.
        """
        return HookHandle(self._post_hooks, hook)

    # ---- saving

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state and the options, in PyTorch's layout.

        Returns:
            ``{"state": {index: {name: tensor or number}}, "param_groups": [...]}``, where parameters are
            numbered through all groups, and each group has its numbers as "params".
        """
        groups, index = [], 0
        for group in self.param_groups:
            numbered = list(range(index, index + len(group["params"])))
            groups.append({**{key: copied(value) for key, value in group.items() if key != "params"},
                           "params": numbered})  # fmt: skip
            index += len(numbered)
        entries = [self._entry(p) for p in self._all()]
        return {"state": {i: entry for i, entry in enumerate(entries) if entry}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state; the parameters stay this optimizer's own.

        Args:
            state_dict: what `state_dict` gave, here or in PyTorch, with tensors or arrays; it is copied.

        Raises:
            StateDictError: it does not fit this optimizer and its parameters. Nothing has changed then.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= set(state_dict):
            raise StateDictError(f"{who}: a dict with the keys 'state' and 'param_groups' is needed")
        saved = list(state_dict["param_groups"])
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in saved] != sizes:
            raise StateDictError(
                f"{who}: the saved groups have {[len(group['params']) for group in saved]} parameters and this "
                f"optimizer's have {sizes}"
            )
        groups = []
        for mine, other in zip(self.param_groups, saved, strict=True):
            other = {key: copied(value) for key, value in other.items()}
            groups.append({**mine, **other, "params": mine["params"]})
            self._normalise(groups[-1])
        keys = [key for group in saved for key in group["params"]]
        if len(set(keys)) < len(keys):
            raise StateDictError(f"{who}: a parameter has two places in the saved groups")
        unknown = [key for key in state_dict["state"] if key not in keys]
        if unknown:
            raise StateDictError(
                f"{who}: there is state of {unknown[:3]}, which is no number of a saved parameter"
            )
        state: Any = defaultdict(dict)
        owners = [(p, group) for group in groups for p in group["params"]]
        for key, (p, group) in zip(keys, owners, strict=True):
            if entry := state_dict["state"].get(key):
                state[p] = self._taken(f"{who}: parameter {key}", p, group, entry)
        self._take(groups, state)

    def _entry(self, p: Tensor) -> dict[str, Any]:
        """A copy of the state of one parameter."""
        return copied(self.state.get(p, {}))  # type: ignore[no-any-return]

    def _taken(self, who: str, p: Tensor, group: Group, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The saved state of one parameter, checked and copied: arrays in its dtype, and numbers."""
        return {
            name: int(value) if name == "step" else fitted(value, p.dtype) for name, value in entry.items()
        }

    def _take(self, groups: list[Group], state: Any) -> None:
        self.param_groups = groups
        self.state = state

    # ---- for subclasses

    def gradients(self) -> Iterator[tuple[Tensor, Any, dict[str, Any], Group]]:
        """For each parameter that has a gradient: it, the gradient as an array, its state and its group."""
        for group in self.param_groups:
            for p in group["params"]:
                node = p._node
                if type(node) is Leaf and node.grad is not None:
                    g = node.grad._d
                    yield p, (-g if group.get("maximize") else g), self.state[p], group

    @staticmethod
    def write(p: Tensor, value: Any) -> None:
        """Give a parameter a new value; graphs that were recorded with the old one notice."""
        p._d = plain(np.asarray(value, p.dtype))
        if type(p._node) is Leaf:
            p._node.seq = tick()

    def _evaluate(self, closure: Closure | None) -> Any:
        """The loss by the closure; and a watcher, which cannot see the update, is told that it is made."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if get_mode() & WATCHED:
            for p in self._all():
                p._leave("optimizer.step")
        return loss

    def _all(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _normalise(self, group: Group) -> None:
        """Options as Python's numbers, checked."""
        for key in self.defaults:
            if isinstance(group[key], Tensor | np.ndarray | np.generic):
                if group[key].size != 1:
                    raise ShapeError(
                        f"{type(self).__name__}: {key} has shape {group[key].shape}; it is one number"
                    )
                group[key] = group[key].item()
            elif isinstance(group[key], list):
                group[key] = tuple(group[key])
        self.check(group)

    def _prepare(self) -> None:
        self._pre_hooks: dict[int, Callable[..., Any]] = {}
        self._post_hooks: dict[int, Callable[..., Any]] = {}
        self._stepping = False
        self._stepped = False  # schedules ask, to warn of a step of theirs that comes too early

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and deepcopy: no arenas and no hooks."""
        kept = {name: value for name, value in vars(self).items() if name not in self.unsaved}
        return {**kept, "state": [self._entry(p) for p in self._all()]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._prepare()
        state = dict(state)
        saved = state.pop("state")
        vars(self).update(state)
        entries = zip(self._all(), saved, strict=True)
        held = {
            p: {name: fitted(one, p.dtype) for name, one in entry.items()} for p, entry in entries if entry
        }
        self._take(self.param_groups, defaultdict(dict, held))

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def check_range(who: object, group: Group, **limits: float) -> None:
    """Raise ValueError unless each option named is a number of at least its limit."""
    for name, low in limits.items():
        value = group[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= low:
            raise ValueError(
                f"{type(who).__name__}: {name} is {value!r}; a number of at least {low:g} is needed"
            )


def check_betas(who: object, group: Group, name: str = "betas") -> None:
    """Raise ValueError unless an option is a pair of numbers from 0 to below 1."""
    value = group[name]
    if not (isinstance(value, tuple) and len(value) == 2 and all(0 <= beta < 1 for beta in value)):
        raise ValueError(
            f"{type(who).__name__}: {name} is {value!r}; two numbers from 0 to below 1 are needed"
        )


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._stepping:  # a subclass calls super().step(), and the hooks are for the whole
            return step(self, *args, **kwargs)
        self._stepping = True
        try:
            for hook in tuple(self._pre_hooks.values()):
                given = hook(self, args, kwargs)
                if given is not None:
                    args, kwargs = given
            with no_grad():
                result = step(self, *args, **kwargs)
            self._stepped = True
            for hook in tuple(self._post_hooks.values()):
                hook(self, args, kwargs)
        finally:
            self._stepping = False
        return result

    return hooked


def copied(value: Any) -> Any:
    """A copy that shares no memory: arrays become tensors."""
    if isinstance(value, Tensor | np.ndarray):
        return tensor(value.detach() if isinstance(value, Tensor) else value)
    if isinstance(value, Mapping):
        return {key: copied(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([copied(one) for one in value])
    return value


def fitted(value: Any, dtype: np.dtype[Any]) -> Any:
    """Saved state as it is kept: arrays in the precision of their parameter, real ones real, and numbers."""
    if isinstance(value, list | tuple):
        return [fitted(one, dtype) for one in value]
    if hasattr(value, "__array__"):
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
        return np.array(array, dtype if array.dtype.kind == "c" else np.zeros(0, dtype).real.dtype)
    return value
