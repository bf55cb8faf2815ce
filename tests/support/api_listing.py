"""Lists every message, field, enum value and rpc of the API, one a line, from the generated code.

tests/golden/api_v1.txt is such a list of what is promised. `make api` writes it anew:

    python -m tests.support.api_listing tests/golden/api_v1.txt
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor

from tests.support.sources import GENERATED

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPE_NAMES = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def list_api() -> list[str]:
    """Return the lines of the whole API, sorted."""
    lines: list[str] = []
    for path in sorted(GENERATED.glob("*_pb2.py")):
        file = importlib.import_module(f"interlock.v1.{path.stem}").DESCRIPTOR
        for message in file.message_types_by_name.values():
            lines += list_message(message)
        for enum in file.enum_types_by_name.values():
            lines += list_enum(enum)
        for service in file.services_by_name.values():
            lines += list_service(service)
    return sorted(lines)


def list_message(message: Any) -> Iterator[str]:
    """Yield the lines of a message and of everything declared inside it."""
    if message.GetOptions().map_entry:
        return
    yield f"message {message.full_name}"
    for field in message.fields:
        yield f"field {field.full_name} = {field.number} {describe_type(field)}"
    for nested in message.nested_types:
        yield from list_message(nested)
    for enum in message.enum_types:
        yield from list_enum(enum)


def list_enum(enum: Any) -> Iterator[str]:
    """Yield the lines of an enum."""
    for value in enum.values:
        yield f"value {enum.full_name}.{value.name} = {value.number}"


def list_service(service: Any) -> Iterator[str]:
    """Yield the lines of a service."""
    for rpc in service.methods:
        request = f"{'stream ' if rpc.client_streaming else ''}{rpc.input_type.full_name}"
        response = f"{'stream ' if rpc.server_streaming else ''}{rpc.output_type.full_name}"
        yield f"rpc {rpc.full_name}({request}) returns ({response})"


def describe_type(field: Any) -> str:
    """Return what must never change about a field besides its number."""
    named = field.message_type or field.enum_type
    described = TYPE_NAMES[field.type] + (f" {named.full_name}" if named else "")
    if field.message_type and field.message_type.GetOptions().map_entry:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        described = f"map<{describe_type(key)}, {describe_type(value)}>"
    elif field.is_repeated:
        described = f"repeated {described}"
    oneof = field.containing_oneof
    if oneof is not None:
        described += " optional" if oneof.name.startswith("_") else f" in oneof {oneof.name}"
    return described


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("".join(f"{line}\n" for line in list_api()), encoding="utf-8")
