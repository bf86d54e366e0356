"""What `python -m incus_sdk` does, but for files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from ..exceptions import IncusAPIError, IncusNotFoundError, IncusTimeoutError
from ._output import dump, table, write

if TYPE_CHECKING:
    from argparse import Namespace

    from ..client import Client

__all__ = ["info", "ls", "shell", "wait"]

PAUSE = 0.25
"""Seconds between two looks at an instance: servers do not tell of its addresses or processes."""

CONFUSED = 500
"""What servers answer to the question for the state of an instance that stops at this moment."""

ALIVE = frozenset({"Running", "Ready"})
"""An instance that has told that it is ready runs, too."""


async def info(client: Client, options: Namespace) -> int:
    """Tell about the server."""
    server: dict[str, Any] = (await client.get_server_info())["metadata"]
    if options.json:
        dump(server)
        return 0
    told: dict[str, Any] = server.get("environment") or {}  # nothing of it to those who are not trusted
    known = {
        "server": " ".join(filter(None, ("Incus", told.get("server_version"), "on", told.get("server_name")))),
        "address": client.api.endpoint,
        "project": told.get("project"),
        "access": " by ".join(filter(None, (server.get("auth"), server.get("auth_user_method")))),
        "extensions": len(server.get("api_extensions") or ()),
        "system": " ".join(filter(None, map(told.get, ("os_name", "os_version", "kernel", "kernel_version")))),
        "drivers": told.get("driver"),
        "storage": told.get("storage"),
    }
    if not told:
        known["server"] = "Incus"
    table([(key, str(value)) for key, value in known.items() if value])
    return 0


async def ls(client: Client, options: Namespace) -> int:
    """List instances."""
    params = {"recursion": 2, "all-projects": options.all_projects or None}
    found: list[dict[str, Any]] = (await client.api.get("/1.0/instances", params))["metadata"] or []
    if not found and not options.all_projects:
        from ..api._collection import check_project

        await check_project(client.api)
    if options.json:
        dump(found)
        return 0
    rows = [
        ([each["project"]] if options.all_projects else [])
        + [each["name"], each["status"], each["type"], " ".join(_addresses(each.get("state") or {}))]
        for each in sorted(found, key=lambda each: (each["project"], each["name"]))
    ]
    table([["PROJECT"] * options.all_projects + ["NAME", "STATUS", "TYPE", "ADDRESSES"], *rows])
    return 0


async def shell(client: Client, options: Namespace) -> int:
    """Run a command or a shell."""
    return await client.instances.shell(
        options.name,
        options.command or None,
        tty=options.tty,
        environment=dict(options.env) if options.env else None,
        user=options.user,
        group=options.group,
        cwd=options.cwd,
    )


async def wait(client: Client, options: Namespace) -> int:
    """Wait until an instance is as it should be."""
    name, condition = options.name, options.condition
    seen: dict[str, Any] = {}
    limit = asyncio.timeout(options.timeout)
    try:
        async with limit:
            async for seen in _looks(client, name, condition):
                if _fits(seen, condition):
                    break
    except TimeoutError:
        if not limit.expired():
            raise
        status = f"its status is {seen['status']}" if seen else "the server has not answered"
        raise IncusTimeoutError(f"{name} is not yet as `--for {condition}` wants it: {status}") from None
    if options.json:
        dump({"name": name, "status": seen["status"], "addresses": _addresses(seen)})
    elif condition == "ip":
        write(f"{_addresses(seen)[0]}\n")
    return 0


async def _looks(client: Client, name: str, condition: str) -> AsyncGenerator[dict[str, Any]]:
    """Look at the state of an instance, again and again; one that goes when it stops has stopped."""
    known = False
    while True:
        try:
            status = (await client.instances.get(name)).status
            yield {"status": status} | (await _state(client, name) if status in ALIVE else {})
        except IncusNotFoundError:
            if condition != "stopped" or not known:
                raise
            yield {"status": "Gone"}
        known = True
        await asyncio.sleep(PAUSE)


async def _state(client: Client, name: str) -> dict[str, Any]:
    try:
        return await client.instances.get_state(name)
    except IncusAPIError as error:
        if error.status_code != CONFUSED:
            raise
        return {}


def _fits(state: dict[str, Any], condition: str) -> bool:
    status = state["status"]
    if condition == "stopped":
        return status in {"Stopped", "Gone"}
    if condition == "ready":
        return bool(status == "Ready")
    if condition == "agent":
        return status in ALIVE and state.get("processes", 0) > 0  # -1 without an agent
    return bool(_addresses(state)) if condition == "ip" else status in ALIVE


def _addresses(state: dict[str, Any]) -> list[str]:
    """Return the addresses that others can reach, those of IPv4 first."""
    networks: dict[str, dict[str, Any]] = state.get("network") or {}
    found = [each for network in networks.values() for each in network.get("addresses") or ()]
    reachable = [(each["family"], each["address"]) for each in found if each["scope"] == "global"]
    return [address for _, address in sorted(reachable, key=lambda pair: pair[0])]
