"""Page tokens are good for the request that they were given for, and for nothing else."""

from __future__ import annotations

import pytest

from interlock.v1 import job_service_pb2 as pb
from interlock_server.rpc import page
from interlock_server.rpc.errors import InvalidArgument


def request(**fields):
    return pb.ListJobsRequest(partition="default", **fields)


def test_a_token_leads_to_the_place_where_the_page_ended():
    digest = page.digest_of(request())

    token = page.token(digest, 42)

    assert page.position(request(page_token=token), digest, int) == 42


def test_a_page_may_have_another_size_than_the_one_before():
    assert page.digest_of(request(page_size=5)) == page.digest_of(request(page_size=7))


def test_a_token_of_another_filter_is_refused():
    token = page.token(page.digest_of(request(scope=1)), 42)

    with pytest.raises(InvalidArgument, match="page_token"):
        page.position(request(page_token=token), page.digest_of(request(scope=2)), int)


@pytest.mark.parametrize("token", ["x", "....", "é", "A" * 2_000, "AAAA", "a" * 33])
def test_a_forged_token_is_refused(token):
    with pytest.raises(InvalidArgument, match="page_token"):
        page.position(request(page_token=token), page.digest_of(request()), int)


def test_a_token_with_a_key_of_another_kind_is_refused():
    digest = page.digest_of(request())

    with pytest.raises(InvalidArgument, match="page_token"):
        page.position(request(page_token=page.token(digest, "name")), digest, int)


def test_a_very_large_page_is_taken_as_the_largest():
    assert page.size_of(10**9, default=100) == 1_000
    assert page.size_of(0, default=100) == 100


def test_a_negative_page_size_is_refused():
    with pytest.raises(InvalidArgument, match="page_size"):
        page.size_of(-1, default=100)


def test_things_with_names_come_in_pages_by_name():
    names = ["c", "a", "e", "b", "d"]
    seen, token = [], ""

    while True:
        found = page.by_name(names, request(page_size=2, page_token=token), str)
        seen.append(found.items)
        token = found.next_token
        if not token:
            break

    assert seen == [["a", "b"], ["c", "d"], ["e"]]
