"""Instances: natural values arrive as plain ones, wrong ones are refused before anything is sent."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from incus_sdk import IncusArgumentError

from .daemon import SUCCESS, Daemon, error, started, sync

FINGERPRINT = "bacb30cd6ca5e6f238f8a3a3699c966c6cfd0a5292ee25951fda24a2c3f1fdf9"
SOURCE = {"type": "none"}


class Number:
    """A whole number of another library."""

    def __index__(self) -> int:
        return 80


class Word(str):
    __slots__ = ()


async def test_execute(daemon: Daemon) -> None:
    daemon.will(started(), started())
    instances: Any = daemon.client().instances
    command = [Path("/bin/echo"), Word("a"), "ü".encode(), ""]
    await instances.execute("web", command, {"A": Number()}, width=Number(), cwd=PurePosixPath("/srv"), user=0)
    sent = daemon.last.json
    assert sent["command"] == ["/bin/echo", "a", "ü", ""]
    assert (sent["environment"], sent["width"], sent["cwd"], sent["user"]) == ({"A": "80"}, 80, "/srv", 0)
    assert "height" not in sent
    await instances.execute("web", ("true",), width=0, height=65535, user=2**32 - 1, group=2**32 - 1, cwd="")
    assert {daemon.last.json[key] for key in ("user", "group")} == {2**32 - 1}
    assert [daemon.last.json[key] for key in ("width", "height", "cwd")] == [0, 65535, ""]


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"command": None}, TypeError, r"^command must be a list, as in \['sh', '-c', '…'\], not NoneType$"),
        ({"command": "hush"}, TypeError, "^command must be a list"),
        ({"command": b"hush"}, TypeError, "^command must be a list"),
        ({"command": {"hush": 1}}, TypeError, "^command must be a list"),
        ({"command": ["ls", ["hush"]]}, TypeError, r"^command\[1\] must be a str, not list$"),
        ({"command": ["ls", b"hush\xff"]}, IncusArgumentError, r"^command\[1\] is no Unicode text, or no UTF-8"),
        ({"command": ["ls", "hush\udcff"]}, IncusArgumentError, r"^command\[1\] is no Unicode text"),
        ({"command": []}, IncusArgumentError, "^command is empty"),
        ({"environment": {"P": b"hush\xff"}}, IncusArgumentError, "^P is no Unicode text"),
        ({"environment": "P=hush"}, TypeError, "^environment must be a mapping, not str$"),
        ({"environment": {"P": "hush\udcff"}}, IncusArgumentError, "^P is no Unicode text"),
        ({"cwd": 5}, TypeError, "^cwd must be a str, not int$"),
        ({"cwd": "/\udcff"}, IncusArgumentError, "^cwd is no Unicode text"),
        ({"user": -1}, IncusArgumentError, "^user cannot be -1: it is from 0 to 4294967295$"),
        ({"user": 2**32}, IncusArgumentError, "^user cannot be 4294967296"),
        ({"user": "root"}, TypeError, "^user must be a whole number, not str$"),
        ({"group": True}, TypeError, "^group must be a whole number, not bool$"),
        ({"width": -1}, IncusArgumentError, "^width cannot be -1"),
        ({"width": 65536}, IncusArgumentError, "^width cannot be 65536"),
        ({"height": 24.0}, TypeError, "^height must be a whole number, not float$"),
    ],
)
async def test_execute_refuses(daemon: Daemon, options: dict[str, Any], kind: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"command": ["ls"], **options}
    with pytest.raises(kind, match=message) as caught:
        await daemon.client().instances.execute("web", **arguments)
    assert "hush" not in str(caught.value)
    assert not daemon.requests


@pytest.mark.parametrize(("timeout", "sent"), [(Number(), 80), (0.0, 0), (1e-9, 1), (2**31 - 1, 2**31 - 1), (None, -1)])
async def test_timeouts(daemon: Daemon, timeout: Any, sent: int) -> None:
    daemon.will(started())
    await daemon.client().instances.stop("web", timeout=timeout)
    assert daemon.last.json["timeout"] == sent


@pytest.mark.parametrize(
    ("timeout", "kind", "message"),
    [
        (float("inf"), IncusArgumentError, "^timeout cannot be inf: it is 0 or more seconds, or None for no limit$"),
        (float("nan"), IncusArgumentError, "^timeout cannot be nan"),
        (-0.1, IncusArgumentError, r"^timeout cannot be -0\.1"),
        (-1, IncusArgumentError, "^timeout cannot be -1.*None for no limit$"),
        (2**31, IncusArgumentError, "^timeout cannot be 2147483648"),
        ("30", TypeError, "^timeout must be a number of seconds or None, not str$"),
        (False, TypeError, "^timeout must be a number"),
        (1j, TypeError, "^timeout must be a number"),
    ],
)
async def test_timeouts_that_are_none(daemon: Daemon, timeout: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        await daemon.client().instances.stop("web", timeout=timeout)
    assert not daemon.requests


async def test_create_and_edit_send_plain_values(daemon: Daemon) -> None:
    read = sync({"config": {}, "priority": 1}, {"ETag": "e1"})
    daemon.will(started(), read, read, started(), SUCCESS)
    instances: Any = daemon.client().instances
    source = {"type": Word("image"), "alias": PurePosixPath("debian/13")}
    await instances.create(Word("web"), source, description=Word("x"), profiles=(Word("a"),))
    body = {"name": "web", "source": {"type": "image", "alias": "debian/13"}, "type": "container"}
    assert daemon.last.json == {**body, "profiles": ["a"], "ephemeral": False, "description": "x"}
    async with instances.edit("web") as draft:
        draft |= {"description": Path("/srv"), "priority": Number()}
        draft["config"]["limits.cpu"] = Number()
    assert daemon.requests[3].json == {"config": {"limits.cpu": "80"}, "description": "/srv", "priority": 80}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"project": "shop"}, r"client\.use_project"),
        ({"target": "node1"}, r"client\.use_target"),
        ({"type": "virtual-machine"}, "instance_type"),
        ({"profile": ["x"]}, "did you mean 'profiles'"),
        ({"desription": "x"}, "did you mean 'description'"),
    ],
)
async def test_creations_with_fields_that_there_are_not(daemon: Daemon, fields: Any, message: str) -> None:
    instances: Any = daemon.client().instances
    with pytest.raises(IncusArgumentError, match=message):
        await instances.create("web", SOURCE, **fields)
    with pytest.raises(IncusArgumentError, match=message):
        await instances.launch("images:debian/13", "web", **fields)
    assert not daemon.requests


async def test_launch_by_fingerprint_in_the_command_s_notation(daemon: Daemon) -> None:
    daemon.will(error(404, "Image alias not found"), error(400, "enough"))
    with pytest.raises(Exception, match="enough"):
        await daemon.client().instances.launch(f"local:{FINGERPRINT}", "web")
    assert daemon.targets[0] == f"GET /1.0/images/aliases/{FINGERPRINT}"
    assert daemon.last.json["source"] == {"type": "image", "fingerprint": FINGERPRINT}
