"""Special functions: of the error, gamma, beta and Bessel families, and what statistics makes of them.

Loaded on first use, so that importing tensorgrad stays light.
"""

from __future__ import annotations

__all__: list[str] = []
