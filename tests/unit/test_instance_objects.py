"""Instances: their files and logs, and the objects that stand for them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest

from incus_sdk import (
    IncusArgumentError,
    IncusError,
    IncusNotFoundError,
    IncusProtocolError,
    Instance,
)
from incus_sdk.api._files import HOPS

from .daemon import Daemon, error, reply, started, sync

WEB = {"name": "web", "status": "Running", "project": "default", "config": {"user.x": "1"}, "profiles": None}


async def web(daemon: Daemon, **fields: object) -> Instance:
    """An instance, as it is read."""
    daemon.will(sync({**WEB, **fields}))
    return await daemon.client().instances.get("web")


# -- files and logs ----------------------------------------------------------------------------------------------------


async def test_get_files(daemon: Daemon) -> None:
    folder = reply({"type": "sync", "metadata": ["a", "b"]}, 200, {"X-Incus-type": "directory"})
    empty = reply({"type": "sync", "metadata": None}, 200, {"X-Incus-type": "directory"})
    daemon.will(reply(b'["not", "a folder"]\xff', 200, {"X-Incus-type": "file"}), folder, empty)
    instance = daemon.client().instances
    assert await instance.get_files("web", "/etc/a b") == b'["not", "a folder"]\xff'
    assert daemon.last.target == "/1.0/instances/web/files?path=/etc/a%20b"
    assert await instance.get_files("web", "/etc") == b'["a","b"]'
    assert await instance.get_files("web", "/etc") == b"[]"


FILES = "/1.0/instances/web/files"


def link(target: bytes) -> bytes:
    """The answer for a symbolic link."""
    return reply(target, 200, {"X-Incus-type": "symlink"})


async def test_links_are_followed(daemon: Daemon) -> None:
    folder = reply({"type": "sync", "metadata": ["a"]}, 200, {"X-Incus-type": "directory"})
    daemon.will(link(b"/srv/b"), link(b"/srv/\xff c"), reply(b"content"), link(b"/srv"), folder)
    instances = daemon.client().instances
    assert await instances.get_files("web", "/srv/a") == b"content"
    assert await instances.get_files("web", "/d") == b'["a"]'
    assert daemon.targets == [f"GET {FILES}?path={path}" for path in ("/srv/a", "/srv/b", "/srv/%FF%20c", "/d", "/srv")]


async def test_links_are_followed_so_far(daemon: Daemon) -> None:
    daemon.will(*[link(b"/a")] * HOPS, reply(b"content"))
    instances = daemon.client().instances
    assert await instances.get_files("web", "/a") == b"content"
    daemon.will(*[link(b"/a")] * (HOPS + 1))
    with pytest.raises(IncusError, match="'/a' leads through more than 40 symbolic links, or back to itself"):
        await instances.get_files("web", PurePosixPath("/a").as_posix())


async def test_a_link_to_nothing(daemon: Daemon) -> None:
    daemon.will(link(b"/srv/b"), error(404, "Not Found"))
    with pytest.raises(IncusNotFoundError) as caught:
        await daemon.client().instances.get_files("web", "/srv/a")
    expected = f"GET {FILES}?path=/srv/b: Not Found (status 404); the symbolic link '/srv/a' leads there"
    assert str(caught.value) == expected
    assert caught.value.status_code == 404
    assert caught.value.response is not None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"type":"sync","metadata":{"a":1}}', b'{"type":"sync","metadata":[null]}']
)
async def test_odd_answers_for_a_folder(daemon: Daemon, body: bytes) -> None:
    daemon.will(reply(body, 200, {"X-Incus-type": "directory"}))
    with pytest.raises(IncusProtocolError, match=rf"^GET {FILES}\?path=/etc: "):
        await daemon.client().instances.get_files("web", "/etc")


async def test_messages_name_the_file(daemon: Daemon) -> None:
    daemon.will(error(404, "Not Found"), error(404, "Not Found"))
    instance = daemon.client(project="shop").instances
    with pytest.raises(IncusNotFoundError, match=rf"^GET {FILES}\?path=/etc/x: Not Found"):
        await instance.get_files("web", "/etc/x")
    with pytest.raises(IncusNotFoundError, match=rf"^POST {FILES}\?path=/tmp/%FF: Not Found"):
        await instance.put_files("web", "/tmp/\udcff", b"")
    assert daemon.targets[1] == f"POST {FILES}?path=/tmp/%FF&project=shop"


@pytest.mark.parametrize(
    ("content", "options", "body", "headers"),
    [
        (b"a\xff", {}, b"a\xff", {"x-incus-write": "overwrite"}),
        ("ü", {"append": True}, "ü".encode(), {"x-incus-write": "append"}),
        (
            memoryview(b"x"),
            {"uid": 0, "gid": 1000, "mode": 0o4755},
            b"x",
            {"x-incus-write": "overwrite", "x-incus-uid": "0", "x-incus-gid": "1000", "x-incus-mode": "4755"},
        ),
        (b"", {"mode": 0o7}, b"", {"x-incus-write": "overwrite", "x-incus-mode": "0007"}),
    ],
)
async def test_put_files(
    daemon: Daemon, content: Any, options: dict[str, Any], body: bytes, headers: dict[str, str]
) -> None:
    daemon.will(sync({}))
    answer = await daemon.client().instances.put_files("web", "/srv/x", content, **options)
    assert (answer.id, answer.done) == ("", True)
    assert daemon.targets == ["POST /1.0/instances/web/files?path=/srv/x"]
    assert daemon.last.body == body
    sent = {name: value for name, value in daemon.last.headers.items() if name.startswith("x-")}
    assert sent == {"x-incus-type": "file", **headers}
    assert daemon.last.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "content", "options", "kind"),
    [
        ("", b"", {}, IncusArgumentError),
        ("/a\0b", b"", {}, IncusArgumentError),
        (5, b"", {}, TypeError),
        ("/a", 5, {}, TypeError),
        ("/a", None, {}, TypeError),
        ("/a", ["x"], {}, TypeError),
        ("/a", b"", {"mode": 0o10000}, IncusArgumentError),
        ("/a", b"", {"mode": -1}, IncusArgumentError),
        ("/a", b"", {"mode": "0644"}, TypeError),
        ("/a", b"", {"mode": True}, TypeError),
        ("/a", b"", {"uid": -1}, IncusArgumentError),
        ("/a", b"", {"uid": 2**32}, IncusArgumentError),
        ("/a", b"", {"uid": "0"}, TypeError),
        ("/a", b"", {"gid": -1}, IncusArgumentError),
        ("/a", b"", {"gid": 0.5}, TypeError),
        ("/a", "hush\udcff", {}, IncusArgumentError),
        ("/a", ["hush"], {}, TypeError),
    ],
)
async def test_put_files_refuses_before_it_sends(
    daemon: Daemon, path: Any, content: Any, options: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=f"^({'|'.join(['path', 'content', *options])}) |cannot be the path") as caught:
        await daemon.client().instances.put_files("web", path, content, **options)
    assert "hush" not in str(caught.value)
    assert not daemon.requests


async def test_get_logs(daemon: Daemon) -> None:
    daemon.will(
        sync(["/1.0/instances/web/logs/lxc.log?project=shop", "/1.0/instances/web/logs/a%20b.log"]),
        reply(b"line\xff\n"),
        error(404, "Not Found"),  # removed since it was listed
    )
    assert await daemon.client(project="shop").instances.get_logs("web") == {"lxc.log": "line\ufffd\n"}
    assert daemon.targets[1:] == [
        "GET /1.0/instances/web/logs/lxc.log?project=shop",
        "GET /1.0/instances/web/logs/a%20b.log?project=shop",
    ]


# -- objects -----------------------------------------------------------------------------------------------------------


async def test_an_object_works_in_its_own_project(daemon: Daemon) -> None:
    daemon.will(sync([{**WEB, "project": "shop"}, WEB]), started(), started())
    shop, plain = await daemon.client().instances.list(all_projects=True)
    await shop.start()
    await plain.start()
    assert daemon.targets[1:] == [
        "PUT /1.0/instances/web/state?project=shop",
        "PUT /1.0/instances/web/state",
    ]


async def test_an_object_of_the_default_project_read_from_another(daemon: Daemon) -> None:
    daemon.will(sync(["/1.0/instances/web"]), started())
    (instance,) = await daemon.client(project="shop").instances.list(0, all_projects=True)
    await instance.start()
    assert daemon.last.query == {"project": "default"}


async def test_refresh(daemon: Daemon) -> None:
    instance = await web(daemon)
    daemon.will(sync({**WEB, "status": "Stopped"}), sync({**WEB, "state": {"status": "Running"}}))
    assert await instance.refresh() is instance
    assert instance.status == "Stopped"
    await instance.refresh(full=True)
    assert instance.state is not None
    daemon.will(error(404, "Instance not found"))
    with pytest.raises(IncusNotFoundError):
        await instance.refresh()


async def test_objects_are_values(daemon: Daemon) -> None:
    one, other = await web(daemon), await web(daemon)
    assert one == other
    assert repr(one) == "<Instance web Running>"
    assert repr(await web(daemon, project="shop")) == "<Instance web Running project=shop>"
    assert one.to_dict()["config"] == {"user.x": "1"}
    assert Instance.from_dict(one.to_dict()) == one


@pytest.mark.parametrize("how", ["copy", "deepcopy", "pickle", "from_dict"])
async def test_copies_belong_to_no_client(daemon: Daemon, how: str) -> None:
    instance = await web(daemon)
    ways: dict[str, Callable[[Instance], Instance]] = {
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "pickle": lambda instance: pickle.loads(pickle.dumps(instance)),
        "from_dict": lambda instance: Instance.from_dict(instance.to_dict()),
    }
    twin = ways[how](instance)
    assert twin == instance
    with pytest.raises(IncusArgumentError, match=r"<Instance web Running> is a copy that belongs to no client"):
        await twin.start()
