"""execute: commands and their results."""

from __future__ import annotations

import json
import pickle
from typing import Any, cast

import pytest

from incus_sdk import Client, IncusError, IncusOperationError, Instance

from .support import MIB, Face, Server, call, listening


async def _recordings(admin: Client, name: str) -> list[str]:
    listed = await admin.api.get(f"/1.0/instances/{name}/logs/exec-output")
    return cast("list[str]", listed["metadata"])


async def _output(client: Client, server: Server, *command: str, **options: Any) -> str:
    result = await call(client.instances.execute(server.box, command, record_output=True, wait=True, **options))
    assert (result.stderr, result.returncode) == ("", 0)
    return result.stdout


async def test_a_result(client: Client, server: Server) -> None:
    script = "echo out; echo err >&2; exit 3"
    result = await call(client.instances.execute(server.box, ["sh", "-c", script], record_output=True, wait=True))
    assert result["metadata"]["output"] == {"stdout": "out\n", "stderr": "err\n"}
    assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 3)
    assert (result.stdout_bytes, result.stderr_bytes) == (b"out\n", b"err\n")
    assert result["metadata"]["metadata"]["return"] == 3
    assert (result.status, result.done) == ("Success", True)


async def test_environment(client: Client, server: Server) -> None:
    environment = {"TEXT": "a b'\"$x", "NUMBER": 2, "TRUE": True, "FALSE": False, "EMPTY": "", "FLOAT": 0.5}
    output = await _output(client, server, "env", environment=environment)
    seen = {key: value for key, _, value in (line.partition("=") for line in output.splitlines())}
    expected = {"TEXT": "a b'\"$x", "NUMBER": "2", "TRUE": "true", "FALSE": "false", "EMPTY": "", "FLOAT": "0.5"}
    assert seen.items() >= {**expected, "HOME": "/root", "USER": "root"}.items()


@pytest.mark.parametrize(("user", "group", "seen"), [(0, 0, "0:0"), (1000, 1000, "1000:1000"), (1000, None, "1000:0")])
async def test_user_and_group(client: Client, server: Server, user: int, group: int | None, seen: str) -> None:
    output = await _output(client, server, "sh", "-c", "echo $(id -u):$(id -g)", user=user, group=group)
    assert output == f"{seen}\n"


async def test_folder(client: Client, server: Server) -> None:
    assert await _output(client, server, "pwd") == "/root\n"
    assert await _output(client, server, "pwd", cwd="/tmp") == "/tmp\n"


async def test_arguments_are_not_for_a_shell(client: Client, server: Server) -> None:
    arguments = ["$HOME", "a b", "'", '"', "*", ";", "ü", ""]
    assert await _output(client, server, "printf", "%s\n", *arguments) == "\n".join(arguments) + "\n"


async def test_a_command_of_any_sequence(client: Client, server: Server) -> None:
    assert (await call(client.instances.execute(server.box, ("sh", "-c", "exit 4"), wait=True))).returncode == 4


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 255", 255),
        ("kill -9 $$", 137),
        ("kill -15 $$", 143),
    ],
)
async def test_exit_codes_raise_nothing(client: Client, server: Server, script: str, code: int) -> None:
    result = await call(client.instances.execute(server.box, ["sh", "-c", script], wait=True))
    assert (result.returncode, result.status) == (code, "Success")


@pytest.mark.parametrize(("code", "said"), [(126, "Command not executable"), (127, "Command not found")])
async def test_exit_codes_that_servers_take_for_failures(client: Client, server: Server, code: int, said: str) -> None:
    """They say the same of a command that could not be started; the code itself is in the error."""
    with pytest.raises(IncusOperationError, match=said) as caught:
        await call(client.instances.execute(server.box, ["sh", "-c", f"exit {code}"], wait=True))
    assert caught.value.response is not None
    assert caught.value.response["metadata"]["return"] == code


@pytest.mark.parametrize("script", ["echo said; no-such-command", "echo said >&2; exit 126"])
async def test_a_command_that_wrote_something_was_started(client: Client, server: Server, script: str) -> None:
    result = await call(client.instances.execute(server.box, ["sh", "-c", script], record_output=True, wait=True))
    assert result.returncode in {126, 127}
    assert "said\n" in {result.stdout, result.stderr}
    assert (await call(result.wait())) is result


async def test_output_that_is_not_recorded(client: Client, server: Server) -> None:
    result = await call(client.instances.execute(server.box, ["echo", "lost"], wait=True))
    assert "output" not in result["metadata"]
    assert (result.stdout, result.stdout_bytes, result.stderr) == ("", b"", "")


async def test_recordings_are_removed(client: Client, admin: Client, running: Instance) -> None:
    result = await call(client.instances.execute(running.name, ["echo", "x"], record_output=True, wait=True))
    assert result.stdout == "x\n"
    assert await _recordings(admin, running.name) == []
    with pytest.raises(IncusError, match=r"not found|not executable"):
        await call(client.instances.execute(running.name, ["/no/such/thing"], record_output=True, wait=True))
    assert await _recordings(admin, running.name) == []


async def test_big_output(client: Client, server: Server) -> None:
    script = f"yes 0123456789abcde | head -c {5 * MIB}; yes x | head -c {MIB} >&2"
    result = await call(client.instances.execute(server.box, ["sh", "-c", script], record_output=True, wait=True))
    assert result.stdout == "0123456789abcde\n" * (5 * MIB // 16)
    assert result.stderr == "x\n" * (MIB // 2)


async def test_bytes_that_are_no_text(client: Client, server: Server) -> None:
    script = r"printf '\377\376ok\0\n'"
    result = await call(client.instances.execute(server.box, ["sh", "-c", script], record_output=True, wait=True))
    assert result.stdout_bytes == b"\xff\xfeok\0\n"
    assert result.stdout == result["metadata"]["output"]["stdout"] == "\ufffd\ufffdok\0\n"
    json.dumps(result)


async def test_no_output(client: Client, server: Server) -> None:
    result = await call(client.instances.execute(server.box, ["true"], record_output=True, wait=True))
    assert result["metadata"]["output"] == {"stdout": "", "stderr": ""}


async def test_wait_later(client: Client, server: Server) -> None:
    result = await call(client.instances.execute(server.box, ["echo", "later"], record_output=True))
    assert (result.returncode, result.done, result.stdout) == (None, False, "")
    assert await call(result.wait()) is result
    assert (result.stdout, result.returncode) == ("later\n", 0)
    again = await call(result.wait())
    assert again["metadata"]["output"] == {"stdout": "later\n", "stderr": ""}


async def test_a_result_can_be_kept(client: Client, server: Server) -> None:
    result = await call(client.instances.execute(server.box, ["echo", "kept"], record_output=True, wait=True))
    assert json.loads(json.dumps(result))["metadata"]["output"]["stdout"] == "kept\n"
    copied = pickle.loads(pickle.dumps(result))
    assert type(copied) is type(result)
    assert (copied, copied.stdout_bytes, copied.returncode) == (result, b"kept\n", 0)
    assert "kept" not in repr(result)


async def test_interactive_without_a_websocket(client: Client, server: Server) -> None:
    """There is nobody to interact with, so it is a command like any other."""
    for columns in (0, 100):
        script = ["sh", "-c", "exit 5"]
        result = await call(
            client.instances.execute(server.box, script, interactive=True, width=columns, height=25, wait=True)
        )
        assert (result.returncode, "output" in result["metadata"]) == (5, False)


async def test_waiting_for_a_websocket(client: Client, server: Server) -> None:
    answer = await call(client.instances.execute(server.box, ["cat"], wait_for_websocket=True))
    sockets = answer["metadata"]["metadata"]["fds"]
    assert set(sockets) == {"0", "1", "2", "control"}
    assert answer["metadata"]["class"] == "websocket"
    for secret in sockets.values():
        assert secret not in repr(answer)
        assert secret not in str(answer)


async def test_all_options_as_they_are_sent(face: Face) -> None:
    """Zero is a value: user 0 is root, and a width of 0 is for the server to judge."""
    async with listening() as listener:
        client = face.client(listener.endpoint)
        with pytest.raises(IncusError, match="noted"):
            await face.start(
                lambda: client.instances.execute("web", ["id"], {"A": 0}, False, True, False, 0, 0, 0, 0, "/", False)
            )
        with pytest.raises(IncusError, match="noted"):
            await face.start(lambda: client.instances.execute("web", ["id"]))
        await face.start(client.disconnect)
    given, default = (request.json() for request in listener.requests)
    assert given == {
        "command": ["id"],
        "environment": {"A": "0"},
        "wait-for-websocket": False,
        "record-output": True,
        "interactive": False,
        "width": 0,
        "height": 0,
        "user": 0,
        "group": 0,
        "cwd": "/",
    }
    assert default.keys() == {"command", "environment", "wait-for-websocket", "record-output", "interactive"}
