"""What an active micro-cluster takes in memory is what docs/design.md says, in bytes; what frees memory."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable

import numpy as np
import pytest

from agents.memory import collect_rarely, collect_young
from alerts.ahead import Rows, Step, Stretch, near
from alerts.foreseeing import measured
from alerts.likeness import Floors
from alerts.micros import Micros
from alerts.parameters import FEATURES_KEPT
from clusters.table import MicroTable
from embeddings import features as features_module
from embeddings.door import Door, build_frame
from embeddings.features import features
from embeddings.reading import GENERATION
from streams.codec import decode, encode
from streams.grid import LEXICAL
from streams.records import Change, MicroDelta
from streams.validation import Tick
from tests.fold_scene import DAM, START, alert_fold, cluster_fold, frame, post

DIM = 256  # of the shipped encoder
ROWS = 5_000
CLUSTER_BYTES = 3_101  # of arrays, for each row that there is room for
ALERT_BYTES = 4_140
FEATURE_BYTES = 12 * FEATURES_KEPT  # at most
WORD_BYTES = 200  # of the cache that gives a word its features
TEXT_BYTES = 2_800  # of the door's caches, for a text of 100 characters


def bytes_of(make: Callable[[], object]) -> int:
    """What is still held after it returns, its result included."""
    tracemalloc.start()
    try:
        held = make()
        return tracemalloc.get_traced_memory()[0] + 0 * id(held)
    finally:
        tracemalloc.stop()


class Cyclic:
    """Only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_of_late_go_while_the_collector_looks_seldom() -> None:
    before = gc.get_threshold()
    try:
        collect_rarely()
        gone = weakref.ref(Cyclic())
        held = [[] for _ in range(2_000)]  # Python's own threshold, 700, would collect here
        assert gone() is not None and held
        collect_young()
        assert gone() is None
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def arrays(owner: object, rows: int) -> int:
    """Bytes of an object's arrays with at least a row per micro-cluster."""
    found = [value for value in vars(owner).values() if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in found if rows <= len(array) <= 2 * rows + 64)


@pytest.fixture
def table() -> MicroTable:
    table = MicroTable(DIM + LEXICAL)
    for number in range(ROWS):
        table.open(f"m{number:016x}", number)
    return table


def test_a_micro_cluster_of_the_cluster_fold(table: MicroTable) -> None:
    room = len(table.sums)
    assert ROWS <= room <= 2 * ROWS
    assert arrays(table, ROWS) == room * CLUSTER_BYTES


def test_what_aged_out_gives_its_room_to_others(table: MicroTable) -> None:
    before = arrays(table, ROWS)
    for generation in range(1, 4):
        table.expire(10 * generation * ROWS)
        for number in range(ROWS):
            table.open(f"n{generation}{number:015x}", 10 * generation * ROWS + number)
    assert table.active == ROWS
    assert arrays(table, ROWS) == before


def test_a_micro_cluster_of_the_alert_fold() -> None:
    micros = Micros(DIM, 0.3)
    many = 2 * FEATURES_KEPT
    for first in range(0, ROWS, 500):
        micros.add(
            MicroDelta(
                id=[f"m{number:016x}" for number in range(first, first + 500)],
                dense=np.ones((500, DIM), np.int32),
                vectors=np.ones(500, np.int32),
                feature_ends=np.arange(1, 501, dtype=np.int64) * many,
                features=np.tile(np.arange(many, dtype=np.uint32), 500),
                feature_sums=np.full(500 * many, 64, np.int32),
                feature_posts=np.ones(500 * many, np.int32),
            )
        )
    room = len(micros.rumor)
    assert ROWS <= room <= 2 * ROWS
    assert arrays(micros, ROWS) == room * ALERT_BYTES
    features = sum(f.nbytes + s.nbytes for f, s in micros._features)
    assert features == ROWS * FEATURE_BYTES


def test_a_word_of_the_cache_of_features() -> None:
    words = [f"{n:x}chuyện{n:04x}" for n in range(20_000)]
    features_module._cache.clear()
    took = bytes_of(lambda: [len(features([word])) for word in words])
    assert len(features_module._cache) == len(words)
    assert took < len(words) * WORD_BYTES
    features_module._cache.clear()


def test_a_text_that_the_door_remembers() -> None:
    door, texts = Door(key=b"k", encoder=Wide()), GENERATION // 2
    said = [f"tin số {n} " + " ".join(f"từ{n % 97}{k}" for k in range(15)) for n in range(texts)]
    entries = [(n, post(str(n), text)) for n, text in enumerate(said)]
    build_frame(door, entries[:9], origin="o", partition=0)
    took = bytes_of(lambda: bool(build_frame(door, entries, origin="o", partition=0)))
    assert len(door._texts) == texts
    assert took < texts * TEXT_BYTES
    linked = "tin nóng https://example.org/a"
    door.admit(post("linked", linked))
    [(raw, (masked, _))] = [pair for pair in door._texts._young.items() if pair[0] == linked]
    assert raw is masked


class Wide:
    """As many dimensions as the shipped encoder."""

    dim = DIM
    identity = "wide/1/test"

    def encode(self, texts: list[str], /) -> np.ndarray:
        return np.full((len(texts), DIM), DIM**-0.5, np.float32)


def test_what_is_near_many_takes_few_rows_at_a_time() -> None:
    """The products of 60 with 20,000 at once are 14 MB."""
    rng, steps = np.random.default_rng(5), 30

    def some(n: int) -> Rows:
        meant = rng.integers(-40, 40, (n, DIM)).astype(np.float32)
        said = rng.integers(-40, 40, (n, LEXICAL)).astype(np.float32)
        posts = np.ones(n, np.int64)
        return Rows(meant, said, *measured(meant, said, posts), posts)

    rows, own, empty = some(20_000), some(2 * steps), np.zeros(0, np.int64)
    stretch = Stretch(
        [Step(None, [0, 1], slice(2 * n, 2 * n + 2), slice(0), None) for n in range(steps)],  # type: ignore[arg-type]
        [f"m{n}" for n in range(2 * steps)], [], empty, own, np.arange(2 * steps), {},
    )  # fmt: skip
    tracemalloc.start()
    try:
        near(stretch, rows, lambda _: None, Floors(0.5, 0.5))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000


def test_kept_posts_share_their_names() -> None:
    clusters, alerts = cluster_fold(), alert_fold()
    for n in range(8):
        given = {"platform": "forum", "community": "Hồ Lam", "lang": "vi"}
        entries = [post(str(n), DAM, START + n, **given), Tick(START + n)]
        for change in clusters.fold(frame(entries, first=2 * n)):
            alerts.apply(decode(encode(change), Change))  # as it comes from another process
    [rumor] = alerts._standing.tree.rumors.values()
    assert len(rumor.kept) == 8
    for name in ("source", "lang", "platform", "community", "category", "micro"):
        assert len({id(getattr(one, name)) for one in rumor.kept}) == 1, name
