"""Answers that are written to files, and files that are sent: as a whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import IncusConnectionError, IncusNotFoundError, IncusProtocolError
from incus_sdk._disk import CHUNK, FileBody, in_thread
from incus_sdk._sink import Sink

from .daemon import Daemon, Request, error, reply, sync
from .transport.scripted.server import Peer

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


async def appeared(folder: Path, number: int) -> None:
    while len(files(folder)) < number:  # noqa: ASYNC110 - file systems set no events
        await asyncio.sleep(0.001)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing in it, unlike that of the daemon's socket."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


async def test_download(daemon: Daemon, folder: Path) -> None:
    daemon.will(reply(CONTENT), reply(CONTENT))
    api = daemon.api()
    assert await api.download("/1.0/x", folder / "x", {"a": 1}, sha256=SHA256.upper()) == len(CONTENT)
    assert files(folder) == {"x": CONTENT}
    file = io.BytesIO()
    assert await api.download("/1.0/x", file) == len(CONTENT)
    assert file.getvalue() == CONTENT
    assert daemon.targets == ["GET /1.0/x?a=1", "GET /1.0/x"]


async def test_a_file_that_was_there_is_replaced_at_the_end(daemon: Daemon, folder: Path) -> None:
    (folder / "x").write_bytes(b"before")
    going = asyncio.Event()

    async def slowly(peer: Peer, _: Request) -> None:
        head, half = reply(CONTENT)[:-1], reply(CONTENT)[-1:]
        await peer.send(head)
        await going.wait()
        await peer.send(half)

    daemon.will(slowly)
    task = asyncio.create_task(daemon.api().download("/1.0/x", str(folder / "x")))
    await appeared(folder, 2)
    assert files(folder)["x"] == b"before"
    going.set()
    await task
    assert files(folder) == {"x": CONTENT}


async def test_what_breaks_off_leaves_nothing(daemon: Daemon, folder: Path) -> None:
    async def cut_off(peer: Peer, _: Request) -> None:
        await peer.send(reply(CONTENT)[:-1])
        await peer.hang_up()

    daemon.will(cut_off)
    with pytest.raises(IncusConnectionError, match="cut off in its body"):
        await daemon.api().download("/1.0/x", folder / "x")
    assert files(folder) == {}


async def test_what_is_cancelled_leaves_nothing(daemon: Daemon, folder: Path) -> None:
    async def half(peer: Peer, _: Request) -> None:
        await peer.send(reply(CONTENT)[:-1])
        while await peer.reader.read(100):
            pass

    daemon.will(half)
    task = asyncio.create_task(daemon.api().download("/1.0/x", folder / "x"))
    while not any(files(folder).values()):  # noqa: ASYNC110 - file systems set no events
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(folder) == {}


async def test_what_is_refused_or_wrong_leaves_nothing(daemon: Daemon, folder: Path) -> None:
    daemon.will(error(404, "Image not found"), reply(CONTENT))
    api = daemon.api()
    with pytest.raises(IncusNotFoundError, match="Image not found"):
        await api.download("/1.0/x", folder / "x")
    with pytest.raises(IncusProtocolError, match=f"GET /1.0/x: what came has the SHA-256 {SHA256}, not 00"):
        await api.download("/1.0/x", folder / "x", sha256="00")
    assert files(folder) == {}


async def test_a_folder_that_is_not_there(daemon: Daemon, folder: Path) -> None:
    """Nothing is asked of the server then, which might begin something great."""
    with pytest.raises(FileNotFoundError):
        await daemon.api().download("/1.0/x", folder / "none" / "x")
    with pytest.raises(IsADirectoryError):
        await daemon.api().download("/1.0/x", folder)
    assert daemon.targets == []


async def test_what_is_no_file_is_written_to(daemon: Daemon, folder: Path) -> None:
    daemon.will(reply(CONTENT[:1000]), reply(CONTENT))
    api = daemon.api()
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):  # nobody reads
        await api.download("/1.0/x", pipe)
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        assert await api.download("/1.0/x", pipe) == 1000
        assert reader.read() == CONTENT[:1000]
    assert await api.download("/1.0/x", "/dev/null") == len(CONTENT)
    assert await asyncio.to_thread(Path("/dev/null").is_char_device)
    assert await asyncio.to_thread(pipe.is_fifo)


async def test_links_stay_and_modes_too(daemon: Daemon, folder: Path) -> None:
    (folder / "file").write_bytes(b"before")
    (folder / "file").chmod(0o640)
    (folder / "link").symlink_to("file")
    daemon.will(reply(CONTENT))
    await daemon.api().download("/1.0/x", folder / "link")
    assert files(folder) == {"file": CONTENT, "link": CONTENT}
    assert await asyncio.to_thread((folder / "link").is_symlink)
    assert (folder / "file").stat().st_mode & 0o777 == 0o640


async def test_upload(daemon: Daemon, folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(CONTENT)
    daemon.will(sync({}), sync({}))
    api = daemon.api()
    await api.post("/1.0/x", path)
    assert daemon.last.body == CONTENT
    assert daemon.last.headers["content-length"] == str(len(CONTENT))
    assert daemon.last.headers["content-type"] == "application/octet-stream"
    await api.request("POST", "/1.0/x", data=path, headers={"content-type": "x/y"})
    assert daemon.last.headers["content-type"] == "x/y"


async def test_files_that_cannot_be_read(daemon: Daemon, folder: Path) -> None:
    api = daemon.api()
    with pytest.raises(FileNotFoundError):
        await api.post("/1.0/x", folder / "none")
    with pytest.raises(IsADirectoryError):
        await api.post("/1.0/x", folder)
    assert not daemon.server.peers  # not even the head of a request, which would empty a file of that name


async def test_a_file_can_be_sent_twice(folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(CONTENT)
    body = FileBody(path)
    assert body.size == len(CONTENT)
    for _ in range(2):
        pieces = [piece async for piece in body]
        assert b"".join(pieces) == CONTENT
        assert max(map(len, pieces)) <= CHUNK


async def test_a_thread_is_waited_for() -> None:
    begun, going = asyncio.Event(), asyncio.Event()
    done: list[bool] = []
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(going.wait(), loop).result()
        done.append(True)

    task = asyncio.create_task(in_thread(work))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # once more
    loop.call_soon(going.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done


@pytest.mark.parametrize("target", [5, b"name", None])
def test_what_nothing_can_be_written_to(target: Any) -> None:
    with pytest.raises(TypeError, match=rf"^the answer: the target must be .*, not {type(target).__name__}$"):
        Sink(target)


def test_an_open_file_is_left_open(folder: Path) -> None:
    with (folder / "x").open("wb") as file:
        target: Any = file
        sink = Sink(target)
        sink.write(b"abc")
        sink.finish()
        sink.discard()
        file.write(b"d")
    assert files(folder) == {"x": b"abcd"}
