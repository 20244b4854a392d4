"""The colours of a drawn graph as style rules, for light and dark paper."""

from __future__ import annotations

from tensorgrad.viz._heat import STEPS
from tensorgrad.viz._scene import BoxKind

NAME, DETAIL = 13.0, 11.0

FILL: dict[BoxKind, tuple[str, str]] = {
    "input": ("violet-fill", "violet"),
    "captured": ("green-fill", "green"),
    "constant": ("grey-fill", "grey"),
    "value": ("blue-fill", "blue"),
    "forward": ("blue-fill", "blue"),
    "backward": ("orange-fill", "orange"),
    "cut": ("paper", "red"),
    "output": ("violet-fill", "violet"),
    "write": ("green-fill", "green"),
    "reference": ("paper", "grey"),
}
RULES: list[tuple[str, str]] = [
    (".tg .name", f"font-size:{NAME}px;font-weight:600"),
    (".tg .detail", f"font-size:{DETAIL}px;fill:$faint"),
    (".tg .said", f"font-size:{DETAIL}px"),
    (".tg .rule", "stroke:$line;stroke-width:0.8;stroke-opacity:0.6"),
    (".tg .title", "font-size:17px;font-weight:600"),
    (".tg .link", "fill:none;stroke-width:1.3"),
    (".tg .box", "stroke-width:1.3"),
    *((f".tg .{kind} .box", f"fill:${fill};stroke:${stroke}") for kind, (fill, stroke) in FILL.items()),
    (".tg .output .box,.tg .write .box", "stroke-width:2.6"),
    (".tg .reference .box,.tg .value .box", "stroke-dasharray:3 3"),
    (".tg .cut .box", "stroke-dasharray:7 3;stroke-width:2"),
    (".tg .module-frame", "fill:$ground;stroke:$frame;stroke-width:1.3"),
    (
        ".tg .module-name",
        f"font-size:{DETAIL}px;font-weight:600;fill:$faint;stroke:$ground;stroke-width:3;paint-order:stroke",
    ),
    (".tg .inner", "fill:none;stroke-width:1;stroke:$line"),
    *((f".tg .{kind} .inner", f"stroke:${FILL[kind][1]}") for kind in ("forward", "backward")),
    (".tg .reference .name", "font-weight:400;font-size:11px;fill:$faint"),
    (".tg .constant .name", "font-weight:400"),
    (".tg .forward .link,.tg .untracked .link", "stroke:$line"),
    (".tg .forward .head,.tg .untracked .head", "fill:$line"),
    (".tg .untracked .link", "stroke-dasharray:1.5 3"),
    (".tg .backward .link,.tg .saved .link", "stroke:$orange"),
    (".tg .backward .head,.tg .saved .head", "fill:$orange"),
    (".tg .saved .link", "stroke-dasharray:4 3;stroke-width:1.1"),
    (".tg .bar.forward", "fill:$blue"),
    (".tg .bar.backward", "fill:$orange"),
    # Gradient flow: the ground is the heat, the frame stays that of the kind.
    *((f".tg .heat-{step} .box", f"fill:$heat-{step}") for step in range(STEPS)),
    (".tg .scale .box", "stroke:none"),
    *((f".tg .heat-{step} .detail", "fill:$ink") for step in range(STEPS)),
    (".tg .heat-none .box,.tg .heat-zero .box,.tg .heat-bad .box", "fill:$paper"),
    (".tg .heat-none .box", "stroke:$grey"),
    (".tg .heat-zero .box", "stroke-dasharray:2 4;stroke-width:2.6;stroke:$ink"),
    (".tg .heat-bad .box", "stroke:$red;stroke-width:4"),
    (".tg .alarm", "fill:$red"),
    (".tg .warning", f"font-size:{DETAIL}px;font-weight:600;fill:$paper"),
]
