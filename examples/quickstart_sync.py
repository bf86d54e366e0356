"""The life of a container, from creation to deletion, with the time that each step takes: without asyncio.

    python examples/quickstart_sync.py [IMAGE]

It starts a daemon of its own, which needs root and the Debian package incus-base (`./dev demo` sees to all that), and
removes it in the end. With INCUS_ENDPOINT set, as in INCUS_ENDPOINT=/var/lib/incus/unix.socket, it works on that daemon
instead, and removes its container there. IMAGE is the alias of an image that the daemon has: one with a shell.

examples/quickstart.py is the same with asyncio; in the calls, nothing but `async` and `await` is different.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import ExitStack, suppress
from typing import Any

from narrator import Narrator

from incus_sdk import IncusError, IncusNotFoundError, IncusOperationNotFoundError
from incus_sdk.models import InstanceState
from incus_sdk.sync import Client, Instance, OperationResponse
from incus_sdk.testing import PrivateIncus, PrivateIncusError

NAME = f"quickstart-{secrets.token_hex(3)}"
PUBLIC_IMAGE = {
    "type": "image",
    "mode": "pull",
    "protocol": "simplestreams",
    "server": "https://images.linuxcontainers.org",
    "alias": "alpine/edge",
}


def life_of_a_container(client: Client, source: dict[str, Any], tell: Narrator) -> None:
    """Create a container, use it and delete it; if anything goes wrong on the way, delete it all the same."""
    creation = None
    try:
        with tell.step(f"ask for a container made from {source['alias']!r}"):
            creation = client.instances.create(NAME, source)
        tell.result(f"{creation.status}: the server works on it in the background")
        with tell.step("wait until it is there"):
            creation.wait()
        start_and_use(client, tell)
        stop_and_delete(client, tell)
    except BaseException:  # an error as well as Ctrl-C
        clean_up(client, creation)
        raise


def start_and_use(client: Client, tell: Narrator) -> None:
    """Start the container, and try most of what can be done with a running one."""
    with tell.step("start it"):
        client.instances.start(NAME, wait=True)
    run_commands(client, tell)
    exchange_files(client, tell)

    with tell.step("read its state"):
        state = state_with_address(client)
    memory = f"{state.memory.usage / 1024:.0f} KiB"
    tell.result(f"address {ipv4(state)}, memory {memory}, {state.processes} processes")

    # From here on with the object: the same verbs, without the name.
    container = client.instances.get(NAME)
    with tell.step("change its configuration"):
        container.update({"limits.memory": "256MiB", "boot.autostart": False, "description": "a first try"})
        container.refresh()
    config = container.config
    tell.result(f"limits.memory={config['limits.memory']} boot.autostart={config['boot.autostart']}")
    tell.result(f"description={container.description!r}")
    freeze_and_restart(container, tell)
    state_with_address(client)  # an init system that is not up yet would not hear that it is to shut down


def freeze_and_restart(container: Instance, tell: Narrator) -> None:
    """Hold all of its processes, let them go on, and restart it."""
    with tell.step("freeze it"):
        container.freeze(wait=True)
        container.refresh()
    tell.result(container.status)
    with tell.step("unfreeze it"):
        container.unfreeze(wait=True)
        container.refresh()
    tell.result(container.status)
    with tell.step("restart it"):
        container.restart(wait=True)


def run_commands(client: Client, tell: Narrator) -> None:
    """Run a command for its output, one that fails, and one that is missing."""
    with tell.step("run a command"):
        result = client.instances.execute(NAME, ["uname", "-sr"], record_output=True, wait=True)
    tell.result(f"output {result.stdout!r}, exit code {result.returncode}")

    with tell.step("run one that fails"):
        script = ["sh", "-c", "echo 'not today' >&2; exit 3"]
        result = client.instances.execute(NAME, script, record_output=True, wait=True)
    tell.result(f"errors {result.stderr!r}, exit code {result.returncode}")

    with tell.step("run one that is not there"):
        try:
            client.instances.execute(NAME, ["no-such-program"], wait=True)
        except IncusOperationNotFoundError as error:
            message = f"{type(error).__name__}: {error}"
        else:
            message = "it is there!"
    tell.result(message)


def exchange_files(client: Client, tell: Narrator) -> None:
    """Write a file in the container, and read it back."""
    with tell.step("write a file"):
        client.instances.put_files(NAME, "/root/greeting", b"Hello from outside\n", mode=0o644)
    with tell.step("read it back"):
        content = client.instances.get_files(NAME, "/root/greeting")
    tell.result(repr(content))


def state_with_address(client: Client) -> InstanceState:
    """Return the container's state; it gets its address a moment after the start, so look again for some seconds."""
    state = client.instances.state(NAME)
    for _ in range(100):
        if ipv4(state) != "none":
            break
        time.sleep(0.05)
        state = client.instances.state(NAME)
    return state


def ipv4(state: InstanceState) -> str:
    """Return the first IPv4 address that others can reach it by."""
    addresses = (address for network in state.network.values() for address in network.addresses)
    found = (each.address for each in addresses if each.family == "inet" and each.scope == "global")
    return next(found, "none")


def stop_and_delete(client: Client, tell: Narrator) -> None:
    """Shut the container down in good order, and delete it."""
    with tell.step("stop it"):
        client.instances.stop(NAME, wait=True)
    with tell.step("delete it"):
        client.instances.delete(NAME, wait=True)
    tell.result(f"it exists: {client.instances.exists(NAME)}")


def clean_up(client: Client, creation: OperationResponse | None) -> None:
    """Delete the container in whatever state it is: what was interrupted here goes on in the server for a moment."""
    if creation is None:
        time.sleep(1)  # the request may have reached the server, although its answer did not reach us
    else:
        with suppress(IncusError):
            creation.wait()
    for _ in range(50):
        if not client.instances.exists(NAME):
            return
        with suppress(IncusError):  # it does not run, or is busy
            client.instances.stop(NAME, force=True, wait=True)
        with suppress(IncusError):  # it is busy
            client.instances.delete(NAME, wait=True)
        time.sleep(0.1)
    client.instances.delete(NAME, wait=True)  # if this fails, too, it says why


def find_image(client: Client) -> dict[str, Any]:
    """Return the source for the image to use: the one that was asked for, or busybox, or one from the internet."""
    if len(sys.argv) > 1:
        return {"type": "image", "alias": sys.argv[1]}
    try:
        client.api.get(f"/1.0/images/aliases/{PrivateIncus.IMAGE}")  # the API itself, for what has no method yet
    except IncusNotFoundError:
        return PUBLIC_IMAGE
    return {"type": "image", "alias": PrivateIncus.IMAGE}


def main() -> None:
    """Find or start a daemon, connect to it, and tell what happens."""
    tell = Narrator()
    with ExitStack() as stack:
        endpoint = os.environ.get("INCUS_ENDPOINT")
        if endpoint:
            tell.say(f"INCUS_ENDPOINT is set: this runs on the daemon at {endpoint}")
        else:
            with tell.step("start a private Incus daemon"):
                daemon = stack.enter_context(PrivateIncus())
            endpoint = daemon.endpoint
        with tell.step("connect"):
            client = stack.enter_context(Client(endpoint))
            info = client.get_server_info()
        tell.result(f"Incus {info['metadata']['environment']['server_version']}")
        life_of_a_container(client, find_image(client), tell)
    tell.end("nothing is left behind; all in all")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
    except (IncusError, PrivateIncusError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
