"""Processes that are started while a client is in use: it connects anew there, and the parent's is left alone."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import incus_sdk
from incus_sdk.sync import Client

from . import blocking_daemon
from .blocking_daemon import Daemon
from .sync_scripts import PATIENCE, run, running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

FORK = """
import os, traceback

def forked(function):
    \"\"\"Run a function in a child process, and return the exit status of that.\"\"\"
    pid = os.fork()
    if pid == 0:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

client = Client(url)
"""
QUIET = "import warnings; warnings.filterwarnings('ignore', 'This process', DeprecationWarning)"
"""From Python 3.12 on `os.fork` warns when there are threads."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with blocking_daemon.running(tmp_path / "s") as server:
        yield server


def script(text: str) -> str:
    """Return a script that forks."""
    return f"{QUIET}\n{FORK}\n{text}"


def test_a_client_in_a_child_connects_anew(daemon: Daemon) -> None:
    text = """
view, web = client.use_project("other"), client.instances.get("web")

def work():
    assert client.instances.get("web").name == "web"
    assert view.instances.get("web").name == "web"
    web.refresh()
    assert forked(lambda: client.get_server_info()) == 0  # and in a child of that
    client.disconnect()

print([forked(work) for _ in range(3)])
web.refresh()
client.disconnect()
print(forked(client.connect))
"""
    assert run(script(text), daemon.url) == (0, "[0, 0, 0]\n0\n", "")
    # One of the parent, and for each child one of its own and one of its child; and the last.
    assert daemon.connections == 1 + 3 * 2 + 1


def test_in_the_middle_of_calls_of_other_threads(daemon: Daemon) -> None:
    """Whatever they hold, and whatever they are being sent. (What they import just then is Python's affair.)"""
    text = """
client.instances.get("web")
over, errors = threading.Event(), []

def work():
    try:
        while not over.is_set():
            assert client.instances.get("web").name == "web"
    except BaseException as error:
        errors.append(error)

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
print([forked(lambda: client.instances.get("web")) for _ in range(10)])
over.set()
for thread in threads:
    thread.join()
print(errors)
"""
    assert run(script(text), daemon.url) == (0, f"{[0] * 10}\n[]\n", "")


def test_without_a_free_descriptor(daemon: Daemon) -> None:
    """Each client of the parent is left alone by the child, which has descriptors again later."""
    text = """
import resource, signal

def work():
    signal.alarm(20)  # ends it if it hangs
    for descriptor in taken:
        os.close(descriptor)
    for each in clients:
        assert each.instances.get("web").name == "web"

clients, taken = [Client(url) for _ in range(3)], []
for each in clients:
    each.connect()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    print(forked(work))
for descriptor in taken:
    os.close(descriptor)
for each in clients:
    assert each.instances.get("web").name == "web"
"""
    assert run(script(text), daemon.url) == (0, "0\n", "")


def test_what_is_open_belongs_to_the_parent(daemon: Daemon) -> None:
    text = """
from incus_sdk import IncusConnectionError

socket, raw = client.api.websocket("/socket"), client.api.upgrade("/raw", "sftp")

def work():
    for call in (socket.recv, lambda: raw.write(b"child"), response.read, lambda: socket.send("child")):
        try:
            call()
        except IncusConnectionError as error:
            assert "opened by the parent of this process" in str(error)
        else:
            raise AssertionError(call)
    socket.close()
    raw.abort()
    stream.__exit__(None, None, None)
    raise SystemExit  # which leaves the block, and says nothing to the server

stream = client.api.stream("GET", "/stream")
response = stream.__enter__()
try:
    print(forked(work))
except SystemExit:
    raise AssertionError
print(len(response.read()))
stream.__exit__(None, None, None)
socket.send("hello")
raw.write(b"parent")
print(socket.recv(), raw.readexactly(6))
"""
    status, out, err = run(script(text), daemon.url)
    assert (status, out) == (0, "1\n100000\nhello b'parent'\n")
    assert err.splitlines()[-1] == "SystemExit"


def test_a_child_does_not_keep_the_parent_s_connections_open(daemon: Daemon) -> None:
    """The server has to notice when the parent hangs up: that ends commands."""
    text = """
raw = client.api.upgrade("/raw", "sftp")
end = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(end[1])
    os.read(end[0], 1)
    os._exit(0)
raw.abort()
print("aborted")
sys.stdin.read(1)
os.close(end[1])
os.waitpid(pid, 0)
"""
    with running(script(text), daemon.url) as process:
        assert process.line() == "aborted"
        assert daemon.hung_up.wait(PATIENCE)
        assert process.end() == (0, "", "")


def test_forking_in_a_body(daemon: Daemon) -> None:
    """The child goes on in the middle of a call that cannot end there."""
    text = """
from incus_sdk import IncusConnectionError

def pieces():
    yield b"one"
    children.append(os.fork())
    yield b"two"

children = []
try:
    client.api.post("/1.0/files", pieces())
except IncusConnectionError as error:
    assert children == [0], error
    assert "opened by the parent of this process" in str(error)
    client.connect()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]))
"""
    assert run(script(text), daemon.url) == (0, "7\n", "")
    assert daemon.bodies == [b"onetwo"]


def test_a_child_that_ends_like_a_program(daemon: Daemon) -> None:
    """What runs at its exit closes nothing of the parent's, not even the loop that watches its sockets."""
    text = """
client.connect()
pid = os.fork()
if pid == 0:
    import gc
    client.connect()
    sys.exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
for _ in range(3):
    client.instances.get("web")
"""
    assert run(script(text), daemon.url) == (0, "0\n", "")


def test_workers_of_multiprocessing(daemon: Daemon) -> None:
    text = """
import multiprocessing

def name(number):
    return client.instances.get("web").name

client.connect()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(name, range(4)))
print(name(0))
"""
    assert run(script(text), daemon.url) == (0, f"{['web'] * 4}\nweb\n", "")


def _name(url: str) -> str:
    """What a worker does that shares nothing with its parent."""
    with Client(url) as client:
        return client.instances.get("web").name


def test_spawned_workers(daemon: Daemon) -> None:
    with Client(daemon.url) as client, multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_name, [daemon.url]) == ["web"]
        assert client.instances.get("web").name == "web"


@pytest.mark.parametrize("kind", [incus_sdk.Client, Client])
def test_a_client_cannot_be_sent_to_another_process(kind: Callable[..., Client]) -> None:
    client = kind("unix:///nowhere", cert=("secret", "secret"))
    for thing in (client, client.use_project("other"), client.api, client.instances):
        with pytest.raises(TypeError, match="make one in each process"):
            pickle.dumps(thing)


async def test_the_async_client_of_a_child(daemon: Daemon) -> None:
    text = """
import asyncio
from incus_sdk import Client

client = Client(url)

async def get():
    return (await client.instances.get("web")).name

async def main():
    await get()
    status = await asyncio.get_running_loop().run_in_executor(None, forked, lambda: print(asyncio.run(get())))
    print(status, await get())
    await client.disconnect()

asyncio.run(main())
"""
    assert run(script(text), daemon.url) == (0, "web\n0 web\n", "")
