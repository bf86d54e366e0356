"""How the code blocks of the documentation are run; `docs/snippets.py` tells how they are written."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from docs.snippets import ROOT, Block, blocks_of

__all__ = ["PAGES", "ROOT", "Block", "blocks_of", "fits", "run"]

PAGES = sorted(path for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")] if "_build" not in path.parts)


async def run(code: str, block: Block, names: dict[str, Any], environ: dict[str, str], folder: Path) -> str:
    """Run the code of a block in the names of its page, or on its own if it is a program; return what it prints."""
    if re.search(r"^import pytest$", code, re.MULTILINE):
        tests = folder / "test_page.py"
        tests.write_text(code)
        options = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--asyncio-mode=auto"]
        scope = ["-o", "asyncio_default_fixture_loop_scope=function"]
        return await asyncio.to_thread(_program, [*options, *scope, str(tests)], environ, folder)
    if any("asyncio.run(" in each for each in block.code.values()):
        return await asyncio.to_thread(_program, ["-W", "error", "-c", code], environ, folder)
    padded = "\n" * (block.line - 1) + code  # so that tracebacks show the line in the page
    compiled = compile(padded, str(block.page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        if not compiled.co_flags & inspect.CO_COROUTINE:
            await asyncio.to_thread(exec, compiled, names)
        else:
            await eval(compiled, names)
    return printed.getvalue()


def _program(options: list[str], environ: dict[str, str], folder: Path) -> str:
    command = [sys.executable, *options]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout


def fits(printed: str, wanted: str) -> bool:
    """Whether the output is the one in the page, where `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in wanted.strip().split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
