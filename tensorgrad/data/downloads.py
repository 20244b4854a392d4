"""Downloads, on explicit call only: resumed where they were cut, checked, and put in place whole."""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable
from hashlib import md5 as md5_hash
from hashlib import sha256 as sha256_hash
from pathlib import Path
from typing import Any, NamedTuple

from .._errors import DtypeError, FileFormatError, ShapeError
from .._version import __version__
from .idx import open_payload
from .mnist import FASHION_CONTENT, FOUR
from .places import data_folder

CHUNK = 1 << 17
FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
KARPATHY = "https://raw.githubusercontent.com/karpathy"


class Remote(NamedTuple):
    """A file somewhere: its address, and the SHA-256 of its content uncompressed, or the MD5 of the file."""

    url: str
    sha256: str | None = None
    md5: str | None = None


SETS: dict[str, tuple[Remote, ...]] = {
    "mnist": tuple(
        Remote(f"{MNIST}/{file}.gz", md5=digest) for file, digest in zip(FOUR, MNIST_MD5, strict=True)
    ),
    "fashion-mnist": tuple(
        Remote(f"{FASHION}/{file}.gz", digest) for file, digest in FASHION_CONTENT.items()
    ),
    "cifar-10": (
        Remote(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", md5="c32a1d4ab5d03f1284b67883e8d87530"
        ),
    ),
    "tinyshakespeare": (
        Remote(
            f"{KARPATHY}/char-rnn/master/data/tinyshakespeare/input.txt",
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    ),
    "names": (
        Remote(
            f"{KARPATHY}/makemore/master/names.txt",
            "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
        ),
    ),
}


def download(
    name: str, folder: str | os.PathLike[str] | None = None, *, progress: bool | None = None, retries: int = 4
) -> Path:
    """Fetch the files of a data set that are not there yet.

    Args:
        name: ``mnist``, ``fashion-mnist``, ``cifar-10``, ``tinyshakespeare`` or ``names``.
        folder: where to, by default a folder of that name in `tensorgrad.data.data_folder`.
        progress: show a bar on the standard error; by default if that is a terminal.
        retries: how often to try again where the connection fails.

    Returns:
        The folder.

    Raises:
        FileFormatError: what came is not what is published under that name.
        OSError: the server cannot be reached, or nothing can be written.
    """
    if name not in SETS:
        raise ShapeError(f"download: no data set {name!r} is known; there are {', '.join(SETS)}")
    place = data_folder() / name if folder is None else Path(folder)
    for remote in SETS[name]:
        path = place / remote.url.rpartition("/")[2]
        download_file(
            remote.url, path, sha256=remote.sha256, md5=remote.md5, progress=progress, retries=retries
        )
    return place


def download_file(
    url: str,
    path: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    progress: bool | None = None,
    retries: int = 4,
    backoff: float = 1.0,
    timeout: float = 30.0,
) -> Path:
    """Fetch a file, unless it is there already with the right content.

    What has come is kept in ``path`` with ``.part`` behind; a later call goes on from there if it has a checksum
    to tell whether both halves belong together. ``path`` itself appears only when it is complete.

    Args:
        url: the address, http or https.
        path: where the file is to be; missing folders are made.
        sha256: of the content, uncompressed if it is compressed by gzip, in hexadecimal digits.
        md5: of the file as it is.
        progress: show a bar on the standard error; by default if that is a terminal.
        retries: how often to try again where the connection fails or the server is busy.
        backoff: how many seconds to wait before that; each time twice as many.
        timeout: after how many seconds of silence a connection has failed.

    Returns:
        ``path``.

    Raises:
        FileFormatError: the checksum is another one, of which nothing is left then; or the server refuses.
        OSError: the server cannot be reached, or nothing can be written.
    """
    if not url.startswith(("http://", "https://")):
        raise DtypeError(f"download_file: {url!r} given; an address of http or https is needed")
    path = Path(path)
    if path.exists() and not _mismatch(path, sha256, md5):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    if not (sha256 or md5):
        part.unlink(missing_ok=True)
    transfer = _Transfer(url, part, timeout, sys.stderr.isatty() if progress is None else progress)
    for attempt in range(retries + 1):
        try:
            transfer.run()
            break
        except _Refused as error:
            raise FileFormatError(f"download_file: {error} for {url}") from None
        except OSError as error:  # timeouts, and what urllib and http make of lost connections
            if attempt == retries or not _may_pass(error):
                raise type(error)(
                    f"download_file: {url}: {error}; {attempt + 1} attempts were made"
                ) from error
            time.sleep(backoff * 2**attempt)
    wrong = _mismatch(part, sha256, md5)
    if wrong:
        part.unlink()
        raise FileFormatError(
            f"download_file: {url} has {wrong}; it is another file, or was damaged on the way"
        )
    os.replace(part, path)
    return path


class _Refused(Exception):
    """The server's last word."""


class _Cut(OSError):
    """The connection ended before the file did, or the server asks to try again."""


class _Transfer:
    """One file on its way into ``part``; each run goes on where the last one ended."""

    def __init__(self, url: str, part: Path, timeout: float, progress: bool) -> None:
        self.url, self.part, self.timeout, self.progress = url, part, timeout, progress
        self.version = ""  # which edition of the file the first half is of, as far as the server says

    def run(self) -> None:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"User-Agent": f"tensorgrad/{__version__}", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.version:
                headers["If-Range"] = self.version
        try:
            with urlopen(Request(self.url, headers=headers), timeout=self.timeout) as answer:
                self._receive(answer, have)
        except HTTPError as error:
            with error:
                self._refused(error, have)
        except HTTPException as error:
            raise _Cut(f"{type(error).__name__}: {error}") from error

    def _receive(self, answer: Any, have: int) -> None:
        if answer.status != 206:  # the whole file: the server knows no ranges, or the file is a new one
            have = 0
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            self.part.unlink()
            raise _Cut(f"the server sent the range {answer.headers.get('Content-Range')!r}")
        strong = answer.headers.get("ETag", "")
        self.version = strong if not strong.startswith("W/") else answer.headers.get("Last-Modified", "")
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        bar = _Bar(self.part.stem, have, total) if self.progress else None
        with self.part.open("ab" if have else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if bar:
                    bar.show(have)
            file.flush()
            os.fsync(file.fileno())
        if bar:
            bar.end(have)
        if total is not None and have != total:
            raise _Cut(f"{have} of {total} bytes came")

    def _refused(self, error: Any, have: int) -> None:
        if error.code == 416 and have:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # all of it had come
            self.part.unlink()
            raise _Cut("the first half is of another file")
        if error.code in (408, 429) or error.code >= 500:
            raise _Cut(f"the server said {error.code} {error.reason}")
        raise _Refused(f"the server said {error.code} {error.reason}")


class _Bar:
    """A line on the standard error: how much, how fast, how long yet."""

    def __init__(
        self, name: str, have: int, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name, self.first, self.total, self.clock = name, have, total, clock
        self.start, self.shown = clock(), -1.0

    def show(self, have: int, *, now: bool = False) -> None:
        """Write the line again, unless it was written a moment ago."""
        passed = self.clock() - self.start
        if not now and passed - self.shown < 0.1:
            return
        self.shown = passed
        rate = (have - self.first) / max(passed, 1e-9)
        text = f"{self.name}  {have / 1e6:.1f} MB"
        if self.total is not None:
            text = f"{self.name}  {have / max(self.total, 1):4.0%}  {have / 1e6:.1f} of {self.total / 1e6:.1f} MB"
        text += f"  {rate / 1e6:.1f} MB/s"
        if self.total is not None and rate > 0:
            left = round((self.total - have) / rate)
            text += f"  {left // 60}:{left % 60:02d} left"
        print(f"\r{text:<78}", end="", file=sys.stderr, flush=True)

    def end(self, have: int) -> None:
        """Write the line a last time."""
        self.show(have, now=True)
        print(file=sys.stderr)


def _may_pass(error: OSError) -> bool:
    """Whether a failure is of the connection; a full disk or a name that nobody knows will not pass."""
    from urllib.error import URLError

    reason = error.reason if isinstance(error, URLError) else error
    return isinstance(reason, _Cut | ConnectionError | TimeoutError)


def _mismatch(path: Path, sha256: str | None, md5: str | None) -> str:
    """What is wrong with the checksums of a file, or nothing."""
    try:
        if sha256 and (found := _digest(sha256_hash(), open_payload(path))) != sha256.lower():
            return f"content with SHA-256 {found}, not {sha256}"
    except (EOFError, OSError, zlib.error) as error:
        return f"compressed data that is damaged ({error})"
    if md5 and (found := _digest(md5_hash(usedforsecurity=False), path.open("rb"))) != md5.lower():
        return f"MD5 {found}, not {md5}"
    return ""


def _digest(of: Any, opened: Any) -> str:
    with opened as file:
        while chunk := file.read(CHUNK):
            of.update(chunk)
    return str(of.hexdigest())
