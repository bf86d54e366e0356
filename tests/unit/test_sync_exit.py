"""Interpreters that end while a sync client is open: quickly, and without a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import blocking_daemon
from .blocking_daemon import Daemon
from .sync_scripts import PATIENCE, run, running


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with blocking_daemon.running(tmp_path / "s") as server:
        yield server


def test_a_client_left_open(daemon: Daemon) -> None:
    script = """
    client = Client(url)
    print(client.instances.get("web").name)
    """
    assert run(script, daemon.url) == (0, "web\n", "")


def test_with_everything_open(daemon: Daemon) -> None:
    script = """
    client = Client(url)
    socket = client.api.websocket("/socket")
    raw = client.api.upgrade("/raw", "sftp")
    manager = client.api.stream("GET", "/half")
    response = manager.__enter__()
    print(len(response.read(50)))
    """
    assert run(script, daemon.url) == (0, "50\n", "")
    assert daemon.hung_up.wait(PATIENCE)


def test_many_clients_and_an_executor(daemon: Daemon, tmp_path: Path) -> None:
    """What files are read with are threads of the loop, which have to end as well."""
    (tmp_path / "file").write_bytes(b"content")
    script = """
    from pathlib import Path
    clients = [Client(url) for _ in range(3)]
    for client in clients:
        client.api.post("/1.0/files", Path(sys.argv[2]))
    """
    assert run(script, daemon.url, str(tmp_path / "file")) == (0, "", "")
    assert daemon.bodies == [b"content"] * 3


@pytest.mark.parametrize("path", ["/hang", "/half"])
def test_with_a_call_under_way_in_a_daemon_thread(daemon: Daemon, path: str) -> None:
    """Woken up, it would die of an error that it prints."""
    script = """
    client = Client(url)
    threading.Thread(target=client.api.get, args=(sys.argv[2],), daemon=True).start()
    sys.stdin.read(1)
    """
    with running(script, daemon.url, path) as process:
        assert daemon.hanging.wait(PATIENCE)
        assert process.process.stdin is not None
        assert process.end() == (0, "", "")
    assert daemon.hung_up.wait(PATIENCE)


def test_with_an_error_that_ends_it(daemon: Daemon) -> None:
    script = """
    client = Client(url)
    web = client.instances.get("web")
    raise SystemExit("enough")
    """
    assert run(script, daemon.url) == (1, "", "enough\n")


def test_calls_from_functions_that_run_at_exit(daemon: Daemon) -> None:
    """Such as were registered after the import, and so run before clients are closed."""
    script = """
    import atexit
    client = Client(url)
    client.connect()
    atexit.register(lambda: print(client.instances.get("web").name))
    """
    assert run(script, daemon.url) == (0, "web\n", "")


def test_calls_from_functions_that_run_even_later(daemon: Daemon) -> None:
    script = """
    import atexit

    def late():
        try:
            client.instances.get("web")
        except Exception as error:
            print(type(error).__name__, error)
        with client:
            print(client.instances.get("web").name)

    from incus_sdk.sync import _portal
    atexit.unregister(_portal._at_exit)
    atexit.register(late)
    atexit.register(_portal._at_exit)  # as if the package had been imported only now
    client = Client(url)
    client.connect()
    """
    status, out, err = run(script, daemon.url)
    assert (status, err) == (0, "")
    assert out.startswith("IncusConnectionError this client is disconnected")
    assert out.endswith("\nweb\n")


def test_it_is_quick_though_the_server_says_nothing(daemon: Daemon) -> None:
    """A thread that is no daemon is waited for, as always; its call goes on until its end."""
    script = """
    import time
    client = Client(url, timeout=0.2, retries=0)

    def work():
        try:
            client.api.get("/hang")
        except Exception as error:
            print(type(error).__name__)

    threading.Thread(target=work).start()
    """
    assert run(script, daemon.url) == (0, "IncusTimeoutError\n", "")
