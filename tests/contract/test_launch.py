"""launch: the command's notation of images."""

from __future__ import annotations

from typing import Any, cast

import pytest

from incus_sdk import Client, IncusArgumentError, IncusError, IncusOperationNotFoundError

from .support import Face, call, listening


async def _fingerprint(client: Client) -> str:
    return str((await client.api.get("/1.0/images/aliases/busybox"))["metadata"]["target"])


async def test_an_alias_of_the_server(client: Client, name: str) -> None:
    launched = await call(client.instances.launch("busybox", name, {"user.x": 1}, description="launched"))
    assert (launched.name, launched.status, launched.config["user.x"]) == (name, "Running", "1")
    assert launched.description == "launched"
    assert (await call(launched.execute(["true"], wait=True))).returncode == 0


@pytest.mark.parametrize("image", ["ubuntu/22.04", "local:busybox"])
async def test_other_aliases(client: Client, name: str, image: str) -> None:
    assert (await call(client.instances.launch(image, name, start=False))).status == "Stopped"


@pytest.mark.parametrize("length", [64, 12])
async def test_a_fingerprint(client: Client, admin: Client, name: str, length: int) -> None:
    fingerprint = await _fingerprint(admin)
    launched = await call(client.instances.launch(fingerprint[:length], name, start=False))
    assert launched.config["volatile.base_image"] == fingerprint


async def test_an_alias_that_looks_like_a_fingerprint(client: Client, admin: Client, name: str) -> None:
    fingerprint, alias = await _fingerprint(admin), "abcdef" * 3
    await admin.api.post("/1.0/images/aliases", {"name": alias, "target": fingerprint})
    try:
        launched = await call(client.instances.launch(alias, name, start=False))
    finally:
        await admin.api.delete(f"/1.0/images/aliases/{alias}")
    assert launched.config["volatile.base_image"] == fingerprint


async def test_a_name_of_the_servers_choice(client: Client, admin: Client) -> None:
    launched = await call(client.instances.launch("busybox", start=False))
    try:
        assert launched.name
        assert (await admin.instances.get(launched.name)).status == "Stopped"
    finally:
        await admin.instances.delete(launched.name, wait=True)


async def test_an_unknown_alias(client: Client, name: str) -> None:
    with pytest.raises(IncusOperationNotFoundError, match=r"Image not provided.*images:debian/13") as caught:
        await call(client.instances.launch("no-such-image", name))
    assert caught.value.operation_id
    assert name in str(caught.value)


async def test_the_public_image_server(face: Face) -> None:
    async with listening() as listener:
        client = face.client(listener.endpoint)
        with pytest.raises(IncusError, match="noted"):
            await face.start(lambda: client.instances.launch("images:debian/13", "web"))
        await face.start(client.disconnect)
    (request,) = listener.requests
    assert (request.method, request.target) == ("POST", "/1.0/instances")
    body: dict[str, Any] = request.json()
    assert (body["name"], body["start"]) == ("web", True)
    assert body["source"] == {
        "type": "image",
        "mode": "pull",
        "protocol": "simplestreams",
        "server": "https://images.linuxcontainers.org",
        "alias": "debian/13",
    }


@pytest.mark.parametrize("image", ["", "images:", "local:", ":"])
async def test_no_image(client: Client, name: str, image: str) -> None:
    with pytest.raises(IncusArgumentError, match="names no image"):
        await call(client.instances.launch(image, name))


@pytest.mark.parametrize("image", ["docker:nginx", "other:debian/13", "IMAGES:debian/13"])
async def test_an_unknown_remote(client: Client, name: str, image: str) -> None:
    with pytest.raises(IncusArgumentError, match=r"no image server is called .*images:"):
        await call(client.instances.launch(image, name))


@pytest.mark.parametrize("image", [None, 1, {"type": "image"}])
async def test_no_text(client: Client, name: str, image: object) -> None:
    with pytest.raises(TypeError, match="image must be a str"):
        await call(client.instances.launch(cast("str", image), name))
