"""Rounds of ours against other systems, those that are installed here, one after the other.

Only one of them is there at a time: an idle server of another system is not always idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import peer as peers
from benchmarks.bench import CaseFailed
from benchmarks.measurement import Measurement
from benchmarks.rate import Rate
from benchmarks.rounds import Rival, alternate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bench import Place
    from benchmarks.measurement import Target
    from benchmarks.peer import Peer
    from benchmarks.rounds import Subject


async def against_peers(
    place: Place, subjects: Sequence[Subject], targets: Mapping[str, Target | None]
) -> list[Measurement]:
    """Measure subjects against each of the named systems; what is not there is skipped."""
    if not place.peers:
        return []
    found: list[Measurement] = []
    for name, target in targets.items():
        found += await _against(place, subjects, name, target)
    return found


class _PeerSide:
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def run(self, seconds: float) -> Rate:
        done = await self._peer.run(seconds)
        return Rate(done.items, done.seconds)


async def _against(
    place: Place, subjects: Sequence[Subject], name: str, target: Target | None
) -> list[Measurement]:
    missing = Measurement(subjects[0].title, subjects[0].unit, name, target=target)
    if name not in peers.PEERS:
        missing.skipped = "there is no comparison of this name"
        return [missing]
    found: list[Measurement] = []
    try:
        async with peers.PEERS[name](place.folder) as peer:
            for subject in subjects:
                found += await _beside(place, subject, peer, target)
    except peers.NotInstalled as error:
        missing.skipped = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        missing.failure = f"{type(error).__name__}: {error}"
    else:
        return found
    return [*found, missing]


async def _beside(
    place: Place, subject: Subject, peer: Peer, target: Target | None
) -> list[Measurement]:
    if peer.unit != subject.unit:
        raise CaseFailed(f"it counts {peer.unit}, not {subject.unit}")
    rival = Rival(peer.name, _PeerSide(peer), target, peer.durability)
    return await alternate(place, subject, [rival])
