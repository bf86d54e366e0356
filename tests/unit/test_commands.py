"""Commands for instances: what is sent, what is refused, and what comes of them, without a daemon."""

from __future__ import annotations

import pickle
import random
from pathlib import PurePosixPath
from typing import Any, cast

import pytest

from incus_sdk import (
    CompletedProcess,
    IncusArgumentError,
    IncusBrokenPipeError,
    IncusProcessError,
    IncusProcessTimeoutError,
    RunOutcome,
)
from incus_sdk._commands import command_for, run_settings, terminal_size
from incus_sdk._exec_streams import Pieces

PATH = "/1.0/instances/web/exec"


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_a_body() -> None:
    command = command_for(
        "web", PATH, ("echo", b"a", PurePosixPath("/b")), environment={"A": 1}, user=0, group=5, cwd="/"
    )
    assert command.args == ["echo", "a", "/b"]
    assert command.body == {
        "command": ["echo", "a", "/b"],
        "environment": {"A": "1"},
        "wait-for-websocket": True,
        "record-output": False,
        "interactive": False,
        "user": 0,
        "group": 5,
        "cwd": "/",
    }


def test_a_body_with_a_terminal() -> None:
    body = command_for("web", PATH, ["sh"], size=(100, 30)).body
    assert (body["interactive"], body["width"], body["height"]) == (True, 100, 30)
    assert not {"user", "group", "cwd"} & body.keys()


@pytest.mark.parametrize("size", [(-1, 1), (1, 1 << 16)])
def test_sizes_that_no_terminal_has(size: tuple[int, int]) -> None:
    with pytest.raises(IncusArgumentError):
        terminal_size(*size)


# -- text and bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "data", "seen"),
    [
        ({}, b"\xff", b"\xff"),
        ({"text": True}, b"\xc3\xbc\xff", "ü\ufffd"),
        ({"encoding": "latin-1"}, b"\xfc\xff", "üÿ"),
        ({"encoding": "utf-16-le"}, b"a\0\0\xd8", "a\ufffd"),
        ({"encoding": "ascii", "text": False}, b"a\xff", "a\ufffd"),
    ],
)
def test_output_is_never_lost(options: dict[str, Any], data: bytes, seen: str | bytes) -> None:
    assert run_settings(**options).decode(data) == seen


@pytest.mark.parametrize(
    ("given", "encoding", "sent"),
    [(None, None, b""), ("ü", None, b"\xc3\xbc"), ("ü", "latin-1", b"\xfc"), (b"\xff", "latin-1", b"\xff")],
)
def test_input(given: str | bytes | None, encoding: str | None, sent: bytes) -> None:
    assert run_settings(input=given, encoding=encoding).input == sent


@pytest.mark.parametrize("encoding", ["no-such", "base64", "idna"])
def test_encodings_that_are_none_of_text(encoding: str) -> None:
    with pytest.raises(IncusArgumentError, match=encoding):
        run_settings(encoding=encoding)


@pytest.mark.parametrize(("given", "encoding"), [("secret\ud800", None), ("secret ü", "ascii")])
def test_input_that_cannot_be_encoded(given: str, encoding: str | None) -> None:
    with pytest.raises(IncusArgumentError) as caught:
        run_settings(input=given, encoding=encoding)
    assert caught.value.__context__ is None or "secret" not in repr(caught.value.__context__)
    assert "secret" not in str(caught.value)
    assert str(caught.value).startswith("input ")


def test_input_that_is_none() -> None:
    with pytest.raises(TypeError, match="input must be bytes or str, not int"):
        run_settings(input=cast("Any", 5))


@pytest.mark.parametrize("name", ["", "A=B"])
def test_names_that_no_variable_has(name: str) -> None:
    with pytest.raises(IncusArgumentError, match="environment: "):
        command_for("web", PATH, ["env"], environment={name: "1"})


# -- results ----------------------------------------------------------------------------------------------------------


def test_a_message_names_the_program_and_its_last_words() -> None:
    process = CompletedProcess(["mysql", "-phush"], 2, "hush", "first\naccess denied\n\n", "db")
    with pytest.raises(IncusProcessError) as caught:
        process.check_returncode()
    assert str(caught.value) == "'mysql' in db ended with exit code 2: access denied"
    assert "hush" not in repr(process)
    assert repr(process) == "<CompletedProcess ['mysql'] returncode=2 stdout=4 stderr=21>"


@pytest.mark.parametrize(
    ("code", "stderr", "text"),
    [
        (1, b"", "exit code 1"),
        (137, b"", r"exit code 137 \(signal 9\)"),
        (1, b"\xff" * 5000, "exit code 1: \ufffd{200}$"),
        (1, "x" * 5000, "exit code 1: x{200}$"),
        (1, b"\x1b[2J\x07red", r"exit code 1: \\x1b\[2J\\x07red$"),
    ],
)
def test_messages_about_exit_codes(code: int, stderr: Any, text: str) -> None:
    process: CompletedProcess[Any] = CompletedProcess(["job"], code, b"", stderr, "web")
    with pytest.raises(IncusProcessError, match=text):
        process.check_returncode()


def test_outcomes() -> None:
    good = CompletedProcess(["true"], 0, b"", b"", "web")
    assert RunOutcome("web", good).ok
    assert not RunOutcome("web", CompletedProcess(["false"], 1, b"", b"", "web")).ok
    assert not RunOutcome("web", error=IncusProcessError("no")).ok
    assert pickle.loads(pickle.dumps(RunOutcome("web", good))) == RunOutcome("web", good)


def test_errors_are_what_programs_catch() -> None:
    assert issubclass(IncusProcessTimeoutError, TimeoutError)
    assert issubclass(IncusBrokenPipeError, BrokenPipeError)
    again = pickle.loads(pickle.dumps(IncusBrokenPipeError("no more")))
    assert (type(again), str(again)) == (IncusBrokenPipeError, "no more")


# -- the buffer -------------------------------------------------------------------------------------------------------


def test_pieces_are_the_bytes_that_came() -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    pieces, held = Pieces(), b""
    for _ in range(20_000):
        what = chance.randrange(4)
        if what == 0:
            data = bytes(chance.choices(b"ab\n", k=chance.randrange(6)))
            pieces.put(data)
            held += data
        elif what == 1:
            count = chance.randint(0, len(held))
            assert pieces.take(count) == held[:count], seed
            held = held[count:]
        elif what == 2:
            seen = chance.randint(0, held.find(b"\n") if b"\n" in held else len(held))
            assert pieces.find(b"\n", seen) == held.find(b"\n") + 1, seed
        elif held:
            first = pieces.first()
            assert held.startswith(first), seed
            held = held[len(first) :]
        assert pieces.size == len(held), seed
    assert pieces.take(pieces.size) == held, seed
