"""The Python client for Incus: async first, with a sync twin in `incus_sdk.sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exceptions import (
    IncusAPIError,
    IncusArgumentError,
    IncusAuthenticationError,
    IncusBadRequestError,
    IncusBrokenPipeError,
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
    IncusOperationPermissionError,
    IncusOperationTimeoutError,
    IncusPermissionError,
    IncusPreconditionFailedError,
    IncusProcessError,
    IncusProcessTimeoutError,
    IncusProtocolError,
    IncusTimeoutError,
    IncusUnavailableError,
)

if TYPE_CHECKING:
    from .api._tokens import token_text
    from .api.certificates import Certificate, CertificatesAPI
    from .api.cluster import ClusterAPI
    from .api.cluster_groups import ClusterGroup, ClusterGroupsAPI
    from .api.cluster_members import ClusterMember, ClusterMembersAPI
    from .api.image_aliases import ImageAliasesAPI, ImageAliasesEntry
    from .api.images import Image, ImagesAPI
    from .api.instance_backups import InstanceBackup
    from .api.instance_snapshots import InstanceSnapshot
    from .api.instances import Instance, InstancesAPI
    from .api.network_acls import NetworkACL, NetworkACLsAPI
    from .api.network_address_sets import NetworkAddressSet, NetworkAddressSetsAPI
    from .api.network_allocations import NetworkAllocationsAPI
    from .api.network_forwards import NetworkForward
    from .api.network_integrations import NetworkIntegration, NetworkIntegrationsAPI
    from .api.network_load_balancers import NetworkLoadBalancer
    from .api.network_peers import NetworkPeer
    from .api.network_zone_records import NetworkZoneRecord
    from .api.network_zones import NetworkZone, NetworkZonesAPI
    from .api.networks import Network, NetworksAPI
    from .api.operations import Operation, OperationsAPI
    from .api.profiles import Profile, ProfilesAPI
    from .api.projects import Project, ProjectsAPI
    from .api.server import ServerAPI
    from .api.storage_bucket_backups import StorageBucketBackup
    from .api.storage_bucket_keys import StorageBucketKey
    from .api.storage_buckets import StorageBucket, StorageBucketsAPI
    from .api.storage_pools import StoragePool, StoragePoolsAPI
    from .api.storage_volume_backups import StorageVolumeBackup
    from .api.storage_volume_bitmaps import StorageVolumeBitmap
    from .api.storage_volume_snapshots import StorageVolumeSnapshot
    from .api.storage_volumes import StorageVolume, StorageVolumesAPI
    from .api.warnings import WarningsAPI
    from .api_client import APIClient
    from .client import Client
    from .consoles import Console, GraphicalChannel, GraphicalConsole
    from .execution import InputStream, OutputStream, Process
    from .operations import ExecResponse, OperationResponse
    from .processes import CompletedProcess, RunOutcome

__version__ = "0.1.0.dev0"

__all__ = [
    "APIClient",
    "Certificate",
    "CertificatesAPI",
    "Client",
    "ClusterAPI",
    "ClusterGroup",
    "ClusterGroupsAPI",
    "ClusterMember",
    "ClusterMembersAPI",
    "CompletedProcess",
    "Console",
    "ExecResponse",
    "GraphicalChannel",
    "GraphicalConsole",
    "Image",
    "ImageAliasesAPI",
    "ImageAliasesEntry",
    "ImagesAPI",
    "IncusAPIError",
    "IncusArgumentError",
    "IncusAuthenticationError",
    "IncusBadRequestError",
    "IncusBrokenPipeError",
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
    "IncusOperationPermissionError",
    "IncusOperationTimeoutError",
    "IncusPermissionError",
    "IncusPreconditionFailedError",
    "IncusProcessError",
    "IncusProcessTimeoutError",
    "IncusProtocolError",
    "IncusTimeoutError",
    "IncusUnavailableError",
    "InputStream",
    "Instance",
    "InstanceBackup",
    "InstanceSnapshot",
    "InstancesAPI",
    "Network",
    "NetworkACL",
    "NetworkACLsAPI",
    "NetworkAddressSet",
    "NetworkAddressSetsAPI",
    "NetworkAllocationsAPI",
    "NetworkForward",
    "NetworkIntegration",
    "NetworkIntegrationsAPI",
    "NetworkLoadBalancer",
    "NetworkPeer",
    "NetworkZone",
    "NetworkZoneRecord",
    "NetworkZonesAPI",
    "NetworksAPI",
    "Operation",
    "OperationResponse",
    "OperationsAPI",
    "OutputStream",
    "Process",
    "Profile",
    "ProfilesAPI",
    "Project",
    "ProjectsAPI",
    "RunOutcome",
    "ServerAPI",
    "StorageBucket",
    "StorageBucketBackup",
    "StorageBucketKey",
    "StorageBucketsAPI",
    "StoragePool",
    "StoragePoolsAPI",
    "StorageVolume",
    "StorageVolumeBackup",
    "StorageVolumeBitmap",
    "StorageVolumeSnapshot",
    "StorageVolumesAPI",
    "WarningsAPI",
    "__version__",
    "token_text",
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
    "Certificate": ".api.certificates",
    "CertificatesAPI": ".api.certificates",
    "Client": ".client",
    "ClusterAPI": ".api.cluster",
    "ClusterGroup": ".api.cluster_groups",
    "ClusterGroupsAPI": ".api.cluster_groups",
    "ClusterMember": ".api.cluster_members",
    "ClusterMembersAPI": ".api.cluster_members",
    "CompletedProcess": ".processes",
    "Console": ".consoles",
    "ExecResponse": ".operations",
    "GraphicalChannel": ".consoles",
    "GraphicalConsole": ".consoles",
    "Image": ".api.images",
    "ImageAliasesAPI": ".api.image_aliases",
    "ImageAliasesEntry": ".api.image_aliases",
    "ImagesAPI": ".api.images",
    "InputStream": ".execution",
    "Instance": ".api.instances",
    "InstanceBackup": ".api.instance_backups",
    "InstanceSnapshot": ".api.instance_snapshots",
    "InstancesAPI": ".api.instances",
    "Network": ".api.networks",
    "NetworkACL": ".api.network_acls",
    "NetworkACLsAPI": ".api.network_acls",
    "NetworkAddressSet": ".api.network_address_sets",
    "NetworkAddressSetsAPI": ".api.network_address_sets",
    "NetworkAllocationsAPI": ".api.network_allocations",
    "NetworkForward": ".api.network_forwards",
    "NetworkIntegration": ".api.network_integrations",
    "NetworkIntegrationsAPI": ".api.network_integrations",
    "NetworkLoadBalancer": ".api.network_load_balancers",
    "NetworkPeer": ".api.network_peers",
    "NetworkZone": ".api.network_zones",
    "NetworkZoneRecord": ".api.network_zone_records",
    "NetworkZonesAPI": ".api.network_zones",
    "NetworksAPI": ".api.networks",
    "Operation": ".api.operations",
    "OperationResponse": ".operations",
    "OperationsAPI": ".api.operations",
    "OutputStream": ".execution",
    "Process": ".execution",
    "Profile": ".api.profiles",
    "ProfilesAPI": ".api.profiles",
    "Project": ".api.projects",
    "ProjectsAPI": ".api.projects",
    "RunOutcome": ".processes",
    "ServerAPI": ".api.server",
    "StorageBucket": ".api.storage_buckets",
    "StorageBucketBackup": ".api.storage_bucket_backups",
    "StorageBucketKey": ".api.storage_bucket_keys",
    "StorageBucketsAPI": ".api.storage_buckets",
    "StoragePool": ".api.storage_pools",
    "StoragePoolsAPI": ".api.storage_pools",
    "StorageVolume": ".api.storage_volumes",
    "StorageVolumeBackup": ".api.storage_volume_backups",
    "StorageVolumeBitmap": ".api.storage_volume_bitmaps",
    "StorageVolumeSnapshot": ".api.storage_volume_snapshots",
    "StorageVolumesAPI": ".api.storage_volumes",
    "WarningsAPI": ".api.warnings",
    "token_text": ".api._tokens",
}
