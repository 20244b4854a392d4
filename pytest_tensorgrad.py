"""pytest plugin of tensorgrad: the fixture ``gradcheck``, options for checks and graphs, and lines at the end.

pytest loads this module in every run of an environment that has tensorgrad, also in projects that do
not use it. So it lies beside the package and imports nothing of it until a test asks for a check; NumPy
and Hypothesis likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROPERTY = "tensorgrad"
"""The name under which each check stands among the properties of a test, and so in JUnit XML."""

GRAPH = "tensorgrad-graph"
"""The same of golden files of graphs that a test asked for."""

_runs: list[Run] = []


class Run:
    """One run of pytest: its option, the test that runs now, and what was checked so far."""

    def __init__(self, config: pytest.Config) -> None:
        self.thorough = bool(config.getoption("--tensorgrad-thorough"))
        self.update_graphs = bool(config.getoption("--update-graphs"))
        self.list_unused = bool(config.getoption("--unused-graphs"))
        self.graphs: set[Path] = set()
        self.item: pytest.Item | None = None
        self.checked = self.wrong = 0

    def record(self, outcome: dict[str, Any]) -> None:
        """Attach the outcome of a check to the test that runs; workers send it to the main process so."""
        if self.item is not None:
            self.item.user_properties.append((PROPERTY, json.dumps(outcome)))

    def asked_for(self, path: Path) -> None:
        """Note that the test that runs asked for a golden file of a graph."""
        if self.item is not None and (GRAPH, str(path)) not in self.item.user_properties:
            self.item.user_properties.append((GRAPH, str(path)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note which test runs."""
        self.item = item
        try:
            return (yield)
        finally:
            self.item = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a test has checked, when it is over: the report of each phase repeats it."""
        if report.when == "teardown":
            outcomes = [json.loads(str(value)) for name, value in report.user_properties if name == PROPERTY]
            self.checked += len(outcomes)
            self.wrong += sum(not outcome["ok"] for outcome in outcomes)
            self.graphs |= {Path(str(value)) for name, value in report.user_properties if name == GRAPH}

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was checked, if anything was."""
        if self.checked:
            noun = "gradient" if self.checked == 1 else "gradients"
            terminalreporter.write_line(f"tensorgrad: {self.checked} {noun} checked, {self.wrong} wrong")
        if self.list_unused and self.graphs:
            from tensorgrad.testing.snapshots import unused

            for path in unused(self.graphs):
                terminalreporter.write_line(f"tensorgrad: no test asked for the graph {path}")


def current() -> Run | None:
    """The run of pytest that is under way; with `pytester` there may be one inside of another."""
    return _runs[-1] if _runs else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("tensorgrad")
    for name, help_ in (
        (
            "--tensorgrad-thorough",
            "check gradients at ten times as many inputs, and on all clauses at each",
        ),
        ("--update-graphs", "accept computations as they are now: rewrite the files of assert_graph_matches"),
        (
            "--unused-graphs",
            "list files of assert_graph_matches, of the test modules that ran, that no test asked for",
        ),
    ):
        group.addoption(name, action="store_true", help=help_)


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run."""
    run = Run(config)
    _runs.append(run)
    config.pluginmanager.register(run, "tensorgrad-run")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it."""
    run = config.pluginmanager.get_plugin("tensorgrad-run")
    if run in _runs:
        _runs.remove(run)


@pytest.fixture
def gradcheck() -> Callable[..., Any]:
    """A function that fails the test if a gradient is wrong: ``gradcheck(f, inputs, **options)``.

    It runs `tensorgrad.testing.check`, or `tensorgrad.testing.check_vjp` if ``vjp=`` gives the derivative
    of a NumPy function, and returns the report.
    """
    from tensorgrad.testing.plugged import checked

    return checked
