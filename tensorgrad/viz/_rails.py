"""Rails: the values of a program as lines at the left of its equations, from where each is made to its last use.

A rail is a column. Where an equation reads a value, a branch joins its rail to the equation; a rail that is
passed without joining is not interrupted. There is room for so many rails. Where one more is needed, the value
that is not read for the longest time loses its own, and has only its name from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MARKS = {
    "given": "○o",
    "forward": "●*",
    "backward": "◆<",
    "cut": "✕x",
    "written": "■#",
    "result": "◎=",
}
"""The sign of each kind of row, and the same in ASCII."""

ENDED = {"│": "╵", "├": "╰", "┼": "┴", "┤": "╯"}
"""What a rail that goes on becomes where it ends for want of room."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One row: its mark (one of `MARKS`; none for a heading), the values it reads and those it makes."""

    mark: str
    reads: tuple[int, ...] = ()
    makes: tuple[int, ...] = ()


def rails(stops: Sequence[Stop], most: int) -> tuple[list[str], set[tuple[int, int]]]:
    r"""Draw the rails beside some rows.

    Args:
        stops: the rows.
        most: how many rails there may be side by side.

    Returns:
        What stands at the left of each row, and the pairs (row, value) where a value is read that has no rail.

    Example:
        >>> drawn, _ = rails([Stop("given", (), (0,)), Stop("given", (), (1,)), Stop("forward", (0, 1), (2,))], 4)
        >>> print("\n".join(drawn))
        ○
        │ ○
        ●─╯
    """
    yard = _Yard(stops, max(most, 2))
    for row, stop in enumerate(stops):
        yard.lines.append(yard.passing() if not stop.mark else yard.drawn(row, stop))
    return ["".join(line).rstrip() for line in yard.lines], yard.unseen


class _Yard:
    """The rails in use while rows are drawn from the top down."""

    def __init__(self, stops: Sequence[Stop], most: int) -> None:
        self.most = most
        self.lanes: list[int | None] = []  # the value in each
        self.lane: dict[int, int] = {}  # and the reverse
        self.uses: dict[int, list[int]] = {}  # rows to come that read a value, the next one last
        for row in range(len(stops) - 1, -1, -1):
            for value in dict.fromkeys(stops[row].reads):
                self.uses.setdefault(value, []).append(row)
        self.lines: list[list[str]] = []
        self.unseen: set[tuple[int, int]] = set()

    def passing(self) -> list[str]:
        """A row without an equation."""
        return [sign for value in self.lanes for sign in (" " if value is None else "│", " ")]

    def drawn(self, row: int, stop: Stop) -> list[str]:
        """A row, and the change of rails that it makes."""
        ending, lasting = set[int](), set[int]()
        for value in dict.fromkeys(stop.reads):
            self.uses[value].pop()
            place = self.lane.get(value)
            if place is None:
                self.unseen.add((row, value))
            else:
                (lasting if self.uses[value] else ending).add(place)
        for place in ending:
            del self.lane[self.lanes[place]]  # type: ignore[arg-type]
            self.lanes[place] = None
        living = [value for value in dict.fromkeys(stop.makes) if self.uses.get(value)]
        home = min(ending) if ending else self.free(set(), lasting)
        taken = ending | {home}
        self.put(living[0] if living else -1, home)
        starting = set[int]()
        for value in living[1:]:
            if len(taken) < self.most:
                place = self.free(taken | lasting, set())
                self.put(value, place)
                starting.add(place)
                taken.add(place)
        line = self.line(home, MARKS[stop.mark][0], ending - {home}, lasting - {home}, starting)
        if not living:
            del self.lane[-1]
            self.lanes[home] = None
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()
        return line

    def put(self, value: int, place: int) -> None:
        """Give a value a rail; -1 is a row that makes nothing."""
        self.lanes += [None] * (place + 1 - len(self.lanes))
        self.lanes[place] = value
        self.lane[value] = place

    def free(self, taken: set[int], joining: set[int]) -> int:
        """A place for one more rail, from left to right.

        Where all are taken, one of the others ends: in this row if the row reads it, else in the row above. Where
        none can be seen to end, because all begin there, this one stands further to the right for once.
        """
        for place in range(min(len(self.lanes) + 1, self.most)):
            if place not in taken and (place >= len(self.lanes) or self.lanes[place] is None):
                return place
        above = self.lines[-1]
        able = [
            place
            for place, value in enumerate(self.lanes)
            if place not in taken
            and value is not None
            and (place in joining or "".join(above[2 * place : 2 * place + 1]) in ENDED)
        ]
        if not able:
            return len(self.lanes)
        found = max(able, key=self.next_use)
        if found not in joining:
            above[2 * found] = ENDED[above[2 * found]]
        del self.lane[self.lanes[found]]  # type: ignore[arg-type]
        self.lanes[found] = None
        return found

    def next_use(self, place: int) -> int:
        """The row that reads the value in a place next."""
        return self.uses[self.lanes[place]][-1]  # type: ignore[index]

    def line(
        self, home: int, mark: str, ending: Iterable[int], lasting: Iterable[int], starting: Iterable[int]
    ) -> list[str]:
        """One row: branches from the sign of the equation to the rails that it reads and starts."""
        joined = dict.fromkeys(ending, "╰┴╯") | dict.fromkeys(lasting, "├┼┤") | dict.fromkeys(starting, "╭┬╮")
        low, high = min([home, *joined]), max([home, *joined])
        signs = []
        for place in range(max(len(self.lanes), high + 1)):
            if place == home:
                sign = mark
            elif place in joined:
                sign = joined[place][0 if place == low else 2 if place == high else 1]
            elif place < len(self.lanes) and self.lanes[place] is not None:
                sign = "│"
            else:
                sign = "─" if low < place < high else " "
            signs += [sign, "─" if low <= place < high else " "]
        return signs


def signs_in_ascii(line: str) -> str:
    """A line without box-drawing characters, as wide as before.

    Example:
        >>> signs_in_ascii("●─│─╯")
        '*-|-+'
    """
    return line.translate(_ASCII)


_ASCII = str.maketrans(
    {
        "│": "|",
        "─": "-",
        "╵": "'",
        "…": "~",
        "↑": "^",
        "×": "x",
        "▾": "-",
        "▸": "+",
        **dict.fromkeys("╰┴╯├┼┤╭┬╮", "+"),
        **{mark[0]: mark[1] for mark in MARKS.values()},
    }
)
