"""Dispatching does not grow with the number of jobs that wait, and the benchmark says so."""

from __future__ import annotations

import heapq
import json

import pytest

from benchmarks import dispatch as benchmark
from benchmarks.dispatch_site import DispatchSite
from interlock_server.core import invariants, lane, line, pool
from interlock_server.core.lane import Lane
from interlock_server.core.rules import dispatch

QUEUES = 20


class Work:
    """Counts operations on heaps, and looks at lanes."""

    def __init__(self, monkeypatch):
        self.count = 0
        for module in (lane, pool, line, dispatch):
            for name in ("heappush", "heappop"):
                monkeypatch.setattr(module, name, self.counted(getattr(heapq, name)))
        monkeypatch.setattr(Lane, "head", self.counted(Lane.head))

    def counted(self, function):
        def call(*arguments):
            self.count += 1
            return function(*arguments)

        return call


def work_per_start(site, work, ends=40):
    """Operations for each job that is started when another has ended."""
    before, starts = work.count, site.starts()
    for _ in range(ends):
        site.end(site.running(5))
        site.follow_up()
    return (work.count - before) / (site.starts() - starts)


def test_the_work_of_a_start_does_not_grow_with_the_jobs_that_wait(monkeypatch):
    few, many = (DispatchSite(jobs=jobs, queues=QUEUES) for jobs in (600, 3_000))
    work = Work(monkeypatch)

    with_few, with_many = work_per_start(few, work), work_per_start(many, work)

    assert with_many < 1.2 * with_few
    assert with_many < 60


@pytest.mark.parametrize("what", ["add", "hold", "release"])
def test_the_work_of_a_change_does_not_grow_with_the_jobs_that_wait(monkeypatch, what):
    counts = []
    work = Work(monkeypatch)
    for jobs in (600, 3_000):
        site = DispatchSite(jobs=jobs, queues=QUEUES)
        before = work.count
        for queue in site.queues[:20]:
            match what:
                case "add":
                    site.add()
                case "hold":
                    site.hold(queue)
                case "release":
                    site.hold(queue)
                    site.release(queue)
                    site.dispatch(1_000)
        counts.append(work.count - before)

    assert counts[1] <= 1.2 * counts[0] + 20


def test_the_site_of_the_benchmark_keeps_every_promise():
    site = DispatchSite(jobs=300, queues=20)
    for case in benchmark.CASES:
        benchmark.measure(site, case, 20)

    invariants.check(site.world)
    assert site.starts() > 100


def test_the_benchmark_writes_what_it_found(tmp_path, capsys):
    output = tmp_path / "dispatch.json"
    arguments = ["--jobs", "200", "400", "--queues", "20", "--rounds", "1", "--times", "20"]

    assert benchmark.main([*arguments, "--output", str(output)]) == 0

    document = json.loads(output.read_text(encoding="utf-8"))
    assert [row["case"] for row in document["cases"]] == list(benchmark.CASES)
    assert all(row["ratio"] > 0 for row in document["cases"])
    shown = capsys.readouterr().out
    assert "dispatch one job" in shown
    assert json.loads(shown.splitlines()[-1]) == document
