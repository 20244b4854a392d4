"""Random programs, and random edit scripts of which it is known what they change."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from tensorgrad.inspect.diff import Difference
from tensorgrad.ir import Equation, Graph, Var

UNARY = ("exp", "tanh", "relu", "sin", "clip", "sum")
BINARY = ("add", "multiply", "subtract", "matmul")
WITH_PARAMETER = {"clip": "high", "sum": "axis"}


@dataclass(frozen=True)
class Node:
    """An equation, or a leaf, that keeps its identity through edits."""

    op: str
    arguments: tuple[int, ...] = ()
    parameter: Any = None
    scope: str = ""
    label: str = ""


@dataclass
class Draft:
    """A program that can be edited: nodes by identity, the order they stand in, the results."""

    nodes: dict[int, Node]
    leaves: list[int]
    order: list[int]
    outputs: list[int]
    new: int = field(default=0)

    def copy(self) -> Draft:
        return Draft(dict(self.nodes), list(self.leaves), list(self.order), list(self.outputs), self.new)

    def graph(self, first: int = 0) -> Graph:
        """With variables numbered in their order, from ``first``."""
        role = {uid: "input" if self.nodes[uid].op == "input" else "captured" for uid in self.leaves}
        variables = {
            uid: Var(first + n, (4,), "float64", role.get(uid, "result"), self.nodes[uid].label)  # type: ignore[arg-type]
            for n, uid in enumerate([*self.leaves, *self.order])
        }
        equations = []
        for uid in self.order:
            node = self.nodes[uid]
            params = {} if node.parameter is None else {WITH_PARAMETER[node.op]: node.parameter}
            inputs = tuple(variables[one] for one in node.arguments)
            equations.append(Equation(node.op, inputs, (variables[uid],), params, node.scope))
        leaves = [variables[uid] for uid in self.leaves]
        return Graph(
            tuple(v for v in leaves if v.role == "input"),
            tuple(v for v in leaves if v.role == "captured"),
            (),
            tuple(equations),
            tuple(variables[uid] for uid in self.outputs),
        )

    def users(self, uid: int) -> list[tuple[int, int]]:
        return [(u, k) for u in self.order for k, x in enumerate(self.nodes[u].arguments) if x == uid]

    def point(self, user: int, slot: int, to: int) -> None:
        arguments = list(self.nodes[user].arguments)
        arguments[slot] = to
        self.nodes[user] = replace(self.nodes[user], arguments=tuple(arguments))


def draft(seed: int, size: int, *, repeated: bool = False) -> Draft:
    """A random program; ``repeated``: blocks that are alike, such as layers."""
    r = random.Random(seed)
    nodes: dict[int, Node] = {}
    leaves: list[int] = []
    order: list[int] = []
    for n in range(r.randint(1, 3)):
        nodes[n] = Node("input", label=f"x{n}")
        leaves.append(n)
    for n in range(len(leaves), len(leaves) + r.randint(1, 5)):
        nodes[n] = Node("captured", label=r.choice(["", f"layer{n}.weight"]))
        leaves.append(n)
    block = [r.choice(UNARY + BINARY) for _ in range(4)]
    while len(order) < size:
        uid = len(nodes)
        op = block[len(order) % 4] if repeated else r.choice(UNARY + BINARY)
        recent = order[-1:] if repeated or r.random() < 0.5 else order[-8:]
        arguments = [r.choice(recent or leaves)]
        if op in BINARY:
            arguments.append(r.choice([*leaves, *order[-8:]]))
            r.shuffle(arguments)
        parameter = r.choice([0, 1, 2]) if op in WITH_PARAMETER else None
        nodes[uid] = Node(op, tuple(arguments), parameter, f"block{len(order) // 10}")
        order.append(uid)
    used = {x for node in nodes.values() for x in node.arguments}
    outputs = [uid for uid in order if uid not in used]
    return Draft(nodes, leaves, order, outputs, new=10_000_000)


def edited(before: Draft, seed: int, edits: int, kinds: tuple[str, ...]) -> Draft:
    """The program after so many edits of these kinds."""
    r = random.Random(seed)
    after = before.copy()
    for _ in range(edits):
        EDITS[r.choice(kinds)](after, r)
    return after


def insert(d: Draft, r: random.Random) -> None:
    """One op between another and one or all of those who use it."""
    uid = r.choice(d.order)
    users = d.users(uid)
    d.new += 1
    op = r.choice([*UNARY, *BINARY])
    arguments = (uid,) if op in UNARY else (uid, r.choice(d.leaves))
    d.nodes[d.new] = Node(op, arguments, 1 if op in WITH_PARAMETER else None, d.nodes[uid].scope)
    d.order.insert(d.order.index(uid) + 1, d.new)
    if not users:
        d.outputs = [d.new if x == uid else x for x in d.outputs]
    for user, slot in users if r.random() < 0.5 else users[:1]:
        d.point(user, slot, d.new)


def delete(d: Draft, r: random.Random) -> None:
    """One op; those who used it use its argument."""
    uid = r.choice(d.order)
    if len(d.order) < 4:
        return
    target = d.nodes[uid].arguments[0]
    for user, slot in d.users(uid):
        d.point(user, slot, target)
    d.outputs = [target if x == uid else x for x in d.outputs]
    d.order.remove(uid)


def parameter(d: Draft, r: random.Random) -> None:
    """Another parameter."""
    some = [uid for uid in d.order if d.nodes[uid].op in WITH_PARAMETER]
    if some:
        uid = r.choice(some)
        d.nodes[uid] = replace(d.nodes[uid], parameter=d.nodes[uid].parameter + 5)


def change(d: Draft, r: random.Random) -> None:
    """Another op with as many arguments."""
    uid = r.choice(d.order)
    node = d.nodes[uid]
    op = r.choice([op for op in (UNARY if node.op in UNARY else BINARY) if op != node.op])
    d.nodes[uid] = replace(node, op=op, parameter=1 if op in WITH_PARAMETER else None)


def swap(d: Draft, r: random.Random) -> None:
    """Arguments exchanged."""
    some = [uid for uid in d.order if len(set(d.nodes[uid].arguments)) == 2]
    if some:
        uid = r.choice(some)
        d.nodes[uid] = replace(d.nodes[uid], arguments=d.nodes[uid].arguments[::-1])


def reorder(d: Draft, r: random.Random) -> None:
    """Another order in which everything is made before it is used."""
    waiting, made, order = list(d.order), set(d.leaves), []
    while waiting:
        ready = [uid for uid in waiting if made.issuperset(d.nodes[uid].arguments)]
        uid = r.choice(ready)
        waiting.remove(uid)
        made.add(uid)
        order.append(uid)
    d.order = order


def rename(d: Draft, r: random.Random) -> None:
    """Other names of leaves."""
    for uid in d.leaves:
        d.nodes[uid] = replace(d.nodes[uid], label=r.choice(["", f"renamed{uid}", d.nodes[uid].label]))


EDITS = {
    "insert": insert,
    "delete": delete,
    "parameter": parameter,
    "change": change,
    "swap": swap,
    "reorder": reorder,
    "rename": rename,
}


def truth(before: Draft, after: Draft) -> Counter[tuple[str, str]]:
    """What the edits changed, counted by (added, removed, changed) and op."""
    found: Counter[tuple[str, str]] = Counter()
    live = set(before.order), set(after.order)
    found.update(("removed", before.nodes[uid].op) for uid in before.order if uid not in live[1])
    found.update(("added", after.nodes[uid].op) for uid in after.order if uid not in live[0])
    for uid in before.order:
        if uid in live[1] and before.nodes[uid] != after.nodes[uid]:
            found["changed", after.nodes[uid].op] += 1
    if before.outputs != after.outputs:
        found["changed", "return"] += 1
    return found


def reported(difference: Difference) -> Counter[tuple[str, str]]:
    """The same of a difference."""
    found: Counter[tuple[str, str]] = Counter()
    found.update(("removed", one.op) for one in difference.removed)
    found.update(("added", one.op) for one in difference.added)
    found.update(("changed", one.after.op) for one in difference.changed)
    return found


def explains(difference: Difference) -> bool:
    """Whether the first program, with what is said to differ, is the second up to numbers, names and order.

    Nothing is read of the second program but what is in ``added`` and ``changed``: what is said to be the same
    keeps its own op, types and arguments.
    """
    a, b = difference.programs
    number = {id(s): i for i, s in enumerate(a.statements)}, {id(s): j for j, s in enumerate(b.statements)}
    mate = {number[0][id(x)]: number[1][id(y)] for x, y in difference.matched}
    gone = [number[0][id(s)] for s in difference.removed]
    new = [number[1][id(s)] for s in difference.added]
    if sorted([*mate, *gone]) != list(range(len(a))) or sorted([*mate.values(), *new]) != list(range(len(b))):
        return False
    what = {number[1][id(one.after)]: one.what for one in difference.changed}
    if len(what) != len(difference.changed) or not all(what.values()):
        return False
    made: dict[int, tuple[Any, Any]] = {j: (b.facts(j), b.sources[j]) for j in new}
    for i, j in mate.items():
        facts, sources = dict(a.facts(i)), tuple(s and (mate.get(s[0]), s[1]) for s in a.sources[i])
        plural = {"number": "numbers", "shape": "shapes", "dtype": "dtypes"}
        for name in what.get(j, ()):
            if name == "inputs":
                sources = b.sources[j]
                facts["numbers"] = b.facts(j)["numbers"]
            else:
                facts[plural.get(name, name)] = b.facts(j)[plural.get(name, name)]
        made[j] = (facts, sources)
    return all(made[j] == (b.facts(j), b.sources[j]) for j in range(len(b)))
