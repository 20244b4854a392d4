"""How long the explorer's page takes to write and to open, and how large it is: `python benchmarks/explorer.py`.

Opening is measured in the system's Chromium, from the navigation until the page says that it is ready.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import tensorgrad as tg
from tensorgrad.ir.graph import Graph
from tensorgrad.viz.explorer import explorer_html


def chain(length: int, *, statistics: bool) -> Graph:
    """A recorded chain in which no stretch repeats, and its backward pass."""
    choice = np.random.default_rng(0).integers(3, size=length)
    with tg.record(statistics=statistics) as run:
        y = x = tg.tensor([0.5, 1.0], requires_grad=True)
        for which in choice:
            y = tg.sin(y) if which == 0 else tg.tanh(y) if which == 1 else y + x
        tg.sum(y).backward()
    return run.graph


def modules(stages: int) -> Graph:
    """Modules in modules: ten layers a stage, ten operations a layer."""
    with tg.record(statistics=True) as run:
        y = x = tg.tensor(np.ones((4, 4)), requires_grad=True)
        for stage in range(stages):
            with tg.scope(f"stage{stage}"):
                for layer in range(10):
                    with tg.scope(f"layer{layer}"):
                        for k in range(10):
                            y = tg.tanh(y) if k % 2 else y + x
        tg.sum(y).backward()
    return run.graph


def main() -> None:
    cases = {
        "10,000 in modules, statistics": lambda: modules(100),
        "10,000 in a chain, statistics": lambda: chain(10_000, statistics=True),
        "100,000 in a chain": lambda: chain(100_000, statistics=False),
    }
    with sync_playwright() as tool, tempfile.TemporaryDirectory() as folder:
        browser = tool.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print(f"{'graph':32} {'nodes':>8} {'MB':>6} {'write s':>8} {'open s':>7} {'boxes':>6}")
        for name, make in cases.items():
            graph = make()
            file = Path(folder) / "page.html"
            began = time.perf_counter()
            file.write_text(explorer_html(graph), encoding="utf-8")
            written = time.perf_counter() - began
            opened = []
            for _ in range(3):
                page = browser.new_page(viewport={"width": 1400, "height": 900})
                began = time.perf_counter()
                page.goto(file.as_uri())
                while page.evaluate("document.body.dataset.ready") != "1":
                    time.sleep(0.005)
                opened.append(time.perf_counter() - began)
                boxes = page.evaluate("document.body.dataset.boxes")
                page.close()
            nodes, size = len(graph.equations), file.stat().st_size / 1e6
            print(f"{name:32} {nodes:8,} {size:6.2f} {written:8.2f} {sorted(opened)[1]:7.2f} {boxes:>6}")
        browser.close()


if __name__ == "__main__":
    main()
