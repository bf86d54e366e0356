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
BOTH = pytest.mark.parametrize("script", [QUICKSTART, QUICKSTART_SYNC], ids=lambda script: script.stem)


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


def test_quickstarts_tell_the_same_on_a_private_daemon(folder_for_daemons: Path, environ: dict[str, str]) -> None:
    del environ["INCUS_ENDPOINT"]
    environ["TMPDIR"] = str(folder_for_daemons)
    told: list[str] = []
    for script in (QUICKSTART, QUICKSTART_SYNC):
        done = run(script, environ)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert list(folder_for_daemons.iterdir()) == []
        told.append(without_figures(done.stdout))
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


@BOTH
async def test_quickstart_on_a_given_daemon(script: Path, client: Client, environ: dict[str, str]) -> None:
    done = await asyncio.to_thread(run, script, environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"this runs on the daemon at {environ['INCUS_ENDPOINT']}" in done.stdout
    assert "private" not in done.stdout
    assert await client.instances.names() == []


@BOTH
async def test_quickstart_ends_well_when_it_fails(script: Path, client: Client, environ: dict[str, str]) -> None:
    done = await asyncio.to_thread(run, script, environ, "no-such-image")
    assert done.returncode == 1
    assert "IncusOperationNotFoundError" in done.stderr
    assert "Traceback" not in done.stderr
    assert await client.instances.names() == []


@BOTH
@pytest.mark.parametrize("step", ["ask for a container", "restart it"])
async def test_quickstart_tidies_up_when_interrupted(
    script: Path, step: str, client: Client, environ: dict[str, str]
) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, str(script), env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stderr is not None
    async with asyncio.timeout(60):
        await running.stdout.readuntil(step.encode())
        running.send_signal(signal.SIGINT)
        rest, errors = await asyncio.gather(running.stdout.read(), running.stderr.read())
        code = await running.wait()
    assert (code, errors.decode()) == (1, "interrupted\n")
    assert b"nothing is left behind" not in rest
    assert await client.instances.names() == []
