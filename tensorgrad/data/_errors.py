"""The exception of files that are not what they should be."""

from __future__ import annotations

from .._errors import TensorgradError


class DataError(TensorgradError, ValueError):
    """A file or a download is damaged, of another format, or not the one that was meant."""
