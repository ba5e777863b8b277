"""Who listens: the least loaded, and always somebody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canter.engine.balance import Load, should_listen

THREADS = 4
CAPACITY = 100


def listens(own: Load, *siblings: Load) -> bool:
    return should_listen(own, siblings, THREADS, CAPACITY)


def load(
    running: int = 0, queued: int = 0, connections: int = 0, *, listening: bool = True
) -> Load:
    return Load(running, queued, connections, listening)


def test_a_worker_alone_listens_however_busy_it_is():
    assert listens(load(running=4, queued=50, connections=99))


def test_a_full_worker_does_not_listen():
    assert not listens(load(connections=CAPACITY))


def test_a_worker_with_all_threads_busy_leaves_connections_to_a_free_one():
    assert not listens(load(running=4, connections=4), load(running=3, connections=4))


def test_a_worker_with_all_threads_busy_listens_where_the_others_are_no_better():
    assert listens(load(running=4, connections=4), load(running=4, connections=4))
    assert listens(load(running=4, connections=4), load(running=0, queued=9, connections=4))
    assert listens(load(running=4, connections=4), load(running=0, connections=CAPACITY))


def test_a_worker_that_holds_much_more_than_another_leaves_connections_to_it():
    assert not listens(load(connections=30), load(connections=10))
    assert listens(load(connections=10), load(connections=30))


def test_a_small_difference_does_not_matter():
    assert listens(load(connections=4), load(connections=0))
    assert listens(load(connections=40), load(connections=33))


def test_a_free_worker_listens_however_many_idle_connections_it_keeps_when_the_rest_is_stuck():
    idle = load(connections=90)
    stuck = load(running=4, connections=4)
    assert not listens(stuck, idle)
    assert listens(idle, stuck)
    assert listens(idle, stuck, stuck)


def test_who_holds_more_than_its_share_listens_until_another_one_does():
    assert listens(load(connections=30), load(connections=10, listening=False))
    assert listens(load(running=4, connections=4), load(connections=4, listening=False))
    assert not listens(
        load(connections=30),
        load(connections=10, listening=False),
        load(connections=10),
    )


LOADS = st.builds(
    Load,
    running=st.integers(0, THREADS),
    queued=st.integers(0, 3),
    connections=st.integers(0, CAPACITY),
    listening=st.booleans(),
)


@given(st.lists(LOADS, min_size=1, max_size=6))
def test_somebody_always_listens_unless_everybody_is_full(workers):
    listening = [
        own
        for number, own in enumerate(workers)
        if listens(own, *workers[:number], *workers[number + 1 :])
    ]
    full = all(worker.connections >= CAPACITY for worker in workers)
    assert bool(listening) != full


@given(st.lists(LOADS, min_size=2, max_size=6))
def test_a_worker_with_a_free_thread_and_the_fewest_connections_listens(workers):
    own, *siblings = sorted(workers, key=lambda worker: worker.connections)
    if own.running < THREADS and own.connections < CAPACITY:
        assert listens(own, *siblings)
