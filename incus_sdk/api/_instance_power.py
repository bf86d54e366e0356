"""Instances: starting, stopping and freezing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, SupportsIndex, cast

from .._values import whole_number
from ..exceptions import IncusArgumentError
from ..operations import OperationResponse
from ._bound import Bound
from ._collection import Collection, T

if TYPE_CHECKING:
    from .instances import InstancesAPI

LONGEST = 2**31 - 1
"""Seconds; the server turns far longer ones into a time that is over already."""

ACTIONS = ("start", "stop", "restart", "freeze", "unfreeze")


class PowerVerbs(Collection[T]):
    """The verbs that change the state of an instance (`PUT /1.0/instances/{name}/state`)."""

    async def start(self, name: str, stateful: bool = False, wait: bool = False) -> OperationResponse:
        """Start an instance.

        Args:
            name: Name of the instance.
            stateful: Whether to restore the state that a stateful stop has saved.
            wait: Whether to return only when it runs; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusConflictError: It runs already, or is frozen (from the wait).
        """
        return await self._state_action(name, "start", stateful=stateful, wait=wait)

    async def stop(
        self, name: str, force: bool = False, stateful: bool = False, wait: bool = False, *, timeout: int | None = 30
    ) -> OperationResponse:
        """Stop an instance.

        Args:
            name: Name of the instance.
            force: Whether to end it at once instead of asking its init system to shut down.
            stateful: Whether to save its state, so that a stateful start goes on from there.
            wait: Whether to return only when it has stopped; otherwise the answer's `wait()` tells how it ended.
            timeout: Seconds that the server gives it to shut down before it calls the stop failed; `None` is no limit.

        Raises:
            IncusConflictError: It is stopped already (from the wait).
            IncusOperationError: It did not shut down in time (from the wait).
        """
        return await self._state_action(name, "stop", force, stateful, wait, timeout=timeout)

    async def restart(
        self, name: str, force: bool = False, wait: bool = False, *, timeout: int | None = 30
    ) -> OperationResponse:
        """Restart an instance.

        Args:
            name: Name of the instance.
            force: Whether to end it at once instead of asking its init system to shut down.
            wait: Whether to return only when it runs again; otherwise the answer's `wait()` tells how it ended.
            timeout: Seconds that the server gives it to shut down before it calls the restart failed; `None` is no
                limit.

        Raises:
            IncusConflictError: It is stopped (from the wait).
            IncusOperationError: It did not shut down in time (from the wait).
        """
        return await self._state_action(name, "restart", force, wait=wait, timeout=timeout)

    async def freeze(self, name: str, wait: bool = False) -> OperationResponse:
        """Freeze all processes of an instance.

        Args:
            name: Name of the instance.
            wait: Whether to return only when it is frozen; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusConflictError: It is frozen already, or does not run (from the wait).
        """
        return await self._state_action(name, "freeze", wait=wait)

    async def unfreeze(self, name: str, wait: bool = False) -> OperationResponse:
        """Let the processes of a frozen instance go on.

        Args:
            name: Name of the instance.
            wait: Whether to return only when it runs; otherwise the answer's `wait()` tells how it ended.

        Raises:
            IncusConflictError: It is not frozen (from the wait).
        """
        return await self._state_action(name, "unfreeze", wait=wait)

    async def _state_action(
        self,
        name: str,
        action: str,
        force: bool = False,
        stateful: bool = False,
        wait: bool = False,
        *,
        timeout: int | None = 30,
    ) -> OperationResponse:
        """Change the state of an instance; the public verbs are this with an action each.

        Args:
            name: Name of the instance.
            action: One of `ACTIONS`.
            force: Whether to force it.
            stateful: Whether to save or restore the state.
            wait: Whether to return only when it is done.
            timeout: Seconds that the server gives a clean shutdown; `None` is no limit.
        """
        body = _state(action, force, stateful, timeout)
        return await self._change("PUT", self._url(name, suffix="/state"), body, wait)

    async def change_all(
        self,
        action: str,
        force: bool = False,
        stateful: bool = False,
        wait: bool = False,
        *,
        timeout: int | None = 30,
    ) -> OperationResponse:
        """Change the state of all instances of the client's project (`PUT /1.0/instances`).

        Those that are in that state already are left alone.

        Args:
            action: `start`, `stop`, `restart`, `freeze` or `unfreeze`.
            force: Whether to end them at once instead of asking their init systems to shut down.
            stateful: Whether to save or restore their state.
            wait: Whether to return only when it is done; otherwise the answer's `wait()` tells how it ended.
            timeout: Seconds that the server gives each to shut down; `None` is no limit.

        Raises:
            IncusArgumentError: There is no such action.
            IncusOperationError: Some could not be changed (from the wait); the message names them.
        """
        return await self._change("PUT", self._url(), {"state": _state(action, force, stateful, timeout)}, wait)


class BoundPower(Bound):
    """The verbs that change the state of this instance."""

    __slots__ = ()

    async def start(self, stateful: bool = False, wait: bool = False) -> OperationResponse:
        """Start it; see `InstancesAPI.start`."""
        return await self._power.start(self._key, stateful, wait)

    async def stop(
        self, force: bool = False, stateful: bool = False, wait: bool = False, *, timeout: int | None = 30
    ) -> OperationResponse:
        """Stop it; see `InstancesAPI.stop`."""
        return await self._power.stop(self._key, force, stateful, wait, timeout=timeout)

    async def restart(self, force: bool = False, wait: bool = False, *, timeout: int | None = 30) -> OperationResponse:
        """Restart it; see `InstancesAPI.restart`."""
        return await self._power.restart(self._key, force, wait, timeout=timeout)

    async def freeze(self, wait: bool = False) -> OperationResponse:
        """Freeze it; see `InstancesAPI.freeze`."""
        return await self._power.freeze(self._key, wait)

    async def unfreeze(self, wait: bool = False) -> OperationResponse:
        """Let it go on; see `InstancesAPI.unfreeze`."""
        return await self._power.unfreeze(self._key, wait)

    @property
    def _power(self) -> InstancesAPI:
        return cast("InstancesAPI", self._collection)


def _state(action: str, force: bool, stateful: bool, timeout: float | None) -> dict[str, Any]:
    if action not in ACTIONS:
        raise IncusArgumentError(f"unknown action {action!r}; there are {', '.join(ACTIONS)}")
    return {"action": action, "force": bool(force), "stateful": bool(stateful), "timeout": _seconds(timeout)}


def _seconds(timeout: float | None) -> int:
    """The server counts whole seconds, and writes "no limit" as -1."""
    if timeout is None:
        return -1
    if isinstance(timeout, bool) or not isinstance(timeout, float | SupportsIndex):
        raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}")
    if isinstance(timeout, float):
        if not 0 <= timeout < math.inf:  # nor is NaN
            raise IncusArgumentError(f"timeout cannot be {timeout}: it is 0 or more seconds, or None for no limit")
        timeout = math.ceil(timeout)
    return whole_number("timeout", timeout, 0, LONGEST, " seconds, or None for no limit")
