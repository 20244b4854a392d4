"""pytest plugin of tensorgrad: the fixture ``gradcheck``, ``--tensorgrad-thorough``, and a line at the end.

pytest loads this module in every run of an environment that has tensorgrad, also in projects that do
not use it. So it lies beside the package and imports nothing of it until a test asks for a check; NumPy
and Hypothesis likewise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PROPERTY = "tensorgrad"
"""The name under which each check stands among the properties of a test, and so in JUnit XML."""

_runs: list[Run] = []


class Run:
    """One run of pytest: its option, the test that runs now, and what was checked so far."""

    def __init__(self, config: pytest.Config) -> None:
        self.thorough = bool(config.getoption("--tensorgrad-thorough"))
        self.item: pytest.Item | None = None
        self.checked = self.wrong = 0

    def record(self, outcome: dict[str, Any]) -> None:
        """Attach the outcome of a check to the test that runs; workers send it to the main process so."""
        if self.item is not None:
            self.item.user_properties.append((PROPERTY, json.dumps(outcome)))

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

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was checked, if anything was."""
        if self.checked:
            noun = "gradient" if self.checked == 1 else "gradients"
            terminalreporter.write_line(f"tensorgrad: {self.checked} {noun} checked, {self.wrong} wrong")


def current() -> Run | None:
    """The run of pytest that is under way; with `pytester` there may be one inside of another."""
    return _runs[-1] if _runs else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--tensorgrad-thorough``."""
    parser.getgroup("tensorgrad").addoption(
        "--tensorgrad-thorough",
        action="store_true",
        help="check gradients at ten times as many inputs, and on all clauses at each",
    )


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
