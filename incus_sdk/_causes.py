"""What servers say when something fails, and what it means, where no status tells: data for `_failures`.

The texts are those of Incus 6.0 and 7.0; each row is met by a test on a real daemon of the versions that it names.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["TABLE", "Cause"]


class Cause(NamedTuple):
    """One row: a text of the server, and what it means.

    Attributes:
        where: Description of the operation, or the request that was answered; empty for any.
        text: Regular expression, searched for in the server's text.
        status: Status that says what the text says; `None` leaves the class open and only adds the hint.
        versions: Server versions that say it so.
        hint: What to do about it.
    """

    where: str
    text: str
    status: int | None
    versions: tuple[str, ...]
    hint: str = ""


BOTH = ("6.0", "7.0")

TABLE: tuple[Cause, ...] = (
    Cause(
        "Creating instance",
        r"UNIQUE constraint failed: instances\.",
        409,
        ("6.0",),
        "An instance of that name exists.",
    ),
    Cause("POST /1.0/instances", r'^Instance ".*" already exists', 409, ("7.0",)),
    Cause(
        "Creating instance",
        r"^Image not provided for instance creation",
        404,
        BOTH,
        "This server has no image of that alias or fingerprint; an image of the public server is named with its "
        "prefix, as in images:debian/13.",
    ),
    Cause(  # of a cluster
        "POST /1.0/instances",
        r"^No fingerprint prefix specified for the image",
        404,
        BOTH,
        "This server has no image of that alias or fingerprint; an image of the public server is named with its "
        "prefix, as in images:debian/13.",
    ),
    Cause("POST /1.0/instances", r'^Requested profile ".*" doesn\'t exist', 404, BOTH),
    Cause(
        "Creating instance",
        r"Failed getting remote image",
        None,
        BOTH,
        "It is the Incus server that downloads the image: it must reach that address.",
    ),
    Cause("Creating instance", r"(Unknown configuration key|Invalid value|Invalid device type)", 400, BOTH),
    Cause(
        "Creating instance", r"Storage pool not found", 404, BOTH, "The root disk names it, which may be a profile's."
    ),
    Cause(
        "Creating instance",
        r"No root device could be found",
        400,
        BOTH,
        'Neither its devices nor its profiles say where it is to be (a new project\'s own profile "default" is empty): '
        'give that profile, or the instance, a device like {"root": {"type": "disk", "path": "/", "pool": "default"}}.',
    ),
    Cause("Creating instance", r"is not supported on this server", 400, BOTH),
    Cause("Creating instance", r"^Requested image's type .* doesn't match instance type", 400, BOTH),
    Cause("PATCH /1.0/instances", r"^Invalid (config|devices):", 400, BOTH),
    Cause("Updating instance", r"^Invalid (config|devices):", 400, BOTH),
    Cause(
        "Updating instance",
        r"^Volatile idmap keys can't be deleted by the user",
        400,
        BOTH,
        "A replacement must hold the whole definition; update() changes only what it names, edit() keeps the rest.",
    ),
    Cause("Executing command", r"^Command not found", 404, BOTH),
    Cause("Executing command", r"^Command not executable", 400, BOTH),
    Cause("instance", r"Instance is busy running a", 409, BOTH, "Wait for that operation, then try again."),
    Cause("Starting instance", r"is already running", 409, BOTH, "If it is frozen, unfreeze() it."),
    Cause("Restarting instance", r"^Instance is not running", 409, BOTH, "If it is frozen, unfreeze() it."),
    Cause("instance", r"is already (running|stopped|frozen)", 409, BOTH),
    Cause("instance", r"^The (instance|container) isn't running", 409, BOTH),
    Cause("instance", r"^Stateful (stop|start) requires", 400, BOTH),
    Cause(
        "instance",
        r"Failed shutting down instance.*context deadline exceeded",
        None,
        BOTH,
        "It did not stop by itself in time: give it longer with timeout=, or stop it with force=True.",
    ),
    Cause("Renaming instance", r"^Renaming of running instance not allowed", 409, BOTH, "Stop it first."),
    Cause("DELETE /1.0/instances", r"^Instance is running", 400, BOTH, "Stop it first."),
    Cause(
        "",
        r"request body too large",
        400,
        ("7.0",),
        "This server takes 1 MiB in such a request; only files in instances can be of any size (put_files).",
    ),
    Cause("/1.0/profiles", r"already exists$", 409, BOTH),
    Cause("/1.0/profiles", r"^(Unknown configuration key|Invalid (value|device type))", 400, BOTH),
    Cause("/1.0/network", r"(already exists|exists already|UNIQUE constraint failed)", 409, BOTH),
    Cause("/1.0/network", r" in use$", 400, BOTH),
    Cause("/1.0/network-integrations", r"(^Query affected 0 rows|Project not found$)", 404, BOTH),
    Cause("/1.0/network-acls/", r"^Only OVN log entries", 400, BOTH),
    Cause(
        "/1.0/network",
        r"(^|: )(Invalid|Failed parsing|Bad zone record entry|Names? (must|can|contains)|Parent interface)",
        400,
        BOTH,
    ),
    Cause("Downloading image", r"^(Image with same fingerprint|The image|Alias) already exists", 409, BOTH),
    Cause("Downloading image", r"(^Profile '.*' doesn't exist|Instance not found)$", 404, BOTH),
    Cause("Downloading image", r"^(Unsupported compression|fingerprints don't match)", 400, BOTH),
    Cause(
        "Refreshing image",
        r"Image source not found$",
        400,
        BOTH,
        "Only images that the server fetched from another one can be refreshed.",
    ),
    Cause("POST /1.0/images", r"^Invalid images JSON", 400, BOTH, "It knows no source of that type."),
    Cause("/1.0/storage-pools", r"^(Storage pool|Snapshot) not found$", 404, BOTH),
    Cause(
        "/1.0/storage-pools",
        r"(^|: )(Unknown driver|Invalid option|Pool source cannot|\w+ name (must|cannot)|Unsupported compression)",
        400,
        BOTH,
    ),
    Cause(
        "/1.0/storage-pools",
        r"(: Invalid key role|^Volume is not attached to running instance|^qemu-nbd failed)",
        400,
        ("7.0",),
    ),
    Cause("/1.0/storage-pools", r"^Volume is still in use", 400, BOTH),
    Cause(
        "DELETE /1.0/storage-pools",
        r"directory not empty",
        409,
        ("7.0",),
        "force=True deletes what is in it, too.",
    ),
    Cause("/bitmaps", r"[Bb]itmap .* not found$", 404, ("7.0",)),
    Cause("/bitmaps", r"Bitmap already exists", 409, ("7.0",)),
    Cause("/bitmaps", r"^GenericError: (Can't store persistent|Granularity must)", 400, ("7.0",)),
    Cause("storage volume", r"(Storage volume|Storage pool) not found$", 404, BOTH),
    Cause("storage volume", r"(: file exists$|already exists|UNIQUE constraint failed)", 409, BOTH),
    Cause("Migrating storage volume", r"^Target must be different", 400, BOTH),
    Cause("Rebuilding storage volume", r"^Cannot rebuild", 400, ("7.0",)),
    Cause("volume backup", r"(already exists|UNIQUE constraint failed)", 409, BOTH),
    Cause("volume backup", r"cannot be backed up$", 400, ("6.0",)),
    Cause("bucket backup", r"already exists", 409, ("7.0",)),
    Cause(
        "bucket backup",
        r"lacking a storage buckets listener address$",
        400,
        ("7.0",),
        "Set core.storage_buckets_address: the server reads its buckets by S3.",
    ),
    Cause("Snapshotting instance", r"UNIQUE constraint failed: instances_snapshots\.", 409, ("6.0",)),
    Cause("Snapshotting instance", r'This "Instance_snapshot" entry already exists', 409, ("7.0",)),
    Cause("Snapshotting instance", r"^Stateful snapshots require", 400, BOTH),
    Cause("Restoring snapshot", r"^Snapshot .* does not exist", 404, BOTH),
    Cause("Backing up instance", r'Backup ".*" already exists', 409, BOTH),
    Cause("Restoring backup", r"already exists on target", 409, BOTH, "The pool has an instance of that name."),
    Cause("POST /1.0/instances", r"^Storage pool not found", 404, BOTH),
    Cause("POST /1.0/instances", r"^Unsupported compression", 400, BOTH, "What was sent is no backup."),
    Cause("/rebuild", r"^Must specify one of alias", 400, BOTH, "The source must name an image, or be of type none."),
    Cause("Rebuilding instance", r"^Image not provided", 404, BOTH, "This server has no such image."),
    Cause("Rebuilding instance", r"volume that has snapshots", 409, BOTH, "Delete its snapshots first."),
    Cause("Migrating instance", r"(Storage pool not found|^Can't find a storage pool)", 404, BOTH),
    Cause("Migrating instance", r"Failed loading project: Project not found", 404, ("6.0",)),
    Cause("Migrating instance", r"storage pool is the same as current", 400, BOTH),
    Cause(
        "/console",
        r"^This console is already connected",
        409,
        BOTH,
        "force=True takes it from whoever is there, who is told so.",
    ),
    Cause("/console", r"^Instance is not container type", 400, BOTH, "Only the log of a container can be cleared."),
    Cause("/metadata/templates", r"^Invalid template filename", 400, BOTH),
    Cause("DELETE /1.0/instances", r"directory not empty", 409, BOTH, "force=True deletes what is in it, too."),
    Cause("/debug/repair", r"is only possible on", 400, ("7.0",)),
    Cause("POST /1.0/projects", r"UNIQUE constraint failed: projects", 409, ("6.0",)),
    Cause("Renaming project", r"already exists$", 409, BOTH),
    Cause("Renaming project", r"Project not found$", 404, BOTH),
    Cause("Renaming project", r"^Only empty projects can be renamed", 409, BOTH),
    Cause(
        "DELETE /1.0/projects",
        r"^Only empty projects can be removed",
        400,
        BOTH,
        "delete(force=True) deletes what is in it, too.",
    ),
    Cause("/1.0/cluster", r"^Server is not clustered", 400, BOTH),
    Cause(
        "POST /1.0/cluster/groups",
        r"NOT NULL constraint failed: nodes_cluster_groups",
        404,
        BOTH,
        "There is no member of that name.",
    ),
    Cause("/1.0/cluster/groups", r"UNIQUE constraint failed", 409, ("6.0",)),
    Cause("/1.0/cluster/groups", r"already in use$", 409, BOTH),
    Cause(
        "DELETE /1.0/cluster/groups",
        r"^Only empty cluster groups can be removed",
        400,
        BOTH,
        "Take its members out first.",
    ),
    Cause("/1.0/cluster/members", r"^The cluster already has a member with name", 409, BOTH),
    Cause("/1.0/cluster/members", r"^Invalid cluster configuration key", 400, BOTH),
    Cause("DELETE /1.0/cluster/members", r"^Node still has", 400, BOTH, "Move or delete it first."),
    Cause("cluster member", r"^Cluster member is already (evacuated|restored)", 409, ("6.0",)),
    Cause(
        "",
        r"sql: database is closed",
        503,
        BOTH,
        "The server is stopping; what it had begun may be half done.",
    ),
    Cause(
        "",
        r"^(Shutting down|Incus is shutting down)$",
        503,
        BOTH,
        "The server is stopping and has not begun with it: send it again when the server is back.",
    ),
    Cause(
        "",
        r"User does not have permissions for project",
        403,
        ("6.0",),
        "This client's certificate is restricted to other projects; use_project() chooses one of those.",
    ),
    Cause("", r"^Certificate is restricted$", 403, BOTH),
    Cause("GET /1.0/", r'^Invalid type "invalid" for field', 400, BOTH, "There is no such field to filter by."),
    Cause(
        "GET /1.0/",
        r'^(Failed to parse value: |Unsupported filter type "|Invalid (slice )?type ")',
        400,
        BOTH,
        'A filter compares texts, and numbers and bools as such ({"ephemeral": True}); no lists, maps, times, codes.',
    ),
    Cause(
        "/1.0/projects", r"(^Conflict detected when changing|is too low: )", 409, BOTH, "The project has more already."
    ),
    Cause(
        "",
        r"(^|: )Reached maximum (number of instances|aggregate value)",
        403,
        BOTH,
        "It is a limit of the project, whose state() tells what is used.",
    ),
    Cause(
        "",
        r'has no "(size|limits\.\w+)" config',
        400,
        BOTH,
        "The project has a limit for that, so each instance and volume in it needs one of its own.",
    ),
    Cause(
        "", r'(^|: )Failed parsing "limits\.', 400, BOTH, "In a project with such a limit it must be a plain amount."
    ),
    Cause("", r"( forbidden|Network not allowed in project|doesn't allow for (snapshot|backup) creation)$", 403, BOTH),
    Cause("", r"^Image server .* isn't allowed in this project$", 403, ("7.0",)),
    Cause("exec", r"^Instance is (frozen|not running)", 400, BOTH, "Commands run in running instances only."),
)
"""Searched from the top; the first row that fits counts."""
