"""How `python -m incus_sdk` copies files: piece by piece, so that their size does not matter."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from .._local_streams import LocalInput, LocalOutput
from .._paths import fill, quote_file
from .._sink import Sink, write_all
from ..exceptions import IncusArgumentError, IncusError
from ._arguments import STREAM

if TYPE_CHECKING:
    from argparse import Namespace

    from ..api_client import StreamResponse
    from ..client import Client

__all__ = ["pull", "push"]

HOPS = 40
"""Symbolic links that are followed, as many as Linux does."""


async def push(client: Client, options: Namespace) -> int:
    """Copy a file into an instance; a new one gets the permissions that it has here."""
    name, path = options.target
    headers = {"X-Incus-type": "file", "X-Incus-write": "overwrite"}
    if options.source == STREAM:
        if path.endswith("/"):
            raise IncusArgumentError(f"{path!r} is a folder: what comes from standard input needs the name of a file")
        with closing(LocalInput()) as source:
            await client.api.operation("POST", _url(name, path), _pieces(source), None, headers)
        return 0
    file = Path(options.source)
    mode = _mode(file)
    url = _url(name, f"{path}{file.name}" if path.endswith("/") else path)
    headers["X-Incus-mode"] = f"{stat.S_IMODE(mode):04o}"
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        await client.api.operation("POST", url, file, None, headers)
        return 0
    with _opened(file) as source:  # a pipe, whose size shows at its end
        await client.api.operation("POST", url, _pieces(source), None, headers)
    return 0


async def pull(client: Client, options: Namespace) -> int:
    """Copy a file out of an instance; a new one gets the permissions that it has there."""
    name, path = options.source
    url = _url(name, path)
    for _ in range(HOPS):
        async with client.api.stream("GET", url) as response:
            kind = response.header("x-incus-type")
            if kind == "directory":
                raise IncusArgumentError(f"{path!r} in {name} is a folder: pull copies single files")
            if kind != "symlink":
                await _save(response, options.target, PurePosixPath(path).name)
                return 0
            url = _url(name, await response.read())  # where it leads to, as an absolute path
    raise IncusError(f"{path!r} in {name} leads through more than {HOPS} symbolic links, or back to itself")


async def _save(response: StreamResponse, target: str, name: str) -> None:
    if target == STREAM:
        sys.stdout.flush()
        with closing(LocalOutput()) as output:
            async for piece in response:
                await output.write(piece)
        return
    file, mode = _place(target, name), int(response.header("x-incus-mode") or "0644", 8)
    new = not _exists(file)
    with Sink(file) as sink:
        await write_all(response, sink)
    if new:
        file.chmod(mode & ~_umask())


def _place(target: str, name: str) -> Path:
    file = Path(target)
    return file / name if file.is_dir() else file


def _exists(file: Path) -> bool:
    return file.exists()


def _mode(file: Path) -> int:
    return file.stat().st_mode


@contextmanager
def _opened(file: Path) -> Generator[LocalInput]:
    with file.open("rb", buffering=0) as opened, closing(LocalInput(opened.fileno())) as source:
        yield source


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


async def _pieces(source: LocalInput) -> AsyncGenerator[bytes]:
    while piece := await source.read():
        yield piece


def _url(name: str, path: Any) -> str:
    return f"{fill('/1.0/instances/{name}/files', {'name': name})}?path={quote_file(path)}"
