"""The few messages and methods of etcd's gRPC API that a load needs, described field by field.

Names and numbers are those of etcd's API. What is not needed is left out; protobuf passes over it.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_PACKAGE: Final = "etcdserverpb"
TXN: Final = f"/{_PACKAGE}.KV/Txn"
RANGE: Final = f"/{_PACKAGE}.KV/Range"
STATUS: Final = f"/{_PACKAGE}.Maintenance/Status"

#: Values of two enumerations, which are numbers on the wire.
EQUAL: Final = 0
TARGET_VALUE: Final = 3

_BYTES: Final = FieldDescriptorProto.TYPE_BYTES
_STRING: Final = FieldDescriptorProto.TYPE_STRING
_NUMBER: Final = FieldDescriptorProto.TYPE_INT64
_BOOL: Final = FieldDescriptorProto.TYPE_BOOL

#: Message -> field -> number and type. A type in brackets is repeated, one in words is a message.
_MESSAGES: Final[dict[str, dict[str, tuple[int, Any]]]] = {
    "PutRequest": {"key": (1, _BYTES), "value": (2, _BYTES)},
    "RequestOp": {"request_put": (2, "PutRequest")},
    "Compare": {
        "result": (1, _NUMBER),
        "target": (2, _NUMBER),
        "key": (3, _BYTES),
        "value": (7, _BYTES),
    },
    "TxnRequest": {"compare": (1, ["Compare"]), "success": (2, ["RequestOp"])},
    "TxnResponse": {"succeeded": (2, _BOOL)},
    "RangeRequest": {"key": (1, _BYTES), "range_end": (2, _BYTES), "count_only": (9, _BOOL)},
    "RangeResponse": {"count": (4, _NUMBER)},
    "StatusRequest": {},
    "StatusResponse": {"version": (2, _STRING)},
}


def _describe() -> FileDescriptorProto:
    file = FileDescriptorProto(name="etcd_messages.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            repeated, inner = (True, kind[0]) if isinstance(kind, list) else (False, kind)
            field = described.field.add(name=name, number=number)
            field.label = (
                FieldDescriptorProto.LABEL_REPEATED
                if repeated
                else FieldDescriptorProto.LABEL_OPTIONAL
            )
            if isinstance(inner, str):
                field.type = FieldDescriptorProto.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{inner}"
            else:
                field.type = inner
    return file


_POOL: Final = DescriptorPool()
_POOL.Add(_describe())


def message(name: str) -> Any:
    """Return the class of a message."""
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
