"""Blocks of changes for tests that need no codec: their bytes are only a key to them."""

from __future__ import annotations

from interlock_server.core.change import Cause, ChangeBlock

Blocks = tuple[ChangeBlock, ...]


def make_block(first_revision, jobs, *, row=1, definition=1, queue=2, robot=0, **fields):
    """A block with a change for each of `jobs`; columns by name replace the given values."""
    block = ChangeBlock(first_revision, Cause(at_ms=1))
    block.jobs = list(jobs)
    block.rows = bytearray([row] * len(block.jobs))
    block.definitions = [definition] * len(block.jobs)
    block.queues = [queue] * len(block.jobs)
    block.robots = [robot] * len(block.jobs)
    for name, value in fields.items():
        setattr(block, name, value)
    return block


class KeyedBlocks:
    """Stands for a codec: `encode` gives bytes of a fixed length, `decode` the blocks back."""

    def __init__(self, length=100):
        self.decoded = 0
        self._length = length
        self._by_bytes: dict[bytes, Blocks] = {}

    def encode(self, blocks: Blocks) -> bytes:
        public = f"{len(self._by_bytes)}".encode().ljust(self._length, b".")
        self._by_bytes[public] = tuple(blocks)
        return public

    def decode(self, public: bytes) -> Blocks:
        self.decoded += 1
        return self._by_bytes[public]
