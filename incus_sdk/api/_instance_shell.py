"""Instances: a command, or a shell, on the terminal of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack, cast

from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .._commands import Arguments, CommandOptions
    from .instances import InstancesAPI


class ShellVerbs(Collection[T]):
    """The verb `shell`."""

    async def shell(
        self,
        name: str,
        command: Arguments | None = None,
        *,
        tty: bool | None = None,
        **options: Unpack[CommandOptions],
    ) -> int:
        """Run a command in a running instance on this process' own terminal, and return its exit code.

        It is what `incus exec` does. If standard input and output are a terminal, the command gets one of that size,
        and what is typed goes to it as it is, Ctrl-C included, and so do changes of the size. The terminal here is as
        it was when the command ends, whatever the reason, and also when this process is killed by a signal (on a
        thread other than the main one, when it is not). Otherwise the command gets three pipes: what this process gets
        on its standard input, and what goes to its standard output and error.

        If this call is cancelled, the command is killed.

        Example:
            ```python
            code = await client.instances.shell("web", ["vi", "/etc/hosts"])
            ```

        Args:
            name: Name of the instance.
            command: The program and its arguments; by default root's login shell by `su -l`, or `sh -l` if one of the
                options is given, which the former would not keep.
            tty: Whether the command gets a terminal, whatever there is here.
            **options: `environment`, `user`, `group` and `cwd`, as for `run`. The variable `TERM` is passed on.

        Raises:
            IncusBadRequestError: The instance does not run, or is frozen.
            IncusNotFoundError: There is no such instance.
            IncusOperationNotFoundError: There is no such command in the instance.
            IncusOperationBadRequestError: The command cannot be executed.
            IncusConnectionError: The connection to the server broke.
            IncusArgumentError: A value cannot be right; nothing was sent.
            OSError: A stream of this process failed: `BrokenPipeError`, if nobody reads its standard output any more.
        """
        from .._commands import command_for
        from .._exec_local import login, take_seat, with_term
        from ..execution import shell

        seat = take_seat(tty)
        arguments = login(options) if command is None else command
        url = self._url(name, suffix="/exec")
        return await shell(self._api, command_for(name, url, arguments, size=seat.size, **with_term(options)), seat)


class BoundShell(Bound):
    """The verb `shell` of this instance."""

    __slots__ = ()

    async def shell(
        self,
        command: Arguments | None = None,
        *,
        tty: bool | None = None,
        **options: Unpack[CommandOptions],
    ) -> int:
        """Run a command in it on this process' own terminal, and return its exit code; see `InstancesAPI.shell`."""
        return await cast("InstancesAPI", self._collection).shell(self._key, command, tty=tty, **options)
