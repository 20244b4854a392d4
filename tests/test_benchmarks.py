"""The benchmark harness itself: agreement, verdicts, table, gate, on faked times. Nothing is timed here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks import conditions, live_graph, report
from benchmarks.harness import Case, Implementation, Result, arrays, difference, gate, measure


def gives(*values: Any) -> Callable[[], Implementation]:
    return lambda: Implementation(lambda: values)


def named(name: str) -> Callable[[], Implementation]:
    """All of these agree, and a scripted stopwatch can tell them apart."""
    return lambda: Implementation(lambda: (name,), check=lambda: 0.0)


def timed(ours: list[float], peer: list[float], **bars: Any) -> Result:
    return Result(Case("work", "(2,)", gives(), {"peer": gives()}, **bars), {"ours": ours, "peer": peer})


def scripted(times: dict[Any, float]) -> tuple[Callable[[Any, int], float], list[tuple[Any, int]]]:
    """A stopwatch that runs nothing: seconds per repetition by what the implementation returns."""
    calls: list[tuple[Any, int]] = []

    def stopwatch(run: Callable[[], Any], repetitions: int) -> float:
        who = run()[0]
        calls.append((who, repetitions))
        return times[who] * repetitions

    return stopwatch, calls


# ---- agreement

VALUE = np.linspace(1, 2, 5, dtype=np.float32)
GRADIENT = np.array([[3.0, -4.0]], np.float32)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ((VALUE, -GRADIENT), "result 1 of 2, float32: largest difference 8"),
        ((VALUE * np.float32(1.001), GRADIENT), "result 0 of 2"),
        ((VALUE, GRADIENT.T), "shapes (1, 2) and (2, 1)"),
        ((VALUE, GRADIENT.astype(np.float64)), "dtypes float32 and float64"),
        ((VALUE, GRADIENT * np.float32(np.nan)), "largest difference nan"),
        ((VALUE,), "2 results and 1"),
    ],
)
def test_a_peer_that_disagrees_makes_the_row_void_and_untimed(wrong: tuple[Any, ...], says: str) -> None:
    def never(run: Any, repetitions: int) -> float:
        raise AssertionError("a void row was timed")

    case = Case("work", "", gives(VALUE, GRADIENT), {"peer": gives(*wrong)}, must=1.0, stopwatch=never)
    result = measure(case)
    assert result.verdict == "VOID"
    assert (
        result.void is not None and result.void.startswith("ours and peer disagree") and says in result.void
    )
    assert gate([result]) == 1


def test_rounding_agrees_and_its_size_depends_on_the_dtype() -> None:
    near = VALUE * np.float32(1 + 1e-6)
    assert difference(arrays(VALUE), arrays(near)) is None
    wide, wide_near = VALUE.astype(np.float64), near.astype(np.float64)
    assert difference(arrays(wide), arrays(wide_near)) is not None
    assert difference(arrays(np.array([1, 2])), arrays(np.array([1, 3]))) is not None
    assert difference(arrays(np.array([True])), arrays(np.array([True]))) is None
    assert difference(arrays(np.zeros((0, 3))), arrays(np.zeros((0, 3)))) is None


def test_every_peer_must_agree() -> None:
    peers = {"right": gives(VALUE), "wrong": gives(VALUE + 1)}
    assert "ours and wrong" in str(measure(Case("work", "", gives(VALUE), peers)).void)


def test_an_implementation_that_raises_makes_the_row_void() -> None:
    def broken() -> Implementation:
        raise ValueError("no such op")

    for case in (Case("work", "", broken, {"peer": gives(1)}), Case("work", "", gives(1), {"peer": broken})):
        result = measure(case)
        assert result.verdict == "VOID" and "raised ValueError: no such op" in str(result.void)


def test_check_stands_in_for_run() -> None:
    """Where `check` is given, it is compared and `run` is timed."""
    stopwatch, calls = scripted({"a": 1.0, "b": 2.0})
    result = measure(Case("work", "", named("a"), {"peer": named("b")}, stopwatch=stopwatch))
    assert result.void is None and calls and result.ratio == 0.5


def test_results_are_found_in_nested_containers_and_read_from_tensors() -> None:
    tensor = SimpleNamespace(detach=lambda: SimpleNamespace(numpy=lambda: VALUE))
    found = arrays({"loss": 1.5, "grads": [tensor, (GRADIENT,)]})
    assert [one.shape for one in found] == [(), (5,), (1, 2)]


# ---- timing


def test_rounds_alternate_and_repetitions_fill_a_round() -> None:
    stopwatch, calls = scripted({"ours": 0.001, "peer": 0.002})
    makers = {name: named(name) for name in ("ours", "peer")}
    case = Case("work", "", makers["ours"], {"peer": makers["peer"]}, per=10, stopwatch=stopwatch)
    result = measure(case, rounds=15)
    rounds = calls[-30:]
    assert [who for who, _ in rounds[:4]] == ["ours", "peer", "peer", "ours"]
    assert set(rounds) == {("ours", 30), ("peer", 15)}
    assert len(result.times["ours"]) == len(result.times["peer"]) == 15
    assert result.ours == pytest.approx(1e-4) and result.ratio == pytest.approx(0.5)


@pytest.mark.parametrize(("swing", "sets"), [(0.0, 1), (0.5, 4)])
def test_a_row_gets_more_rounds_while_noise_decides(swing: float, sets: int) -> None:
    """Ours takes 0.9 or 0.9 + swing by turns, against a peer of 1 and a bar of 1."""
    rounds_of_ours: list[float] = []

    def stopwatch(run: Callable[[], Any], repetitions: int) -> float:
        if run()[0] == "peer":
            return 1.0 * repetitions
        rounds_of_ours.append(0.9 + swing * (len(rounds_of_ours) % 2))
        return rounds_of_ours[-1] * repetitions

    result = measure(Case("work", "", named("ours"), {"peer": named("peer")}, must=1.0, stopwatch=stopwatch))
    assert len(result.times["ours"]) == len(result.times["peer"]) == sets * 15
    assert result.undecided == bool(swing)


def test_the_fastest_peer_counts() -> None:
    case = Case("work", "", gives(), {"slow": gives(), "fast": gives()}, must=1.0)
    result = Result(case, {"ours": [3.0] * 3, "slow": [9.0] * 3, "fast": [2.0] * 3})
    assert result.peer_name == "fast" and result.ratio == 1.5 and result.verdict == "MISS"


def test_ratio_and_quartiles_are_of_single_rounds() -> None:
    """A machine that slows down for three of five rounds changes the times and not the ratio."""
    result = timed([1.0, 1.0, 9.0, 10.0, 11.0], [2.0, 2.0, 20.0, 20.0, 20.0])
    assert result.ours == 9.0 and result.peer == 20.0
    assert result.ratio == 0.5
    assert result.quartiles == (0.5, 0.5)


# ---- verdicts and the gate


@pytest.mark.parametrize(
    ("ratio", "bars", "verdict", "status"),
    [
        (0.5, {"must": 0.6, "aim": 0.5}, "ok, aim", 0),
        (0.55, {"must": 0.6, "aim": 0.5}, "ok", 0),
        (0.6, {"must": 0.6}, "ok", 0),
        (0.61, {"must": 0.6}, "MISS", 1),
        (float("nan"), {"must": 0.6}, "MISS", 1),
        (9.0, {}, "", 0),
    ],
)
def test_verdict(ratio: float, bars: dict[str, float], verdict: str, status: int) -> None:
    result = timed([ratio] * 15, [1.0] * 15, **bars)
    assert result.verdict == verdict
    assert gate([timed([1.0], [1.0]), result]) == status


def test_without_a_peer_there_is_a_time_and_no_verdict() -> None:
    result = Result(Case("work", "", gives(), must=0.1), {"ours": [2.0] * 15})
    assert (result.ours, result.peer, result.ratio, result.quartiles, result.verdict) == (
        2.0,
        None,
        None,
        None,
        "",
    )
    assert gate([result]) == 0
    assert "2.00 s" in report.line(result)


def fake(monkeypatch: pytest.MonkeyPatch, ours: float, **bars: Any) -> None:
    """Make the program measure one family with faked times: `ours` seconds against 1."""

    def cases(torch: Any) -> Iterator[Case]:
        stopwatch, _ = scripted({"ours": ours, "peer": 1.0})
        yield Case("work", "(5,)", named("ours"), {"peer": named("peer")}, stopwatch=stopwatch, **bars)

    family = SimpleNamespace(__doc__="A faked family.", cases=cases)
    monkeypatch.setattr(program, "FAMILIES", {"faked": family})
    monkeypatch.setattr(conditions, "load_torch", lambda: None)


def test_exit_status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fake(monkeypatch, 0.5, must=0.6)
    assert program.main([]) == 0
    assert "none missed and none void" in capsys.readouterr().out
    fake(monkeypatch, 0.7, must=0.6)
    assert program.main(["faked"]) == 1
    assert "1 of 1 rows failed:\n  MISS  work  (5,)\n" in capsys.readouterr().out
    assert program.main(["--no-gate"]) == 0


def test_output_names_conditions_and_missing_peer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, 0.5)
    monkeypatch.setenv(conditions._DROPPED, "OPENBLAS_CORETYPE=Haswell")
    program.main([])
    text = capsys.readouterr().out
    for part in (
        "torch    not installed",
        "OPENBLAS_CORETYPE=Haswell",
        "15 rounds",
        "faked: A faked family\n",
    ):
        assert part in text


@pytest.mark.parametrize("arguments", [["no_such_family"], ["--rounds", "3"], ["faked", "--markdown"]])
def test_bad_arguments_are_refused(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    fake(monkeypatch, 0.5)
    with pytest.raises(SystemExit) as stop:
        program.main(arguments)
    assert stop.value.code == 2


# ---- conditions


def test_environment_has_one_thread_and_no_forced_core_type() -> None:
    given = {"PATH": "p", "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512", "OMP_NUM_THREADS": "8"}
    made = conditions.environment(given)
    assert made.pop(conditions._DROPPED) == "OPENBLAS_CORETYPE=Haswell, OPENBLAS_L2_SIZE=512"
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    assert made == {"PATH": "p", **threads}
    assert conditions.environment({})[conditions._DROPPED] == ""


# ---- tables


def rows() -> list[Result]:
    void = Result(Case("a workload", "(3,)", gives(), must=0.5), void="ours raised KeyError: 'x'")
    return [
        timed([1.2e-6] * 15, [2e-6] * 15, must=0.7, aim=0.5),
        timed([2.0] * 15, [1.0] * 15, must=1.5),
        void,
    ]


def test_columns_of_the_text_table_line_up() -> None:
    head, lines = report.head(), [report.line(one) for one in rows()]
    assert head.split() == [
        "workload",
        "shape",
        "ours",
        "peer",
        "ratio",
        "quartiles",
        "must",
        "aim",
        "verdict",
    ]
    for line, verdict in zip(lines, ("ok", "MISS", "VOID"), strict=True):
        assert line.splitlines()[0].index(verdict) == head.index("verdict")
    assert lines[0].index("0.60") + 4 == head.index("ratio") + 5
    assert lines[0].index("1.20 us") + 7 == head.index("ours") + 4
    assert lines[2].splitlines()[1].strip() == "void: ours raised KeyError: 'x'"


def test_markdown_and_json_hold_the_same_rows() -> None:
    header, sections = [("date", "2026-01-01")], [report.Section("family: of rows", rows(), ["a note"])]
    text = report.markdown(header, sections)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3 and len({line.count("|") for line in table}) == 1
    assert "- date: 2026-01-01" in text and "### family: of rows" in text and "Void: a workload (3,)" in text
    assert text.endswith("\n\na note")
    data = json.loads(json.dumps(report.as_json(header, sections)))
    assert [row["verdict"] for row in data["rows"]] == ["ok", "MISS", "VOID"]
    assert data["rows"][0]["ratio"] == pytest.approx(0.6)
    assert len(data["rows"][0]["seconds"]["ours"]) == 15


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.2345e-8, "12.3 ns"),
        (9.9999e-7, "1.00 us"),
        (0.25, "250 ms"),
        (0.99999, "1.00 s"),
        (75.0, "75.0 s"),
        (0, "0.00 ns"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


def test_json_and_markdown_are_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    fake(monkeypatch, 0.5, must=0.6)
    page, data = tmp_path / "README.md", tmp_path / "figures.json"
    page.write_text(f"before\n{program.MARKS[0]}old figures\n{program.MARKS[1]}\nafter\n")
    monkeypatch.setattr(program, "README", page)
    assert program.main(["--json", str(data), "--markdown"]) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "old figures" not in text and "| work | (5,) |" in text
    program.fill(page, "new figures")
    assert "| work |" not in page.read_text() and "new figures" in page.read_text()
    assert json.loads(data.read_text())["rows"][0]["verdict"] == "ok"


def test_the_page_has_a_place_for_the_figures() -> None:
    text = program.README.read_text()
    assert text.count(program.MARKS[0]) == text.count(program.MARKS[1]) == 1


# ---- the workloads


@pytest.mark.parametrize("family", [name for name in program.FAMILIES if name != "import_time"])
def test_our_side_of_every_workload_runs(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives finite results of the dtype that is claimed; what they must be is PyTorch's to say."""
    monkeypatch.setattr(live_graph, "OPS", 400)
    dtypes = getattr(program.FAMILIES[family], "DTYPES", ("float32",))
    for case in program.FAMILIES[family].cases(None):
        for one in arrays(case.ours().results()):
            assert one.dtype.name in dtypes and np.isfinite(one).all(), case.workload
