"""Certificates that the server trusts, and tokens by which new clients get trusted."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from incus_sdk import (
    Client,
    IncusArgumentError,
    IncusBadRequestError,
    IncusConfigurationError,
    IncusConflictError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusPermissionError,
    IncusPreconditionFailedError,
    token_text,
)
from incus_sdk.testing import PrivateIncus

from ..conftest import ENDPOINT, ROOTFS
from .support import Face, Server, call, entered


@pytest.fixture
async def pem(admin: Client, name: str) -> AsyncGenerator[str]:
    """A new certificate; if the server has come to trust it, it does so no longer afterwards."""
    yield trustme.CA().issue_cert(f"{name}.example").cert_chain_pems[0].bytes().decode()
    for certificate in await admin.certificates.list(filter={"name": [name, f"{name}-b"]}):
        await certificate.delete()


async def test_create(client: Client, name: str, pem: str, tmp_path: Path) -> None:
    file = tmp_path / "client.crt"
    file.write_text(pem)
    made = await call(
        client.certificates.create(file, name, restricted=True, projects=["default"], description="of a test")
    )
    assert (made.name, made.type, made.restricted, made.projects) == (name, "client", True, ["default"])
    assert (made.description, made.certificate.strip()) == ("of a test", pem.strip())
    with pytest.raises(IncusConflictError, match="already in trust store"):
        await call(client.certificates.create(pem, name))
    with pytest.raises(IncusConflictError):
        await call(client.certificates.create(pem.encode(), name, "metrics"))


async def test_certificates_that_are_refused(client: Client, name: str, pem: str) -> None:
    create: Any = client.certificates.create
    with pytest.raises(IncusBadRequestError, match="Invalid certificate type"):
        await call(create(pem, name, "bogus"))
    with pytest.raises(IncusNotFoundError, match="Project not found"):
        await call(create(pem, name, restricted=True, projects=[f"{name}-none"]))
    with pytest.raises(IncusConfigurationError, match="no-such-file"):
        await call(create("no-such-file", name))
    with pytest.raises(IncusConfigurationError, match="holds a private key"):
        await call(create("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", name))
    with pytest.raises(TypeError, match="projects must be a list"):
        await call(create(pem, name, projects="default"))


async def test_get_and_list(client: Client, name: str, pem: str) -> None:
    made = await call(client.certificates.create(pem, name))
    assert await call(client.certificates.get(made.fingerprint)) == made
    assert await call(client.certificates.get(made.fingerprint[:12])) == made
    assert await call(client.certificates.list(filter={"name": name})) == [made]
    assert made in await call(client.certificates.list())
    assert made.fingerprint in await call(client.certificates.names())
    await call(made.delete())
    assert not await call(client.certificates.exists(made.fingerprint))
    with pytest.raises(IncusNotFoundError):
        await call(made.refresh())
    with pytest.raises(IncusNotFoundError):
        await call(client.certificates.delete(made.fingerprint))


async def test_changes(client: Client, name: str, pem: str) -> None:
    made = await call(client.certificates.create(pem, name, restricted=True, projects=["default"]))
    await call(made.update({"description": "new"}))
    assert (await call(made.refresh())).description == "new"
    assert (made.name, made.restricted, made.projects) == (name, True, ["default"])
    async with entered(made.edit()) as draft:
        draft["name"] = f"{name}-b"
    await call(client.certificates.modify(made.fingerprint, lambda draft: draft.update({"restricted": False})))
    await call(made.refresh())
    assert (made.name, made.description, made.restricted) == (f"{name}-b", "new", False)
    await call(made.replace({"name": name, "type": "client"}))
    assert (await call(made.refresh())).description == ""
    with pytest.raises(IncusBadRequestError, match="type cannot be changed"):
        await call(made.update({"type": "metrics"}))
    with pytest.raises(IncusNotFoundError):
        await call(client.certificates.update("ab" * 32, {"description": "x"}))


async def _edit_while_another_does(client: Client, admin: Client, fingerprint: str) -> None:
    async with entered(client.certificates.edit(fingerprint)) as draft:
        draft["description"] = "mine"
        await admin.certificates.update(fingerprint, {"description": "theirs"})


async def test_two_at_once(client: Client, admin: Client, name: str, pem: str) -> None:
    made = await call(client.certificates.create(pem, name))
    with pytest.raises(IncusPreconditionFailedError):
        await _edit_while_another_does(client, admin, made.fingerprint)
    assert (await call(made.refresh())).description == "theirs"


# -- tokens, which need a daemon that listens -------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["6.0", *(["7.0"] if ROOTFS else [])])
def listening(request: pytest.FixtureRequest) -> Iterator[PrivateIncus]:
    """A daemon that can be reached by TLS."""
    if ENDPOINT:
        pytest.skip("the daemon of INCUS_SDK_TEST_ENDPOINT need not listen, so no token can be used there")
    with PrivateIncus(rootfs=ROOTFS if request.param == "7.0" else None, https=True, image=False) as daemon:
        yield daemon


async def test_tokens(listening: PrivateIncus, face: Face, tmp_path: Path) -> None:
    """A new client comes to be trusted by a token, once."""
    issued = trustme.CA().issue_cert("new.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "new.pem"))
    async with (
        entered(face.client(listening.endpoint)) as admin,
        entered(face.client(listening.https, cert=str(tmp_path / "new.pem"), verify=listening.server_cert)) as new,
    ):
        with pytest.raises(IncusPermissionError):
            await call(new.certificates.list())
        token = await call(admin.certificates.create_token("new", restricted=True, projects=["default"]))
        text = token_text(token)
        content = json.loads(base64.b64decode(text))
        assert content["client_name"] == "new"
        assert content["secret"] not in repr(token)
        await call(new.certificates.use_token(text))
        [found] = await call(admin.certificates.list(filter={"name": "new"}))
        assert (found.restricted, found.projects) == (True, ["default"])
        assert (await call(new.server.get())).auth_user_name == found.fingerprint
        await call(found.delete())
        with pytest.raises(IncusPermissionError, match="No matching certificate add operation"):
            await call(new.certificates.use_token(text))


@pytest.fixture
async def restricted(listening: PrivateIncus, face: Face, tmp_path: Path) -> AsyncGenerator[Client]:
    """A client whose certificate is good for the project `theirs` alone."""
    issued = trustme.CA().issue_cert("restricted.example")
    issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "restricted.pem"))
    async with Client(listening.endpoint) as admin:
        project = await admin.projects.create("theirs")
        pem = issued.cert_chain_pems[0].bytes()
        certificate = await admin.certificates.create(pem, "restricted", restricted=True, projects=["theirs"])
        address, verify = listening.https, listening.server_cert
        async with entered(face.client(address, cert=str(tmp_path / "restricted.pem"), verify=verify)) as client:
            yield client
        await certificate.delete()
        await project.delete()


async def test_restricted_clients(restricted: Client) -> None:
    """Of what it may not see, a newer server shows nothing, and an older one says so, in lists as a 500."""
    version = (await call(restricted.server.get())).environment.server_version
    assert await call(restricted.use_project("theirs").instances.list()) == []
    with pytest.raises(IncusPermissionError):
        await call(restricted.instances.get("x"))
    with pytest.raises(IncusPermissionError, match="Certificate is restricted"):
        await call(restricted.warnings.list())
    if not version.startswith("6.0"):
        assert await call(restricted.instances.list()) == []
        assert await call(restricted.storage_pools.names())
        return
    for lists in (restricted.instances, restricted.profiles, restricted.images.aliases):
        with pytest.raises(IncusPermissionError, match=r"restricted to other projects; use_project\(\)"):
            await call(lists.list())
    with pytest.raises(IncusPermissionError, match="Certificate is restricted"):
        await call(restricted.storage_pools.list())


async def test_strangers(listening: PrivateIncus, face: Face, tmp_path: Path) -> None:
    """Servers tell them nothing of their extensions, or that they have none of a newer one."""
    trustme.CA().issue_cert("stranger.example").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "s.pem"))
    address, verify = listening.https, listening.server_cert
    async with entered(face.client(address, cert=str(tmp_path / "s.pem"), verify=verify)) as stranger:
        told = (await call(stranger.server.get())).api_extensions
        with pytest.raises(IncusMissingExtensionError if told else IncusPermissionError):
            await call(stranger.network_address_sets.list())


async def test_revoking_a_token(listening: PrivateIncus, face: Face) -> None:
    async with entered(face.client(listening.endpoint)) as admin:
        token = await call(admin.certificates.create_token("revoked"))
        assert token.id in [operation.id for operation in await call(admin.operations.list())]
        await call(token.cancel())
        assert (await call(admin.operations.get(token.id))).status == "Cancelled"


async def test_tokens_that_are_refused(client: Client, server: Server, name: str) -> None:
    with pytest.raises(IncusBadRequestError, match="listening on network"):  # the shared daemon does not
        await call(client.certificates.create_token(name))
    with pytest.raises(IncusBadRequestError, match=r"[Cc]lient is already trusted"):
        await call(client.certificates.use_token("bm8gdG9rZW4="))
    with pytest.raises(IncusArgumentError, match="no answer of create_token"):
        token_text({"metadata": {"class": "task"}})
