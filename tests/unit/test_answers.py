"""Answers without a server: each decision about an envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incus_sdk import IncusAPIError, IncusNotFoundError, IncusProtocolError
from incus_sdk._answers import check, envelope, metadata, open_envelope, upgraded, whole
from incus_sdk._encoding import decode, encode
from incus_sdk._transport import Response
from incus_sdk.models import InstanceData

REQUEST = "GET /1.0/x"


def response(body: object, status: int = 200) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, [], data)


def test_the_metadata_is_decoded_as_asked() -> None:
    opened = envelope(response({"type": "sync", "metadata": {"name": "web", "config": None, "new": 1}}), REQUEST)
    instance = metadata(opened, InstanceData, REQUEST)
    assert (instance.name, instance.config) == ("web", {})
    assert metadata(opened, dict[str, Any], REQUEST) == {"name": "web", "config": None, "new": 1}
    with pytest.raises(IncusProtocolError, match=r"GET /1.0/x: the answer has an unexpected shape: .*array"):
        metadata(opened, list[str], REQUEST)


def test_no_metadata_is_null() -> None:
    assert metadata(envelope(response({"type": "sync"}), REQUEST), type(None), REQUEST) is None


def test_the_status_of_the_envelope_counts_where_both_say_no() -> None:
    with pytest.raises(IncusNotFoundError) as caught:
        envelope(response({"type": "error", "error_code": 404, "error": "x"}, 500), REQUEST)
    assert caught.value.status_code == 404


def test_opening_judges_nothing() -> None:
    opened = open_envelope(response({"type": "error", "error_code": 500, "error": "x"}), REQUEST)
    assert (opened.type, opened.error_code, opened.error) == ("error", 500, "x")


def test_check_lets_anything_pass_that_is_no_refusal() -> None:
    answer = response(b'{"type":"error"}', 200)
    assert check(answer, REQUEST) is answer
    with pytest.raises(IncusAPIError, match=r"GET /1\.0/x: gone \(status 410\)"):
        check(response(b"gone", 410), REQUEST)


def test_upgraded() -> None:
    connection = object()
    assert upgraded(connection, REQUEST) is connection
    with pytest.raises(IncusNotFoundError):
        upgraded(response({"type": "error", "error_code": 404}, 404), REQUEST)
    with pytest.raises(IncusProtocolError, match="answered with status 200 instead of upgrading"):
        upgraded(response({"type": "sync"}), REQUEST)


def test_whole() -> None:
    assert whole(response({"type": "sync", "more": [1]}), REQUEST) == {"type": "sync", "more": [1]}
    with pytest.raises(IncusProtocolError):
        whole(response(b"{"), REQUEST)


def test_the_start_of_a_strange_answer_is_shown_and_no_more() -> None:
    with pytest.raises(IncusProtocolError) as caught:
        open_envelope(response(b"<html>\xff" + b"x" * 10_000), REQUEST)
    assert "'<html>\ufffdxxx" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_json_goes_both_ways() -> None:
    value: dict[str, Any] = {"a": [1, 2.5, None, True, "ü\n\x00"], "b": {}}
    assert decode(encode(value), dict[str, Any]) == value
    assert decode(b" 5 ", int) == 5
