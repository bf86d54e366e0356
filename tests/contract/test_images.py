"""Images and their aliases."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from incus_sdk import (
    Client,
    Image,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConflictError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationConflictError,
    IncusPreconditionFailedError,
    Instance,
)
from incus_sdk.models import ImageBody, ImagePut, ImagesPostSource
from incus_sdk.sync import Client as SyncClient
from incus_sdk.testing import PrivateIncus

from .support import Face, Server, call, entered, image_content


@pytest.fixture
async def mine(admin: Client, name: str) -> AsyncGenerator[dict[str, str]]:
    """Properties of images that this test makes; those are gone afterwards."""
    mine = {"test": name}
    yield mine
    for image in await admin.images.list():
        if image.properties.get("test") == name:
            await image.delete(wait=True)


@pytest.fixture
async def image(admin: Client, name: str, mine: dict[str, str]) -> Image:
    """An image of the async face, with an alias that is the name of the test."""
    return await admin.images.create(image_content(name), "file.tar", properties=mine, aliases=[name], wait=True)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def in_pieces(content: bytes, face: Face) -> Any:
    """An iterator of the kind that the face takes."""

    def blocking() -> Iterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    async def other() -> AsyncIterator[bytes]:
        for piece in blocking():
            yield piece

    return blocking() if face.blocking else other()


# -- uploads ----------------------------------------------------------------------------------------------------------


async def test_create(client: Client, name: str, mine: dict[str, str], tmp_path: Path) -> None:
    content = image_content(name)
    file = tmp_path / "image.tar"
    file.write_bytes(content)
    made = await call(
        client.images.create(
            file,
            "web & co.tar",
            True,
            properties={**mine, "odd key": "ä&=b", "number": 5},
            aliases=[f"{name}/a", f"{name}-b"],
            profiles=["default"],
            fingerprint=hashlib.sha256(content).hexdigest(),
            wait=True,
        )
    )
    assert (made.fingerprint, made.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert (made.filename, made.public, made.profiles) == ("web & co.tar", True, ["default"])
    assert made.properties.items() >= {"odd key": "ä&=b", "number": "5", "os": "Busybox"}.items()
    assert {alias.name for alias in made.aliases} == {f"{name}/a", f"{name}-b"}
    operation = await call(client.images.create(content))
    with pytest.raises(IncusOperationConflictError, match="same fingerprint"):
        await call(operation.wait())


async def test_create_of_two_files(client: Client, face: Face, name: str, mine: dict[str, str], tmp_path: Path) -> None:
    metadata, rootfs = image_content(name, "metadata.yaml"), image_content(name, "rootfs")
    (tmp_path / "rootfs").write_bytes(rootfs)
    made = await call(client.images.create(metadata, rootfs=tmp_path / "rootfs", properties=mine, wait=True))
    assert made.fingerprint == hashlib.sha256(metadata + rootfs).hexdigest()
    assert await call(made.export(tmp_path / "m", tmp_path / "r")) == len(metadata) + len(rootfs)
    assert ((tmp_path / "m").read_bytes(), (tmp_path / "r").read_bytes()) == (metadata, rootfs)
    with pytest.raises(IncusArgumentError, match="rootfs="):
        await call(made.export(tmp_path / "one"))
    assert files(tmp_path) == {"rootfs", "m", "r"}
    await call(made.delete(wait=True))
    pieces = in_pieces(rootfs, face)  # of unknown length, so the request has none
    made = await call(client.images.create(metadata, rootfs=pieces, properties=mine, wait=True))
    assert made.fingerprint == hashlib.sha256(metadata + rootfs).hexdigest()


async def test_create_from_an_iterator(client: Client, face: Face, name: str, mine: dict[str, str]) -> None:
    content = image_content(name)
    made = await call(client.images.create(in_pieces(content, face), properties=mine, wait=True))
    assert made.fingerprint == hashlib.sha256(content).hexdigest()


async def test_uploads_that_are_refused(client: Client, name: str, tmp_path: Path) -> None:
    create: Any = client.images.create
    with pytest.raises(IncusOperationBadRequestError, match="Unsupported compression"):
        await call(create(b"garbage", wait=True))
    with pytest.raises(IncusOperationBadRequestError, match="fingerprints don't match"):
        await call(create(image_content(name), fingerprint="ab" * 32, wait=True))
    refused: list[Any] = [None, {"source": {}}]
    for nothing in refused:
        with pytest.raises(TypeError, match="image_data must be"):
            await call(create(nothing))
    with pytest.raises(TypeError, match=r"rootfs must be bytes.*Path\("):
        await call(create(b"", rootfs="rootfs.img"))
    with pytest.raises(TypeError, match="aliases must be a list"):
        await call(create(b"", aliases="one"))
    with pytest.raises(IncusArgumentError, match="auto_update is not for uploads"):
        await call(create(b"", auto_update=True))
    with pytest.raises(FileNotFoundError):
        await call(create(tmp_path / "none"))


# -- from elsewhere ---------------------------------------------------------------------------------------------------


async def test_publish(client: Client, server: Server, name: str, empty: Instance, mine: dict[str, str]) -> None:
    made = await call(
        client.images.publish(name, True, aliases=[name], compression_algorithm="none", properties=mine, public=True)
    )
    assert (made.type, made.public, [alias.name for alias in made.aliases]) == ("container", True, [name])
    with pytest.raises(IncusOperationConflictError, match="already exists"):
        await call(client.images.publish(name, True, aliases=[name], compression_algorithm="none", properties=mine))
    publish: Any = client.images.publish
    with pytest.raises(IncusArgumentError, match="no field 'proprties'"):
        await call(publish(name, proprties={}))
    with pytest.raises(IncusNotFoundError, match="Instance not found"):
        await call(client.images.publish(f"{name}-none", True))
    operation = await call(client.images.publish(name, format="split")) if server.version != "6.0" else None
    if operation is None:
        with pytest.raises(IncusMissingExtensionError, match="instance_publish_split"):
            await call(client.images.publish(name, format="split"))
    else:
        await call(operation.wait())
        await call(client.images.delete(operation["metadata"]["metadata"]["fingerprint"], wait=True))


async def test_publish_a_snapshot(client: Client, admin: Client, name: str, empty: Instance, mine: Any) -> None:
    snapshots = f"/1.0/instances/{name}/snapshots"
    await (await admin.api.operation("POST", snapshots, {"name": "s"})).wait()
    operation = await call(client.images.publish(f"{name}/s", compression_algorithm="none", properties=mine))
    await call(operation.wait())
    assert (await call(client.images.get(operation["metadata"]["metadata"]["fingerprint"]))).properties["test"] == name


async def test_sources_that_do_not_work(client: Client) -> None:
    """This machine reaches no image servers: what comes of it shows that the server has understood the source."""
    create: Any = client.images.create_from
    source: ImagesPostSource = {"type": "image", "protocol": "simplestreams", "server": "https://127.0.0.1:1"}
    source["alias"] = "x"
    operation = await call(client.images.create_from(source, auto_update=True, aliases=["x"]))
    with pytest.raises(IncusError, match=r"https://127\.0\.0\.1:1/streams"):
        await call(operation.wait())
    with pytest.raises(IncusError, match=r"http://127\.0\.0\.1:1/x"):
        await call(client.images.create_from_url("http://127.0.0.1:1/x", "alias", True))
    for source_of_nowhere in ("local-alias", {"type": "image", "fingerprint": "ab" * 32}):
        with pytest.raises(IncusArgumentError, match="names no server"):
            await call(create(source_of_nowhere))
    with pytest.raises(IncusArgumentError, match="the source has no field 'sever'"):
        await call(create({"type": "image", "sever": "https://127.0.0.1:1"}))
    with pytest.raises(TypeError, match="source must be a mapping or a text, as in images:debian/13, not int"):
        await call(create(5))
    assert await call(client.server.versions()) == ["/1.0"]  # it has survived


async def test_the_token_of_a_push(client: Client, image: Image) -> None:
    """As both ends are one server here, the image is there already, and sending it fails at the other end."""
    push: Any = {"type": "image", "mode": "push", "fingerprint": "ab" * 32}
    token = await call(client.images.create_from(push))
    secret = token["metadata"]["metadata"]["secret"]
    assert token["metadata"]["class"] == "token"
    with pytest.raises(IncusError, match=r"https://127\.0\.0\.1:1") as caught:
        await call(client.images.export_to(image.fingerprint, "https://127.0.0.1:1", secret, True, aliases=["x"]))
    assert secret not in str(caught.value)
    await call(token.cancel())


# -- reading ----------------------------------------------------------------------------------------------------------


async def test_get_and_list(client: Client, name: str, image: Image) -> None:
    found = await call(client.images.get(image.fingerprint))
    assert found == await call(client.images.get(image.fingerprint[:12]))
    assert found.to_dict() == image.to_dict()
    assert repr(found) == f"<Image {image.fingerprint[:12]} {name}>"
    assert await call(client.images.get_by_alias(name)) == found
    assert await call(client.images.list(filter={"properties.test": name})) == [found]
    assert found in await call(client.images.list(all_projects=True))
    assert image.fingerprint in await call(client.images.names())
    assert await call(client.images.exists(image.fingerprint))
    assert not await call(client.images.exists("ab" * 32))
    with pytest.raises(IncusNotFoundError, match="not found"):
        await call(client.images.get("ab" * 32))
    with pytest.raises(IncusNotFoundError, match="alias not found"):
        await call(client.images.get_by_alias(f"{name}-none"))


async def test_export(client: Client, name: str, image: Image, tmp_path: Path) -> None:
    content = image_content(name)
    found = await call(client.images.get(image.fingerprint))
    assert await call(found.export(tmp_path / "image", tmp_path / "rootfs")) == len(content)
    assert files(tmp_path) == {"image"}
    assert (tmp_path / "image").read_bytes() == content
    file = io.BytesIO()
    assert await call(client.images.export(image.fingerprint[:20], file)) == len(content)
    assert file.getvalue() == content
    async with entered(found.stream_export()) as response:
        assert response.content_length == len(content)
        assert await call(response.read()) == content
    with pytest.raises(IncusNotFoundError):
        await call(client.images.export("ab" * 32, tmp_path / "none"))
    assert not (tmp_path / "none").exists()


async def test_secret(client: Client, image: Image) -> None:
    token = await call((await call(client.images.get(image.fingerprint))).secret())
    secret = token["metadata"]["metadata"]["secret"]
    assert (await call(client.images.get(image.fingerprint, secret=secret))).fingerprint == image.fingerprint
    assert secret not in repr(token)
    with pytest.raises(IncusBadRequestError, match="Only running operations"):
        await call(token.cancel())  # it has been used
    token = await call(client.images.secret(image.fingerprint))
    await call(token.cancel())
    with pytest.raises(IncusNotFoundError):
        await call(client.images.secret("ab" * 32))


async def test_refresh_from_source(client: Client, image: Image) -> None:
    found = await call(client.images.get(image.fingerprint))
    operation = await call(found.refresh_from_source())
    with pytest.raises(IncusOperationBadRequestError, match="Image source not found"):
        await call(operation.wait())
    with pytest.raises(IncusNotFoundError):
        await call(client.images.refresh_from_source("ab" * 32))


# -- changes ----------------------------------------------------------------------------------------------------------


async def test_update_and_replace(client: Client, name: str, image: Image, mine: dict[str, str]) -> None:
    found = await call(client.images.get(image.fingerprint))
    await call(found.update({"properties": {"x": "1"}, "public": True}))
    found = await call(found.refresh())
    assert (found.properties, found.public) == ({**image.properties, "x": "1"}, True)
    await call(client.images.replace(image.fingerprint, {"properties": mine, "expires_at": "2030-01-02T03:04:05Z"}))
    found = await call(found.refresh())
    assert (found.properties, found.public) == (mine, False)
    assert found.expires_at is not None
    assert found.expires_at.isoformat() == "2030-01-02T03:04:05+00:00"
    update: Any = client.images.update
    with pytest.raises(IncusArgumentError, match="Image has no field 'propertis'"):
        await call(update(image.fingerprint, {"propertis": {}}))
    with pytest.raises(IncusNotFoundError):
        await call(client.images.update("ab" * 32, {"public": True}))


FIELDS: dict[str, Any] = {
    "auto_update": True,
    "expires_at": "2031-01-02T03:04:05Z",
    "profiles": [],
    "properties": {"theirs": "1"},
    "public": True,
}
"""What an update can change, with values that an image does not have at first."""


async def test_update_of_each_field(client: Client, image: Image) -> None:
    assert ImagePut.__annotations__.keys() == FIELDS.keys()
    expected = (await call(client.images.get(image.fingerprint))).to_dict()
    for field, value in FIELDS.items():
        changes: Any = {field: value}
        await call(client.images.update(image.fingerprint, changes))
        expected[field] = value if field != "properties" else {**image.properties, **value}
        assert (await call(client.images.get(image.fingerprint))).to_dict() == expected


@pytest.mark.parametrize("field", FIELDS)
async def test_edit_under_a_change_of_each_field(client: Client, admin: Client, image: Image, field: str) -> None:
    """The server's ETag covers neither profiles nor expires_at."""
    theirs: Any = {field: FIELDS[field]}
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, image.fingerprint, theirs)
    after = (await call(client.images.get(image.fingerprint))).to_dict()
    assert after[field] == (theirs[field] if field != "properties" else {**image.properties, **theirs[field]})
    assert "mine" not in after["properties"]


async def _edit_while_another_does(client: Client, admin: Client, fingerprint: str, theirs: ImagePut) -> None:
    async with entered(client.images.edit(fingerprint)) as draft:
        draft["properties"]["mine"] = "1"
        await admin.images.update(fingerprint, theirs)


async def test_two_at_once(client: Client, admin: Client, server: Server, image: Image) -> None:
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, image.fingerprint, {"properties": {"theirs": "2"}})
    found = await call(client.images.get(image.fingerprint))
    assert found.properties == {**image.properties, "theirs": "2"}
    rivals = iter(["3"])

    def change(draft: ImageBody) -> None:
        for value in rivals:
            with SyncClient(server.endpoint) as rival:
                rival.images.update(image.fingerprint, {"properties": {"theirs": value}})
        draft["properties"]["mine"] = "1"

    await call(found.modify(change))
    found = await call(found.refresh())
    assert found.properties == {**image.properties, "theirs": "3", "mine": "1"}
    assert (found.aliases, found.profiles) == (image.aliases, image.profiles)


async def test_delete(client: Client, image: Image) -> None:
    found = await call(client.images.get(image.fingerprint))
    operation = await call(found.delete())
    await call(operation.wait())
    assert not await call(client.images.exists(image.fingerprint))
    with pytest.raises(IncusNotFoundError):
        await call(found.delete())


# -- aliases ----------------------------------------------------------------------------------------------------------


async def test_aliases(client: Client, name: str, image: Image) -> None:
    aliases = client.images.aliases
    made = await call(aliases.create(f"{name}/ä-b", image.fingerprint[:20], "first"))
    assert (made.name, made.target, made.description) == (f"{name}/ä-b", image.fingerprint, "first")
    assert made.type == "container"
    assert made in await call(aliases.list())
    assert made.name in await call(aliases.names())
    assert await call(aliases.get(made.name)) == made
    assert await call(aliases.exists(made.name))
    await call(made.update({"description": "second"}))
    assert await call(made.refresh()) == await call(client.images.get_alias(made.name))
    assert (made.description, made.target) == ("second", image.fingerprint)
    async with entered(made.edit()) as draft:
        draft["description"] = "third"
    await call(aliases.modify(made.name, lambda draft: draft.update({"description": draft["description"] + "!"})))
    assert (await call(made.refresh())).description == "third!"
    await call(aliases.replace(made.name, {"target": image.fingerprint}))
    assert (await call(made.refresh())).description == ""
    await call(made.rename(f"{name}-c"))
    with pytest.raises(IncusConflictError, match="already exists"):
        await call(aliases.rename(f"{name}-c", name))
    await call(aliases.delete(f"{name}-c"))
    assert not await call(aliases.exists(f"{name}-c"))


async def test_aliases_that_are_refused(client: Client, name: str, image: Image) -> None:
    aliases = client.images.aliases
    with pytest.raises(IncusConflictError, match="already exists"):
        await call(aliases.create(name, image.fingerprint))
    with pytest.raises(IncusNotFoundError, match="Image not found"):
        await call(aliases.create(f"{name}-b", "ab" * 32))
    with pytest.raises(IncusNotFoundError, match="alias not found"):
        await call(aliases.delete(f"{name}-b"))
    with pytest.raises(IncusArgumentError, match="cannot be a name"):
        await call(aliases.create("", image.fingerprint))


async def test_aliases_by_the_names_of_other_clients(client: Client, name: str, image: Image) -> None:
    await call(client.images.create_alias(f"{name}-b", image.fingerprint, "first"))
    other = await call(client.images.get_by_alias(PrivateIncus.IMAGE))
    await call(client.images.update_alias(f"{name}-b", other.fingerprint))
    found = await call(client.images.get_alias(f"{name}-b"))
    assert (found.target, found.description) == (other.fingerprint, "first")
    await call(client.images.update_alias(f"{name}-b", description="second"))
    assert (await call(found.refresh())).description == "second"
    await call(client.images.delete_alias(f"{name}-b"))
    mine = await call(client.images.get(image.fingerprint))
    await call(mine.add_alias(f"{name}-c", "third"))
    assert {alias.name for alias in (await call(mine.refresh())).aliases} == {name, f"{name}-c"}
    await call(mine.remove_alias(f"{name}-c"))
    assert [alias.name for alias in (await call(mine.refresh())).aliases] == [name]


@pytest.fixture
async def apart(admin: Client, name: str) -> AsyncGenerator[str]:
    """A project with images of its own."""
    await admin.api.post("/1.0/projects", {"name": name, "config": {"features.images": "true"}})
    yield name
    await admin.api.delete(f"/1.0/projects/{name}")


async def test_projects(client: Client, apart: str, name: str) -> None:
    view = client.use_project(apart)
    assert await call(view.images.list()) == []
    made = await call(view.images.create(image_content(name), aliases=[name], wait=True))
    assert made.project == apart
    assert not await call(client.images.exists(made.fingerprint))
    [found] = [one for one in await call(client.images.list(all_projects=True)) if one.fingerprint == made.fingerprint]
    await call(found.update({"public": True}))  # in its own project
    assert (await call(view.images.get(made.fingerprint))).public
    await call(found.delete(wait=True))
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(client.use_project(f"{apart}-none").images.list())
