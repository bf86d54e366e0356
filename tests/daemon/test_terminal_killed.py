"""The daemon dies while it has somebody's terminal: the terminal comes back."""

from __future__ import annotations

import pytest

from incus_sdk.sync import Client
from incus_sdk.testing import PrivateIncus

from ..contract.terminals import SCRIPTS, on_terminal
from .deeds import ROOT_DISK


@pytest.mark.parametrize("face", ["async", "sync"])
def test_a_terminal_is_restored(face: str) -> None:
    with PrivateIncus(network=False) as daemon:
        with Client(daemon.endpoint) as client:
            client.instances.launch(daemon.IMAGE, "box", profiles=[], devices=ROOT_DISK)
        command = ["sh", "-c", "echo ready; exec sleep 1000"]
        with on_terminal("-c", SCRIPTS[face], daemon.endpoint, "box", *command) as here:
            here.until(b"ready")
            assert here.raw
            daemon.kill_daemon()
            here.until(b"Error: ")
            assert here.end() == 1
            assert here.settings() == here.before
