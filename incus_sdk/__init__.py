"""The Python client for Incus: async first, with a sync twin in `incus_sdk.sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exceptions import (
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
    from .api.instances import Instance, InstancesAPI
    from .api_client import APIClient
    from .client import Client
    from .operations import ExecResponse, OperationResponse

__version__ = "0.1.0.dev0"

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
    "__version__",
]

if not TYPE_CHECKING:  # hidden from checkers, which would take any name for an existing one

    def __getattr__(name: str) -> Any:
        """Load the rest on use: what a script does not need must not slow its start."""
        from importlib import import_module

        module = _HOME.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(module, __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(set(globals()) | set(__all__))


_HOME = {
    "APIClient": ".api_client",
    "Client": ".client",
    "ExecResponse": ".operations",
    "Instance": ".api.instances",
    "InstancesAPI": ".api.instances",
    "OperationResponse": ".operations",
}
