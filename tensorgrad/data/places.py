"""Where data sets lie on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def data_folder() -> Path:
    """Where downloads go: the folder that ``TENSORGRAD_DATA`` names, else one in the user's cache.

    The cache is ``XDG_CACHE_HOME`` or ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS, and
    ``LOCALAPPDATA`` on Windows. The folder need not exist.
    """
    named = os.environ.get("TENSORGRAD_DATA")
    return Path(named).expanduser() if named else _cache() / "tensorgrad" / "data"


def find_folder(what: str, name: str, folder: str | os.PathLike[str] | None, files: Sequence[str]) -> Path:
    """The folder of a data set that has one of ``files``: the given one, or by its name where data sets lie.

    Raises:
        FileNotFoundError: none is there. The message says where it was looked for and how to fetch it.
    """
    looked = (
        [Path(folder)]
        if folder is not None
        else [data_folder() / name, _cache() / "tensorgrad" / "data" / name]
    )
    for place in looked:
        if any((place / file).exists() for file in files):
            return place
    places = " or ".join(dict.fromkeys(map(str, looked)))
    fetched = f"fetch it by tensorgrad.data.download({name!r}), or {what}(download=True)"
    way_out = fetched if folder is None else "is this the folder?"
    raise FileNotFoundError(f"{what}: no {files[0]} in {places}; {way_out}")


def _cache() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
