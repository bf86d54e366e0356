"""The names of `incus_sdk` for programs without an event loop: the same, without `async` and `await`.

    from incus_sdk.sync import Client

    with Client() as client:
        for instance in client.instances.list():
            print(instance.name, instance.status)

A client may be used by several threads at once, and inside of a running event loop (which waits then, as for any other
call that blocks). Data, exceptions and types are those of `incus_sdk`; clients, groups and bound objects are classes of
their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import (
    IncusAPIError,
    IncusArgumentError,
    IncusAuthenticationError,
    IncusBadRequestError,
    IncusConfigurationError,
    IncusConflictError,
    IncusConnectionError,
    IncusError,
    IncusMissingExtensionError,
    IncusNotFoundError,
    IncusOperationBadRequestError,
    IncusOperationCancelledError,
    IncusOperationConflictError,
    IncusOperationError,
    IncusOperationLostError,
    IncusOperationNotFoundError,
    IncusOperationTimeoutError,
    IncusPermissionError,
    IncusPreconditionFailedError,
    IncusProtocolError,
    IncusTimeoutError,
    IncusUnavailableError,
)

if TYPE_CHECKING:
    from ._bridge import APIClient
    from .api.instances import Instance, InstancesAPI
    from .client import Client
    from .operations import ExecResponse, OperationResponse

__all__ = [
    "APIClient",
    "Client",
    "ExecResponse",
    "IncusAPIError",
    "IncusArgumentError",
    "IncusAuthenticationError",
    "IncusBadRequestError",
    "IncusConfigurationError",
    "IncusConflictError",
    "IncusConnectionError",
    "IncusError",
    "IncusMissingExtensionError",
    "IncusNotFoundError",
    "IncusOperationBadRequestError",
    "IncusOperationCancelledError",
    "IncusOperationConflictError",
    "IncusOperationError",
    "IncusOperationLostError",
    "IncusOperationNotFoundError",
    "IncusOperationTimeoutError",
    "IncusPermissionError",
    "IncusPreconditionFailedError",
    "IncusProtocolError",
    "IncusTimeoutError",
    "IncusUnavailableError",
    "Instance",
    "InstancesAPI",
    "OperationResponse",
]

if not TYPE_CHECKING:  # hidden from checkers, which would take any name for an existing one

    def __getattr__(name: str) -> Any:
        """Load the rest on use: what a script does not need must not slow its start."""
        from importlib import import_module

        module = _HOMES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(module, __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(set(globals()) | set(__all__))


_HOMES = {
    "APIClient": "._bridge",
    "Client": ".client",
    "ExecResponse": ".operations",
    "Instance": ".api.instances",
    "InstancesAPI": ".api.instances",
    "OperationResponse": ".operations",
}
