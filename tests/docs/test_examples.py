"""The examples run, say what they do, and leave nothing behind."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from incus_sdk import Client

from .blocks import ROOT

QUICKSTART = ROOT / "examples" / "quickstart.py"
QUICKSTART_SYNC = ROOT / "examples" / "quickstart_sync.py"
BOTH = (QUICKSTART, QUICKSTART_SYNC)


async def run_both(environ: dict[str, str], *arguments: str) -> list[subprocess.CompletedProcess[str]]:
    """Run the examples side by side."""
    return await asyncio.gather(*(asyncio.to_thread(run, script, environ, *arguments) for script in BOTH))


def run(script: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(script), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90, check=False)


def without_figures(text: str) -> str:
    """The output without what differs from run to run."""
    text = re.sub(r"quickstart-[0-9a-f]{6}", "NAME", text)
    text = re.sub(r"address [\d.]+, memory \d+ KiB, \d+ processes", "STATE", text)
    return re.sub(r"\.+ +\d+\.\d{3} s$", " TIME", text, flags=re.MULTILINE)


def below_the_imports(script: Path) -> str:
    """The code of an example as the face without asyncio would have it."""
    text = script.read_text().partition("\nNAME = ")[2]
    text = re.sub(r"\basync |\bawait ", "", text).replace("asyncio.run(main())", "main()")
    for name, other in (("asyncio.sleep", "time.sleep"), ("AsyncExitStack", "ExitStack"), ("_async_", "_")):
        text = text.replace(name, other)
    return text


def test_the_faces_differ_in_nothing_else() -> None:
    assert below_the_imports(QUICKSTART) == below_the_imports(QUICKSTART_SYNC)


@pytest.fixture
def folder_for_daemons(daemon: object) -> Generator[Path]:
    """A temporary directory; it depends on the other daemon, which is not started where no private one can be."""
    path = Path(tempfile.mkdtemp(prefix="ex-", dir="/tmp"))  # short, for the sockets in it
    path.chmod(0o711)  # containers' root users are others here, and have to pass through
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_quickstarts_tell_the_same_on_private_daemons(folder_for_daemons: Path, environ: dict[str, str]) -> None:
    del environ["INCUS_ENDPOINT"]
    environ["TMPDIR"] = str(folder_for_daemons)
    told: list[str] = []
    for done in asyncio.run(run_both(environ)):
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        told.append(without_figures(done.stdout))
    assert list(folder_for_daemons.iterdir()) == []
    assert told[0] == told[1]
    for text in (
        "start a private Incus daemon  TIME",
        "exit code 3",
        "IncusOperationNotFoundError: Executing command NAME: Command not found",
        "b'Hello from outside\\n'",
        "STATE",
        "limits.memory=256MiB boot.autostart=false",
        "    Frozen\n",
        "it exists: False",
        "nothing is left behind; all in all  TIME",
    ):
        assert text in told[0]


async def test_quickstarts_on_a_given_daemon(client: Client, environ: dict[str, str]) -> None:
    for done in await run_both(environ):
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert f"this runs on the daemon at {environ['INCUS_ENDPOINT']}" in done.stdout
        assert "private" not in done.stdout
    assert await client.instances.names() == []


async def test_quickstarts_end_well_when_they_fail(client: Client, environ: dict[str, str]) -> None:
    for done in await run_both(environ, "no-such-image"):
        assert done.returncode == 1
        assert "IncusOperationNotFoundError" in done.stderr
        assert "Traceback" not in done.stderr
    assert await client.instances.names() == []


@pytest.mark.parametrize("step", ["ask for a container", "restart it"])
async def test_quickstarts_tidy_up_when_interrupted(step: str, client: Client, environ: dict[str, str]) -> None:
    for code, errors, rest in await asyncio.gather(*(interrupted(script, step, environ) for script in BOTH)):
        assert (code, errors.decode()) == (1, "interrupted\n")
        assert b"nothing is left behind" not in rest
    assert await client.instances.names() == []


async def interrupted(script: Path, step: str, environ: dict[str, str]) -> tuple[int, bytes, bytes]:
    """Run an example, and press Ctrl-C in a step; return its exit code, its errors, and what it printed from there."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stderr is not None
    async with asyncio.timeout(60):
        await running.stdout.readuntil(step.encode())
        running.send_signal(signal.SIGINT)
        rest, errors = await asyncio.gather(running.stdout.read(), running.stderr.read())
        return await running.wait(), errors, rest
