"""Operator messages: questions of robots to commands, and records to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import re2

from interlock.v1 import operator_message_pb2
from interlock.v1.error_reason_pb2 import ErrorReason
from interlock_server.core.command import Question, Reply
from interlock_server.rpc import validate
from interlock_server.rpc.errors import InvalidArgument

if TYPE_CHECKING:
    from interlock.v1 import job_service_pb2, robot_service_pb2
    from interlock_server.core.model.operator_message import OperatorMessage

TEXT_MAX: Final = 4_096
PATTERN_MAX: Final = 512
CHOICES_MAX: Final = 50
CHOICE_MAX: Final = 256

_S: Final = operator_message_pb2.ReplyStatus


def _quiet() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def question(path: str, asked: robot_service_pb2.Question) -> Question:
    """Check what a robot asks. A pattern that is no expression would fail at the reply."""
    if not asked.text.strip():
        raise InvalidArgument(
            f"{path}.text",
            "expected a question or note, but it is empty",
            ErrorReason.ERROR_REASON_INVALID_TEXT,
        )
    if len(asked.choices) > CHOICES_MAX:
        raise validate.too_large(f"{path}.choices", len(asked.choices), CHOICES_MAX)
    return Question(
        text=validate.text(f"{path}.text", asked.text, TEXT_MAX, lines=True),
        pattern=_pattern(f"{path}.pattern", asked.pattern),
        choices=tuple(
            validate.text(f"{path}.choices", choice, CHOICE_MAX) for choice in asked.choices
        ),
        completes=asked.completes,
        reply_required=asked.reply_required,
    )


def _pattern(path: str, pattern: str) -> str:
    if not pattern:
        return ""
    validate.text(path, pattern, PATTERN_MAX)
    try:
        re2.compile(pattern, _quiet())
    except re2.error as error:
        raise InvalidArgument(path, f"expected a regular expression, but {error}") from None
    return pattern


def reply(request: job_service_pb2.ReplyToMessageRequest) -> Reply:
    """Check a reply; whether the message accepts it is a rule."""
    return Reply(
        validate.identifier("message", request.message),
        validate.text("reply", request.reply, TEXT_MAX, lines=True),
    )


def operator_message(record: OperatorMessage) -> operator_message_pb2.OperatorMessage:
    """A message to the people who operate a job."""
    message = operator_message_pb2.OperatorMessage(
        id=record.id,
        job=record.job,
        text=record.text,
        pattern=record.pattern,
        choices=record.choices,
        status=_reply_status(record),
        blocking=record.blocking,
        restart=record.restart,
        reply=record.reply,
        replied_by=record.replied_by,
    )
    message.create_time.FromMilliseconds(record.created_ms)
    if record.replied_ms:
        message.reply_time.FromMilliseconds(record.replied_ms)
    return message


def _reply_status(record: OperatorMessage) -> operator_message_pb2.ReplyStatus.ValueType:
    if record.replied_ms:
        return _S.REPLY_STATUS_REPLIED
    return _S.REPLY_STATUS_REQUIRED if record.required else _S.REPLY_STATUS_NOT_REQUIRED
