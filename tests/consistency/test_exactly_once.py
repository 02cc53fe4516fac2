"""The effect of every post is exactly once, whatever becomes of the workers and their broker.

The short form: one stream through one fault after the other. `make chaos` runs the long one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import Kafka
from deploy.local.java import SHORT
from deploy.local.ports import free_ports
from tests.consistency.disturbed import disturbed, value

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

RATE = 80  # posts/s
SESSION_S = 6  # of a worker, in these tests


@pytest.fixture
def broker(state_folder: Path) -> Iterator[Kafka]:
    """A broker of the test's own: it is killed."""
    server = Kafka(state_folder, *free_ports(2), java_options=SHORT)
    server.start()
    try:
        server.wait(180)
        yield server
    finally:
        server.stop()


def test_a_stream_through_kill_stop_join_and_a_broken_broker_counts_every_post_once(
    broker: Kafka, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    variables = {"TINDON_KAFKA__POSTS_PARTITIONS": "2", "TINDON_WORKER__CHECKPOINT_S": "3"}
    with disturbed(broker.bootstrap, fresh_name(), tmp_path, rate=RATE, **variables) as stream:
        road = stream.road
        first = road.start_worker()
        road.until(lambda: road.members("cluster") == 1, "the first worker")
        road.until(
            lambda: value(first, "checkpoint_seconds_count", stage="cluster") > 1, "checkpoints"
        )
        stream.await_work()
        stream.kill(first)
        stream.damage_checkpoint("cluster")

        second = road.start_worker()
        third = stream.join()
        stream.await_work()
        assert sum(value(w, "checkpoints_damaged_total", stage="cluster") for w in stream.alive())
        stream.note("SIGKILL of the broker")
        broker.kill()
        broker.start()
        broker.wait(60)
        stream.await_work()
        stream.stall(stream.holder(), SESSION_S + 2)
        stream.await_work()
        stream.terminate(stream.holder())
        assert {second, third} & set(stream.alive())
        stream.drain()
        resent = stream.verdict()
    assert resent.changes > 0, "the kill fell into no work: no change was made again"
