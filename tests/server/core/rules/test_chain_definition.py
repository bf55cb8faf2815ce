"""Definitions of chains that are refused, and what keeps their parts (domain.md B9)."""

from __future__ import annotations

from interlock_server.core import command as c
from interlock_server.core.model.chain import Call, Chain
from interlock_server.core.model.definition import Definition
from interlock_server.core.rejection import Reason, Rejection
from interlock_server.core.vocabulary.status import Lifecycle
from tests.support.chains import CHAIN, WORK, ChainDriver, step


def chain_of(name: str, *calls: Call | str) -> Definition:
    return Definition(name, int(Lifecycle.REDWOOD), chain=Chain((step("only", *calls),)))


def refusal(core: ChainDriver, *definitions: Definition) -> Rejection:
    answer = core.take(c.PutDefinitions(definitions))
    assert isinstance(answer, Rejection)
    return answer


def test_chains_of_one_request_that_call_each_other_are_refused():
    core = ChainDriver()
    ring = (
        chain_of("outside", Call("x", "one")),
        chain_of("one", Call("x", "two")),
        chain_of("two", Call("x", "one")),
    )
    found = refusal(core, *ring)
    assert found.reason is Reason.INVALID_CHAIN
    assert "one > two > one" in found.sentence


def test_a_change_that_closes_a_ring_is_refused():
    core = ChainDriver()
    core.accepted(c.PutDefinitions((chain_of("two", "a"),)))
    core.accepted(c.PutDefinitions((chain_of("one", Call("x", "two")),)))
    assert refusal(core, chain_of("two", Call("x", "one"))).reason is Reason.INVALID_CHAIN


def test_chains_are_nested_so_deep_and_no_deeper():
    core = ChainDriver()
    core.accepted(c.PutDefinitions((chain_of("deep-1", "a"),)))
    for depth in range(2, 17):
        core.accepted(
            c.PutDefinitions((chain_of(f"deep-{depth}", Call("x", f"deep-{depth - 1}")),))
        )
    found = refusal(core, chain_of("deep-17", Call("x", "deep-16")))
    assert found.reason is Reason.INVALID_CHAIN


def test_a_chain_makes_so_many_jobs_and_no_more():
    core = ChainDriver()
    core.accepted(c.PutDefinitions((chain_of("hundred", *(f"c{n}" for n in range(98))),)))
    calls = [Call(f"h{number}", "hundred") for number in range(100)]
    assert refusal(core, chain_of("many", *calls)).reason is Reason.TOO_LARGE
    core.accepted(c.PutDefinitions((chain_of("many", *calls[:99]),)))


def test_a_request_makes_so_many_jobs_and_no_more():
    core = ChainDriver(step("load", *(f"c{number}" for number in range(98))))
    core.checked = False
    new = c.NewJob(CHAIN, hold=True, count=100)
    *first, second = core.take(c.SubmitJobs((new, c.NewJob(CHAIN))))
    assert not any(outcome.rejection for outcome in first)
    assert len(core.world.jobs) == 10_000
    assert second.rejection.reason is Reason.TOO_LARGE


def test_what_a_chain_calls_is_not_deleted():
    core = ChainDriver(step("load", "a"))
    found = core.take(c.DeleteDefinitions((WORK,)))
    assert found.reason is Reason.IN_USE
    core.accepted(c.DeleteDefinitions((CHAIN,)))
    core.accepted(c.DeleteDefinitions((WORK,)))


def test_what_a_live_chain_still_calls_is_not_deleted():
    core = ChainDriver(step("load", "a"))
    core.define("other", Lifecycle.REDWOOD)
    core.submit(CHAIN, hold=True)
    core.put_chain(CHAIN, step("load", Call("a", "other")))
    for job in list(core.world.jobs.values()):
        if job.call:
            core.accepted(c.ChangeJobs(c.Verb.CANCEL, (job.id,)))
    assert core.take(c.DeleteDefinitions((WORK,))).reason is Reason.IN_USE
