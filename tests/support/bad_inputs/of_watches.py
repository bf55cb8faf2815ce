"""Bad inputs of watches, lifecycles and administration."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.duration_pb2 import Duration

from interlock.v1 import admin_service_pb2 as admin
from interlock.v1 import lifecycle_service_pb2 as lifecycles
from interlock.v1 import watch_service_pb2 as pb
from interlock.v1.filter_pb2 import Filter
from tests.support.bad_inputs.by_field import BAD_NAMES, BEYOND_63_BITS, EMOJI
from tests.support.bad_inputs.of_jobs import BAD_LENGTHS
from tests.support.bad_inputs.row import BadInput
from tests.support.bad_inputs.scene import COMPACTED

_BAD_PARTITIONS: Final = (*BAD_NAMES, ("with capitals", "Finance"), ("with a dot", "a.b"))


def _of_watches() -> list[BadInput]:
    rpc = "WatchService/Watch"

    def watch(**fields: Any) -> pb.WatchRequest:
        return pb.WatchRequest(**fields)

    return [
        BadInput(
            rpc,
            "a thousand revisions ahead",
            lambda scene: watch(from_revision=scene.revision() + 1_000),
            "REVISION_IN_FUTURE",
            metadata=("revision",),
        ),
        BadInput(
            rpc,
            "one revision ahead",
            lambda scene: watch(from_revision=scene.revision() + 1),
            "REVISION_IN_FUTURE",
            metadata=("revision",),
        ),
        BadInput(
            rpc,
            "what was compacted",
            watch(partition=COMPACTED, from_revision=0),
            "REVISION_COMPACTED",
            metadata=("oldest_revision",),
        ),
        BadInput(
            rpc,
            "a revision beyond 63 bits",
            watch(from_revision=BEYOND_63_BITS),
            "OUT_OF_BOUNDS",
            "from_revision",
        ),
        BadInput(
            rpc,
            "a snapshot from a revision",
            watch(from_revision=0, snapshot=True),
            "INVALID_FIELD",
            "snapshot",
        ),
        BadInput(
            rpc,
            "a revision of another history",
            watch(from_revision=0, history_id="0" * 32),
            "HISTORY_CHANGED",
            metadata=("history_id",),
        ),
        BadInput(
            rpc,
            "a history without a revision",
            watch(history_id="0" * 32),
            "INVALID_FIELD",
            "history_id",
        ),
        BadInput(
            rpc,
            "an emoji as history",
            watch(from_revision=1, history_id=EMOJI * 1_000),
            "HISTORY_CHANGED",
            metadata=("history_id",),
        ),
        BadInput(rpc, "form 9", watch(form=9), "INVALID_FIELD", "form"),
        BadInput(
            rpc,
            "open messages",
            watch(filter=Filter(open_message=True)),
            "INVALID_FIELD",
            "filter.open_message",
        ),
        *(
            BadInput(
                rpc,
                f"progress every {what}",
                watch(progress_interval=of),
                "INVALID_TIME",
                "progress_interval",
            )
            for what, of in (("99 ms", Duration(nanos=99_000_000)), *BAD_LENGTHS)
        ),
    ]


def _of_lifecycles() -> list[BadInput]:
    rpc = "LifecycleService/DescribeLifecycle"
    return [
        BadInput(rpc, what, lifecycles.DescribeLifecycleRequest(name=name), "LIFECYCLE_NOT_FOUND")
        for what, name in (("another one", "airflow"), *BAD_NAMES)
    ]


def _of_administration() -> list[BadInput]:
    create, backup = "AdminService/CreatePartition", "AdminService/Backup"
    return [
        *(
            BadInput(
                create,
                f"a name {what}",
                admin.CreatePartitionRequest(name=name),
                "INVALID_NAME",
                "name",
            )
            for what, name in _BAD_PARTITIONS
        ),
        BadInput(
            create,
            "one that exists",
            admin.CreatePartitionRequest(name="default"),
            "PARTITION_EXISTS",
        ),
        *(
            BadInput(
                backup, f"a name {what}", admin.BackupRequest(name=name), "INVALID_NAME", "name"
            )
            for what, name in (*BAD_NAMES[1:], ("with a leading dot", ".hidden"))
        ),
        BadInput(
            "AdminService/Compact",
            "revisions beyond 63 bits",
            admin.CompactRequest(keep_revisions=BEYOND_63_BITS),
            "OUT_OF_BOUNDS",
            "keep_revisions",
        ),
    ]


def of_watches() -> list[BadInput]:
    """All of them."""
    return [*_of_watches(), *_of_lifecycles(), *_of_administration()]
