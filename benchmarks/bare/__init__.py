"""The comparison that is always there: a bare grpc.aio server that makes the same exchanges."""

from __future__ import annotations
