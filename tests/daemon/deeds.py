"""The kinds of calls that a daemon is killed under, each with a way to tell afterwards whether the client was right."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from incus_sdk import Client, IncusNotFoundError

from ..contract.support import MIB, NOTHING, Face, call, entered
from .beliefs import Belief

__all__ = ["ALL", "Deed", "Stage"]


@dataclass(slots=True)
class Stage:
    """What the deeds of one test share.

    Attributes:
        face: The face that the client is of.
        client: Makes the calls.
        box: Name of a running instance.
        tag: Begins all names that are made.
        back: Set once the daemon was away and is back.
    """

    face: Face
    client: Client
    box: str
    tag: str
    back: asyncio.Event = field(default_factory=asyncio.Event)


class Deed:
    """One kind of call, made over and over with another number each time.

    Deeds are written for both faces as the contract tests are. Results that are wrong on the face of it fail at once.
    """

    changes: ClassVar[bool] = True
    """Whether it changes something on the server."""

    repeated: ClassVar[bool] = False
    """Whether the client can repeat it as a whole, so that it must not fail at all."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.client = stage.client
        self.name = f"{stage.tag}-{type(self).__name__.lower()}"

    async def prepare(self, admin: Client) -> None:
        """Make what the calls need."""

    async def once(self, number: int) -> None:
        """Make the call."""
        raise NotImplementedError

    async def check(self, admin: Client) -> None:
        """Compare what the calls have said with the server."""


class Get(Deed):
    changes = False
    repeated = True

    async def once(self, number: int) -> None:
        _expect((await call(self.client.instances.get(self.stage.box))).name, self.stage.box)


class ListInFull(Deed):
    changes = False
    repeated = True

    async def once(self, number: int) -> None:
        found = {instance.name: instance for instance in await call(self.client.instances.list(2))}
        box = found[self.stage.box]
        # A server in its last moments fills in for instances that it can no longer read, and says so by this status.
        assert box.state or box.status == "Error", f"no state of {box.to_dict()}"


class Download(Deed):
    changes = False
    repeated = True
    content = bytes(range(256)) * (2 * MIB // 256)

    async def prepare(self, admin: Client) -> None:
        await admin.instances.put_files(self.stage.box, f"/tmp/{self.name}", self.content)

    async def once(self, number: int) -> None:
        _expect(await call(self.client.instances.get_files(self.stage.box, f"/tmp/{self.name}")), self.content)


class StreamDown(Download):
    """The same piece by piece. What has been read cannot be taken back, so it may fail, but never end early."""

    repeated = False

    async def once(self, number: int) -> None:
        path = f"/1.0/instances/{self.stage.box}/files"
        pieces: list[bytes] = []
        async with entered(self.client.api.stream("GET", path, {"path": f"/tmp/{self.name}"})) as answer:
            while piece := await call(answer.read(MIB)):
                pieces.append(piece)
        _expect(b"".join(pieces), self.content)


class Post(Deed):
    """Things that are made and removed at once: POST and DELETE without an operation."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.there: dict[str, Belief[bool]] = {}

    async def once(self, number: int) -> None:
        name = f"{self.name}-{number}"
        there = self.there[name] = Belief(False)
        with there.change(True):
            await self.make(name)
        if number % 2:
            with there.change(False):
                await self.remove(name)

    async def make(self, name: str) -> None:
        await call(self.client.api.post("/1.0/profiles", {"name": name}))

    async def remove(self, name: str) -> None:
        await call(self.client.api.delete(f"/1.0/profiles/{name}"))

    async def names(self, admin: Client) -> set[str]:
        return {path.rpartition("/")[2] for path in (await admin.api.get("/1.0/profiles"))["metadata"]}

    async def check(self, admin: Client) -> None:
        actual = await self.names(admin)
        for name, there in self.there.items():
            there.check(f"that {name} exists", name in actual)
        self.there = {}


class Create(Post):
    """The same in the background."""

    async def make(self, name: str) -> None:
        _expect((await call(self.client.instances.create(name, NOTHING, wait=True))).name, name)

    async def remove(self, name: str) -> None:
        await call(self.client.instances.delete(name, wait=True))

    async def names(self, admin: Client) -> set[str]:
        return set(await admin.instances.names())


class Launch(Create):
    async def once(self, number: int) -> None:
        name = f"{self.name}-{number}"
        there = self.there[name] = Belief(False)
        with there.change(True):
            launched = await call(self.client.instances.launch("busybox", name, profiles=[], devices=ROOT_DISK))
        _expect((launched.name, launched.status), (name, "Running"))


class Patch(Deed):
    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.value = Belief("")

    async def prepare(self, admin: Client) -> None:
        await admin.instances.create(self.name, NOTHING, {"user.value": ""}, wait=True)

    async def once(self, number: int) -> None:
        with self.value.change(str(number)):
            await call(self.client.instances.update(self.name, {"user.value": number}))

    async def check(self, admin: Client) -> None:
        actual = (await admin.instances.get(self.name)).config.get("user.value", "")
        self.value.check(f"the value of {self.name}", actual)


class Put(Patch):
    async def once(self, number: int) -> None:
        def change(draft: Any) -> None:
            draft["config"]["user.value"] = str(number)

        with self.value.change(str(number)):
            await call(self.client.instances.modify(self.name, change))


class Upload(Deed):
    """A file that is written, and added to: what is added twice shows."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.path = f"/tmp/{self.name}"
        self.content = Belief(b"")

    async def once(self, number: int) -> None:
        start = number.to_bytes(4, "big")
        block = start * (MIB // 2)
        with self.content.change(start, tears=True):
            await call(self.client.instances.put_files(self.stage.box, self.path, start))
        with self.content.change(start + block, tears=True):
            await call(self.client.instances.put_files(self.stage.box, self.path, block, append=True))

    async def check(self, admin: Client) -> None:
        self.content.check(f"the content of {self.path}", await _content(admin, self.stage.box, self.path))


class StreamUp(Upload):
    """A file that is written from an iterator, which can never be used twice."""

    async def once(self, number: int) -> None:
        content = number.to_bytes(4, "big") * (MIB // 2)
        pieces = _split(content)
        data = pieces if self.stage.face.blocking else _asynchronous(pieces)
        path = f"/1.0/instances/{self.stage.box}/files?path={self.path}"
        with self.content.change(content, tears=True):
            await call(self.client.api.request("POST", path, data=cast("AsyncIterable[bytes]", data)))


class Execute(Deed):
    """Commands with recorded output. They leave a line each, which shows whether one was run twice."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.lines: dict[str, Belief[int]] = {}

    async def once(self, number: int) -> None:
        command = ["sh", "-c", f"echo {number} >> /tmp/{self.name}; echo {number}; exit 7"]
        lines = self.lines[str(number)] = Belief(0)
        with lines.change(1):
            done = await call(self.client.instances.execute(self.stage.box, command, record_output=True, wait=True))
        _expect((done.returncode, done.stdout), (7, f"{number}\n"))

    async def check(self, admin: Client) -> None:
        actual = Counter((await _content(admin, self.stage.box, f"/tmp/{self.name}")).decode().split())
        for number, lines in self.lines.items():
            lines.check(f"how often command {number} was run", actual[number])


class Wait(Deed):
    async def once(self, number: int) -> None:
        answer = await call(self.client.instances.execute(self.stage.box, ["sh", "-c", "sleep 0.2; exit 7"]))
        _expect((await call(answer.wait())).returncode, 7)


class Events(Deed):
    """A websocket that is listened to until the daemon is gone."""

    changes = False

    async def once(self, number: int) -> None:
        events = await call(self.client.api.websocket("/1.0/events", {"type": "lifecycle"}))
        try:
            while True:
                event = json.loads(await call(events.recv()))
                _expect(event["type"], "lifecycle")
                if self.stage.back.is_set():
                    return
        finally:
            await call(events.close())


ALL: tuple[type[Deed], ...] = (
    Get,
    ListInFull,
    Download,
    StreamDown,
    Post,
    Create,
    Launch,
    Patch,
    Put,
    Upload,
    StreamUp,
    Execute,
    Wait,
    Events,
)

ROOT_DISK = {"root": {"type": "disk", "path": "/", "pool": "default"}}
"""Device of an instance that has no profile."""


def _expect(actual: object, wanted: object) -> None:
    """Fail if a call has returned something else; pytest explains no asserts outside of test modules."""
    if actual != wanted:
        sizes = f" ({len(actual)} bytes)" if isinstance(actual, bytes) else ""
        raise AssertionError(f"it returned {actual!r:.100}{sizes} instead of {wanted!r:.100}")


async def _content(admin: Client, instance: str, path: str) -> bytes:
    try:
        return await admin.instances.get_files(instance, path)
    except IncusNotFoundError:
        return b""


def _split(content: bytes, size: int = MIB // 4) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


async def _asynchronous(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
