"""Instances: running a command, with its output recorded by the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from .._values import string_values
from ..exceptions import IncusArgumentError
from ..operations import ExecResponse
from ._collection import Bound, Collection, T, check_wait

if TYPE_CHECKING:
    from .instances import InstancesAPI


class ExecVerbs(Collection[T]):
    """The verb `execute` (`POST /1.0/instances/{name}/exec`)."""

    async def execute(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str | int | float | bool] | None = None,
        wait_for_websocket: bool = False,
        record_output: bool = False,
        interactive: bool = False,
        width: int | None = None,
        height: int | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | None = None,
        wait: bool = False,
    ) -> ExecResponse:
        """Run a command in a running instance.

        An exit code other than 0 raises nothing: it is the answer's `returncode` once the command has ended.

        Example:
            ```python
            result = await client.instances.execute("web", ["echo", "Hello"], record_output=True, wait=True)
            print(result["metadata"]["output"]["stdout"])  # or result.stdout
            ```

        Args:
            name: Name of the instance.
            command: The program and its arguments. No shell is involved; for one, `["sh", "-c", "…"]`.
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
            IncusArgumentError: These options do not go together; nothing was sent.
            IncusBadRequestError: The instance does not run, or is frozen.
            IncusOperationNotFoundError: There is no such command in the instance (from the wait).
        """
        check_wait(wait)
        _check_modes(wait, wait_for_websocket, record_output, interactive)
        options: dict[str, Any] = {"width": width, "height": height, "user": user, "group": group, "cwd": cwd}
        body = {
            "command": _arguments(command),
            "environment": string_values(environment or {}, "environment"),
            "wait-for-websocket": wait_for_websocket,
            "record-output": record_output,
            "interactive": interactive,
            **{key: value for key, value in options.items() if value is not None},
        }
        operation = await self._api.operation("POST", self._url(name, suffix="/exec"), body)
        response = ExecResponse(operation, self._api)
        return await response.wait() if wait else response


class BoundExec(Bound):
    """The verb `execute` of this instance."""

    __slots__ = ()

    async def execute(
        self,
        command: Sequence[str],
        environment: Mapping[str, str | int | float | bool] | None = None,
        wait_for_websocket: bool = False,
        record_output: bool = False,
        interactive: bool = False,
        width: int | None = None,
        height: int | None = None,
        user: int | None = None,
        group: int | None = None,
        cwd: str | None = None,
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


def _arguments(command: Sequence[str]) -> list[str]:
    if isinstance(command, str | bytes):
        raise TypeError(f"command must be a list, as in ['sh', '-c', {command!r}], not the text {command!r:.80}")
    arguments = list(command)
    for argument in arguments:
        if not isinstance(argument, str):
            raise TypeError(f"command: {argument!r:.80} must be a str, not {type(argument).__name__}")
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
