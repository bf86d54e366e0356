"""The table of causes: what servers said, as it was recorded, is sorted as it is meant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from incus_sdk import exceptions as ex
from incus_sdk._causes import TABLE
from incus_sdk._failures import answer_error, operation_error

UNIQUE = (
    'Failed creating instance record: Add instance info to the database: Failed to create "instances" entry: '
    "UNIQUE constraint failed: instances.project_id, instances.name"
)

ANSWERS: list[tuple[str, int, str, type[ex.IncusAPIError]]] = [
    ("GET /1.0/storage-pools", 500, "Certificate is restricted", ex.IncusPermissionError),
    (
        "POST /1.0/instances/t1/console",
        400,
        "This console is already connected. Force is required to take it over.",
        ex.IncusConflictError,
    ),
    ("DELETE /1.0/instances/t1/console", 400, "Instance is not container type", ex.IncusBadRequestError),
    ("GET /1.0/instances", 500, 'User does not have permissions for project "default"', ex.IncusPermissionError),
    (
        "GET /1.0/images/aliases",
        500,
        'Failed to get a permission checker: User does not have permissions for project "default"',
        ex.IncusPermissionError,
    ),
    ("POST /1.0/instances", 400, "Unknown source type bogus", ex.IncusBadRequestError),
    (
        "POST /1.0/instances",
        500,
        'Reached maximum number of instances in project "shop"',
        ex.IncusPermissionError,
    ),
    (
        "PATCH /1.0/instances/web",
        500,
        (
            "Failed checking if instance update allowed: Reached maximum aggregate value "
            '"512MiB" for "limits.memory" in project "shop"'
        ),
        ex.IncusPermissionError,
    ),
    (
        "POST /1.0/instances",
        500,
        (
            'Failed checking if instance creation allowed: Failed getting usage of project entities: Instance "a" in '
            'project "shop" has no "limits.cpu" config, either directly or via a profile'
        ),
        ex.IncusBadRequestError,
    ),
    (
        "POST /1.0/storage-pools/default/volumes",
        500,
        (
            "Failed checking if volume creation allowed: Failed getting usage of project entities: "
            'Custom volume "v" in project "shop" has no "size" config set'
        ),
        ex.IncusBadRequestError,
    ),
    (
        "POST /1.0/instances",
        500,
        (
            "Failed checking if instance creation allowed: Failed getting usage of project entities: "
            'Failed parsing "limits.memory" for instance "a" in project "shop"'
        ),
        ex.IncusBadRequestError,
    ),
    (
        "PATCH /1.0/projects/shop",
        500,
        (
            'Can\'t change limits.instances in project "shop": "limits.instances" is too low: there currently are 1 '
            'total instances in project "shop"'
        ),
        ex.IncusConflictError,
    ),
    (
        "PATCH /1.0/projects/shop",
        500,
        (
            'Conflict detected when changing "restricted.devices.disk" in project "shop": Invalid value "true" for '
            'config "security.privileged" on container "a" of project "shop": Privileged containers are forbidden'
        ),
        ex.IncusConflictError,
    ),
    (
        "POST /1.0/profiles",
        500,
        (
            'Failed checking if profile creation allowed: Invalid value "true" for config "security.privileged" on '
            ' "p" of project "shop": Privileged containers are forbidden'
        ),
        ex.IncusPermissionError,
    ),
    (
        "POST /1.0/instances/a/snapshots",
        500,
        'Project "shop" doesn\'t allow for snapshot creation',
        ex.IncusPermissionError,
    ),
    (
        "POST /1.0/instances",
        500,
        'Image server "127.0.0.1:1" isn\'t allowed in this project',
        ex.IncusPermissionError,
    ),
    ("POST /1.0/network-zones/z/records", 500, "Name cannot contain white space", ex.IncusBadRequestError),
    ("GET /1.0/instances", 500, 'Invalid type "invalid" for field "nope"', ex.IncusBadRequestError),
    ("GET /1.0/instances", 500, 'Unsupported filter type "int" for field "status_code"', ex.IncusBadRequestError),
    (
        "GET /1.0/instances",
        500,
        "Failed to parse value: invalid character '(' looking for beginning of value",
        ex.IncusBadRequestError,
    ),
    ("GET /1.0/images", 500, 'Invalid slice type "struct" for field "aliases"', ex.IncusBadRequestError),
    (
        "POST /1.0/network-acls",
        500,
        "Name can only contain alphanumeric and hyphen characters",
        ex.IncusBadRequestError,
    ),
    ("POST /1.0/storage-pools", 500, "Storage name cannot contain white space", ex.IncusBadRequestError),
    ("POST /1.0/profiles", 500, 'Error inserting "p" into database: The profile already exists', ex.IncusConflictError),
    ("PATCH /1.0/profiles/p", 500, "Unknown configuration key: no.such", ex.IncusBadRequestError),
    ("POST /1.0/profiles", 503, "Incus is shutting down", ex.IncusUnavailableError),
    ("GET /1.0/instances", 500, "Failed to begin transaction: sql: database is closed", ex.IncusUnavailableError),
    ("POST /1.0/instances", 500, 'Requested profile "nope" doesn\'t exist', ex.IncusNotFoundError),
    ("POST /1.0/instances", 500, 'Instance "t1" already exists', ex.IncusConflictError),
    ("POST /1.0/instances", 500, "No fingerprint prefix specified for the image", ex.IncusNotFoundError),
    ("POST /1.0/instances", 404, "Failed loading project: Project not found", ex.IncusNotFoundError),
    ("POST /1.0/instances/p2", 409, 'Name "p1" already in use', ex.IncusConflictError),
    ("DELETE /1.0/instances/t1", 400, "Instance is running", ex.IncusBadRequestError),
    ("POST /1.0/instances/p1/exec", 400, "Instance is frozen", ex.IncusBadRequestError),
    ("PATCH /1.0/instances/p2", 500, "Invalid config: Unknown configuration key: nonsense", ex.IncusBadRequestError),
    ("PATCH /1.0/instances/p2", 500, 'Invalid devices: Device validation failed for "x"', ex.IncusBadRequestError),
    ("GET /1.0/x", 500, 'Instance "t1" already exists', ex.IncusAPIError),
    ("PATCH /1.0/instances/p2", 500, "http: request body too large", ex.IncusBadRequestError),
    ("POST /1.0/instances/p1/exec", 400, "http: request body too large", ex.IncusBadRequestError),
    ("POST /1.0/projects", 500, "UNIQUE constraint failed: projects.name", ex.IncusConflictError),
    ("DELETE /1.0/projects/p", 500, "Only empty projects can be removed.", ex.IncusBadRequestError),
    ("GET /1.0/cluster/members", 500, "Server is not clustered", ex.IncusBadRequestError),
    ("POST /1.0/cluster/groups", 500, "UNIQUE constraint failed: cluster_groups.name", ex.IncusConflictError),
    ("POST /1.0/cluster/groups/g", 500, 'Name "default" already in use', ex.IncusConflictError),
    (
        "POST /1.0/cluster/groups",
        500,
        "NOT NULL constraint failed: nodes_cluster_groups.node_id",
        ex.IncusNotFoundError,
    ),
    ("DELETE /1.0/cluster/groups/g", 500, "Only empty cluster groups can be removed", ex.IncusBadRequestError),
    ("POST /1.0/cluster/members", 500, "The cluster already has a member with name: n1", ex.IncusConflictError),
    ("PATCH /1.0/cluster/members/n1", 500, 'Invalid cluster configuration key "foo"', ex.IncusBadRequestError),
    ("DELETE /1.0/cluster/members/n1", 500, "Node still has the following images: 2b", ex.IncusBadRequestError),
    ("POST /1.0/network-acls", 400, "The network ACL already exists", ex.IncusConflictError),
    ("POST /1.0/network-acls/a", 500, "An ACL by that name exists already", ex.IncusConflictError),
    ("POST /1.0/network-zones/z/records", 500, "UNIQUE constraint failed: x, y", ex.IncusConflictError),
    ("DELETE /1.0/network-acls/a", 500, "Cannot delete an ACL that is in use", ex.IncusBadRequestError),
    ("GET /1.0/network-acls/a/log", 500, "Only OVN log entries may be retrieved at this time", ex.IncusBadRequestError),
    ("POST /1.0/network-integrations/i", 500, "Query affected 0 rows instead of 1", ex.IncusNotFoundError),
    ("POST /1.0/networks", 500, 'Invalid option for network "n" option "x"', ex.IncusBadRequestError),
    (
        "POST /1.0/networks/n/forwards",
        500,
        'Failed creating forward: Failed parsing address forward listen address "x": invalid CIDR address: x/32',
        ex.IncusBadRequestError,
    ),
    ("POST /1.0/network-acls", 500, 'Name must not start with "-" character', ex.IncusBadRequestError),
    ("GET /1.0/storage-pools/p/resources", 500, "Storage pool not found", ex.IncusNotFoundError),
    ("PUT /1.0/storage-pools/p/volumes/custom/v", 500, "Snapshot not found", ex.IncusNotFoundError),
    ("POST /1.0/storage-pools", 500, "Unknown driver", ex.IncusBadRequestError),
    (
        "PUT /1.0/storage-pools/p/buckets/b",
        500,
        'Failed updating storage bucket: Invalid option for volume "default_b" option "x"',
        ex.IncusBadRequestError,
    ),
    (
        "POST /1.0/storage-pools/p/buckets/b/keys",
        500,
        "Failed creating storage bucket key: Invalid key role",
        ex.IncusBadRequestError,
    ),
    (
        "GET /1.0/storage-pools/p/volumes/custom/v/bitmaps",
        500,
        "Volume is not attached to running instance",
        ex.IncusBadRequestError,
    ),
    (
        "POST /1.0/storage-pools/p/volumes/custom/v",
        500,
        "Volume is still in use by running instances",
        ex.IncusBadRequestError,
    ),
    (
        "DELETE /1.0/storage-pools/p/volumes/custom/v/files?path=/d",
        500,
        'remove /d: sftp: "remove /d: directory not empty" (SSH_FX_FAILURE)',
        ex.IncusConflictError,
    ),
    ("GET /1.0/storage-pools/p/volumes/custom/v/bitmaps/b", 400, 'Bitmap "b" not found', ex.IncusNotFoundError),
    (
        "DELETE /1.0/storage-pools/p/volumes/custom/v/bitmaps/b",
        500,
        "GenericError: Dirty bitmap 'b' not found",
        ex.IncusNotFoundError,
    ),
    (
        "POST /1.0/storage-pools/p/volumes/custom/v/bitmaps",
        500,
        "GenericError: Bitmap already exists: b",
        ex.IncusConflictError,
    ),
    (
        "POST /1.0/storage-pools/p/volumes/custom/v/bitmaps",
        500,
        "GenericError: Granularity must be power of 2 and at least 512",
        ex.IncusBadRequestError,
    ),
    ("POST /1.0/images", 500, "Invalid images JSON", ex.IncusBadRequestError),
    ("POST /1.0/instances", 500, "Storage pool not found: Storage pool not found", ex.IncusNotFoundError),
    ("POST /1.0/instances", 500, "Unsupported compression", ex.IncusBadRequestError),
    (
        "POST /1.0/instances/t1/rebuild",
        500,
        "Must specify one of alias, fingerprint or properties for init from image",
        ex.IncusBadRequestError,
    ),
    (
        "POST /1.0/instances/t1/metadata/templates?path=a/b",
        500,
        "Invalid template filename",
        ex.IncusBadRequestError,
    ),
    (
        "DELETE /1.0/instances/t1/files?path=/etc",
        500,
        'remove /etc: sftp: "remove /etc: directory not empty" (SSH_FX_FAILURE)',
        ex.IncusConflictError,
    ),
    (
        "POST /1.0/instances/t1/debug/repair",
        500,
        "Config volume rebuild is only possible on VMs",
        ex.IncusBadRequestError,
    ),
    ("GET /1.0/x", 500, "some trouble", ex.IncusAPIError),
    ("GET /1.0/x", 418, "tea", ex.IncusAPIError),
    ("GET /1.0/x", 503, "Daemon is starting up", ex.IncusUnavailableError),
]

OPERATIONS: list[tuple[str, str, type[ex.IncusOperationError]]] = [
    (
        "Migrating instance",
        'Failed requesting instance create on destination: Reached maximum number of instances in project "shop"',
        ex.IncusOperationPermissionError,
    ),
    ("Creating instance", UNIQUE, ex.IncusOperationConflictError),
    ("Renaming project", 'A project named "default" already exists', ex.IncusOperationConflictError),
    ("Renaming project", 'Failed loading project "nope": Project not found', ex.IncusOperationNotFoundError),
    ("Renaming project", "Only empty projects can be renamed", ex.IncusOperationConflictError),
    ("Evacuating cluster member", "Cluster member is already evacuated", ex.IncusOperationConflictError),
    ("Creating instance", "Image not provided for instance creation", ex.IncusOperationNotFoundError),
    (
        "Creating instance",
        'Failed getting remote image info: Failed getting image: Get "https://x"',
        ex.IncusOperationError,
    ),
    (
        "Creating instance",
        "Failed creating instance record: Failed getting root disk: No root device could be found",
        ex.IncusOperationBadRequestError,
    ),
    (
        "Creating instance",
        'Failed creating instance record: Instance type "virtual-machine" is not supported on this server: no KVM',
        ex.IncusOperationBadRequestError,
    ),
    (
        "Creating instance",
        'Requested image\'s type "container" doesn\'t match instance type "virtual-machine"',
        ex.IncusOperationBadRequestError,
    ),
    (
        "Creating instance",
        "Failed creating instance record: Unknown configuration key: nonsense.key",
        ex.IncusOperationBadRequestError,
    ),
    ("Creating instance", "Failed creating instance record: Invalid value: lots", ex.IncusOperationBadRequestError),
    (
        "Creating instance",
        'Failed creating instance record: Invalid device type "bogus"',
        ex.IncusOperationBadRequestError,
    ),
    (
        "Creating instance",
        "Failed creating instance record: Failed loading storage pool: Storage pool not found",
        ex.IncusOperationNotFoundError,
    ),
    ("Downloading image", "Image with same fingerprint already exists", ex.IncusOperationConflictError),
    ("Downloading image", "The image already exists: 0771ff8c", ex.IncusOperationConflictError),
    ("Downloading image", "Alias already exists: web", ex.IncusOperationConflictError),
    ("Downloading image", "Profile 'nope' doesn't exist", ex.IncusOperationNotFoundError),
    (
        "Downloading image",
        'Failed to fetch instance "nope" in project "default": Instance not found',
        ex.IncusOperationNotFoundError,
    ),
    ("Downloading image", "Unsupported compression", ex.IncusOperationBadRequestError),
    ("Downloading image", "fingerprints don't match, got c8ba expected abab", ex.IncusOperationBadRequestError),
    (
        "Refreshing image",
        'Failed to update image "5688" in project "default": Image source not found',
        ex.IncusOperationBadRequestError,
    ),
    (
        "Snapshotting instance",
        "Add snapshot info to the database: UNIQUE constraint failed: instances_snapshots.instance_id, x",
        ex.IncusOperationConflictError,
    ),
    (
        "Snapshotting instance",
        'Add snapshot info to the database: This "Instance_snapshot" entry already exists',
        ex.IncusOperationConflictError,
    ),
    (
        "Snapshotting instance",
        "Stateful snapshots require that the instance has migration.stateful be set to true",
        ex.IncusOperationBadRequestError,
    ),
    ("Restoring snapshot", "Snapshot t1/nope does not exist", ex.IncusOperationNotFoundError),
    ("Backing up instance", 'Create backup: Backup "t1/b1" already exists', ex.IncusOperationConflictError),
    (
        "Restoring backup",
        "Create instance from backup: Cannot restore volume, already exists on target",
        ex.IncusOperationConflictError,
    ),
    ("Rebuilding instance", "Image not provided for instance rebuild", ex.IncusOperationNotFoundError),
    (
        "Rebuilding instance",
        "Failed rebuilding as an empty instance: Cannot remove an instance volume that has snapshots",
        ex.IncusOperationConflictError,
    ),
    (
        "Migrating instance",
        "Instance move to destination failed: Failed loading storage pool: Storage pool not found",
        ex.IncusOperationNotFoundError,
    ),
    (
        "Migrating instance",
        "Can't find a storage pool 'nope' for the instance to use",
        ex.IncusOperationNotFoundError,
    ),
    (
        "Migrating instance",
        "Failed requesting instance create on destination: Failed loading project: Project not found",
        ex.IncusOperationNotFoundError,
    ),
    (
        "Migrating instance",
        "Requested storage pool is the same as current pool",
        ex.IncusOperationBadRequestError,
    ),
    ("Updating instance", "Invalid config: Invalid value: lots", ex.IncusOperationBadRequestError),
    ("Creating instance", "Failed to load config file", ex.IncusOperationError),
    ("Stopping instance", "The instance is already stopped", ex.IncusOperationConflictError),
    ("Restarting instance", "The instance is already stopped", ex.IncusOperationConflictError),
    ("Restarting instance", "Instance is not running", ex.IncusOperationConflictError),
    ("Starting instance", "The instance is already running", ex.IncusOperationConflictError),
    ("Freezing instance", "The container is already frozen", ex.IncusOperationConflictError),
    ("Freezing instance", "The instance isn't running", ex.IncusOperationConflictError),
    ("Unfreezing instance", "The container is already running", ex.IncusOperationConflictError),
    (
        "Stopping instance",
        "Stateful stop requires the instance to have migration.stateful be set to true",
        ex.IncusOperationBadRequestError,
    ),
    (
        "Starting instance",
        "Stateful start requires that the instance migration.stateful be set to true",
        ex.IncusOperationBadRequestError,
    ),
    (
        "Stopping instance",
        'Failed shutting down instance, status is "Running": context deadline exceeded',
        ex.IncusOperationError,
    ),
    (
        "Deleting instance",
        'Failed to create instance delete operation: Instance is busy running a "start" operation',
        ex.IncusOperationConflictError,
    ),
    ("Renaming instance", "Renaming of running instance not allowed", ex.IncusOperationConflictError),
    ("Updating instance", "Volatile idmap keys can't be deleted by the user", ex.IncusOperationBadRequestError),
    (
        "Copying storage volume",
        'Failed generating volume copy config: Storage volume "v" does not exist on pool "p": Storage volume not found',
        ex.IncusOperationNotFoundError,
    ),
    (
        "Renaming storage volume snapshot",
        'Failed to rename "a": rename a b: file exists',
        ex.IncusOperationConflictError,
    ),
    (
        "Migrating storage volume",
        "Target must be different than storage volumes' current location",
        ex.IncusOperationBadRequestError,
    ),
    ("Rebuilding storage volume", "Cannot rebuild custom volume with snapshots", ex.IncusOperationBadRequestError),
    ("Creating custom volume backup", 'Backup "v/b" already exists', ex.IncusOperationConflictError),
    (
        "Creating custom volume backup",
        'Create volume backup: Backup create: Volume of content type "iso" cannot be backed up',
        ex.IncusOperationBadRequestError,
    ),
    ("Creating bucket backup", 'Backup "b/x" already exists', ex.IncusOperationConflictError),
    (
        "Creating bucket backup",
        "Backup create: The server is lacking a storage buckets listener address",
        ex.IncusOperationBadRequestError,
    ),
    ("Executing command", "Command not found", ex.IncusOperationNotFoundError),
    ("Executing command", "Command not executable", ex.IncusOperationBadRequestError),
    ("Executing command", "Failed to retrieve PID of executing child process", ex.IncusOperationError),
    ("Downloading image", "Command not found", ex.IncusOperationError),
]


def failed(description: str | None, err: str | None, **fields: object) -> dict[str, Any]:
    resources = {"containers": ["/1.0/instances/t1"], "instances": ["/1.0/instances/t1"]}
    return {
        "id": "9d208065",
        "description": description,
        "resources": resources,
        "status": "Failure",
        "status_code": 400,
        "err": err,
        **fields,
    }


@pytest.mark.parametrize(("request_", "status", "text", "kind"), ANSWERS)
def test_answers(request_: str, status: int, text: str, kind: type[ex.IncusAPIError]) -> None:
    error = answer_error(request_, status, text, {"error": text})
    assert type(error) is kind
    assert str(error).startswith(f"{request_}: {text} (status {status})")
    assert (error.status_code, error.response) == (status, {"error": text})


@pytest.mark.parametrize(("description", "text", "kind"), OPERATIONS)
def test_operations(description: str, text: str, kind: type[ex.IncusOperationError]) -> None:
    error = operation_error(failed(description, text))
    assert type(error) is kind
    assert str(error).startswith(f"{description} t1: {text}")
    assert error.operation_id == "9d208065"
    assert error.status_code == 400


def test_a_text_never_overrules_a_status_that_the_server_gave() -> None:
    error = answer_error("POST /1.0/instances", 403, 'Instance "t1" already exists', None)
    assert type(error) is ex.IncusPermissionError


def test_hints_follow_the_server_s_text() -> None:
    error = operation_error(failed("Creating instance", "Image not provided for instance creation"))
    assert "Image not provided for instance creation. This server has no image" in str(error)
    assert "images:debian/13" in str(error)
    assert str(operation_error(failed("Creating instance", "x"))) == "Creating instance t1: x"


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"resources": None}, "Creating instance: x"),
        ({"resources": {}}, "Creating instance: x"),
        ({"resources": {"instances": None}}, "Creating instance: x"),
        ({"resources": {"instances": [None]}}, "Creating instance: x"),
        ({"resources": {"instances": [None, "/1.0/instances/a", 5]}}, "Creating instance a: x"),
        ({"resources": {"instances": "/1.0/instances/a"}}, "Creating instance: x"),
        ({"resources": {"instances": {"a": 1}}}, "Creating instance: x"),
        ({"resources": ["/1.0/instances/a"]}, "Creating instance: x"),
        ({"resources": {"images": ["/1.0/images/f"]}}, "Creating instance f: x"),
        (
            {"resources": {"instances": [f"/1.0/instances/{n}?project=shop" for n in "abcde"]}},
            "Creating instance a b c: x",
        ),
    ],
)
def test_subjects(fields: dict[str, object], subject: str) -> None:
    assert str(operation_error(failed("Creating instance", "x", **fields))) == subject
    assert str(operation_error(failed(None, "x", **fields))) == subject.replace("Creating instance", "operation")


@pytest.mark.parametrize("err", [None, ""])
def test_failures_without_a_reason(err: str | None) -> None:
    assert str(operation_error(failed("Starting instance", err))) == (
        "Starting instance t1: it failed; the server did not say why"
    )
    cancelled = operation_error(failed("Starting instance", err, status_code=401))
    assert type(cancelled) is ex.IncusOperationCancelledError
    assert str(cancelled) == "Starting instance t1: it was cancelled"


def test_an_operation_about_which_nothing_is_known() -> None:
    error = operation_error({})
    assert type(error) is ex.IncusOperationError
    assert str(error) == "operation: it failed; the server did not say why"


def test_the_table() -> None:
    recorded = [(where, text) for where, _, text, _ in ANSWERS] + [(where, text) for where, text, _ in OPERATIONS]
    for row in TABLE:
        re.compile(row.text)
        assert set(row.versions) <= {"6.0", "7.0"}
        assert row.versions
        assert row.status is not None or row.hint, f"{row.text}: says nothing"
        assert not row.hint or row.hint.endswith(".")
        assert row.status in {None, 400, 403, 404, 409, 503}
    reached = {first(where, text) for where, text in recorded}
    assert [row.text for row in TABLE if row not in reached] == []


def first(where: str, text: str) -> object:
    return next((row for row in TABLE if row.where in where and re.search(row.text, text)), None)
