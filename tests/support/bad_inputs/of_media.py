"""Bad inputs about recordings. Those of an upload are what its first message announces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interlock.v1 import media_service_pb2 as pb
from tests.support.bad_inputs.by_field import BEYOND_63_BITS, named, text
from tests.support.bad_inputs.row import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.bad_inputs.scene import Scene

_UPLOAD: Final = "MediaService/UploadMedium"
_DOWNLOAD: Final = "MediaService/DownloadMedium"
_DELETE: Final = "MediaService/DeleteMedia"
_LIST: Final = "MediaService/ListMedia"


def announced(**fields: Any) -> Callable[[Scene], pb.UploadMediumRequest]:
    """An upload that would be accepted but for these fields, and for its content."""
    return lambda scene: pb.UploadMediumRequest(
        medium=pb.NewMedium(
            **{
                "job": scene.filmed,
                "robot": "robot-1",
                "fence": 1,
                "name": "other",
                "size_bytes": 5,
                "digest": "0" * 64,
                **{key: of(scene) if callable(of) else of for key, of in fields.items()},
            }
        )
    )


def _uploads() -> list[BadInput]:
    def bad(what: str, reason: str, field: str = "", **fields: Any) -> BadInput:
        return BadInput(_UPLOAD, what, announced(**fields), reason, field and f"medium.{field}")

    texts = (
        *(("name", *wrong) for wrong in named("name")),
        *(("robot", *wrong) for wrong in named("robot")),
        *(("content_type", *wrong) for wrong in text("content_type", 128)),
    )
    return [
        BadInput(_UPLOAD, "a truncated field", b"\x0a\x7f", "MALFORMED_MESSAGE"),
        BadInput(_UPLOAD, "nothing", pb.UploadMediumRequest(), "INVALID_FIELD", "medium"),
        BadInput(_UPLOAD, "data first", pb.UploadMediumRequest(data=b"x"), "INVALID_FIELD"),
        bad("an unknown partition", "PARTITION_NOT_FOUND", partition="nowhere"),
        bad("job 0", "INVALID_ID", "job", job=0),
        bad("a job beyond 63 bits", "OUT_OF_BOUNDS", job=BEYOND_63_BITS),
        bad("an unknown job", "JOB_NOT_FOUND", job=10**9),
        bad("a size beyond 63 bits", "OUT_OF_BOUNDS", size_bytes=BEYOND_63_BITS),
        bad("a very large recording", "TOO_LARGE", size_bytes=1 << 40),
        bad("no digest", "INVALID_FIELD", "digest", digest=""),
        bad("a path as digest", "INVALID_FIELD", "digest", digest="../" * 21 + "x"),
        bad("a digest in capitals", "INVALID_FIELD", "digest", digest="A" * 64),
        bad("another robot", "NOT_ASSIGNED", robot="robot-2"),
        bad("another attempt", "STALE_FENCE", fence=7),
        bad("a job that is not recorded", "RECORDING_REFUSED", job=lambda scene: scene.running),
        bad("a name that is taken", "RECORDING_REFUSED", name="screen"),
        bad("no content", "DIGEST_MISMATCH"),
        *(bad(what, why, field, **fields) for field, what, fields, why in texts),
    ]


def of_media() -> list[BadInput]:
    """Bad inputs about recordings."""

    def download(**fields: Any) -> Any:
        return lambda scene: pb.DownloadMediumRequest(
            **{"job": scene.filmed, "name": "screen", **fields}
        )

    def delete(*names: str) -> Any:
        return lambda scene: pb.DeleteMediaRequest(job=scene.filmed, names=names)

    beyond = download(offset=BEYOND_63_BITS)
    return [
        *_uploads(),
        BadInput(_DOWNLOAD, "an unknown name", download(name="x"), "MEDIUM_NOT_FOUND"),
        BadInput(_DOWNLOAD, "an offset behind the end", download(offset=6), "INVALID_NUMBER"),
        BadInput(_DOWNLOAD, "an offset beyond 63 bits", beyond, "OUT_OF_BOUNDS", "offset"),
        *(
            BadInput(_DOWNLOAD, what, download(**fields), why, "name")
            for what, fields, why in named("name")
        ),
        BadInput(_DELETE, "one that is not there", delete("screen", "x"), "MEDIUM_NOT_FOUND"),
        BadInput(_LIST, "no job", pb.ListMediaRequest(), "INVALID_ID", "job"),
    ]
