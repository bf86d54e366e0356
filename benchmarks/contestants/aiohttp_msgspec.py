"""What people write who want it fast: aiohttp, and msgspec with types of their own."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import msgspec

from ._running import at_once, one_after_another

__all__ = ["Player"]


class Address(msgspec.Struct):
    """Of the API, as are all of these."""

    family: str
    address: str
    netmask: str
    scope: str


class Counters(msgspec.Struct):
    """Of a network device."""

    bytes_received: int = 0
    bytes_sent: int = 0
    packets_received: int = 0
    packets_sent: int = 0
    errors_received: int = 0
    errors_sent: int = 0
    packets_dropped_inbound: int = 0
    packets_dropped_outbound: int = 0


class Network(msgspec.Struct):
    """A network device."""

    addresses: list[Address] | None = None
    counters: Counters | None = None
    hwaddr: str = ""
    host_name: str = ""
    mtu: int = 0
    state: str = ""
    type: str = ""


class Memory(msgspec.Struct):
    """In bytes."""

    usage: int = 0
    usage_peak: int = 0
    total: int = 0
    swap_usage: int = 0
    swap_usage_peak: int = 0


class Disk(msgspec.Struct):
    """In bytes."""

    usage: int = 0
    total: int = 0


class CPU(msgspec.Struct):
    """In nanoseconds."""

    usage: int = 0
    allocated_time: int = 0


class State(msgspec.Struct):
    """What a running instance takes."""

    status: str = ""
    status_code: int = 0
    disk: dict[str, Disk] | None = None
    memory: Memory | None = None
    network: dict[str, Network] | None = None
    pid: int = 0
    processes: int = 0
    cpu: CPU | None = None
    started_at: str = ""


class Instance(msgspec.Struct):
    """An instance, with its state if that was asked for."""

    name: str
    description: str = ""
    status: str = ""
    status_code: int = 0
    created_at: str = ""
    last_used_at: str = ""
    location: str = ""
    type: str = ""
    project: str = ""
    architecture: str = ""
    ephemeral: bool = False
    stateful: bool = False
    profiles: list[str] | None = None
    config: dict[str, str] | None = None
    devices: dict[str, dict[str, str]] | None = None
    expanded_config: dict[str, str] | None = None
    expanded_devices: dict[str, dict[str, str]] | None = None
    state: State | None = None


class OneAnswer(msgspec.Struct):
    """The envelope around an instance."""

    type: str
    metadata: Instance
    status_code: int = 0
    error_code: int = 0
    error: str = ""


class ListAnswer(msgspec.Struct):
    """The envelope around many."""

    type: str
    metadata: list[Instance]
    status_code: int = 0
    error_code: int = 0
    error: str = ""


ONE = msgspec.json.Decoder(OneAnswer)
LIST = msgspec.json.Decoder(ListAnswer)


class Player:
    """A session in an event loop.

    Args:
        socket: Path of the server's socket.
        name: Name of the instance to read.
    """

    def __init__(self, socket: str, name: str = "") -> None:
        self._aiohttp = import_module("aiohttp")  # so that the rest of the benchmarks works, and is checked, without
        self._url = f"http://incus/1.0/instances/{name}"
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._connect(socket))

    async def _connect(self, socket: str) -> Any:
        return self._aiohttp.ClientSession(connector=self._aiohttp.UnixConnector(path=socket))

    def get(self, repetitions: int) -> None:
        """One after another."""
        self._runner.run(one_after_another(self._get, repetitions))

    def get_at_once(self, repetitions: int) -> None:
        """64 at once."""
        self._runner.run(at_once(self._get, repetitions))

    async def _get(self) -> Instance:
        async with self._session.get(self._url) as response:
            response.raise_for_status()
            return ONE.decode(await response.read()).metadata

    def list(self, repetitions: int) -> None:
        """Typed instances, and something of the state of each."""
        self._runner.run(one_after_another(self._list, repetitions))

    async def _list(self) -> None:
        async with self._session.get("http://incus/1.0/instances?recursion=2") as response:
            response.raise_for_status()
            instances = LIST.decode(await response.read()).metadata
        if not all(each.name and each.state and each.state.memory for each in instances):
            raise ValueError("the state of an instance is missing")

    def close(self) -> None:
        """Close the session."""
        self._runner.run(self._session.close())
        self._runner.close()
