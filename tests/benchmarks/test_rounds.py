from __future__ import annotations

from benchmarks.bench import Place
from benchmarks.measurement import at_least
from benchmarks.rate import Rate
from benchmarks.rounds import Rival, Subject, alternate


class Recorded:
    """A side that writes down when it was asked, and fails where it is told to."""

    def __init__(self, name, log, *, fails_at=None):
        self.name, self.log, self.fails_at = name, log, fails_at
        self.rounds = 0

    async def run(self, seconds):
        self.log.append((self.name, seconds))
        self.rounds += 1
        if self.rounds == self.fails_at:
            raise RuntimeError("it broke")
        return Rate(10 * self.rounds, 1.0)


async def test_sides_take_turns_after_a_warm_up(tmp_path):
    log: list[tuple[str, float]] = []
    place = Place(tmp_path, rounds=2, seconds=2.0, warm_up_seconds=0.5)
    rival = Rival("theirs", Recorded("theirs", log), at_least(1.0), "fsync on")

    (found,) = await alternate(place, Subject("a case", "jobs/s", Recorded("ours", log)), [rival])

    assert log == [(name, seconds) for seconds in (0.5, 2.0, 2.0) for name in ("ours", "theirs")]
    assert (found.ours, found.theirs) == ([20.0, 30.0], [20.0, 30.0])
    assert found.row()["durability"] == {"ours": "full", "theirs": "fsync on"}


async def test_a_rival_that_fails_is_left_out_and_the_others_go_on(tmp_path):
    log: list[tuple[str, float]] = []
    place = Place(tmp_path, rounds=2)
    rivals = [
        Rival("broken", Recorded("broken", log, fails_at=2)),
        Rival("whole", Recorded("whole", log)),
    ]

    broken, whole = await alternate(
        place, Subject("a case", "jobs/s", Recorded("ours", log)), rivals
    )

    assert broken.failure == "RuntimeError: it broke"
    assert whole.theirs == [20.0, 30.0]
    assert [name for name, _ in log].count("broken") == 2
