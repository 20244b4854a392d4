"""Which statement of one program is which of another: the algorithm behind `diff`.

Two programs that are equal but for the numbers of variables, their names and the order of independent ops
are matched completely. After an edit, what is not touched by it finds its mate from both ends:

1. Leaves are paired by role and name, results by their place.
2. A statement whose arguments all have mates is looked up among those with these arguments (downwards);
   an argument of a pair is paired with the argument of the mate, if they look alike (upwards). Both run to
   the end, first for statements that are exactly alike, then for those with the same op.
3. Between two edits nothing is tied to what is paired. There statements whose surroundings are alike and
   found once on each side become anchors; where a program repeats itself, the shortest edit script of the
   remaining rows decides.
4. What is left is paired if it stands in the same place: what comes before it and after it are mates.
5. Twins that were exchanged are exchanged back if that leaves fewer differences.

Each step takes time in proportion to what it looks at, except the shortest edit script, whose length is bounded.

Source: the refinement of step 3 is that of B. Weisfeiler and A. Leman, 1968; for the script see `edit_script`.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence

from .edit_script import common
from .statements import Labels, Program

FREE = -1
"""The mate of a statement that has none."""

RADII = (4, 2, 1, 0)
"""How far the surroundings of a statement are looked at, at first and then."""

REACH = 48
"""How many statements without a mate are looked through for the nearest that has one."""

CHOICES = 24
"""Among so many candidates the best mate is chosen in step 4."""

MANY = 1_000
"""With so many statements left, step 4 looks less far, at fewer candidates, and not often."""


def matched(a: Program, b: Program, labels: Labels) -> list[int]:
    """For each statement of ``a`` its mate in ``b``, or -1.

    Names of leaves may have been exchanged, so that following them is the longer way: if they were of use and
    there are differences, the outcome without them is tried too, and the one with fewer differences is given.
    """
    first = Matching(a, b, labels)
    first.run()
    if not first.cost() or not first.named:
        return first.mate
    second = Matching(a, b, labels, names=False)
    second.run()
    return min(first, second, key=Matching.cost).mate


class Matching:
    """The state of a matching: the mates so far, and what became possible through the last ones."""

    def __init__(self, a: Program, b: Program, labels: Labels, *, names: bool = True) -> None:
        self.a, self.b, self.labels = a, b, labels
        self.names, self.named = names, False
        self.mate = [FREE] * len(a)
        self.mate_of_b = [FREE] * len(b)
        self.missing = self.without_mates()
        self.queue: deque[int] = deque()
        self.exact = True
        self.alike: tuple[Sequence[int], Sequence[int]] = (a.exact, b.exact)
        self.index: dict[tuple[int, tuple[object, ...]], list[int]] = {}

    def run(self) -> None:
        """All five steps."""
        for exact in (True, False):
            self.exact = exact
            self.alike = (self.a.exact, self.b.exact) if exact else (self.a.kind, self.b.kind)
            if not self.free_a() or not self.free_b():
                break
            self.index = self.by_arguments()
            self.pair_ends()
            for radius in RADII:
                self.spread(radius)
                if radius and self.pair_anchors(radius):
                    self.spread(radius)
            self.pair_rows()
            self.spread(0)
        self.pair_places()
        leaves = self.pair_leaves()
        if self.untwin() or leaves:
            self.missing = self.without_mates()
            self.pair_places()
            self.untwin()

    # ---- step 1

    def pair_ends(self) -> None:
        """Leaves by their places or names, and the last statement."""
        a, b = self.a, self.b
        if len(a.graph.inputs) == len(b.graph.inputs):  # they are the first statements
            for i in range(len(a.graph.inputs)):
                self.pair_if_alike(i, i)
        if self.names:
            groups = [defaultdict(list), defaultdict(list)]  # type: ignore[var-annotated]
            for group, program, alike in zip(groups, (a, b), self.alike, strict=True):
                for i, hint in enumerate(program.hint):
                    if hint:
                        group[hint, alike[i]].append(i)
            for key, found in groups[0].items():
                if len(found) == 1 == len(groups[1].get(key, ())):
                    self.named |= self.pair_if_alike(found[0], groups[1][key][0])
        if a.returns >= 0 and b.returns >= 0:
            self.pair_if_alike(a.returns, b.returns)

    def pair_if_alike(self, i: int, j: int) -> bool:
        """Pair two that are free and have the same label; whether they were."""
        if self.mate[i] != FREE or self.mate_of_b[j] != FREE or self.alike[0][i] != self.alike[1][j]:
            return False
        self.pair(i, j)
        return True

    def pair(self, i: int, j: int) -> None:
        """Make two mates."""
        self.mate[i], self.mate_of_b[j] = j, i
        self.queue.append(i)
        for user, _, _ in self.a.uses[i]:
            self.missing[user] -= 1

    # ---- step 2

    def by_arguments(self) -> dict[tuple[int, tuple[object, ...]], list[int]]:
        """The free statements of ``b`` that have arguments, by label and arguments."""
        found: dict[tuple[int, tuple[object, ...]], list[int]] = defaultdict(list)
        for j in self.free_b():
            if self.b.sources[j]:
                found[self.alike[1][j], self.b.sources[j]].append(j)
        return found

    def spread(self, radius: int) -> None:
        """Pair all that follows from the pairs there are; upwards only where the surroundings are alike."""
        waiting = deque(self.free_a())
        while waiting:  # downwards as far as it goes, which needs no surroundings
            if self.look_up(i := waiting.popleft()):
                waiting.extend([user for user, _, _ in self.a.uses[i]])
        free = self.free_a()
        if not free:
            return
        near = self.surroundings(radius, both=False)[radius]
        for i in free:
            for user, slot, _ in self.a.uses[i]:
                if self.mate[user] != FREE and self.mate[i] == FREE:
                    self.upwards(user, slot, near)
        while self.queue:
            i = self.queue.popleft()
            for user, _, _ in self.a.uses[i]:
                self.look_up(user)
            for slot in range(len(self.a.sources[i])):
                self.upwards(i, slot, near)

    def look_up(self, i: int) -> bool:
        """Downwards: pair with the statement of ``b`` that has the mates of these arguments, if there is one."""
        if self.mate[i] != FREE or self.missing[i] or not self.a.sources[i]:
            return False
        arguments = tuple([s and (self.mate[s[0]], s[1]) for s in self.a.sources[i]])
        found = [j for j in self.index.get((self.alike[0][i], arguments), ()) if self.mate_of_b[j] == FREE]
        if not found:
            return False
        if len(found) > 1:  # they compute the same: whoever uses them decides
            users = Counter((self.alike[0][u], slot) for u, slot, _ in self.a.uses[i])
            found = found[:CHOICES]
            shared = [
                sum((users & Counter((self.alike[1][u], slot) for u, slot, _ in self.b.uses[j])).values())
                - abs(len(self.b.uses[j]) - len(self.a.uses[i]))
                for j in found
            ]
            found = [found[shared.index(max(shared))]]
        self.pair(i, found[0])
        return True

    def upwards(self, i: int, slot: int, near: tuple[dict[int, int], dict[int, int]]) -> None:
        """The argument of a pair, if it looks like that of the mate."""
        j = self.mate[i]
        if slot >= len(self.b.sources[j]):
            return
        left, right = self.a.sources[i][slot], self.b.sources[j][slot]
        if left is None or right is None or left[1] != right[1]:
            return
        if self.mate[left[0]] == FREE == self.mate_of_b[right[0]] and near[0][left[0]] == near[1][right[0]]:
            self.pair_if_alike(left[0], right[0])

    # ---- step 3

    def surroundings(self, radius: int, *, both: bool) -> list[tuple[dict[int, int], dict[int, int]]]:
        """Labels of the free statements with what is around them, for each radius up to ``radius``.

        Arguments only, or ``both``: those who use them too. Pairs are known by their number.
        """
        free = (self.free_a(), self.free_b())
        rings = [({i: self.alike[0][i] for i in free[0]}, {j: self.alike[1][j] for j in free[1]})]
        for _ in range(radius):
            ring: tuple[dict[int, int], dict[int, int]] = ({}, {})
            for side, program in enumerate((self.a, self.b)):
                last = rings[-1][side]
                mates = self.mate if side == 0 else None

                def label(n: int, last: dict[int, int] = last, mates: list[int] | None = mates) -> int:
                    """That of a free statement, or a negative number for a pair."""
                    known = last.get(n)
                    return known if known is not None else -1 - (n if mates is None else mates[n])

                for i in free[side]:
                    arguments = tuple([s and (label(s[0]), s[1]) for s in program.sources[i]])
                    users = (
                        tuple(sorted([(label(u), slot, place) for u, slot, place in program.uses[i]]))
                        if both
                        else ()
                    )
                    ring[side][i] = self.labels((last[i], arguments, users))
            rings.append(ring)
        return rings

    def pair_anchors(self, radius: int) -> bool:
        """Pair what has surroundings that are found once on each side; whether there was any."""
        ring = self.surroundings(radius, both=True)[radius]
        once = [
            {label: i for i, label in side.items() if count[label] == 1}
            for side in ring
            for count in [Counter(side.values())]
        ]
        pairs = [(i, once[1][label]) for label, i in once[0].items() if label in once[1]]
        for i, j in pairs:
            self.pair_if_alike(i, j)
        return bool(pairs)

    def pair_rows(self) -> None:
        """Pair along the shortest edit script of what is left, in the order of the programs, where places agree."""
        left, right = self.free_a(), self.free_b()
        shared = {self.alike[0][i] for i in left} & {self.alike[1][j] for j in right}
        left = [i for i in left if self.alike[0][i] in shared]
        right = [j for j in right if self.alike[1][j] in shared]
        script = common([self.alike[0][i] for i in left], [self.alike[1][j] for j in right])
        pairs = {left[i]: right[j] for i, j in script}
        alone = {i: j for i, j in pairs.items() if not self.beside(i, j, pairs)}
        before = self.nearest(list(alone), list(alone.values()), up=True)
        after = self.nearest(list(alone), list(alone.values()), up=False)
        for i, j in pairs.items():
            if i not in alone or (before[0][i] & before[1][j] and after[0][i] & after[1][j]):
                self.pair_if_alike(i, j)

    def beside(self, i: int, j: int, pairs: dict[int, int]) -> bool:
        """Whether a pair has an argument or a user in common with another of these pairs."""
        for s, t in zip(self.a.sources[i], self.b.sources[j], strict=False):
            if s is not None and t is not None and pairs.get(s[0], FREE) == t[0]:
                return True
        users = {pairs.get(user, FREE) for user, _, _ in self.a.uses[i]}
        return not users.isdisjoint([user for user, _, _ in self.b.uses[j]])

    # ---- step 4

    def pair_places(self) -> None:
        """Pair what stands in the same place, the best first, until nothing is left that does."""
        self.exact = False
        self.alike = (self.a.kind, self.b.kind)
        for _ in range(MANY):
            left, right = self.free_a(), self.free_b()
            if not left or not right:
                return
            many = len(left) > MANY or len(right) > MANY
            found = sorted(self.candidates(left, right), key=lambda one: (-one[0], one[1], one[2]))
            best = found[0][0] if found else 0.0
            paired = False
            for score, i, j in found:
                if score < best - 2.0 and not many:
                    break  # what was just paired may speak for others
                if self.mate[i] == FREE == self.mate_of_b[j]:
                    self.pair(i, j)
                    paired = True
            if not paired:
                return
            self.index = self.by_arguments()
            self.spread(0)

    def pair_leaves(self) -> bool:
        """Pair leaves of the same kind in their order, for nothing else tells them apart; whether there were any."""
        done = False
        for used_alike in (True, False):
            waiting: dict[tuple[int, bool], list[int]] = defaultdict(list)
            for j in reversed(self.free_b()):
                if j < self.b.leaves:
                    waiting[self.b.exact[j], used_alike and bool(self.b.uses[j])].append(j)
            for i in self.free_a():
                some = waiting.get((self.a.exact[i], used_alike and bool(self.a.uses[i])))
                if some and i < self.a.leaves:
                    self.pair(i, some.pop())
                    done = True
        return done

    def candidates(self, left: list[int], right: list[int]) -> Iterator[tuple[float, int, int]]:
        """Free statements in the same place: (how well they fit, the one, the other)."""
        many = len(left) > MANY or len(right) > MANY
        reach, choices = (REACH // 6, CHOICES // 6) if many else (REACH, CHOICES)
        before, after = [self.nearest(left, right, up=up, reach=reach) for up in (True, False)]
        around: dict[tuple[bool, int], list[int]] = defaultdict(list)
        named: dict[str, list[int]] = defaultdict(list)
        for j in right:
            for n in before[1][j]:
                around[True, n].append(j)
            for n in after[1][j]:
                around[False, n].append(j)
            if self.b.hint[j] and self.names:
                named[self.b.hint[j]].append(j)
        for i in left:
            seen: dict[int, None] = {}
            for up, nearest in ((True, before[0][i]), (False, after[0][i])):
                for n in sorted(nearest):
                    seen.update(dict.fromkeys(around[up, n][:choices]))
            seen.update(dict.fromkeys(named.get(self.a.hint[i], ())[:choices]))
            for j in seen:
                score = self.fit(i, j, before[0][i] & before[1][j], after[0][i] & after[1][j])
                if score > 0:
                    yield score, i, j

    def fit(self, i: int, j: int, before: set[int], after: set[int]) -> float:
        """How well two statements fit, above 0 if they may be mates."""
        a, b = self.a, self.b
        left, right = a.sources[i], b.sources[j]
        arguments = sum(
            s is None or (t is not None and (self.mate[s[0]], s[1]) == t)
            for s, t in zip(left, right, strict=False)
            if (s is None) == (t is None)
        )
        users = {(self.mate[u], slot) for u, slot, _ in a.uses[i]} & {(u, slot) for u, slot, _ in b.uses[j]}
        share = arguments / max(len(left), len(right), 1)
        use = len(users) / max(len(a.uses[i]), len(b.uses[j]), 1)
        named = a.hint[i] == b.hint[j] != "" and self.names
        if a.kind[i] == b.kind[j]:
            if not (share or use or named or (before and after)):
                return 0.0
            bonus = 4.0 + 4 * (a.exact[i] == b.exact[j]) + 2 * named
            return bonus + 2 * share + 2 * use + 0.5 * bool(before) + 0.5 * bool(after)
        same_place = (share >= 0.5 or before) and (use or after) and (share >= 0.5 or use >= 0.5)
        if not same_place or not a.part(i) == b.part(j) == "equation" or not left or not right:
            return 0.0
        types = [[(v.shape, v.dtype) for v in s.outputs] for s in (a.statements[i], b.statements[j])]
        if len(types[0]) != len(types[1]):
            return 0.0
        return 2 * share + 2 * use + (types[0] == types[1])

    def nearest(
        self, left: list[int], right: list[int], *, up: bool, reach: int = REACH
    ) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
        """For each free statement the nearest before (or after) it that have mates, by the number in ``b``."""
        found: tuple[dict[int, set[int]], dict[int, set[int]]] = ({}, {})
        for side, (program, free) in enumerate(((self.a, left), (self.b, right))):
            mates = self.mate if side == 0 else self.mate_of_b
            for i in free:
                seen = {i}
                todo = [i]
                ends: set[int] = set()
                for n in todo:  # it grows while it is walked
                    next_ones = (
                        [s[0] for s in program.sources[n] if s] if up else [u for u, _, _ in program.uses[n]]
                    )
                    for one in next_ones[:reach]:
                        if mates[one] != FREE:
                            ends.add(mates[one] if side == 0 else one)
                        elif one not in seen and len(todo) < reach:
                            seen.add(one)
                            todo.append(one)
                found[side][i] = ends
        return found

    # ---- step 5

    def untwin(self) -> bool:
        """Exchange the mates of two arguments where that leaves fewer differences; whether it did anywhere."""
        done = False
        for _ in range(3):
            changed = False
            for i, j in enumerate(self.mate):
                if j == FREE or self.same_wiring(i):
                    continue
                for s, t in zip(self.a.sources[i], self.b.sources[j], strict=False):
                    if s is not None and t is not None and s[1] == t[1] and self.mate[s[0]] != t[0]:
                        changed |= self.exchanged(s[0], t[0])
            done |= changed
            if not changed:
                break
        return done

    def exchanged(self, i: int, wanted: int) -> bool:
        """Give ``i`` the mate that is ``wanted``, and its owner that of ``i``, if it pays."""
        other, given = self.mate_of_b[wanted], self.mate[i]
        if self.a.kind[i] != self.b.kind[wanted]:
            return False
        touched = {i, *[u for u, _, _ in self.a.uses[i]]}
        if other != FREE:
            touched |= {other, *[u for u, _, _ in self.a.uses[other]]}
        if len(touched) > 4 * REACH:
            return False
        before = sum(self.differs(n) for n in touched)
        self.set_mates(i, wanted, other, given)
        if sum(self.differs(n) for n in touched) < before:
            return True
        self.set_mates(i, given, other, wanted)
        return False

    def set_mates(self, i: int, j: int, other: int, second: int) -> None:
        """Make ``i`` and ``j`` mates, ``other`` and ``second`` too; any may be `FREE`."""
        for one, mate in ((i, j), (other, second)):
            if one != FREE:
                self.mate[one] = mate
            if mate != FREE:
                self.mate_of_b[mate] = one

    def differs(self, i: int) -> bool:
        """Whether a statement of the first has no mate, or is not the same as it."""
        j = self.mate[i]
        return j == FREE or self.a.exact[i] != self.b.exact[j] or not self.same_wiring(i)

    def same_wiring(self, i: int) -> bool:
        """Whether the arguments of a statement have as mates those of its mate."""
        return self.b.sources[self.mate[i]] == tuple(
            [s and (self.mate[s[0]], s[1]) for s in self.a.sources[i]]
        )

    # ---- helpers

    def cost(self) -> int:
        """How many statements are added, removed or changed."""
        pairs = sum(j != FREE for j in self.mate)
        return sum(map(self.differs, range(len(self.a)))) + len(self.b) - pairs

    def without_mates(self) -> list[int]:
        """How many arguments of each statement of the first have no mate."""
        return [
            sum(source is not None and self.mate[source[0]] == FREE for source in sources)
            for sources in self.a.sources
        ]

    def free_a(self) -> list[int]:
        """Statements of the first that have no mate."""
        return [i for i, j in enumerate(self.mate) if j == FREE]

    def free_b(self) -> list[int]:
        """Those of the second."""
        return [j for j, i in enumerate(self.mate_of_b) if i == FREE]
