"""Images in two files: as they are sent, and as they are taken apart and checked."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from incus_sdk import IncusArgumentError, IncusConnectionError, IncusProtocolError
from incus_sdk._forms import Form, PartReader

from .daemon import Daemon, reply, started

METADATA, ROOTFS = bytes(range(256)) * 300, b"\r\n--\r\n--edge--\r\n" * 5000
FINGERPRINT = hashlib.sha256(METADATA + ROOTFS).hexdigest()
PATH = f"/1.0/images/{FINGERPRINT}/export"


def answer(
    *parts: tuple[str, bytes], boundary: str = "edge-of-parts", end: str = "--\r\n\r\n--edge-of-parts--\r\n"
) -> bytes:
    """What servers send: their last boundary comes twice."""
    head = 'Content-Disposition: form-data; name="{0}"; filename="{0}-x.tar"\r\nContent-Type: application/octet-stream'
    pieces = [f"--{boundary}\r\n{head.format(name)}\r\n\r\n".encode() + content + b"\r\n" for name, content in parts]
    return b"".join(pieces) + f"--{boundary}{end}".encode()


BOTH = answer(("metadata", METADATA), ("rootfs.img", ROOTFS))
HEADERS = {"Content-Type": "multipart/form-data; boundary=edge-of-parts", "X-Incus-Type": "incus"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing in it, unlike that of the daemon's socket."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


# -- taken apart ------------------------------------------------------------------------------------------------------


def taken_apart(pieces: list[bytes], boundary: str = "edge-of-parts") -> tuple[dict[str, bytes], bool]:
    found: dict[str, bytearray] = {}

    def begin(name: str) -> object:
        return found.setdefault(name, bytearray()).extend

    reader = PartReader(boundary, begin)  # type: ignore[arg-type]  # extend takes bytes
    for piece in pieces:
        reader.feed(piece)
    return {name: bytes(content) for name, content in found.items()}, reader.done


@pytest.mark.parametrize("seed", range(20))
def test_pieces_of_any_size(seed: int) -> None:
    chance = random.Random(seed)
    whole = answer(("metadata", METADATA[:300]), ("empty", b""), ("rootfs", ROOTFS[:700]))
    cuts = sorted(chance.randrange(len(whole)) for _ in range(chance.choice([0, 3, 50, 900])))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    parts = {"metadata": METADATA[:300], "empty": b"", "rootfs": ROOTFS[:700]}
    assert taken_apart(pieces) == (parts, True)


def test_every_end_but_the_last_is_too_early() -> None:
    whole = answer(("metadata", b"abc"), end="--")
    assert taken_apart([whole]) == ({"metadata": b"abc"}, True)
    for end in range(len(whole)):
        assert not taken_apart([whole[:end]])[1], end


def test_headers_without_end() -> None:
    with pytest.raises(IncusProtocolError, match="no end of them"):
        taken_apart([b"--edge-of-parts\r\n", b"x" * 20_000])


# -- downloads --------------------------------------------------------------------------------------------------------


async def test_download(daemon: Daemon, folder: Path) -> None:
    daemon.will(reply(BOTH, 200, HEADERS))
    size = await daemon.client().images.export(FINGERPRINT, folder / "m", folder / "r")
    assert size == len(METADATA + ROOTFS)
    assert files(folder) == {"m": METADATA, "r": ROOTFS}
    assert daemon.targets == [f"GET {PATH}"]


async def test_nothing_stays_of_another_image(daemon: Daemon, folder: Path) -> None:
    other = answer(("metadata", METADATA), ("rootfs", ROOTFS[1:]))
    daemon.will(reply(other, 200, HEADERS), reply(b"image", 200, {"X-Incus-Type": "incus"}))
    images = daemon.client().images
    (folder / "m").write_bytes(b"before")
    for _ in range(2):
        with pytest.raises(IncusProtocolError, match=f"SHA-256 .*, not {FINGERPRINT}"):
            await images.export(FINGERPRINT, folder / "m", folder / "r")
    assert files(folder) == {"m": b"before"}


@pytest.mark.parametrize(
    "body",
    [
        answer(("metadata", METADATA)),
        answer(("metadata", METADATA), ("rootfs", ROOTFS), end=""),
        answer(("metadata", METADATA), ("metadata", ROOTFS)),
        answer(("metadata", METADATA), ("other", ROOTFS)),
        b"",
    ],
    ids=["one file", "no end", "twice", "unknown", "empty"],
)
async def test_answers_that_are_not_whole(daemon: Daemon, folder: Path, body: bytes) -> None:
    daemon.will(reply(body, 200, HEADERS))
    with pytest.raises(IncusProtocolError, match=r"both files|unexpected part"):
        await daemon.client().images.export(FINGERPRINT, folder / "m", folder / "r")
    assert files(folder) == {}


async def test_a_connection_that_breaks(daemon: Daemon, folder: Path) -> None:
    async def break_off(peer: object, _: object) -> None:
        await peer.send(reply(BOTH, 200, HEADERS)[:-9])  # type: ignore[attr-defined]  # a Peer
        peer.cut()  # type: ignore[attr-defined]  # (the same)

    daemon.will(break_off)
    with pytest.raises(IncusConnectionError):
        await daemon.client(retries=0).images.export(FINGERPRINT, folder / "m", folder / "r")
    assert files(folder) == {}


async def test_two_files_need_two_places(daemon: Daemon, folder: Path) -> None:
    daemon.will(reply(BOTH, 200, HEADERS))
    with pytest.raises(IncusArgumentError, match="rootfs="):
        await daemon.client().images.export(FINGERPRINT, folder / "m")
    assert files(folder) == {}


async def test_where_nothing_can_be_written(daemon: Daemon, folder: Path) -> None:
    """That is known before the server is asked, and nothing is left of the file that can."""
    images = daemon.client().images
    with pytest.raises(FileNotFoundError, match=r"no-such-folder/m'$"):
        await images.export(FINGERPRINT, folder / "no-such-folder/m", folder / "r")
    with pytest.raises(FileNotFoundError):
        await images.export(FINGERPRINT, folder / "m", folder / "no-such-folder/r")
    assert (daemon.requests, files(folder)) == ([], {})


async def test_images_that_were_made_of_others_are_not_checked(daemon: Daemon) -> None:
    """The fingerprint of an OCI image is not that of the files that the server has made of it."""
    daemon.will(reply(BOTH, 200, {**HEADERS, "X-Incus-Type": "oci"}))
    metadata, rootfs = io.BytesIO(), io.BytesIO()
    await daemon.client().images.export("ab" * 32, metadata, rootfs, secret="s")
    assert (metadata.getvalue(), rootfs.getvalue()) == (METADATA, ROOTFS)
    assert daemon.last.query == {"secret": "s"}


# -- uploads ----------------------------------------------------------------------------------------------------------


def sent(daemon: Daemon) -> dict[str, bytes]:
    boundary = daemon.last.headers["content-type"].removeprefix("multipart/form-data; boundary=")
    parts, done = taken_apart([daemon.last.body], boundary)
    assert done
    return parts


async def test_upload(daemon: Daemon, folder: Path) -> None:
    (folder / "rootfs").write_bytes(ROOTFS)
    daemon.will(started())
    images = daemon.client(project="p").images
    await images.create(memoryview(METADATA), rootfs=folder / "rootfs", virtual_machine=True, aliases=["a b", "c"])
    assert daemon.targets == ["POST /1.0/images?project=p"]
    assert list(sent(daemon).items()) == [("metadata", METADATA), ("rootfs.img", ROOTFS)]
    assert int(daemon.last.headers["content-length"]) == len(daemon.last.body)
    assert daemon.last.headers["x-incus-aliases"] == "alias=a+b&alias=c"
    assert "x-incus-public" not in daemon.last.headers


async def test_upload_of_unknown_length(daemon: Daemon) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield ROOTFS[:1000]
        yield ROOTFS[1000:]

    daemon.will(started())
    await daemon.client().images.create(METADATA, public=True, rootfs=pieces())
    assert sent(daemon) == {"metadata": METADATA, "rootfs": ROOTFS}
    assert daemon.last.headers["transfer-encoding"] == "chunked"
    assert daemon.last.headers["x-incus-public"] == "true"


async def test_each_form_has_a_boundary_of_its_own() -> None:
    forms = [Form({"metadata": b""}) for _ in range(2)]
    assert forms[0].headers["Content-Type"] != forms[1].headers["Content-Type"]
    whole = b"".join([piece async for piece in forms[0]])
    assert len(whole) == int(forms[0].headers["Content-Length"])
