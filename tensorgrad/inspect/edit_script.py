"""The shortest edit script between two rows, as the pairs of places that it leaves alone.

Source: E. W. Myers, "An O(ND) difference algorithm and its variations", Algorithmica 1, 1986, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

LONGEST_SCRIPT = 1_000
"""So many insertions and deletions a shortest edit script may have; beyond, none is looked for."""


def common(a: Sequence[int], b: Sequence[int], limit: int = LONGEST_SCRIPT) -> list[tuple[int, int]]:
    """The places of a longest common subsequence, by the shortest edit script; only its ends if that is too long.

    Example:
        >>> common([1, 2, 3, 4], [2, 9, 4])
        [(1, 0), (3, 2)]
    """
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    n, m = len(a) - start - end, len(b) - start - end
    ends = [(i, i) for i in range(start)]
    tail = [(len(a) - k, len(b) - k) for k in range(end, 0, -1)]
    reach = [0] * (2 * min(n + m, limit) + 5)  # on each diagonal x - y how far x comes with so many edits
    middle = len(reach) // 2
    history: list[list[int]] = []
    for edits in range(min(n + m, limit) + 1):
        history.append(reach[middle - edits - 1 : middle + edits + 2])
        for k in range(middle - edits, middle + edits + 1, 2):
            down = k == middle - edits or (k != middle + edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k + middle
            while x < n and y < m and a[start + x] == b[start + y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= n and y >= m:
                return [*ends, *_walked_back(history, n, m, start), *tail]
    return [*ends, *tail]


def _walked_back(history: list[list[int]], x: int, y: int, start: int) -> list[tuple[int, int]]:
    """The diagonal steps of the script that arrives at (x, y)."""
    found = []
    for edits in range(len(history) - 1, -1, -1):
        reach, k = history[edits], x - y + edits + 1
        down = k == 1 or (k != 2 * edits + 1 and reach[k - 1] < reach[k + 1])
        last = k + 1 if down else k - 1
        x_before = reach[last] if edits else 0
        y_before = x_before - (last - edits - 1) if edits else 0
        while x > x_before and y > y_before:
            x, y = x - 1, y - 1
            found.append((start + x, start + y))
        x, y = x_before, y_before
    return sorted(found, key=itemgetter(0))
