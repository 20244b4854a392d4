"""Downloads from a server of our own on this machine."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import data
from tensorgrad.data import DataError, download_file, downloads

CONTENT = np.random.default_rng(0).bytes(400_000)
SHA256, MD5 = sha256(CONTENT).hexdigest(), md5(CONTENT, usedforsecurity=False).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `CONTENT`, and behaves as badly as it is told."""

    content = CONTENT
    etag = '"one"'
    ranges = True
    cuts: list[int]  # after how many bytes of the file to hang up, one for each request to come
    answers: list[int]  # which status to answer with instead, likewise
    wrong_range = False
    asked: list[tuple[str, str | None]]

    def url(self, path: str = "/set/file.bin") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        content = server.content  # a test may put another one there meanwhile
        server.asked.append((self.path, wanted))
        if server.answers and (status := server.answers.pop(0)):
            self.send_error(status)
            return
        first, whole = 0, len(content)
        if wanted and server.ranges and self.headers.get("If-Range", server.etag) == server.etag:
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= whole:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{whole}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first + server.wrong_range}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(whole - first))
        self.send_header("ETag", server.etag)
        self.end_headers()
        last = server.cuts.pop(0) if server.cuts else whole
        self.wfile.write(content[first:last])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = Server(("127.0.0.1", 0), Handler)
    made.cuts, made.answers, made.asked = [], [], []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def fetch(server: Server, folder: Path, **options: Any) -> Path:
    return download_file(server.url(), folder / "new" / "file.bin", **{"backoff": 0.001, **options})


def left(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    "checksums", [{}, {"sha256": SHA256.upper()}, {"md5": MD5}, {"sha256": SHA256, "md5": MD5}]
)
def test_a_file_is_fetched_once(server: Server, tmp_path: Path, checksums: Any) -> None:
    for _ in range(2):
        assert fetch(server, tmp_path, **checksums).read_bytes() == CONTENT
    assert left(tmp_path) == ["file.bin"] and len(server.asked) == 1


def test_a_cut_is_resumed_in_the_same_call(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000, 150_000]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", "bytes=150000-"]


def test_a_cut_is_resumed_by_a_later_call(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000]
    with pytest.raises(OSError, match=r"100000 of 400000 bytes came; 1 attempts"):
        fetch(server, tmp_path, retries=0, sha256=SHA256)
    assert left(tmp_path) == ["file.bin.part"]
    assert fetch(server, tmp_path, sha256=SHA256).read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=100000-" and left(tmp_path) == ["file.bin"]


def test_without_a_checksum_a_later_call_starts_anew(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000]
    with pytest.raises(OSError, match="attempts"):
        fetch(server, tmp_path, retries=0)
    server.content = CONTENT[::-1]
    assert fetch(server, tmp_path).read_bytes() == CONTENT[::-1]
    assert server.asked[-1][1] is None


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges, server.cuts = False, [100_000]
    assert fetch(server, tmp_path, sha256=SHA256).read_bytes() == CONTENT


def test_halves_of_two_editions_are_not_joined(server: Server, tmp_path: Path) -> None:
    server.cuts = [100_000]
    finish = downloads._Transfer._receive

    def change_then_finish(self: Any, answer: Any, have: int) -> None:
        finish(self, answer, have)

    def first(self: Any, answer: Any, have: int) -> None:
        downloads._Transfer._receive = change_then_finish  # type: ignore[method-assign]
        server.content, server.etag = CONTENT[::-1], '"two"'
        finish(self, answer, have)

    downloads._Transfer._receive = first  # type: ignore[method-assign]
    try:
        assert fetch(server, tmp_path).read_bytes() == CONTENT[::-1]
    finally:
        downloads._Transfer._receive = finish  # type: ignore[method-assign]
    assert server.asked[-1][1] == "bytes=100000-"


def test_a_part_that_is_complete_or_too_long(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "new" / "file.bin.part"
    part.parent.mkdir()
    for content in (CONTENT, CONTENT + b"more"):
        part.write_bytes(content)
        assert fetch(server, tmp_path, sha256=SHA256).read_bytes() == CONTENT
        (tmp_path / "new" / "file.bin").unlink()


def test_a_server_that_sends_another_range(server: Server, tmp_path: Path) -> None:
    server.wrong_range, server.cuts = True, [100_000]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-", None]


@pytest.mark.parametrize(("name", "wrong"), [("sha256", "SHA-256"), ("md5", "MD5")])
def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(DataError, match=rf"file\.bin has .*{wrong} .*, not 00; it is another file"):
        fetch(server, tmp_path, **{name: "00"})
    assert left(tmp_path) == []


def test_a_file_of_another_content_is_replaced_and_stays_until_then(server: Server, tmp_path: Path) -> None:
    old = tmp_path / "new" / "file.bin"
    old.parent.mkdir()
    old.write_bytes(b"old")
    with pytest.raises(DataError):
        fetch(server, tmp_path, sha256="00")
    assert old.read_bytes() == b"old"
    assert fetch(server, tmp_path, sha256=SHA256).read_bytes() == CONTENT


def test_the_content_of_an_archive_is_compared_uncompressed(server: Server, tmp_path: Path) -> None:
    server.content = gzip.compress(CONTENT, 1)
    assert fetch(server, tmp_path, sha256=SHA256).read_bytes() == server.content
    (tmp_path / "new" / "file.bin").unlink()
    server.content = server.content[:-9]
    with pytest.raises(DataError, match="compressed data that is damaged"):
        fetch(server, tmp_path, sha256=SHA256)
    assert left(tmp_path) == []


def test_what_the_server_says_is_told(server: Server, tmp_path: Path) -> None:
    server.answers = [404]
    with pytest.raises(DataError, match=r"the server said 404 Not Found for http"):
        fetch(server, tmp_path)
    assert len(server.asked) == 1 and left(tmp_path) == []
    server.answers = [503, 429, 0]
    assert fetch(server, tmp_path).read_bytes() == CONTENT
    (tmp_path / "new" / "file.bin").unlink()
    server.answers = [503] * 3
    with pytest.raises(OSError, match=r"503 Service Unavailable; 3 attempts were made"):
        fetch(server, tmp_path, retries=2)


def test_what_does_not_pass_is_tried_once(tmp_path: Path) -> None:
    with pytest.raises(tg.DtypeError, match="http or https"):
        download_file("file:///etc/hostname", tmp_path / "x")
    with Server(("127.0.0.1", 0), Handler) as closed:
        url = closed.url()
    with pytest.raises(OSError, match=r"refused.*; 2 attempts"):
        download_file(url, tmp_path / "x", retries=1, backoff=0.001)


def test_the_bar(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    fetch(server, tmp_path, progress=True)
    assert "file.bin  100%  0.4 of 0.4 MB" in sys.stderr.getvalue() and sys.stderr.getvalue().endswith("\n")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    (tmp_path / "new" / "file.bin").unlink()
    fetch(server, tmp_path)  # no terminal
    assert sys.stderr.getvalue() == ""


def test_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    bar = downloads._Bar("file", 10_000_000, 200_000_000, clock=lambda: now[0])
    now[0] = 10.0
    bar.show(30_000_000)
    now[0] = 10.01
    bar.show(31_000_000)  # too soon after
    assert sys.stderr.getvalue().strip() == "file   15%  30.0 of 200.0 MB  2.0 MB/s  1:25 left"
    bar = downloads._Bar("file", 0, None, clock=lambda: now[0])
    now[0] = 12.01
    bar.end(1_000_000)
    assert sys.stderr.getvalue().rstrip().endswith("file  1.0 MB  0.5 MB/s")


def test_a_set_is_fetched_where_the_environment_says(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remotes = (
        downloads.Remote(server.url("/a.bin"), SHA256),
        downloads.Remote(server.url("/b.bin"), md5=MD5),
    )
    monkeypatch.setitem(downloads.SETS, "mnist", remotes)
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "data"))
    assert data.download("mnist") == tmp_path / "data" / "mnist" == data.data_folder() / "mnist"
    assert left(tmp_path) == ["a.bin", "b.bin"]
    with pytest.raises(FileNotFoundError, match="no train-images"):
        data.load_mnist(download=True)
    assert data.download("mnist", tmp_path / "other") == tmp_path / "other"
    assert [path for path, _ in server.asked] == ["/a.bin", "/b.bin"] * 2
    with pytest.raises(tg.ShapeError, match=r"'mnits' is known; there are mnist, fashion-mnist"):
        data.download("mnits")


def test_what_is_there_is_not_fetched_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = b"emma\nava\n"
    monkeypatch.setitem(downloads.SETS, "names", (downloads.Remote(server.url("/names.txt")),))
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for _ in range(2):
        assert data.load_names(download=True) == ["emma", "ava"]
    assert len(server.asked) == 1
    (tmp_path / "data").rename(tmp_path / "mine")
    assert data.load_names(tmp_path / "mine" / "names", download=True) == ["emma", "ava"]
    assert len(server.asked) == 1


def test_every_file_of_a_set_has_a_checksum() -> None:
    for remotes in downloads.SETS.values():
        for remote in remotes:
            assert len(remote.sha256 or "") == 64 or len(remote.md5 or "") == 32


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_CACHE_HOME", ".cache"),
        ("darwin", "", "Library/Caches"),
        ("win32", "LOCALAPPDATA", "AppData/Local"),
    ],
)
def test_the_cache_of_each_platform(
    platform: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TENSORGRAD_DATA", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    assert data.data_folder() == tmp_path / folder / "tensorgrad" / "data"
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "else"))
        assert data.data_folder() == tmp_path / "else" / "tensorgrad" / "data"


def test_nothing_of_the_network_is_loaded_by_importing() -> None:
    program = "import sys, tensorgrad.data; print([m for m in ('socket', 'ssl', 'urllib.request') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
