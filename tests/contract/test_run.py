"""run and run_many: commands, run to their end."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Any, cast

import pytest

from incus_sdk import (
    Client,
    CompletedProcess,
    IncusArgumentError,
    IncusBadRequestError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationNotFoundError,
    IncusProcessError,
    IncusProcessTimeoutError,
    Instance,
    RunOutcome,
)
from incus_sdk.testing import PrivateIncus

from ..unit.transport.peers import descriptors
from .commands import LONG, asleep, everything, no_sleepers, sleepers
from .conftest import ROOT_DISK
from .support import MIB, Face, Server, call

# -- results ----------------------------------------------------------------------------------------------------------


async def test_a_result(client: Client, server: Server) -> None:
    script = "echo out; echo err >&2; exit 3"
    done = await call(client.instances.run(server.box, ["sh", "-c", script]))
    assert done == CompletedProcess(["sh", "-c", script], 3, b"out\n", b"err\n", server.box)
    assert pickle.loads(pickle.dumps(done)) == done
    assert "out" not in repr(done).replace("stdout", "")
    with pytest.raises(IncusProcessError, match=f"'sh' in {server.box} ended with exit code 3: err"):
        done.check_returncode()


async def test_of_a_bound_instance(client: Client, server: Server) -> None:
    box = await call(client.instances.get(server.box))
    done = await call(box.run(["cat"], input="ü", text=True, timeout=60, check=True))
    assert (done.stdout, done.stderr, done.returncode) == ("ü", "", 0)
    latin = await call(box.run(["cat"], input="ü", encoding="latin-1"))
    assert (latin.stdout, latin.returncode) == ("ü", 0)


async def test_check(client: Client, server: Server) -> None:
    assert (await call(client.instances.run(server.box, ["true"], check=True))).returncode == 0
    with pytest.raises(IncusProcessError, match="exit code 4: at last") as caught:
        await call(
            client.instances.run(
                server.box, ["sh", "-c", "echo out; echo first >&2; echo at last >&2; exit 4"], check=True
            )
        )
    error = caught.value
    assert (error.returncode, error.stdout, error.stderr) == (4, b"out\n", b"first\nat last\n")
    assert error.command[:2] == ["sh", "-c"]
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.returncode, again.stdout) == (str(error), 4, b"out\n")


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 1", 1), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)],
)
async def test_exit_codes(client: Client, server: Server, script: str, code: int) -> None:
    assert (await call(client.instances.run(server.box, ["sh", "-c", script]))).returncode == code


@pytest.mark.parametrize("code", [126, 127])
async def test_exit_codes_that_servers_take_for_failures(client: Client, server: Server, code: int) -> None:
    """They say the same of a command that could not be started; one that wrote something was."""
    script = f"echo said; exit {code}"
    done = await call(client.instances.run(server.box, ["sh", "-c", script]))
    assert (done.returncode, done.stdout) == (code, b"said\n")
    done = await call(client.instances.run(server.box, ["sh", "-c", f"{script} >&2"], capture=False))
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")
    with pytest.raises((IncusOperationNotFoundError, IncusOperationBadRequestError)):
        await call(client.instances.run(server.box, ["sh", "-c", f"exit {code}"]))


async def test_commands_that_cannot_be_run(client: Client, server: Server) -> None:
    with pytest.raises(IncusOperationNotFoundError, match=r"Command not found.*'/no/such/thing' in"):
        await call(client.instances.run(server.box, ["/no/such/thing"]))
    with pytest.raises(IncusOperationBadRequestError, match=r"Command not executable.*'/etc' in"):
        await call(client.instances.run(server.box, ["/etc"]))


async def test_environment_user_group_and_folder(client: Client, server: Server) -> None:
    script = "echo $A $B $(id -u):$(id -g) $(pwd)"
    done = await call(
        client.instances.run(
            server.box,
            ["sh", "-c", script],
            environment={"A": 2, "B": True},
            user=1000,
            group=1001,
            cwd="/tmp",
            text=True,
        )
    )
    assert done.stdout == "2 true 1000:1001 /tmp\n"


async def test_arguments_are_not_for_a_shell(client: Client, server: Server) -> None:
    arguments = ["$HOME", "a b", "'", '"', "*", ";", "ü", ""]
    done = await call(client.instances.run(server.box, ["printf", "%s\n", *arguments], text=True))
    assert done.stdout == "\n".join(arguments) + "\n"


# -- input and output -------------------------------------------------------------------------------------------------


async def test_input(client: Client, server: Server) -> None:
    for data in (b"", b"\0\xff\xfe\r\n", bytearray(b"x"), memoryview(b"abc")):
        assert (await call(client.instances.run(server.box, ["cat"], input=data))).stdout == bytes(data)
    assert (await call(client.instances.run(server.box, ["cat"]))).stdout == b""


async def test_output_that_is_no_text(client: Client, server: Server) -> None:
    command = ["printf", r"\377\376ok\0\n"]
    assert (await call(client.instances.run(server.box, command))).stdout == b"\xff\xfeok\0\n"
    assert (await call(client.instances.run(server.box, command, text=True))).stdout == "\ufffd\ufffdok\0\n"
    assert (await call(client.instances.run(server.box, command, encoding="ascii"))).stdout == "\ufffd\ufffdok\0\n"


async def test_much_on_all_pipes_at_once(client: Client, server: Server) -> None:
    """The command writes to both pipes, more than they hold, before and while it reads."""
    size = 8 * MIB
    noise = f"head -c {size} /dev/zero"
    script = f"{noise}; {noise} >&2; cat; {noise} >&2"
    data = bytes(range(256)) * (size // 256)
    done = await call(client.instances.run(server.box, ["sh", "-c", script], input=data))
    assert (done.returncode, len(done.stdout), len(done.stderr)) == (0, 2 * size, 2 * size)
    assert done.stdout[size:] == data
    assert not done.stdout[:size].strip(b"\0")


async def test_input_that_nobody_reads(client: Client, server: Server) -> None:
    data = bytes(8 * MIB)
    done = await call(client.instances.run(server.box, ["sh", "-c", "exec <&-; echo done; exit 3"], input=data))
    assert (done.returncode, done.stdout) == (3, b"done\n")
    done = await call(client.instances.run(server.box, ["head", "-c", "5"], input=b"abcdef" + data))
    assert (done.returncode, done.stdout) == (0, b"abcde")


async def test_output_that_is_not_wanted(client: Client, server: Server) -> None:
    script = f"head -c {4 * MIB} /dev/zero; head -c {4 * MIB} /dev/zero >&2; exit 7"
    done = await call(client.instances.run(server.box, ["sh", "-c", script], capture=False, text=True))
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")


async def test_a_child_that_keeps_the_pipes_open(client: Client, admin: Client, server: Server) -> None:
    script = f"sleep {LONG} & echo $!"
    done = await call(client.instances.run(server.box, ["sh", "-c", script], timeout=60))
    assert done.returncode == 0
    assert await sleepers(admin, server.box) == 1
    await admin.instances.run(server.box, ["kill", done.stdout.decode().strip()], check=True)
    await no_sleepers(admin, server.box)


# -- time -------------------------------------------------------------------------------------------------------------


async def test_a_timeout(client: Client, admin: Client, server: Server) -> None:
    script = f"echo so; echo far >&2; exec sleep {LONG}"
    with pytest.raises(IncusProcessTimeoutError, match="was not done after 1 s, so it was ended") as caught:
        await call(client.instances.run(server.box, ["sh", "-c", script], timeout=1))
    error = caught.value
    assert (error.returncode, error.stdout, error.stderr, error.timeout) == (143, b"so\n", b"far\n", 1)
    assert isinstance(error, TimeoutError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.returncode, again.stdout) == (str(error), 143, b"so\n")
    await no_sleepers(admin, server.box)


async def test_a_timeout_of_a_command_that_cleans_up(client: Client, server: Server) -> None:
    script = "trap 'echo cleaned up; exit 9' TERM; echo ready; while :; do sleep 0.01; done"
    with pytest.raises(IncusProcessTimeoutError) as caught:
        await call(client.instances.run(server.box, ["sh", "-c", script], timeout=1, text=True))
    assert (caught.value.returncode, caught.value.stdout) == (9, "ready\ncleaned up\n")


async def test_a_timeout_of_a_command_that_does_not_listen(client: Client, server: Server) -> None:
    script = "trap '' TERM; while :; do sleep 0.1; done"
    with pytest.raises(IncusProcessTimeoutError) as caught:
        await call(client.instances.run(server.box, ["sh", "-c", script], timeout=0.3))
    assert caught.value.returncode == 137


async def test_a_timeout_while_input_is_written(client: Client, admin: Client, server: Server) -> None:
    command = ["sleep", str(LONG)]
    with pytest.raises(IncusProcessTimeoutError) as caught:
        await call(client.instances.run(server.box, command, input=bytes(8 * MIB), timeout=0.5))
    assert caught.value.returncode == 143
    await no_sleepers(admin, server.box)


async def test_a_timeout_of_nothing(client: Client, server: Server) -> None:
    with pytest.raises(IncusProcessTimeoutError, match="had not even started it") as caught:
        await call(client.instances.run(server.box, ["true"], timeout=0))
    assert (caught.value.returncode, caught.value.stdout) == (None, b"")


# -- instances that are not as they should be -------------------------------------------------------------------------


async def test_no_instance(client: Client) -> None:
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.run("no-such-instance", ["true"]))


async def test_a_stopped_instance(client: Client, empty: Instance) -> None:
    with pytest.raises(IncusBadRequestError, match="not running"):
        await call(client.instances.run(empty.name, ["true"]))


async def test_a_frozen_instance(client: Client, running: Instance) -> None:
    await running.freeze(wait=True)
    with pytest.raises(IncusBadRequestError, match="frozen"):
        await call(client.instances.run(running.name, ["true"]))
    await running.unfreeze(wait=True)


@pytest.mark.parametrize("what", ["stopped", "deleted", "restarted"])
async def test_an_instance_that_stops_meanwhile(
    client: Client, face: Face, admin: Client, running: Instance, what: str
) -> None:
    command = ["sh", "-c", f"echo begun; exec sleep {LONG}"]
    begun = face.start(lambda: client.instances.run(running.name, command))
    await asleep(admin, running.name)
    if what == "restarted":
        await running.restart(force=True, wait=True)
    else:
        await running.stop(force=True, wait=True)
    if what == "deleted":
        await running.delete(wait=True)
    done = await begun
    assert (done.returncode, done.stdout) == (137, b"begun\n")


async def test_an_instance_that_is_frozen_meanwhile(
    client: Client, face: Face, admin: Client, running: Instance
) -> None:
    """Whether a signal reaches a frozen command depends on the server and its kernel; nobody waits for ever."""
    command = ["sh", "-c", f"echo begun; exec sleep {LONG}"]
    begun = face.start(lambda: client.instances.run(running.name, command, timeout=2))
    await asleep(admin, running.name)
    await running.freeze(wait=True)
    with pytest.raises(IncusProcessTimeoutError, match=r"so it was ended|is the instance frozen\?") as caught:
        await begun
    assert caught.value.stdout == b"begun\n"
    await running.unfreeze(wait=True)
    await no_sleepers(admin, running.name)


# -- many -------------------------------------------------------------------------------------------------------------


async def test_many_at_once(client: Client, face: Face, server: Server) -> None:
    def one(number: int) -> asyncio.Future[CompletedProcess[bytes]]:
        return face.start(lambda: client.instances.run(server.box, ["echo", str(number)]))

    done = await asyncio.gather(*map(one, range(100)))
    assert [process.stdout for process in done] == [b"%d\n" % number for number in range(100)]


async def test_many_in_a_row(client: Client, face: Face, server: Server) -> None:
    """Nothing grows: no descriptors, tasks or threads. A thousand take their time, so other combinations have less."""
    count = 1000 if server.version.startswith("6.0") and not face.blocking else 100

    def held() -> tuple[int, int, int]:
        return len(descriptors()), len(asyncio.all_tasks()), threading.active_count()

    for _ in range(2):  # the pool's connection, and the threads of the test
        await face.start(lambda: client.instances.run(server.box, ["true"]))
    before = held()
    for number in range(count):
        done = await call(client.instances.run(server.box, ["echo", str(number)], text=True, check=True))
        assert done.stdout == f"{number}\n"
    with pytest.raises(IncusOperationNotFoundError):
        await call(client.instances.run(server.box, ["/no/such/thing"]))
    assert held() == before


async def test_in_a_project(client: Client, admin: Client, project: str) -> None:
    inside = admin.use_project(project).instances
    await inside.launch(PrivateIncus.IMAGE, "inside", profiles=[], devices=ROOT_DISK)
    done = await call(client.use_project(project).instances.run("inside", ["hostname"], text=True))
    assert done.stdout == "inside\n"
    with pytest.raises(IncusNotFoundError):
        await call(client.instances.run("inside", ["hostname"]))
    await inside.stop("inside", force=True, wait=True)
    await inside.delete("inside", wait=True)


async def test_in_several_instances(client: Client, server: Server, empty: Instance) -> None:
    names = [server.box, "no-such-instance", empty.name, server.box]
    outcomes = await everything(client.instances.run_many(names, ["hostname"], limit=2, text=True))
    assert sorted(outcome.instance for outcome in outcomes) == sorted(names)
    good = [outcome for outcome in outcomes if outcome.ok]
    assert {outcome.process.stdout for outcome in good if outcome.process} == {f"{server.box}\n"}
    assert len(good) == 2
    errors = {outcome.instance: outcome.error for outcome in outcomes if not outcome.ok}
    assert isinstance(errors["no-such-instance"], IncusNotFoundError)
    assert isinstance(errors[empty.name], IncusBadRequestError)


async def test_results_come_as_they_are_there(client: Client, admin: Client, running: Instance, server: Server) -> None:
    script = f"[ $(hostname) = {server.box} ] && exit 5; exec sleep {LONG}"
    outcomes: object = client.instances.run_many([running.name, server.box], ["sh", "-c", script])
    if isinstance(outcomes, AsyncGenerator):
        first: RunOutcome = await anext(outcomes)
        await outcomes.aclose()
    else:
        generator = cast("Generator[RunOutcome]", outcomes)
        first = next(generator)
        generator.close()
    assert (first.instance, first.process and first.process.returncode, first.ok) == (server.box, 5, False)
    await no_sleepers(admin, running.name)


async def test_failures_that_were_to_be_checked(client: Client, server: Server) -> None:
    (outcome,) = await everything(client.instances.run_many([server.box], ["false"], check=True))
    assert isinstance(outcome.error, IncusProcessError)
    assert await everything(client.instances.run_many([], ["false"])) == []


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"encoding": "no-such-encoding"}, IncusArgumentError),
        ({"encoding": "ascii", "input": "ü"}, IncusArgumentError),
        ({"input": 5}, TypeError),
        ({"timeout": -1}, IncusArgumentError),
        ({"timeout": "1"}, TypeError),
        ({"user": -1}, IncusArgumentError),
        ({"environment": {"A": None}}, IncusArgumentError),
        ({"command": []}, IncusArgumentError),
        ({"command": "echo hi"}, TypeError),
    ],
)
async def test_arguments_that_cannot_be_right(client: Client, options: dict[str, Any], error: type[Exception]) -> None:
    arguments: dict[str, Any] = {"name": "no-such-instance", "command": ["true"], **options}
    with pytest.raises(error) as caught:
        await call(cast("Any", client.instances).run(**arguments))
    assert "ü" not in str(caught.value)


async def test_arguments_of_many(client: Client) -> None:
    with pytest.raises(TypeError):
        await everything(client.instances.run_many("web", ["true"]))
    with pytest.raises(IncusArgumentError):
        await everything(client.instances.run_many(["web"], ["true"], limit=0))
