"""What an answer means, whatever its shape."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from incus_sdk import (
    IncusAPIError,
    IncusAuthenticationError,
    IncusBadRequestError,
    IncusConflictError,
    IncusConnectionError,
    IncusNotFoundError,
    IncusPermissionError,
    IncusPreconditionFailedError,
    IncusProtocolError,
)

from .daemon import Daemon, envelope, error, hang_up, reply, sync


@pytest.mark.parametrize(
    ("answer", "kind", "status", "text"),
    [
        (error(404, "Instance not found"), IncusNotFoundError, 404, "Instance not found"),
        (error(404, "Instance not found", status=200), IncusNotFoundError, 404, "Instance not found"),
        (error(400, "bad"), IncusBadRequestError, 400, "bad"),
        (error(401, "who?"), IncusAuthenticationError, 401, "who[?]"),
        (error(403, "no"), IncusPermissionError, 403, "no"),
        (error(409, "taken"), IncusConflictError, 409, "taken"),
        (error(412, "changed"), IncusPreconditionFailedError, 412, "changed"),
        (error(500, "ouch"), IncusAPIError, 500, "ouch"),
        (error(501, "not implemented"), IncusAPIError, 501, "not implemented"),
        (error(0, "", status=400), IncusBadRequestError, 400, "no reason given"),
        (error(0, "odd", status=200), IncusAPIError, 200, "odd"),
        (reply(envelope("sync"), 404), IncusNotFoundError, 404, "no reason given"),
        (reply(b"<html>Bad Gateway</html>", 502), IncusAPIError, 502, "<html>Bad Gateway</html>"),
        (reply(b"", 404), IncusNotFoundError, 404, "no reason given"),
        (reply(b'{"error":"x"', 400), IncusBadRequestError, 400, '{"error":"x"'),
        (reply([1, 2], 403), IncusPermissionError, 403, "1, 2"),
        (reply({"error": "not an envelope"}, 409), IncusConflictError, 409, "not an envelope"),
    ],
)
async def test_refusals(daemon: Daemon, answer: bytes, kind: type[IncusAPIError], status: int, text: str) -> None:
    daemon.will(answer)
    with pytest.raises(IncusAPIError, match=text) as caught:
        await daemon.api().request("POST", "/1.0/instances/web", {"secret": "x"})
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert str(caught.value).startswith("POST /1.0/instances/web: ")


async def test_a_refusal_carries_the_envelope(daemon: Daemon) -> None:
    daemon.will(error(404, "Instance not found"), reply(b"<html>", 404))
    with pytest.raises(IncusNotFoundError) as caught:
        await daemon.api().get("/1.0/instances/web")
    assert caught.value.response == envelope("error", error_code=404, error="Instance not found")
    with pytest.raises(IncusNotFoundError) as caught:
        await daemon.api().get("/1.0/instances/web")
    assert caught.value.response is None


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Welcome</html>",
        b"",
        b"{",
        b'{"type":"sync","metadata":',
        b"[]",
        b"12",
        b"null",
        b"{}",
        b'{"type":null}',
        b'{"type":"sync","status_code":"200"}',
        b'\xff{"type":"sync"}',
        b'{"type":"sync","metadata":{}} trailing',
        b'{"type":"sync","metadata":{"a":"\xff"}}',
        b'{"type":"sync","metadata":{"a":1e999}}',
        b'{"type":"sync","metadata":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    ],
)
async def test_answers_of_no_incus_server(daemon: Daemon, body: bytes) -> None:
    daemon.will(reply(body), reply(body))
    with pytest.raises(IncusProtocolError, match=r"^GET /1\.0: "):
        await daemon.api().get("/1.0")
    with pytest.raises(IncusProtocolError, match=r"^GET /1\.0: "):
        await daemon.api().read("/1.0", dict[str, Any])


@pytest.mark.parametrize(
    "body", [{"type": "sync"}, {"type": "sync", "metadata": None, "new_field": {"a": [1]}}, {"type": "whatever"}]
)
async def test_sparse_and_unknown_envelopes_are_taken(daemon: Daemon, body: dict[str, object]) -> None:
    daemon.will(*[reply(body)] * 3)
    api = daemon.api()
    assert await api.get("/1.0") == body
    assert await api.read_list("/1.0/x", str) == []
    answer = await api.operation("DELETE", "/1.0/x")
    assert (answer.id, answer.status, answer.done, answer["metadata"]) == ("", "Success", True, {})


@pytest.mark.parametrize("metadata", [[1], "text", 5, None, {"a": "b"}])
async def test_metadata_of_another_shape(daemon: Daemon, metadata: object) -> None:
    daemon.will(sync(metadata))
    with pytest.raises(IncusProtocolError, match=r"^GET /1.0/x: the answer has an unexpected shape: .*\$|Expected"):
        await daemon.api().read("/1.0/x", dict[str, int])


async def test_a_list(daemon: Daemon) -> None:
    daemon.will(sync(["/1.0/x/a"]), sync(None), sync([None]))
    api = daemon.api()
    assert await api.read_list("/1.0/x", str) == ["/1.0/x/a"]
    assert await api.read_list("/1.0/x", str) == []
    with pytest.raises(IncusProtocolError, match="unexpected shape"):
        await api.read_list("/1.0/x", str)


async def test_raw_answers(daemon: Daemon) -> None:
    daemon.will(reply(b'\x00{"type":"error"}', 200, {"X-Incus-type": "file"}), error(404, "Not Found"))
    api = daemon.api()
    response = await api.read_raw("/1.0/instances/web/files", {"path": "/a b"})
    assert (response.body, response.header("x-incus-type")) == (b'\x00{"type":"error"}', "file")
    assert daemon.last.target == "/1.0/instances/web/files?path=%2Fa%20b"
    with pytest.raises(IncusNotFoundError, match=r"GET /1\.0/instances/web/files: Not Found"):
        await api.read_raw("/1.0/instances/web/files", {"path": "/nope"})


async def test_streams(daemon: Daemon) -> None:
    daemon.will(reply(b"abc" * 1000), error(404, "Not Found"), reply(b"gone", 502))
    api = daemon.api(project="shop")
    async with api.stream("GET", "/1.0/images/f/export") as response:
        assert await response.read() == b"abc" * 1000
    assert daemon.last.query == {"project": "shop"}
    with pytest.raises(IncusNotFoundError, match="Not Found"):
        async with api.stream("POST", "/1.0/x", data={"a": 1}) as response:
            pytest.fail("the block must not be entered")
    assert daemon.last.json == {"a": 1}
    with pytest.raises(IncusAPIError, match="gone"):
        async with api.stream("GET", "/1.0/x") as response:
            pytest.fail("the block must not be entered")


async def test_refused_upgrades(daemon: Daemon) -> None:
    daemon.will(error(404, "Instance not found"), error(400, "no", status=200), sync({}))
    api = daemon.api(project="shop")
    with pytest.raises(IncusNotFoundError, match=r"GET /1\.0/instances/web/sftp: Instance not found"):
        await api.upgrade("/1.0/instances/web/sftp", "sftp")
    assert daemon.last.headers["upgrade"] == "sftp"
    assert daemon.last.query == {"project": "shop"}
    with pytest.raises(IncusBadRequestError, match="no"):
        await api.websocket("/1.0/events", {"type": "operation"})
    assert daemon.last.query == {"type": "operation", "project": "shop"}
    with pytest.raises(IncusProtocolError, match="status 200 instead of upgrading"):
        await api.websocket("/1.0/events")


async def test_secrets_of_the_query_are_not_in_messages(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.will(error(403, "no"), error(403, "no"), reply(b"<html>"), hang_up, hang_up)
    api = daemon.api(retries=0)
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for path, params in [("/1.0/x?secret=hush", None), ("/1.0/x", {"secret": "hush"})]:
            with pytest.raises(IncusPermissionError) as caught:
                await api.websocket(path, params)
            texts.append(str(caught.value))
        with pytest.raises(IncusProtocolError) as protocol:
            await api.get("/1.0/x?secret=hush")
        with pytest.raises(IncusConnectionError) as connection:
            await api.get("/1.0/x?secret=hush")
    assert all("hush" not in text for text in [*texts, str(protocol.value), str(connection.value), caplog.text])
