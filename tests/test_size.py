"""The engine proper stays readable in an hour: its lines are counted here."""

from __future__ import annotations

import io
import tokenize
from pathlib import Path

import tensorgrad as tg

ENGINE = ["_config.py", "_primitive.py", "_tape.py", "_tensor.py"]
LIMIT = 1_200
# What the engine stands on besides: the writer of entries, the general path, the gates.
BESIDES = ["_data.py", "_gates.py", "_levels.py", "_record.py", "_specialise.py", "_writer.py"]
LIMIT_OF_ALL = 2_000

NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
}  # fmt: skip


def lines_of_code(text: str) -> int:
    """Lines that hold code: not blank, no comment, and no string that stands as a statement by itself."""
    lines: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            if not all(part.type == tokenize.STRING for part in statement):
                for part in statement:
                    lines.update(range(part.start[0], part.end[0] + 1))
            statement = []
        elif token.type not in NO_CODE:
            statement.append(token)
    return len(lines)


def test_what_counts_as_code():
    head = '"""Doc\n\nstring."""\n\n# comment\nx = 1  # one\n\n\n'
    function = 'def f(\n    a,\n):\n    """Doc."""\n    return """two\nlines"""\n'
    assert lines_of_code(head) == 1
    assert lines_of_code(head + function) == 1 + 3 + 2
    assert lines_of_code('"only text"\n') == lines_of_code("") == 0


def test_the_engine_is_short():
    folder = Path(tg.__file__).parent
    code = {}
    for name in [*ENGINE, *BESIDES]:
        text = (folder / name).read_text(encoding="utf-8")
        code[name] = lines_of_code(text)
        print(f"{name:16} {code[name]:5} lines of code, {len(text.splitlines()):5} in all")
    proper, whole = sum(code[name] for name in ENGINE), sum(code.values())
    print(f"{'engine proper':16} {proper:5} lines of code (limit {LIMIT:,})")
    print(f"{'with the rest':16} {whole:5} lines of code (limit {LIMIT_OF_ALL:,})")
    assert proper <= LIMIT and whole <= LIMIT_OF_ALL
