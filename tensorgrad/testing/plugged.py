"""What the checks and the plugin of pytest (``pytest_tensorgrad.py``) know of each other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .._errors import GradcheckError
from .check import check, check_vjp
from .report import Report


def plugin() -> Any:
    """The plugin in the run of pytest that is under way, or None; nothing is imported for it."""
    module = sys.modules.get("pytest_tensorgrad")
    return module and module.current()


def checked(
    f: Callable[..., Any], inputs: Any, *, vjp: Callable[..., Any] | None = None, **options: Any
) -> Report:
    """Check a derivative in a test: what the fixture ``gradcheck`` is.

    Args:
        f: as for `check`, or for `check_vjp` if ``vjp`` is given.
        inputs: likewise.
        vjp: the derivative of a NumPy function.
        options: likewise.

    Returns:
        The report, which is also attached to the test and so to JUnit XML.

    Raises:
        GradcheckError: something is wrong; the message is the report.
    """
    __tracebackhide__ = True
    run = plugin()
    if run is not None and run.thorough:
        options = {"fast_mode": False, **options}
    report = check(f, inputs, **options) if vjp is None else check_vjp(f, vjp, inputs, **options)
    if run is not None:
        run.record({"name": report.name, "ok": report.ok, "text": str(report)})
    if not report:
        raise GradcheckError(str(report))
    return report
