"""The cluster fold, post by post: which micro-cluster, what a change says, what ages."""

from __future__ import annotations

import numpy as np
import pytest

from clusters import ClusterFold
from clusters.fold import agreement
from clusters.table import MicroTable
from streams.codec import CodecError, pack_state, unpack_state
from streams.grid import LEXICAL
from streams.ids import micro_id
from streams.records import Change, Outcome, WrongEncoder
from streams.validation import Tick
from tests.fold_scene import (
    BANK,
    DAM,
    DAM_AGAIN,
    DAY,
    DENSE_DOOR,
    HOUR,
    MINUTE,
    START,
    Entry,
    cluster_fold,
    dead,
    frame,
    post,
)

LONGER = (
    f"{BANK}. Chi nhánh Cầu Dừa và Phú Lộc đóng cửa từ sáng, bảo vệ không cho ai vào, "
    "hàng trăm khách đứng chờ ngoài đường, đường Trần Văn Ơn kẹt cứng tới trưa"
)
TRIED = range(5, 100, 5)
FOLDED, DUPLICATE, LATE = Outcome.FOLDED, Outcome.DUPLICATE, Outcome.LATE


def folded(*entries: Entry, fold: ClusterFold | None = None) -> Change:
    """What one change says of the entries: they are followed by a tick."""
    fold = fold or cluster_fold()
    (change,) = fold.fold(frame([*entries, Tick(START)]))
    return change


def micros(change: Change) -> list[str | None]:
    """The micro-cluster of each row."""
    return [change.micros.id[m] if m >= 0 else None for m in change.rows.micro.tolist()]


class TestAssignment:
    def test_near_words_join_and_other_words_open(self) -> None:
        change = folded(post("1", DAM), post("2", BANK), post("3", DAM_AGAIN))
        first, second = micro_id("feed", "1"), micro_id("feed", "2")
        assert micros(change) == [first, second, first]
        assert change.rows.outcome.tolist() == [FOLDED] * 3

    def test_the_threshold_decides(self) -> None:
        posts = post("1", DAM), post("2", DAM_AGAIN)
        assert len(folded(*posts, fold=cluster_fold(micro_threshold=0.35)).micros.id) == 1
        assert len(folded(*posts, fold=cluster_fold(micro_threshold=0.95)).micros.id) == 2

    def test_a_single_post_asks_for_more_than_several_do(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert agreement(0.30, 1) < 0.25 <= agreement(0.30, 10) < 0.30
        assert agreement(1.0, 1) == 1.0  # equal words join at any threshold

        def joined() -> list[int]:
            """Thresholds in hundredths at which the second post joins the first."""
            posts = post("1", DAM), post("2", DAM_AGAIN)
            made = {t: folded(*posts, fold=cluster_fold(micro_threshold=t / 100)) for t in TRIED}
            return [t for t, change in made.items() if len(change.micros.id) == 1]

        asked = joined()
        monkeypatch.setattr("clusters.fold.FEW", 0.0)
        assert len(asked) < len(joined()) < len(TRIED)

    def test_an_exact_copy_joins_but_enters_no_sum(self) -> None:
        change = folded(post("1", DAM), post("2", DAM.upper() + "!!"), post("3", DAM))
        assert micros(change) == [micro_id("feed", "1")] * 3
        assert change.micros.vectors.tolist() == [1]
        assert len(change.rows) == 3

    def test_a_copy_is_found_in_a_later_frame(self) -> None:
        fold = cluster_fold()
        folded(post("1", DAM), fold=fold)
        (change,) = fold.fold(frame([post("2", DAM), Tick(START + 1)], first=9))
        assert micros(change) == [micro_id("feed", "1")]
        assert change.micros.vectors.tolist() == [0]

    def test_a_repost_follows_its_parent_whatever_it_says(self) -> None:
        change = folded(
            post("1", DAM), post("2", BANK), post("3", "xem ngay nè cả nhà", repost_of="2")
        )
        assert micros(change)[2] == micro_id("feed", "2")
        assert change.rows.repost_of == [None, None, "2"]

    def test_a_repost_of_an_unknown_post_goes_by_its_words(self) -> None:
        change = folded(post("1", DAM), post("2", DAM_AGAIN, repost_of="gone"))
        assert micros(change) == [micro_id("feed", "1")] * 2

    def test_a_repost_does_not_follow_a_post_of_another_source(self) -> None:
        change = folded(
            post("1", DAM, source="wall"), post("2", "nhà mình xem cái này", repost_of="1")
        )
        assert micros(change)[1] == micro_id("feed", "2")

    def test_a_short_reply_follows_its_parent_and_a_told_one_its_words(self) -> None:
        change = folded(
            post("1", DAM),
            post("2", "thật không", reply_to="1"),
            post("3", f"Chuyện khác: {LONGER}", reply_to="1"),
            post("4", f"{LONGER} có thật không?", reply_to="1"),
        )
        first = micro_id("feed", "1")
        assert micros(change) == [first, first, micro_id("feed", "3"), first]

    def test_posts_without_words_stay_alone(self) -> None:
        change = folded(post("1", "?!"), post("2", "..."), post("3", "?!"))
        assert micros(change) == [micro_id("feed", i) for i in "123"]

    def test_the_dense_part_decides_where_words_are_silent(self) -> None:
        fold = cluster_fold(door=DENSE_DOOR, micro_threshold=0.9)
        (change,) = fold.fold(
            frame([post("1", DAM), post("2", DAM_AGAIN), Tick(START)], door=DENSE_DOOR)
        )
        assert change.micros.dense.shape == (2, DENSE_DOOR.encoder.dim)
        assert change.micros.dense.any()


class TestOutcomes:
    def test_the_same_id_again_is_a_duplicate_whatever_it_says(self) -> None:
        change = folded(post("1", DAM), post("1", BANK), post("1", DAM, source="wall"))
        assert change.rows.outcome.tolist() == [FOLDED, DUPLICATE, FOLDED]
        assert change.rows.duplicate_of == [None, "1", None]
        assert change.rows.micro.tolist()[1] == -1
        assert change.rows.text[1] == "", "a duplicate's text goes nowhere"

    def test_a_post_a_day_behind_its_source_is_late(self) -> None:
        change = folded(
            post("1", DAM, START),
            post("2", DAM, START - DAY),
            post("3", DAM, START - DAY - 1),
            post("4", DAM, START - 9 * DAY, source="wall"),
        )
        assert change.rows.outcome.tolist() == [FOLDED, FOLDED, LATE, FOLDED]
        assert change.rows.micro.tolist()[2] == -1
        assert change.rows.text[2] == ""

    def test_a_late_post_may_come_again_in_time(self) -> None:
        change = folded(
            post("1", DAM, START), post("2", DAM, START - 2 * DAY), post("2", DAM, START)
        )
        assert change.rows.outcome.tolist() == [FOLDED, LATE, FOLDED]

    def test_dead_records_are_counted_in_the_next_change(self) -> None:
        fold = cluster_fold()
        assert folded(dead(), post("1", DAM), dead(1), fold=fold).dead == 2
        (change,) = fold.fold(frame([Tick(START + 1)], first=9))
        assert change.dead == 0

    def test_resent_entries_count_nowhere(self) -> None:
        fold = cluster_fold()
        folded(post("1", DAM), dead(), post("2", BANK), fold=fold)  # offsets 0 to 3
        again = frame([dead(), post("2", BANK), Tick(START), post("3", DAM), Tick(START)], first=1)
        (change,) = fold.fold(again)
        assert change.rows.id == ["3"]
        assert change.dead == 0

    def test_offsets_are_kept_for_each_topic_and_partition(self) -> None:
        fold = cluster_fold()
        folded(post("1", DAM), fold=fold)
        for number, (origin, partition) in enumerate([("log", 1), ("made anew", 0)]):
            entries = [post(f"n{number}", DAM), Tick(START)]
            (change,) = fold.fold(frame(entries, origin=origin, partition=partition))
            assert change.rows.outcome.tolist() == [FOLDED]


class TestChanges:
    def test_due_at_64_folded_posts_and_not_at_a_frames_end(self) -> None:
        fold = cluster_fold()
        posts = [post(str(i), DAM, START + i) for i in range(130)]
        assert fold.fold(frame(posts[:63])) == []
        (one,) = fold.fold(frame(posts[63:64], first=63))
        assert (one.sequence, len(one.rows)) == (1, 64)
        (two,) = fold.fold(frame(posts[64:], first=64))
        assert (two.sequence, len(two.rows)) == (2, 64)
        assert two.rows.id == [str(i) for i in range(64, 128)]

    def test_only_folded_posts_count_towards_64(self) -> None:
        fold = cluster_fold()
        posts = [post(str(i // 2), DAM, START) for i in range(128)]  # each id twice
        (change,) = fold.fold(frame(posts))
        assert change.rows.outcome.tolist() == [FOLDED, DUPLICATE] * 63 + [FOLDED]

    def test_due_at_every_tick(self) -> None:
        fold = cluster_fold()
        entries = [post("1", DAM), Tick(START + 1), Tick(START + 2), post("2", DAM)]
        changes = fold.fold(frame(entries))
        assert [(c.sequence, c.rows.id) for c in changes] == [(1, ["1"]), (2, [])]
        assert fold.sequence == 2

    def test_says_the_watermark_of_its_place(self) -> None:
        fold = cluster_fold()
        entries = [post("1", DAM, START), Tick(START + 1), post("2", DAM, START + HOUR)]
        changes = fold.fold(frame([*entries, Tick(START + HOUR + 1)]))
        assert [c.watermark for c in changes] == [START, START + HOUR]

    def test_carries_raw_sums_that_nobody_weighed(self) -> None:
        posts = post("1", "lũ lũ lũ về"), post("2", "lũ về làng")
        change = folded(*posts, fold=cluster_fold(micro_threshold=0.1))
        assert len(change.micros.id) == 1, "one micro-cluster"
        delta = change.micros
        sums = dict(zip(delta.feature_sums.tolist(), delta.feature_posts.tolist(), strict=True))
        # "lũ" stands three times in one post and once in the other: rint((1 + ln 3) * 64) + 64.
        assert sums[round((1 + np.log(3)) * 64) + 64] == 2
        # "về" stands once in both.
        assert sums[128] == 2
        assert change.micros.feature_ends.tolist() == [len(change.micros.features)]
        assert (np.diff(change.micros.features.astype(np.int64)) > 0).all()


class TestAgeing:
    def fold(self, **parameters: float) -> ClusterFold:
        return cluster_fold(window_ms=2 * DAY, lateness_ms=DAY, **parameters)

    def test_a_micro_cluster_leaves_after_the_window_and_is_named(self) -> None:
        fold = self.fold()
        entries = [
            post("1", DAM, START),
            post("2", BANK, START + HOUR),
            Tick(START + 2 * DAY),
            Tick(START + 2 * DAY + MINUTE),
        ]
        before, after = fold.fold(frame(entries))
        assert before.aged == []
        assert after.aged == [micro_id("feed", "1")]
        assert fold.active == 1

    def test_a_post_keeps_its_micro_cluster_in_the_window(self) -> None:
        fold = self.fold()
        entries: list[Entry] = []
        for at in range(START, START + 6 * DAY, DAY):
            entries += [Tick(at), post(str(at), DAM, at)]
        changes = fold.fold(frame(entries))
        assert [c.aged for c in changes] == [[]] * 6

    def test_the_same_words_after_the_window_open_another(self) -> None:
        fold = self.fold()
        later = START + 3 * DAY
        changes = fold.fold(
            frame([post("1", DAM), Tick(later), post("2", DAM, later), Tick(later + 1)])
        )
        assert micros(changes[-1]) == [micro_id("feed", "2")]

    def test_a_repost_of_an_aged_post_goes_by_its_words(self) -> None:
        fold = self.fold()
        later = START + 3 * DAY
        entries = [post("1", DAM), Tick(later), post("2", BANK, later, repost_of="1")]
        changes = fold.fold(frame([*entries, Tick(later + 1)]))
        assert micros(changes[-1]) == [micro_id("feed", "2")]

    def test_an_id_is_known_for_window_and_lateness(self) -> None:
        fold = self.fold()
        edge = START + 3 * DAY
        entries = [post("1", DAM), Tick(edge), post("1", DAM, edge), Tick(edge + 1)]
        assert fold.fold(frame(entries))[-1].rows.outcome.tolist() == [DUPLICATE]
        (change,) = fold.fold(frame([post("1", DAM, edge), Tick(edge + 2)], first=9))
        assert change.rows.outcome.tolist() == [FOLDED]

    def test_memory_follows_the_window_not_the_stream(self) -> None:
        fold = self.fold(micro_threshold=0.9)  # each text opens its own
        sizes, offset = [], 0
        for day in range(0, 40, 2):
            at = START + day * DAY
            entries: list[Entry] = [
                post(f"{day}/{i}", f"chuyện{day}x{i} làng{day}x{i} sông{day}x{i}", at)
                for i in range(40)
            ]
            fold.fold(frame([*entries, Tick(at + HOUR)], first=offset))
            offset += 41
            state = fold.snapshot()
            sizes.append(
                [len(state["seen"]["key"]), len(state["wording"][0]), len(state["table"]["ids"])]
            )
        assert sizes[5] == sizes[-1]

    def test_wordings_of_what_left_the_window_are_forgotten(self) -> None:
        fold = self.fold(micro_threshold=0.9)  # each text opens its own
        for day in range(0, 60, 2):
            at = START + day * DAY
            texts = (f"chuyện{day}x{i} làng{day}x{i} sông{day}x{i}" for i in range(300))
            posts = [post(f"{day}/{i}", text, at) for i, text in enumerate(texts)]
            fold.fold(frame([*posts, Tick(at + HOUR)], first=301 * day))
            assert len(fold._wording) <= fold.active * 5 // 4 + 1024 + 300


class TestModelIdentity:
    def test_a_frame_of_another_encoder_is_refused_with_the_way_out(self) -> None:
        with pytest.raises(WrongEncoder, match=r"directions/1/test.*none.*run out"):
            cluster_fold().fold(frame([post("1", DAM)], door=DENSE_DOOR))

    def test_a_checkpoint_of_another_encoder_is_refused_with_the_way_out(self) -> None:
        state = unpack_state(pack_state(cluster_fold(door=DENSE_DOOR).snapshot()))
        with pytest.raises(WrongEncoder, match=r"directions/1/test.*none.*embed\.encoder"):
            cluster_fold().restore(state)

    def test_a_checkpoint_of_another_version_is_refused(self) -> None:
        with pytest.raises(CodecError, match="version 99"):
            cluster_fold().restore({**cluster_fold().snapshot(), "version": 99})

    def test_changes_name_the_encoder(self) -> None:
        assert folded(post("1", DAM)).encoder == "none"


class TestTable:
    def rows(self, *vectors: list[int]) -> MicroTable:
        table = MicroTable(LEXICAL)
        for number, vector in enumerate(vectors):
            x = np.zeros(LEXICAL, np.float32)
            x[: len(vector)] = vector
            at = table.open(f"m{number}", number)
            table.add(at, x)
        return table

    def test_a_post_is_measured_by_its_mean_cosine_with_the_members_not_by_the_centroid(
        self,
    ) -> None:
        # Centroid of the first: (1, 1), a cosine of 1 with the post, which agrees with none of its
        # members by more than .71. The second holds one post that agrees by .8.
        table = MicroTable(LEXICAL)
        for number, vectors in enumerate(([[512, 0], [0, 512]], [[512 * 0.96, -512 * 0.28]])):
            table.open(f"m{number}", number)
            for vector in vectors:
                x = np.zeros(LEXICAL, np.float32)
                x[:2] = vector
                table.add(number, x)
        x = np.zeros((1, LEXICAL), np.float32)
        x[0, :2] = [512 * 0.8, 512 * 0.6]
        assert table.best(table.products(x)[0]) == (0, pytest.approx(0.7 * 512, rel=1e-4))
        x[0, :2] = [512, 0]
        assert table.best(table.products(x)[0]) == (1, pytest.approx(0.96 * 512, rel=1e-4))

    def test_ties_go_to_the_oldest(self) -> None:
        table = self.rows([0, 300], [300, 0], [300, 0])
        x = np.zeros((1, LEXICAL), np.float32)
        x[0, 0] = 512
        assert table.best(table.products(x)[0])[0] == 1

    def test_gaps_close_without_a_change_in_order(self) -> None:
        table = self.rows(*[[n + 1, 7] for n in range(200)])
        gone = table.expire(150)
        assert gone == [f"m{n}" for n in range(150)]
        assert table.active == 50
        assert table.size == 50
        assert [table.ids[table.row_of(s) or 0] for s in range(150, 200)] == [
            f"m{n}" for n in range(150, 200)
        ]
        assert table.row_of(3) is None
        assert table.open("new", 9) == 50
        assert table.serial[50] == 200, "a number is never given twice"

    def test_nothing_joins_one_that_is_gone(self) -> None:
        table = self.rows([512, 0], [300, 300])
        table.expire(1)
        x = np.zeros((1, LEXICAL), np.float32)
        x[0, 0] = 512
        assert table.best(table.products(x)[0])[0] == 1
