"""Coverage is a list, not a feeling: every name of NumPy, the Array API and HIPS autograd is here, or docs/names.md
says what it is called or why it is left out. PyTorch's names are in reference/test_torch_names.py.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad._names import ELSEWHERE
from tests import names_elsewhere
from tests.names_page import CODE, PAGE, page, read

LISTED_FOR = "2.4"  # the series of NumPy that the page was written for


def functions_of(module: Any) -> list[str]:
    """Its functions; classes, modules and constants are apart."""
    public = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return [name for name, value in public.items() if callable(value) and not isinstance(value, type)]


NAMES = {
    "NumPy": functions_of(np),
    "numpy.fft": functions_of(np.fft),
    "numpy.linalg": functions_of(np.linalg),
    "Array API 2024.12": [
        *names_elsewhere.ARRAY_API.split(),
        *names_elsewhere.ARRAY_API_LINALG.split(),
        *names_elsewhere.ARRAY_API_FFT.split(),
    ],
    "HIPS autograd": names_elsewhere.HIPS.split(),
}


@pytest.mark.parametrize("title", NAMES)
def test_every_name_is_here_or_has_a_reason(title: str) -> None:
    complaints = page()[title].complaints(NAMES[title])
    if title.lower().startswith("numpy") and not np.__version__.startswith(LISTED_FOR + "."):
        # What came or went with this series is unknown to the page; what is here must still not be listed.
        unknown = [c for c in complaints if "neither here" in c or "no such name" in c]
        complaints = [c for c in complaints if c not in unknown]
        if unknown and not complaints:
            pytest.skip(f"the page is for NumPy {LISTED_FOR}, not {np.__version__}: {'; '.join(unknown)}")
    assert not complaints, "docs/names.md:\n" + "\n".join(complaints)


def test_extensions_of_the_standard_are_in_their_places() -> None:
    assert not set(names_elsewhere.ARRAY_API_LINALG.split()) - set(dir(tg.linalg))
    assert not set(names_elsewhere.ARRAY_API_FFT.split()) - set(dir(tg.fft))


# ---- what the page says to write


def examples() -> dict[str, Any]:
    """A value for each name in the entries."""
    x = tg.tensor([[2.0, 0.5], [0.5, 1.0]])
    return {
        "np": np,
        "tg": tg,
        "x": x,
        "a": x.clone(),
        "b": x.clone(),
        "p": x[0],
        "q": x[1],
        "s": x[0, 0],
        "alpha": 2.0,
        "beta": 0.5,
        "v": 1.0,
        "value": 3.0,
        "limit": 1.0,
        "low": -1.0,
        "high": 1.0,
        "i": 0,
        "k": 0,
        "n": 4,
        "axis": 0,
        "axes": 1,
        "start": 0,
        "stop": 2,
        "step": 1,
        "length": 1,
        "rows": [0, 1],
        "columns": [1],
        "sizes": [1, 1],
        "bins": 3,
        "boundaries": tg.tensor([0.0, 1.0]),
        "mask": x > 1,
        "images": tg.ones((1, 1, 4, 4)),
        "labels": [0, 1],
        "buffer": bytes(8),
    }


def entries() -> list[str]:
    """All the code that says what to write, and whatever else on the page names something of ours."""
    written = [code for section in page().values() for code in section.here]
    return sorted({*written, *[code for code in CODE.findall(PAGE.read_text("utf-8")) if "tg." in code]})


@pytest.mark.parametrize("code", entries())
def test_entries_run(code: str) -> None:
    exec(code, examples())


@pytest.mark.parametrize("name", ELSEWHERE)
def test_errors_give_the_same_hint(name: str) -> None:
    cells = [section.called[name] for section in page().values() if name in section.called]
    assert all(re.search(rf"\b(tg|x)\.{ELSEWHERE[name]}\b", cell) for cell in cells), cells


# ---- the checks themselves

SMALL = """
# Names
## Other
Same name in: `tg`.

| Other | here |
|---|---|
| `cat` | `tg.concat` |

| Other | left out, because |
|---|---|
| `loadtxt`, `savetxt` | files |

| Same name, another meaning | in Other | here |
|---|---|---|
| `trace` | the sum | records |
"""


@pytest.mark.parametrize(
    ("change", "names", "complaint"),
    [
        (("", ""), "sin cat loadtxt savetxt", None),
        (("", ""), "sin cat loadtxt savetxt gone", "gone: neither here nor listed"),
        (("", ""), "sin cat loadtxt", "savetxt: listed, but Other has no such name"),
        (("`savetxt`", "`sin`"), "sin cat loadtxt", "sin: listed, but it is here; take it off the page"),
        (("`savetxt`", "`cat`"), "sin cat loadtxt", "cat: listed twice"),
        (("`trace`", "`tr`"), "sin cat loadtxt savetxt", "tr: said to have another meaning here"),
    ],
)
def test_a_wrong_page_is_found(change: tuple[str, str], names: str, complaint: str | None) -> None:
    found = read(SMALL.replace(*change))["Other"].complaints(names.split())
    assert found == ([] if complaint is None else [complaint])


def test_an_entry_without_code_is_refused() -> None:
    with pytest.raises(AssertionError, match="no code that says what to write"):
        read(SMALL.replace("`tg.concat`", "concat"))


def test_names_are_ordered_and_said_once() -> None:
    for names in (names_elsewhere.ARRAY_API, names_elsewhere.ARRAY_API_LINALG, names_elsewhere.HIPS):
        assert names.split() == sorted(set(names.split()))


def test_names_that_another_numpy_has_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "__version__", "9.9.0")
    monkeypatch.setitem(NAMES, "NumPy", [*NAMES["NumPy"], "from_the_future"])
    with pytest.raises(pytest.skip.Exception, match="from_the_future: neither here nor listed"):
        test_every_name_is_here_or_has_a_reason("NumPy")
