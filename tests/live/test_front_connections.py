"""Kept connections between a front and canter: none is used in the moment in which it closes."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.fronts.pairs import PAIRS, Pair, Sites

# Fronts keep an idle connection for half of this, canter for the whole.
KEEP_ALIVE_SECONDS = 2.0
KEEPS = [
    pair
    for pair in PAIRS
    if (pair.protocol in ("http", "h2c") or (pair.protocol, pair.front) == ("fastcgi", "nginx"))
    or (pair.protocol, pair.front) in {("fastcgi", "apache"), ("fastcgi", "haproxy")}
]
CLIENTS = 8
BURSTS = 5
REQUESTS_A_BURST = 50
# Around the front's time-out and around canter's.
GAPS = [KEEP_ALIVE_SECONDS * share for share in (0.45, 0.49, 0.5, 0.51, 0.94, 0.98, 1.0, 1.02)]


@pytest.fixture(scope="session")
def short_lived() -> Iterator[Sites]:
    with Sites("--keep-alive", str(KEEP_ALIVE_SECONDS)) as found:
        yield found


def visit(sites: Sites, pair: Pair, seed: int) -> list[str]:
    """Bursts of requests with gaps between; what went wrong."""
    chosen = random.Random(seed)
    nobody = threading.Event()
    wrong = []
    with sites.site(pair).front.client() as client:
        for burst in range(BURSTS):
            if burst:
                nobody.wait(chosen.choice(GAPS))
            for number in range(REQUESTS_A_BURST):
                if chosen.random() < 0.5:
                    answer = client.get(f"/who?tag={number}")
                else:
                    answer = client.post(f"/who?tag={number}", b"12345")
                if answer.status != 200 or answer.json()["tag"] != str(number):
                    wrong.append(f"{pair}, burst {burst}, request {number}: {answer.status}")
    return wrong


# In two parts, that two processes may take one each.
@pytest.mark.parametrize("part", [0, 1])
def test_two_thousand_requests_with_gaps_fail_nowhere(short_lived: Sites, part: int):
    pairs = [it for it in KEEPS if not it.missing][part::2]
    if not pairs:
        pytest.skip("no front is installed")
    for pair in pairs:
        short_lived.site(pair)
    with ThreadPoolExecutor(len(pairs) * CLIENTS) as pool:
        visits = [
            pool.submit(visit, short_lived, pair, number)
            for pair in pairs
            for number in range(CLIENTS)
        ]
        wrong = [line for it in visits for line in it.result()]
    assert wrong == []
    short_lived.server().assert_no_traceback()
