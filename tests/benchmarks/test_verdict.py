from __future__ import annotations

from dataclasses import dataclass

from benchmarks.verdict import GAP_KEPT, Verdict


@dataclass
class Seen:
    revision: int
    job: int = 0
    from_status: str = ""
    to_status: str = "Running"
    final: bool = False


def seen(*revisions: int) -> list[Seen]:
    """Creations of different jobs."""
    return [Seen(revision, job=revision) for revision in revisions]


def judged(*revisions: int, start: int = 10) -> Verdict:
    verdict = Verdict(start)
    verdict.read(seen(*revisions))
    return verdict


def counts(verdict: Verdict) -> tuple[int, int, int]:
    return verdict.gaps, verdict.duplicates, verdict.reorders


def test_a_whole_history_in_order_breaks_nothing():
    verdict = judged(11, 12, 13, 14)

    assert verdict.violations == 0
    assert verdict.events == 4
    assert verdict.revision == 14


def test_it_goes_on_over_batches():
    verdict = judged(11, 12)

    verdict.read(seen(13, 14))

    assert verdict.violations == 0


def test_a_planted_gap_is_found():
    verdict = judged(11, 12, 15, 16)

    assert counts(verdict) == (2, 0, 0)
    assert verdict.sentences == ["revisions 13 to 14 are missing before 15"]


def test_a_gap_at_the_very_beginning_is_found():
    assert counts(judged(12, 13)) == (1, 0, 0)


def test_a_planted_duplicate_is_found():
    verdict = judged(11, 12, 12, 13)

    assert counts(verdict) == (0, 1, 0)
    assert verdict.sentences == ["revision 12 came again after 12"]


def test_a_batch_that_is_sent_again_after_a_resume_is_found():
    assert counts(judged(11, 12, 13, 11, 12, 13, 14)) == (0, 3, 0)


def test_a_change_from_before_the_start_is_a_duplicate():
    assert counts(judged(10, 11)) == (0, 1, 0)


def test_a_planted_reorder_is_found_and_leaves_no_gap():
    verdict = judged(11, 13, 12, 14)

    assert counts(verdict) == (0, 0, 1)
    assert "revision 12 came after 13" in verdict.sentences


def test_a_gap_that_is_filled_twice_is_a_reorder_and_a_duplicate():
    assert counts(judged(11, 13, 12, 12)) == (0, 1, 1)


def test_a_very_wide_gap_is_only_counted():
    assert judged(11, 13 + GAP_KEPT).gaps == GAP_KEPT + 1


def test_a_change_that_does_not_begin_where_the_job_was_is_found():
    verdict = Verdict(0)

    verdict.read(
        [
            Seen(1, job=7, from_status="", to_status="Pending"),
            Seen(2, job=7, from_status="Running", to_status="Successful", final=True),
        ]
    )

    assert verdict.torn == 1
    assert verdict.violations == 1
    assert "job 7 went from Running to Successful at revision 2, but it was Pending" in (
        verdict.sentences
    )


def test_a_final_status_that_changes_is_found():
    verdict = Verdict(0)

    verdict.read(
        [
            Seen(1, job=7, from_status="", to_status="Completed", final=True),
            Seen(2, job=7, from_status="Running", to_status="Error", final=True),
        ]
    )

    assert verdict.torn == 1


def test_what_a_job_was_is_not_known_after_a_gap():
    verdict = Verdict(0)

    verdict.read([Seen(1, job=7, to_status="Pending"), Seen(3, job=7, from_status="Running")])

    assert verdict.torn == 0
