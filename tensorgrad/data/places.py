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


def find_folder(
    what: str,
    name: str,
    folder: str | os.PathLike[str] | None,
    files: Sequence[Sequence[str]],
    download: bool = False,
) -> Path:
    """The folder where a data set is: the given one, or by its name where data sets lie.

    Args:
        what: the function that asks, for the message.
        name: of the data set.
        folder: where it is said to be, if it is.
        files: which must be there; of the names in a group, one.
        download: fetch them if they are not.

    Raises:
        FileNotFoundError: a file is missing. The message says where it was looked for and how to fetch it.
    """
    named = [data_folder() / name, _cache() / "tensorgrad" / "data" / name]
    looked = list(dict.fromkeys(named)) if folder is None else [Path(folder)]
    lacking = [
        [group[0] for group in files if not any((place / file).exists() for file in group)]
        for place in looked
    ]
    nearest = min(range(len(looked)), key=lambda place: len(lacking[place]))
    if not lacking[nearest]:
        return looked[nearest]
    if download:
        from .downloads import download as fetch

        return fetch(name, folder)
    fetched = f"fetch it by tensorgrad.data.download({name!r}), or {what}(download=True)"
    raise FileNotFoundError(
        f"{what}: no {lacking[nearest][0]} in {' or '.join(map(str, looked))}; "
        + (fetched if folder is None else "is this the folder?")
    )


def _cache() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
