"""Instances: running commands, with their input and output."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast, overload

from .._values import text_list, whole_number
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from pathlib import PurePosixPath

    from .._commands import Arguments, Buffer, Command, CommandOptions, Environment, RunOptions
    from ..execution import Process
    from ..processes import CompletedProcess, RunOutcome
    from .instances import InstancesAPI

# What commands need takes its time to load, so it is loaded with the first one: most programs only look, and change.

MANY = 1000
"""At most so many commands are run at a time: each has five connections."""


class RunVerbs(Collection[T]):
    """The verbs `run`, `process` and `run_many`."""

    @overload
    async def run(
        self,
        name: str,
        command: Arguments,
        *,
        text: Literal[False] = False,
        encoding: None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[bytes]: ...
    @overload
    async def run(
        self,
        name: str,
        command: Arguments,
        *,
        text: Literal[True],
        encoding: str | None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[str]: ...
    @overload
    async def run(
        self,
        name: str,
        command: Arguments,
        *,
        text: bool = False,
        encoding: str,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[str]: ...
    @overload
    async def run(
        self,
        name: str,
        command: Arguments,
        *,
        text: bool = False,
        encoding: str | None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[Any]: ...
    async def run(
        self,
        name: str,
        command: Arguments,
        *,
        input: str | Buffer | None = None,
        check: bool = False,
        timeout: float | None = None,
        environment: Environment | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | PurePosixPath | None = None,
        text: bool = False,
        encoding: str | None = None,
        capture: bool = True,
    ) -> CompletedProcess[Any]:
        """Run a command in a running instance until it ends, and return what came of it, as `subprocess.run` does.

        An exit code other than 0 is a result, unless `check` is set. With one exception that servers make: they say of
        126 and 127 that the command could not be run, so these raise unless it wrote something, which shows that it
        did run.

        What the command has started in the background is left alone, and output of that is waited for no longer than a
        second. If this call is cancelled, the command is killed.

        Example:
            ```python
            done = await client.instances.run("web", ["wc", "-w"], input="pears and apples", text=True, check=True)
            print(done.stdout)
            ```

        Args:
            name: Name of the instance.
            command: The program and its arguments. No shell is involved; for one, `["sh", "-c", "…"]`.
            input: What the command reads; by default nothing.
            check: Whether an exit code other than 0 raises.
            timeout: Seconds that all of this may take. Then the command gets a SIGTERM, and after five seconds a
                SIGKILL; neither reaches what it has started itself.
            environment: Environment variables, beside those that the server sets.
            user: Numeric user to run as; root by default.
            group: Numeric group to run as.
            cwd: Folder to run in.
            text: Whether output is wanted as text, of UTF-8 if nothing else is said. Bytes that are none are replaced
                by U+FFFD.
            encoding: Encoding of output, and of `input` if that is text; it makes output text, too.
            capture: Whether output is wanted; otherwise it is read and thrown away.

        Raises:
            IncusProcessError: The exit code is not 0, and `check` is set.
            IncusProcessTimeoutError: The command took too long; the error has the output so far.
            IncusOperationNotFoundError: There is no such command in the instance.
            IncusOperationBadRequestError: The command cannot be executed.
            IncusBadRequestError: The instance does not run, or is frozen.
            IncusNotFoundError: There is no such instance.
            IncusConnectionError: The connection to the server broke.
            IncusArgumentError: A value cannot be right; nothing was sent.
        """
        from .._commands import CommandOptions, run_settings
        from ..execution import run

        options = CommandOptions(environment=environment, user=user, group=group, cwd=cwd)
        settings = run_settings(
            input=input, check=check, timeout=timeout, capture=capture, text=text, encoding=encoding
        )
        return await run(self._api, self._command(name, command, options), settings)

    @asynccontextmanager
    async def process(
        self,
        name: str,
        command: Arguments,
        *,
        tty: bool = False,
        columns: int = 80,
        rows: int = 24,
        **options: Unpack[CommandOptions],
    ) -> AsyncGenerator[Process]:
        """Start a command in a running instance, and give its streams, as `asyncio.create_subprocess_exec` does.

        It ends with the `async with` block: one that still runs then gets a SIGTERM, and a SIGKILL after five seconds;
        at once if the block raised. So wait for its end, by `wait()` or by reading its output to the end.

        That something can be started at all is known only by then. A block that is left at once sends its SIGTERM
        while the server is still about to start the command, and often ends with 143 even if there is no such command.

        Example:
            ```python
            async with client.instances.process("web", ["tail", "-f", "/var/log/messages"]) as tail:
                async for line in tail.stdout:
                    print(line)
            ```

        Args:
            name: Name of the instance.
            command: The program and its arguments.
            tty: Whether it gets a terminal, which shows output and errors in one, and what is written to `stdin`, too.
            columns: Columns of the terminal.
            rows: Lines of the terminal.
            **options: `environment`, `user`, `group` and `cwd`, as for `run`.

        Raises:
            IncusBadRequestError: The instance does not run, or is frozen.
            IncusNotFoundError: There is no such instance.
            IncusOperationNotFoundError: There is no such command in the instance; from `wait()`, or at the end of a
                block that was not left at once.
            IncusOperationBadRequestError: The command cannot be executed; likewise.
            IncusConnectionError: The connection to the server broke.
            IncusTimeoutError: The command could not be ended, since the instance is frozen.
        """
        from ..execution import started

        wanted = self._command(name, command, options, (columns, rows) if tty else None)
        async with started(self._api, wanted) as process:
            yield process

    def run_many(
        self,
        names: Iterable[str],
        command: Arguments,
        *,
        limit: int = 8,
        input: str | Buffer | None = None,
        check: bool = False,
        timeout: float | None = None,
        text: bool = False,
        encoding: str | None = None,
        capture: bool = True,
        **options: Unpack[CommandOptions],
    ) -> AsyncGenerator[RunOutcome]:
        """Run a command in several instances, and give what comes of it in each as soon as it is known.

        What fails in one instance is in its `RunOutcome`, and changes nothing for the others. Commands that run when
        the loop over the results is left are killed; with `contextlib.aclosing`, before anything else happens.

        Example:
            ```python
            async for outcome in client.instances.run_many(["web", "db"], ["uptime"], timeout=10):
                print(outcome.instance, outcome.process.stdout if outcome.process else outcome.error)
            ```

        Args:
            names: Names of the instances.
            command: The program and its arguments.
            limit: How many commands run at a time.
            input: What each reads, as for `run`.
            check: Whether an exit code other than 0 counts as an error.
            timeout: Seconds that each may take, as for `run`.
            text: Whether output is wanted as text, as for `run`.
            encoding: Encoding of output, as for `run`.
            capture: Whether output is wanted.
            **options: `environment`, `user`, `group` and `cwd`, as for `run`.

        Raises:
            IncusArgumentError: A value cannot be right; nothing was sent.
        """
        from .._commands import run_settings
        from ..execution import run_many

        number = whole_number("limit", limit, 1, MANY)
        commands = [self._command(name, command, options) for name in text_list(names, "names", "['web', 'db']")]
        settings = run_settings(
            input=input, check=check, timeout=timeout, capture=capture, text=text, encoding=encoding
        )
        return run_many(self._api, commands, settings, number)

    def _command(
        self, name: str, command: Arguments, options: CommandOptions, size: tuple[int, int] | None = None
    ) -> Command:
        from .._commands import command_for

        return command_for(name, self._url(name, suffix="/exec"), command, size=size, **options)


class BoundRun(Bound):
    """The verbs `run` and `process` of this instance."""

    __slots__ = ()

    @overload
    async def run(
        self,
        command: Arguments,
        *,
        text: Literal[False] = False,
        encoding: None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[bytes]: ...
    @overload
    async def run(
        self,
        command: Arguments,
        *,
        text: Literal[True],
        encoding: str | None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[str]: ...
    @overload
    async def run(
        self,
        command: Arguments,
        *,
        text: bool = False,
        encoding: str,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[str]: ...
    @overload
    async def run(
        self,
        command: Arguments,
        *,
        text: bool = False,
        encoding: str | None = None,
        **options: Unpack[RunOptions],
    ) -> CompletedProcess[Any]: ...
    async def run(
        self,
        command: Arguments,
        *,
        input: str | Buffer | None = None,
        check: bool = False,
        timeout: float | None = None,
        environment: Environment | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | PurePosixPath | None = None,
        text: bool = False,
        encoding: str | None = None,
        capture: bool = True,
    ) -> CompletedProcess[Any]:
        """Run a command in it until that ends, and return what came of it; see `InstancesAPI.run`."""
        from .._commands import RunOptions

        options = RunOptions(
            input=input,
            check=check,
            timeout=timeout,
            environment=environment,
            user=user,
            group=group,
            cwd=cwd,
            capture=capture,
        )
        return await self._runs.run(self._key, command, text=text, encoding=encoding, **options)

    @asynccontextmanager
    async def process(
        self,
        command: Arguments,
        *,
        tty: bool = False,
        columns: int = 80,
        rows: int = 24,
        **options: Unpack[CommandOptions],
    ) -> AsyncGenerator[Process]:
        """Start a command in it, and give its streams; see `InstancesAPI.process`."""
        async with self._runs.process(self._key, command, tty=tty, columns=columns, rows=rows, **options) as process:
            yield process

    @property
    def _runs(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)
