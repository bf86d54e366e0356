"""An answer that is cut off at any of its bytes is an error that says what is known, or else the right result."""

from __future__ import annotations

import pytest

from incus_sdk import IncusConnectionError

from ..contract.support import Face
from ..unit.transport.peers import descriptors
from .support import CALLS, Faulty, as_type, check, cut, outcome, started, told, using

STEPS = [(name, step) for name, call in CALLS.items() for step in range(len(call.answers))]
"""Each request of each call."""

ends = pytest.mark.parametrize(
    ("link", "end", "face"),
    [
        ("unix", "closed", "async"),
        ("unix", "closed", "sync"),
        ("unix", "reset", "async"),
        ("tls", "closed", "async"),
        ("tls", "reset", "async"),
    ],
    indirect=["link", "face"],
)
each_request = pytest.mark.parametrize(("name", "step"), STEPS)


@ends
@each_request
async def test_cut_off_at_every_byte(daemon: Faulty, face: Face, end: str, name: str, step: int) -> None:
    call = CALLS[name]
    answer, request, changes = call.answers[step], call.requests[step], call.changes(step)
    sockets = len(descriptors())
    async with using(daemon, face, retries=0) as client:
        for size in range(len(answer)):
            await check(daemon, client, face)  # on a connection of its own, as the last one broke
            asked = len(daemon.requests)
            daemon.will(*call.answers[:step], cut(answer[:size], end), answer)
            result = await outcome(started(face, call, client))
            if size == 0 and not changes:  # the server may have closed an idle connection: the one case to repeat
                assert call.right(result)
                continue
            error = as_type(told(result, request, doubt=changes or step > 0), IncusConnectionError)
            assert error.sent
            assert len(daemon.requests) == asked + step + 1
            daemon.answers.clear()
            await daemon.alone(sockets)
        await check(daemon, client, face)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("link", ["unix"], indirect=True)
@each_request
async def test_with_retries_only_changes_fail(daemon: Faulty, face: Face, name: str, step: int) -> None:
    call = CALLS[name]
    answer = call.answers[step]
    async with using(daemon, face, retries=1) as client:
        for size in range(len(answer)):
            await check(daemon, client, face)
            asked = len(daemon.requests)
            daemon.will(*call.answers[:step], cut(answer[:size], "closed"), answer)
            result = await outcome(started(face, call, client))
            if call.changes(step):
                told(result, call.requests[step], doubt=True)
                assert len(daemon.requests) == asked + step + 1
                daemon.answers.clear()
            else:
                assert call.right(result)


@pytest.mark.parametrize("end", ["closed", "dropped", "reset"])
async def test_a_file_of_unknown_length_ends_with_the_connection_only_if_that_was_closed_in_good_order(
    daemon: Faulty, end: str
) -> None:
    """A socket says no more than that it has ended; TLS can tell the end of a file from the loss of the rest."""
    client = daemon.client(retries=0)
    daemon.will(cut(b"HTTP/1.1 200 OK\r\nX-Incus-type: file\r\n\r\nhello", end))
    result = await outcome(client.instances.get_files("web", "/f"))
    if end == "closed" or daemon.link == "unix":
        assert result == b"hello"
    else:
        told(result, "GET /1.0/instances/web/files")
