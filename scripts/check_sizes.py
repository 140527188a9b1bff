"""Fails where a source file or a function has outgrown one sitting (docs: CONTRIBUTING.md, "Size").

Files hold at most 500 lines, Python functions at most 60; tests and tables are apart. The length of
Rust functions is clippy's business (clippy.toml, `too-many-lines-threshold`).
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 500
FUNCTION_LINES = 60
ROOTS = ("src", "crates", "scripts", "bench", "fuzz", "examples")
SUFFIXES = {".py", ".pyi", ".rs"}
# Build output, and the corpora that fuzzing writes, are nobody's source.
OUTPUT = {"target", "corpus", "artifacts", "__pycache__"}
TEST_PARTS = {"tests", "benches"}
# A file says `table: <what it lists>` in its first lines where its length is a list's and not a
# program's.
TABLE_MARK = "table: "


def source_files(root: Path) -> Iterator[Path]:
    """Every source file under the roots that the limits hold for."""
    for top in ROOTS:
        for path in sorted((root / top).rglob("*")):
            parts = set(path.relative_to(root).parts)
            if path.suffix in SUFFIXES and path.is_file() and not parts & (OUTPUT | TEST_PARTS):
                yield path


def is_apart(path: Path, lines: list[str]) -> bool:
    """Say whether a file is a test or a table: those may be longer."""
    if path.stem.startswith("test_") or path.stem in {"tests", "table", "tables"}:
        return True
    return any(TABLE_MARK in line for line in lines[:5])


def program_lines(path: Path, lines: list[str]) -> int:
    """How many lines count: a Rust file's test module at its end is apart."""
    if path.suffix == ".rs":
        for number, line in enumerate(lines):
            if line.startswith("#[cfg(test)]") and lines[number + 1 : number + 2] == ["mod tests {"]:
                return number
    return len(lines)


def long_functions(text: str) -> Iterator[tuple[int, str, int]]:
    """Line, name and length of each Python function over the limit, decorators left out."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield node.lineno, node.name, length


def complaints(path: Path) -> Iterator[str]:
    """Tell what is too long in one file."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if is_apart(path, lines):
        return
    counted = program_lines(path, lines)
    if counted > FILE_LINES:
        yield f"{path}: {counted} lines, at most {FILE_LINES}: split it by noun"
    if path.suffix == ".py":
        for line, name, length in long_functions(text):
            yield f"{path}:{line}: {name} has {length} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """Print every complaint; the status says whether there was one."""
    found = [complaint for path in source_files(Path()) for complaint in complaints(path)]
    for complaint in found:
        print(complaint)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
