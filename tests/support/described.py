"""What a server says of its API through reflection, as any tool would ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc


def _ask(
    channel: grpc.Channel, *requests: reflection_pb2.ServerReflectionRequest
) -> Iterable[reflection_pb2.ServerReflectionResponse]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    answers: Iterable[reflection_pb2.ServerReflectionResponse]
    answers = stub.ServerReflectionInfo(iter(requests), timeout=10)
    return answers


def described_services(channel: grpc.Channel) -> list[str]:
    """Names of the services, sorted."""
    (answer,) = _ask(channel, reflection_pb2.ServerReflectionRequest(list_services=""))
    return sorted(service.name for service in answer.list_services_response.service)


def described_files(channel: grpc.Channel) -> list[FileDescriptorProto]:
    """Files of all services and of what they import, each after those that it imports."""
    found: dict[str, FileDescriptorProto] = {}
    for service in described_services(channel):
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)
        (answer,) = _ask(channel, request)
        _take(channel, answer, found)
    return list(found.values())


def _take(
    channel: grpc.Channel,
    answer: reflection_pb2.ServerReflectionResponse,
    found: dict[str, FileDescriptorProto],
) -> None:
    for data in answer.file_descriptor_response.file_descriptor_proto:
        file = FileDescriptorProto.FromString(data)
        if file.name in found:
            continue
        for imported in file.dependency:
            if imported not in found:
                request = reflection_pb2.ServerReflectionRequest(file_by_filename=imported)
                (one,) = _ask(channel, request)
                _take(channel, one, found)
        found[file.name] = file
