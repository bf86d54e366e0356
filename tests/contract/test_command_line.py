"""`python -m incus_sdk`: each of its verbs, and how each fails."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from incus_sdk import Client, Instance
from incus_sdk._cli import main

from .commands import LONG, asleep, no_sleepers
from .support import MIB, Server
from .terminals import ONE_DAEMON, PATIENCE, REPOSITORY, on_terminal


@dataclass(frozen=True)
class Done:
    """What came of a call: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that it printed about a failure, and nothing else."""
        assert (self.out, self.err[:11], self.err.count("\n")) == ("", "incus_sdk: ", 1), self
        return self.err


Run = Callable[..., Done]


@pytest.fixture
def run(server: Server, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs it in this process."""

    def run(*arguments: str, endpoint: str = server.endpoint) -> Done:
        try:
            code = main(["--endpoint", endpoint, *arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capfd.readouterr()
        return Done(code, str(out), str(err))

    return run


@pytest.fixture
def program(server: Server) -> list[str]:
    """It as a process of its own, before its arguments."""
    return [sys.executable, "-m", "incus_sdk", "--endpoint", server.endpoint]


ENVIRON = {**os.environ, "PYTHONPATH": str(REPOSITORY)}

MEASURED = """
import re, sys
from pathlib import Path
from incus_sdk._cli import main

code = main(sys.argv[1:])
sys.stderr.write(re.search("VmHWM.*", Path("/proc/self/status").read_text())[0])
sys.exit(code)
"""
"""It with a report of the most memory that it had; what the system tells of a child may be its parent's."""


INTERRUPTED = """
import os, runpy, signal, sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "incus_sdk._cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
runpy.run_module("incus_sdk", run_name="__main__", alter_sys=True)
"""
"""It with Ctrl-C while it is being loaded."""


# -- looking ----------------------------------------------------------------------------------------------------------


def test_info(run: Run, server: Server) -> None:
    assert f"Incus {server.version}" in run("info").out
    told = json.loads(run("info", "--json").out)
    assert told["environment"]["server_version"].startswith(server.version)


def test_ls(run: Run, server: Server) -> None:
    header, *lines = run("ls").out.splitlines()
    assert header.split() == ["NAME", "STATUS", "TYPE", "ADDRESSES"]
    assert [line.split()[:3] for line in lines if line.startswith(f"{server.box} ")] == [
        [server.box, "Running", "container"]
    ]
    assert run("ls", "--all-projects").out.startswith("PROJECT  NAME")
    assert server.box in [each["name"] for each in json.loads(run("ls", "--json").out)]


def test_a_project(run: Run, server: Server, project: str) -> None:
    assert run("--project", project, "ls").out == "NAME  STATUS  TYPE  ADDRESSES\n"
    assert json.loads(run("ls", "--json", "--project", project).out) == []
    assert server.box in run("ls", "--project", project, "--all-projects").out
    assert "not found" in run("ls", "--project", "nobody-has-this-name").error.lower()


def test_no_daemon(run: Run, tmp_path: Path) -> None:
    done = run("ls", endpoint=f"unix://{tmp_path}/unix.socket")
    assert done.code == 1
    assert "no such file" in done.error
    assert run("ls", endpoint="ftp://here").code == 1


def test_an_error_of_several_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is one line here, in which the parts can be told from each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INCUS_ENDPOINT", raising=False)
        patch.delenv("INCUS_SOCKET", raising=False)
        patch.setenv("INCUS_DIR", str(tmp_path))
        assert main(["info"]) == 1
    said = capsys.readouterr().err
    assert f": {tmp_path}/unix.socket: no such file; " in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "VERB"),
        (["launch", "web"], "launch"),
        (["exec", "web"], "behind --"),
        (["exec", "web", "ls", "/"], "arguments: ls /; a command stands behind --"),
        (["exec", "--", "ls"], "NAME"),
        (["exec", "-t", "-T", "web", "--", "ls"], "-T"),
        (["exec", "--env", "A", "web", "--", "ls"], "KEY=VALUE"),
        (["exec", "--user", "root", "web", "--", "ls"], "--user"),
        (["shell", "web", "--", "ls"], "no command"),
        (["ls", "web"], "web"),
        (["push", "file", "web"], "NAME/PATH"),
        (["pull", "web/", "file"], "NAME/PATH"),
        (["wait", "web", "--for", "money"], "money"),
        (["wait", "web", "--timeout", "0"], "more than 0"),
        (["wait", "web", "--timeout", "soon"], "'soon' is no time"),
        (["--key", "file", "ls"], "--cert"),
    ],
)
def test_wrong_arguments(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert text in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    assert "Exit codes" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["exec", "--help"])
    assert "NAME -- COMMAND" in capsys.readouterr().out


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("script", "code"), [("true", 0), ("exit 3", 3), ("kill -9 $$", 137), ("echo; exit 127", 127)])
def test_the_exit_code_is_that_of_the_command(run: Run, server: Server, script: str, code: int) -> None:
    done = run("exec", server.box, "--", "sh", "-c", script)
    assert (done.code, done.err) == (code, "")


def test_options_of_commands(run: Run, server: Server) -> None:
    options = ["--env", "A=1=2", "--env", "B=", "--user", "1000", "--group", "1000", "--cwd", "/tmp"]
    script = "echo $A [$B] $(id -u) $(id -g) $(pwd) $*; echo bad >&2"
    done = run("exec", server.box, *options, "--", "sh", "-c", script, "sh", "--", "x")
    assert done == Done(0, "1=2 [] 1000 1000 /tmp -- x\n", "bad\n")


def test_commands_that_cannot_be_run(run: Run, server: Server) -> None:
    done = run("exec", server.box, "--", "nothing-of-the-kind")
    assert (done.code, "not found" in done.error) == (127, True)
    done = run("exec", server.box, "--", "/etc/passwd")
    assert (done.code, "not executable" in done.error) == (126, True)
    done = run("exec", "nobody-has-this-name", "--", "ls")
    assert (done.code, "nobody-has-this-name" in done.error) == (1, True)


def test_a_stopped_instance(run: Run, empty: Instance) -> None:
    done = run("exec", empty.name, "--", "ls")
    assert (done.code, "running instances" in done.error) == (1, True)


@ONE_DAEMON
def test_much_in_both_directions(program: list[str], server: Server) -> None:
    """It is copied piece by piece, and does not have to be at hand as a whole."""
    size = 64 * MIB
    whole = [*program, "exec", server.box, "--", "cat"]
    script = f"head -c {size} /dev/zero | {{ {' '.join(whole)}; echo $? >&2; }} | wc -c"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=120, env=ENVIRON)
    assert (done.stdout.strip(), done.stderr) == (str(size), "0\n")


@ONE_DAEMON
def test_it_takes_little_memory(server: Server) -> None:
    script = f"head -c {64 * MIB} >/dev/null; head -c {64 * MIB} /dev/zero"
    arguments = ["--endpoint", server.endpoint, "exec", server.box, "--", "sh", "-c", script]
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *arguments],
            stdin=zeros,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
            timeout=120,
            env=ENVIRON,
        )
    assert int(done.stderr.split()[1]) * 1024 < 60 * MIB


@ONE_DAEMON
def test_nobody_reads(program: list[str], server: Server) -> None:
    with subprocess.Popen(
        [*program, "exec", server.box, "--", "yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRON
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 128 + signal.SIGPIPE


async def test_ctrl_c(program: list[str], server: Server, admin: Client) -> None:
    arguments = [*program, "exec", server.box, "--", "sleep", str(LONG)]
    process = await asyncio.create_subprocess_exec(*arguments, stderr=subprocess.PIPE, env=ENVIRON)
    await asleep(admin, server.box)
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, errors) == (130, b"")
    await no_sleepers(admin, server.box)


def test_ctrl_c_before_anything_has_happened() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, check=False, env=ENVIRON)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@ONE_DAEMON
@pytest.mark.parametrize("closed", ["<&-", "<&- >&- 2>&-"])
def test_closed_streams(program: list[str], server: Server, closed: str) -> None:
    whole = f"{' '.join(program)} exec {server.box} -- sh -c 'cat; echo out; exit 7' {closed}"
    assert subprocess.run(["sh", "-c", whole], check=False, timeout=PATIENCE, env=ENVIRON).returncode == 7


@ONE_DAEMON
def test_on_a_terminal(server: Server) -> None:
    start = ["-m", "incus_sdk", "--endpoint", server.endpoint]
    with on_terminal(*start, "exec", server.box, "--", "sh", "-c", "stty size; exit 5") as here:
        here.until(b"33 101\r\n")
        assert (here.end(), here.settings()) == (5, here.before)
    with on_terminal(*start, "exec", "-T", server.box, "--", "tty") as here:
        here.until(b"not a tty\r\n")
        assert here.end() == 1
    with on_terminal(*start, "shell", server.box) as here:
        here.until(b"# ")
        here.type(b"exit 9\r")
        assert (here.end(), here.settings()) == (9, here.before)


def test_a_terminal_without_one_here(run: Run, server: Server) -> None:
    done = run("exec", "-t", server.box, "--", "sh", "-c", "tty; stty size")
    assert done.out.startswith("/dev/")
    assert done.out.endswith("24 80\r\n")


# -- files ------------------------------------------------------------------------------------------------------------


def test_files(run: Run, server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "file").chmod(0o750)
    assert run("push", f"{tmp_path}/file", f"{server.box}/tmp/").code == 0
    assert run("exec", server.box, "--", "ln", "-sf", "file", "/tmp/link").code == 0
    (tmp_path / "back").mkdir()
    assert run("pull", f"{server.box}/tmp/file", f"{tmp_path}/back") == Done(0, "", "")
    assert (tmp_path / "back/file").read_bytes() == content
    assert (tmp_path / "back/file").stat().st_mode & 0o777 == 0o750
    assert run("pull", f"{server.box}/tmp/link", f"{tmp_path}/other").code == 0
    assert (tmp_path / "other").read_bytes() == content
    assert run("exec", server.box, "--", "rm", "/tmp/file", "/tmp/link").code == 0


@ONE_DAEMON
def test_a_file_that_is_a_pipe(run: Run, server: Server) -> None:
    """As of `push <(command) …` and `push /dev/stdin …`: how much there is shows at its end."""
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    assert run("push", f"/dev/fd/{reader}", f"{server.box}/tmp/pipe") == Done(0, "", "")
    os.close(reader)
    assert run("pull", f"{server.box}/tmp/pipe", "-").out == "through a pipe"
    assert run("exec", server.box, "--", "rm", "/tmp/pipe").code == 0


@ONE_DAEMON
def test_files_by_pipes(program: list[str], server: Server) -> None:
    content = bytes(range(256)) * 90_000
    for each in (content, b""):
        push = [*program, "push", "-", f"{server.box}/tmp/piped"]
        pull = [*program, "pull", f"{server.box}/tmp/piped", "-"]
        subprocess.run(push, input=each, check=True, timeout=PATIENCE, env=ENVIRON)
        assert subprocess.run(pull, capture_output=True, check=True, timeout=PATIENCE, env=ENVIRON).stdout == each


def test_files_that_cannot_be_copied(run: Run, server: Server, tmp_path: Path) -> None:
    assert "No such file" in run("push", f"{tmp_path}/nothing", f"{server.box}/tmp/").error
    assert "folder" in run("push", "-", f"{server.box}/tmp/").error
    assert "nothing" in run("pull", f"{server.box}/tmp/nothing", "-").error
    assert "folder" in run("pull", f"{server.box}/tmp", "-").error
    assert "No such file" in run("pull", f"{server.box}/etc/passwd", f"{tmp_path}/nothing/file").error
    run("exec", server.box, "--", "ln", "-sf", "loop", "/tmp/loop")
    assert run("pull", f"{server.box}/tmp/loop", "-").error
    run("exec", server.box, "--", "rm", "/tmp/loop")


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_wait(run: Run, server: Server) -> None:
    assert run("wait", server.box) == run("wait", server.box, "--for", "agent") == Done(0, "", "")
    (address,) = run("wait", server.box, "--for", "ip", "--timeout", "60").out.splitlines()
    told = json.loads(run("wait", server.box, "--for", "ip", "--json").out)
    assert (told["name"], told["status"], address in told["addresses"]) == (server.box, "Running", True)


async def test_wait_for_the_end(program: list[str], running: Instance) -> None:
    arguments = [*program, "wait", running.name, "--for", "stopped", "--json"]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE, env=ENVIRON)
    await running.stop(force=True, wait=True)
    told, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, json.loads(told)["status"]) == (0, "Stopped")


def test_wait_in_vain(run: Run, server: Server, empty: Instance) -> None:
    done = run("wait", empty.name, "--timeout", "0.1")
    assert (done.code, "Stopped" in done.error) == (1, True)
    assert run("wait", empty.name, "--for", "stopped") == Done(0, "", "")
    assert "not found" in run("wait", "nobody-has-this-name", "--for", "stopped").error
    assert "Running" in run("wait", server.box, "--for", "ready", "--timeout", "0.1").error
