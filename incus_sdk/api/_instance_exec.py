"""Instances: running a command, with its output recorded by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from .._values import string_values, text, text_list, whole_number
from ..exceptions import IncusArgumentError
from ..operations import ExecResponse
from ._bound import Bound
from ._collection import Collection, T, check_wait

if TYPE_CHECKING:
    from pathlib import PurePath, PurePosixPath

    from .instances import InstancesAPI

NUMBERS = {"width": 0xFFFF, "height": 0xFFFF, "user": 0xFFFF_FFFF, "group": 0xFFFF_FFFF}
"""The largest that the kernel takes: a terminal counts with 16 bits, users and groups have 32."""


class ExecVerbs(Collection[T]):
    """The verb `execute` (`POST /1.0/instances/{name}/exec`)."""

    async def execute(
        self,
        name: str,
        command: Sequence[str | bytes | PurePath],
        environment: Mapping[str, str | int | float | bool | PurePath] | None = None,
        wait_for_websocket: bool = False,
        record_output: bool = False,
        interactive: bool = False,
        width: int | None = None,
        height: int | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | PurePosixPath | None = None,
        wait: bool = False,
    ) -> ExecResponse:
        """Run a command in a running instance.

        An exit code other than 0 raises nothing: it is the answer's `returncode` once the command has ended. Except for
        126 and 127, which servers take for a command that could not be started: they raise (from the wait) unless
        recorded output shows that the command ran.

        Example:
            ```python
            result = await client.instances.execute("web", ["echo", "Hello"], record_output=True, wait=True)
            print(result["metadata"]["output"]["stdout"])  # or result.stdout
            ```

        Args:
            name: Name of the instance.
            command: The program and its arguments. No shell is involved; for one, `["sh", "-c", "…"]`. Bytes must be
                UTF-8, as JSON carries nothing else.
            environment: Environment variables, beside those that the server sets.
            wait_for_websocket: Whether the command is to wait until a client has connected to the websockets that the
                operation names; the server gives up after 5 (6.0) or 10 seconds.
            record_output: Whether the server keeps the output, for the answer's `stdout` and `stderr`.
            interactive: Whether the command gets a terminal.
            width: Columns of the terminal.
            height: Lines of the terminal.
            user: Numeric user to run as; root by default.
            group: Numeric group to run as.
            cwd: Folder to run in.
            wait: Whether to return only when the command has ended.

        Raises:
            IncusArgumentError: These options do not go together, or a value is out of range; nothing was sent.
            IncusBadRequestError: The instance does not run, or is frozen.
            IncusOperationNotFoundError: There is no such command in the instance (from the wait).
            IncusOperationBadRequestError: The command cannot be executed (from the wait).
        """
        check_wait(wait)
        _check_modes(wait, wait_for_websocket, record_output, interactive)
        numbers = {"width": width, "height": height, "user": user, "group": group}
        body = {
            "command": _arguments(command),
            "environment": string_values(environment or {}, "environment"),
            "wait-for-websocket": wait_for_websocket,
            "record-output": record_output,
            "interactive": interactive,
            **{key: whole_number(key, n, 0, NUMBERS[key]) for key, n in numbers.items() if n is not None},
            **({} if cwd is None else {"cwd": text(cwd, "cwd")}),
        }
        operation = await self._api.operation("POST", self._url(name, suffix="/exec"), body)
        response = ExecResponse(operation, self._api)
        return await response.wait() if wait else response


class BoundExec(Bound):
    """The verb `execute` of this instance."""

    __slots__ = ()

    async def execute(
        self,
        command: Sequence[str | bytes | PurePath],
        environment: Mapping[str, str | int | float | bool | PurePath] | None = None,
        wait_for_websocket: bool = False,
        record_output: bool = False,
        interactive: bool = False,
        width: int | None = None,
        height: int | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | PurePosixPath | None = None,
        wait: bool = False,
    ) -> ExecResponse:
        """Run a command in it; see `InstancesAPI.execute`."""
        instances = cast("InstancesAPI", self._collection)
        return await instances.execute(
            self._key,
            command,
            environment,
            wait_for_websocket,
            record_output,
            interactive,
            width,
            height,
            user,
            group,
            cwd,
            wait,
        )


def _arguments(command: Sequence[str | bytes | PurePath]) -> list[str]:
    arguments = text_list(command, "command", "['sh', '-c', '…']")
    if not arguments:
        raise IncusArgumentError("command is empty: it needs at least the program to run")
    return arguments


def _check_modes(wait: bool, wait_for_websocket: bool, record_output: bool, interactive: bool) -> None:
    if wait and wait_for_websocket:
        raise IncusArgumentError(
            "wait=True and wait_for_websocket=True would wait for each other: the command starts only when its "
            "websockets are connected, and nobody would connect them"
        )
    if record_output and (wait_for_websocket or interactive):
        other = "wait_for_websocket" if wait_for_websocket else "interactive"
        raise IncusArgumentError(
            f"record_output=True and {other}=True exclude each other: output goes to one place only"
        )
