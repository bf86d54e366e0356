"""Tests here run on asyncio's event loop and on uvloop's, over a unix socket and over TLS, unless they say less."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from incus_sdk._transport import Transport
from incus_sdk.config import Endpoint

from .server import PATIENCE, Script, Serve, Server


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests that are the same on both loops are marked with the one that they run on."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass(frozen=True)
class Identity:
    """A server's certificate, and the context that presents it."""

    path: str
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    issued = trustme.CA().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # it takes pyOpenSSL's contexts too
    path = tmp_path_factory.mktemp("tls") / "server.crt"
    issued.cert_chain_pems[0].write_to_path(str(path))
    return Identity(str(path), context)


@pytest.fixture(params=["unix", "tls"])
def link(request: pytest.FixtureRequest) -> str:
    """The kind of connection."""
    return str(request.param)


@pytest.fixture
def timeout() -> float | None:
    """The transport's `timeout`; tests may parametrise it."""
    return 30.0


@pytest.fixture
async def serve(
    link: str, timeout: float | None, tmp_path: Path, identity: Identity, request: pytest.FixtureRequest
) -> AsyncGenerator[Serve]:
    """Starts a server with a script and gives it with a transport to it; at the end nothing may be left over."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    running: list[tuple[Server, Transport]] = []

    async def start(script: Script) -> tuple[Server, Transport]:
        if link == "unix":
            server = Server(script, Endpoint("unix:///scripted", socket=str(tmp_path / "socket")), None)
        else:
            endpoint = Endpoint("https://localhost", host="127.0.0.1", port=0, verify=identity.path)
            server = Server(script, endpoint, identity.context)
        await server.start()
        loop.call_later(PATIENCE, server.cancel)  # a test that hangs fails
        running.append((server, Transport(server.endpoint, timeout=timeout)))
        return running[-1]

    yield start
    async with asyncio.timeout(PATIENCE):
        for server, transport in running:
            await transport.close()
            await server.stop()
    failures = [failure for server, _ in running for failure in server.failures]
    running.clear()
    gc.collect(1)  # lets the loop complain about errors that nobody has looked at
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not failures
    assert not complaints
    assert not left
