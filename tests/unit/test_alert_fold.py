"""The alert fold: rumors, events and alerts out of changes; ids, versions, signals."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
import pytest

from alerts import AlertFold, AlertParameters, BadParameter, UnknownSignal
from alerts.micros import Micros
from alerts.parameters import AT_ONCE, QUIET_CHANGES, QUIET_TICKS
from alerts.rumor import Kept, Rumor
from alerts.signals import NAMES, measures, score
from alerts.stream import Stream
from streams.codec import CodecError, pack_state, unpack_state
from streams.documents import Batch
from streams.effects import Merged
from streams.ids import alert_id, event_id, micro_id, rumor_id
from streams.records import Change, Flag, MicroDelta, WrongEncoder
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
    Road,
    alert_fold,
    cluster_fold,
    frame,
    level,
    post,
)

ALWAYS = level(0.0, 2, 2)
NEVER = level(1.0, 999, 999)
TELLINGS = [
    "Đập Hồ Lam sắp vỡ rồi, bà con hạ du sơ tán gấp",
    "Bà con hạ du ơi, đập Hồ Lam sắp vỡ, sơ tán gấp đi",
    "Nghe bảo đập Hồ Lam sắp vỡ, hạ du sơ tán gấp",
    "Sơ tán gấp bà con hạ du, đập Hồ Lam sắp vỡ",
    "Tin mới: đập Hồ Lam sắp vỡ, hạ du sơ tán gấp",
    "Đập Hồ Lam sắp vỡ, ai ở hạ du sơ tán gấp nha",
    "Hạ du sơ tán gấp, đập Hồ Lam sắp vỡ trong đêm",
    "Trời ơi đập Hồ Lam sắp vỡ, hạ du sơ tán gấp",
    "Cả xã kháo nhau đập Hồ Lam sắp vỡ, hạ du sơ tán gấp",
    "Đập Hồ Lam sắp vỡ hả, hạ du phải sơ tán gấp luôn",
]


def road(micro_threshold: float = 0.35, window_ms: int = 14 * DAY, **parameters: Any) -> Road:
    chosen = {"index_posts": 1, "suggest": NEVER, "confirm": NEVER, **parameters}
    return Road(
        cluster_fold(micro_threshold=micro_threshold, window_ms=window_ms), alert_fold(**chosen)
    )


def take(done: Road, *entries: Entry) -> Road:
    """Fold the entries; each tick in them ends a change."""
    first = done.first if hasattr(done, "first") else 0
    done.take([frame(entries, first=first)])
    done.first = first + len(entries)  # type: ignore[attr-defined]
    return done


def told(n: int, at: int = START, **fields: Any) -> list[Entry]:
    """n posts of one claim by n people in their own words."""
    return [post(f"t{i}", TELLINGS[i], at + i, author=f"who{i}", **fields) for i in range(n)]


def copies(name: str, n: int, at: int = START) -> list[Entry]:
    return [post(f"{name}{i}", DAM, at, author=f"who{name}{i}") for i in range(n)]


def warm(**parameters: Any) -> Road:
    """Both folds after two changes of other matters, so that they know which words are rare."""
    done = road(**parameters)
    chance = random.Random(1)
    words = ["".join(chance.sample("bcdghklmnpqrstvx", 6)) for _ in range(64 * 8)]
    other = [post(f"w{i}", " ".join(words[8 * i : 8 * i + 8])) for i in range(64)]
    return take(done, *other, Tick(START))


def all_of(done: Road, *, flush: bool = True) -> Batch:
    """Every document in the order in which it was written."""
    batches = [e.batch for e in done.effects] + ([done.alert.flush()] if flush else [])
    return Batch(
        rumors=[d for b in batches for d in b.rumors],
        alerts=[d for b in batches for d in b.alerts],
        posts=[d for b in batches for d in b.posts],
        trends=[d for b in batches for d in b.trends],
    )


class TestRumors:
    def test_a_lone_post_is_a_rumor_and_an_event_of_its_own(self) -> None:
        done = take(road(), post("1", DAM), post("2", BANK), Tick(START))
        one, two = done.effects[0].assigned
        for assigned, post_id in ((one, "1"), (two, "2")):
            name = rumor_id("feed", post_id)
            assert (assigned.rumor, assigned.event) == (name, event_id(name))
            assert assigned.micro == micro_id("feed", post_id)
        assert done.effects[0].merged == []
        assert done.alert.open_rumors == 2

    def test_micro_clusters_that_agree_become_one_rumor_and_the_older_id_survives(self) -> None:
        done = take(
            road(micro_threshold=0.95),
            *[post("1", DAM), Tick(START)],
            *[post("2", BANK), Tick(START + 1)],
            *[post("3", DAM_AGAIN), Tick(START + 2)],
        )
        older, younger = rumor_id("feed", "1"), rumor_id("feed", "3")
        assert done.effects[2].merged == [
            Merged(loser=event_id(younger), heir=event_id(older)),
            Merged(loser=younger, heir=older),
        ]
        (assigned,) = done.effects[2].assigned
        assert (assigned.rumor, assigned.event) == (older, event_id(older))
        assert done.alert.open_rumors == 2

    def test_the_losers_last_document_says_where_it_went(self) -> None:
        # Two rumors of two wordings each stand apart until a fifth post bridges them.
        done = take(
            road(micro_threshold=0.95, macro_threshold=0.3),
            *[post("1", DAM), Tick(START)],
            *[post("2", DAM_AGAIN), Tick(START + 1)],
        )
        written = all_of(done)
        loser = rumor_id("feed", "2")
        (last,) = [d for d in written.rumors if d.rumor_id == loser]
        assert last.merged_into == rumor_id("feed", "1")
        assert not last.open
        heir = [d for d in written.rumors if d.rumor_id == rumor_id("feed", "1")][-1]
        assert heir.posts == 2
        assert heir.micro_clusters == 2
        (join,) = heir.joins
        assert join.loser == loser
        assert join.similarity >= join.threshold == 0.3
        assert f"{join.similarity:.2f}" in join.reason
        assert "0.30" in join.reason
        # The loser's post moved along, once.
        assert [(d.post_id, d.rumor_id) for d in written.posts] == [
            ("1", heir.rumor_id),
            ("2", heir.rumor_id),
        ]

    def test_a_claim_apart_stays_apart_and_events_are_coarser(self) -> None:
        lake = "Hồ Lam tràn bờ, đường vào xã ngập nửa mét, xe máy chết đầy đường"
        posts = [post("1", DAM), post("2", f"{DAM}. {lake}"), post("3", lake), post("4", BANK)]
        done = take(road(0.95, macro_threshold=0.9, event_threshold=0.3), *posts, Tick(START))
        assigned = done.effects[0].assigned
        assert len({a.rumor for a in assigned}) == 4
        assert assigned[0].event == assigned[1].event == event_id(rumor_id("feed", "1"))
        assert assigned[3].event == event_id(rumor_id("feed", "4"))

    def test_a_rumor_ages_with_its_last_micro_cluster(self) -> None:
        done = take(road(window_ms=2 * DAY), *told(3), Tick(START + MINUTE))
        (first,) = {a.rumor for a in done.effects[0].assigned}
        take(done, Tick(START + 2 * DAY + MINUTE), post("new", TELLINGS[0], START + 3 * DAY))
        (closed,) = done.effects[1].closed
        assert (closed.rumor_id, closed.posts, closed.open) == (first, 3, False)
        assert done.alert.open_rumors == 0
        take(done, Tick(START + 3 * DAY + MINUTE))
        (again,) = done.effects[2].assigned
        assert again.rumor == rumor_id("feed", "new")
        assert again.event == event_id(rumor_id("feed", "new"))

    def test_a_lone_post_ages_without_a_line(self) -> None:
        done = take(road(window_ms=2 * DAY), post("1", DAM), Tick(START + 3 * DAY))
        assert done.effects[0].closed == []
        assert done.alert.open_documents() == []

    def test_posts_are_stored_from_the_index_threshold_on(self) -> None:
        done = take(road(index_posts=3), *copies("t", 2), Tick(START))
        assert done.effects[0].batch.posts == []
        take(done, post("x", DAM), post("y", DAM), Tick(START))
        written = done.effects[1].batch.posts
        assert [d.post_id for d in written] == ["t0", "t1", "x", "y"]
        assert {d.rumor_id for d in written} == {rumor_id("feed", "t0")}

    def test_no_document_leads_to_a_person(self) -> None:
        done = take(road(suggest=ALWAYS), *told(5), Tick(START))
        written = msgspec.json.encode(all_of(done)).decode()
        voices = [str(int(v)) for c in done.changes for v in c.rows.voice]
        assert len(set(voices)) == 5
        assert not [v for v in voices if v in written]
        assert "who" not in written


class TestAlerts:
    def test_each_level_is_reached_once(self) -> None:
        rule = level(0.1, 3, 3)
        done = warm(suggest=rule, confirm=level(0.1, 6, 6))
        posts = told(10)
        for start in (0, 2, 4, 6, 8):
            take(done, *posts[start : start + 2], Tick(START + start))
        raised = [(n, r) for n, e in enumerate(done.effects) for r in e.raised]
        assert [(n, r.level) for n, r in raised] == [(2 + 1, "suggest"), (2 + 2, "confirm")]
        name = rumor_id("feed", "t0")
        assert {r.alert_id for _, r in raised} == {alert_id(name, 1)}
        assert [r.raised_by for _, r in raised] == ["t3", "t5"]
        assert [r.post_ids for _, r in raised] == [
            ["t0", "t1", "t2", "t3"],
            ["t0", "t1", "t2", "t3", "t4", "t5"],
        ]
        # At the change, the watermark is that of its place in the log.
        assert [r.raised_at for _, r in raised] == [done.changes[n].watermark for n, _ in raised]
        (last,) = [d for d in all_of(done).alerts if d.version == done.alert.version]
        assert (last.level, last.confirmed_at) == ("confirm", raised[1][1].raised_at)

    def test_confirm_may_come_first_and_suggest_never_follows(self) -> None:
        done = road(suggest=ALWAYS, confirm=level(0.0, 3, 3))
        take(done, *told(4), Tick(START), *[post("x", TELLINGS[7]), Tick(START + 1)])
        assert [r.level for e in done.effects for r in e.raised] == ["confirm"]

    def test_copies_by_many_are_no_evidence(self) -> None:
        rule = level(0.0, 4, 4)
        done = road(suggest=rule, confirm=rule)
        copies = [post(f"c{i}", DAM, author=f"who{i}") for i in range(40)]
        take(done, *copies, Tick(START))
        assert done.effects[0].raised == []
        one_voice = [post(f"t{i}", TELLINGS[i], author="one") for i in range(9)]
        assert (
            take(road(suggest=rule, confirm=rule), *one_voice, Tick(START)).effects[0].raised == []
        )

    def test_says_which_signals_raised_it_and_what_they_mean(self) -> None:
        done = take(road(suggest=ALWAYS), *told(5), Tick(START))
        (raised,) = done.effects[0].raised
        assert [s.name for s in raised.signals] == list(NAMES)
        for signal in raised.signals:
            assert np.isfinite(signal.value)
            assert signal.threshold > 0
            assert signal.unit
            assert signal.definition.endswith(".")
        assert 0 < raised.score <= 1
        assert raised.headline in TELLINGS
        assert raised.languages == sorted(raised.languages) != []

    def test_the_headline_states_rather_than_asks(self) -> None:
        posts = [
            *[post(f"q{i}", f"{DAM} có thật không ạ?", author=f"q{i}") for i in range(4)],
            *[post(f"s{i}", DAM, author=f"s{i}") for i in range(2)],
            post("x", DAM_AGAIN),
        ]
        done = take(road(suggest=ALWAYS), *posts, Tick(START))
        assert [r.headline for r in done.effects[0].raised] == [DAM]

    def test_closes_with_its_rumor(self) -> None:
        done = take(road(window_ms=2 * DAY, suggest=ALWAYS), *told(3), Tick(START + MINUTE))
        take(done, Tick(START + 3 * DAY))
        last = all_of(done).alerts[-1]
        assert last.status == "closed"
        assert last.rumor_id == done.effects[1].closed[0].rumor_id

    def test_an_alert_moves_to_an_heir_without_one(self) -> None:
        done = self.merged_alerts(first_alert=False)
        (raised,) = [r for e in done.effects for r in e.raised]
        heir, loser = rumor_id("feed", "a0"), rumor_id("feed", "b0")
        assert raised.alert_id == alert_id(loser, 1)
        last = all_of(done).alerts[-1]
        assert (last.alert_id, last.rumor_id) == (raised.alert_id, heir)
        assert last.merged_into is None

    def test_the_losers_alert_names_the_alert_that_stands_for_it(self) -> None:
        done = self.merged_alerts(first_alert=True)
        kept, lost = alert_id(rumor_id("feed", "a0"), 1), alert_id(rumor_id("feed", "b0"), 1)
        written = all_of(done).alerts
        assert [d.merged_into for d in written if d.alert_id == lost][-1] == kept
        assert [d.merged_into for d in written if d.alert_id == kept][-1] is None

    def merged_alerts(self, *, first_alert: bool) -> Road:
        """Two rumors of which the younger one has an alert, then a post that makes them one."""
        left = "đập thủy điện hồ lam sắp vỡ rồi"
        right = "bà con ven sông sơ tán gấp trong đêm"
        done = road(
            micro_threshold=0.2,
            macro_threshold=0.12,
            suggest=level(0.0, 3, 3),
        )
        size = 4 if first_alert else 1
        take(done, *[post(f"a{i}", f"{left} {i}{i}", author=f"a{i}") for i in range(size)])
        take(done, *[post(f"b{i}", f"{right} {i}{i}", author=f"b{i}") for i in range(4)])
        take(done, Tick(START + 1))
        rumors = {a.rumor for a in done.effects[0].assigned}
        assert len(rumors) == 2, "they stand apart at first"
        joint = [post(f"j{i}", f"{left} {right} {i}{i}", author=f"j{i}") for i in range(6)]
        take(done, *joint, Tick(START + 2))
        assert [m.heir for e in done.effects for m in e.merged if m.heir.startswith("r")] == [
            rumor_id("feed", "a0")
        ]
        return done


class TestDocuments:
    def test_written_when_enough_changes_passed(self) -> None:
        done = road()
        written = []
        for n in range(1, 4 + QUIET_CHANGES + 1):
            take(done, *copies(f"{n}-", 1), Tick(START))
            written += [(n, d.posts) for d in done.effects[-1].batch.rumors]
        # The first write, and one that only the number of changes made due: time stands still.
        assert written == [(QUIET_TICKS, 4), (QUIET_TICKS + QUIET_CHANGES, 4 + QUIET_CHANGES)]
        assert done.alert.flush().rumors == [], "nothing is due any more"

    def test_a_quiet_stream_writes_after_a_second(self) -> None:
        done = take(road(), *copies("a", 2), *[Tick(START + n) for n in range(4)])
        written = len(all_of(done, flush=False).rumors)
        assert written == 1
        take(done, post("x", DAM, START + 900), *[Tick(START + 900 + n) for n in range(9)])
        assert len(all_of(done, flush=False).rumors) == written
        take(done, post("y", DAM, START + 1000), Tick(START + 1001))
        assert done.effects[-1].batch.rumors[0].posts == 4

    def test_counts_are_written_in_turn_and_news_at_once(self) -> None:
        def saying(number: int, name: str, at: int) -> Entry:
            words = " ".join(f"t{number}w{place}" for place in range(8))
            return post(f"{name}{number}", words, at, author=f"{name}{number}")

        def second(at: int) -> list[Entry]:
            return [Tick(at + n) for n in range(QUIET_TICKS)]

        many = AT_ONCE + 10
        apart = {"micro_threshold": 0.9, "macro_threshold": 0.99, "event_threshold": 0.99}
        done = take(road(**apart), *[saying(n, "a", START) for n in range(many)])
        take(done, *second(START + 1_000))
        assert len({d.rumor_id for d in all_of(done, flush=False).rumors}) == many, "all are new"
        told = len(done.effects)
        later = START + 2_000
        take(done, *[saying(n, "b", later) for n in range(many)], saying(many, "a", later))
        for n in range(1, 3):
            take(done, saying(many, f"c{n}", later + n * 1_000), *second(later + n * 1_000))
        written = [[d.posts for d in e.batch.rumors] for e in done.effects[told:] if e.batch.rumors]
        assert written == [[2] * (AT_ONCE + 1), [2] * (many - AT_ONCE) + [3]]
        assert done.alert.flush().rumors == [], "nothing is due any more"

    def test_trend_buckets_hold_absolute_counts(self) -> None:
        done = take(road(suggest=ALWAYS), *told(3, platform="facebook"), Tick(START))
        take(done, post("x", TELLINGS[4], START + 9, platform="facebook"), Tick(START + 10))
        newest = {(d.bucket, d.language, d.platform): d for d in all_of(done).trends}
        assert sum(d.posts for d in newest.values()) == 4
        assert sum(d.alerts_suggest for d in newest.values()) == 1
        assert {key[0] for key in newest} == {START // (5 * MINUTE) * (5 * MINUTE)}

    def test_a_rumors_vector_is_the_direction_of_its_posts_and_outlives_its_micro_clusters(
        self,
    ) -> None:
        done = Road(
            cluster_fold(door=DENSE_DOOR, window_ms=DAY),
            alert_fold(door=DENSE_DOOR, index_posts=1, suggest=NEVER, confirm=NEVER),
        )
        done.take([frame([post("1", TELLINGS[0]), post("2", TELLINGS[1])], door=DENSE_DOOR)])
        done.take([frame([Tick(START + HOUR)], first=2, door=DENSE_DOOR)])
        [rumor] = done.alert.open_documents()
        encoded = DENSE_DOOR.encoder.encode([text.lower() for text in TELLINGS[:2]])
        held = np.frombuffer(rumor.vector, np.int8).astype(float)
        mean = encoded.sum(axis=0)
        assert held @ mean / np.linalg.norm(held) / np.linalg.norm(mean) > 0.999
        done.take([frame([Tick(START + 3 * DAY)], first=3, door=DENSE_DOOR)])
        [closed] = [one for effects in done.effects for one in effects.closed]
        assert not closed.open
        assert closed.vector == rumor.vector


class TestOrder:
    def change(self, partition: int, sequence: int, watermark: int) -> Change:
        fold = cluster_fold(partition=partition)
        entries = [post(f"{partition}-{n}", DAM, watermark) for n in range(sequence)]
        ticked = [x for e in entries for x in (e, Tick(watermark))]
        return fold.fold(frame(ticked))[-1]

    def test_a_change_that_was_applied_is_skipped(self) -> None:
        fold = alert_fold()
        first, second = self.change(0, 1, START), self.change(0, 2, START)
        fold.apply(first)
        fold.apply(second)
        state = pack_state(fold.snapshot())
        for repeated in (first, second, first):
            effects = fold.apply(repeated)
            assert not (effects.assigned or effects.merged or effects.raised or effects.dead)
            assert not effects.batch
        assert pack_state(fold.snapshot()) == state
        assert fold.version == 2

    def test_a_snapshot_is_taken_up_as_it_is_and_out_of_bytes(self) -> None:
        fold = alert_fold()
        fold.apply(self.change(0, 3, START))
        packed = pack_state(fold.snapshot())
        for state in (fold.snapshot(), unpack_state(packed)):
            other = alert_fold()
            other.restore(state)
            assert pack_state(other.snapshot()) == packed

    def test_partitions_count_their_changes_each_and_the_slowest_holds_the_watermark(self) -> None:
        fold = alert_fold()
        fold.apply(self.change(0, 1, START + HOUR))
        assert fold.watermark == START + HOUR
        effects = fold.apply(self.change(1, 1, START))
        assert len(effects.assigned) == 1
        assert fold.watermark == START + HOUR, "it never goes back"
        fold.apply(self.change(0, 2, START + 3 * HOUR))
        assert fold.watermark == START + HOUR
        fold.apply(self.change(1, 2, START + 2 * HOUR))
        assert fold.watermark == START + 2 * HOUR

    def test_changes_and_checkpoints_of_others_are_refused(self) -> None:
        fold = alert_fold()
        foreign = msgspec.structs.replace(self.change(0, 1, START), encoder="other/1/x")
        with pytest.raises(WrongEncoder, match=r"other/1/x.*none.*run out"):
            fold.apply(foreign)
        with pytest.raises(WrongEncoder, match=r"other/1/x.*none.*embed\.encoder"):
            fold.restore({**fold.snapshot(), "encoder": "other/1/x"})
        with pytest.raises(CodecError, match="version 99"):
            fold.restore({**fold.snapshot(), "version": 99})


class TestSignals:
    def rumor(self, *kept: dict[str, Any]) -> Rumor:
        rumor = Rumor(number=0, id="r", event=0, born_at=START, first_at=START, last_at=START)
        for number, fields in enumerate(kept):
            given = {
                "source": "feed",
                "id": str(number),
                "text": "x",
                "created_at": START,
                "lang": "vi",
                "platform": None,
                "community": None,
                "url": None,
                "reply_to": None,
                "repost_of": None,
                "kind": 0,
                "flags": 0,
                "reach": 1,
                "micro": "m",
                "category": "other",
                "sure": 0,
                "wording": number + 1,
                "words": 20,
            }
            voice = fields.pop("voice", number)
            rumor.take(Kept(**{**given, **fields}), voice, number)
        return rumor

    def values(self, rumor: Rumor, now: int = START) -> dict[str, float]:
        return {s.name: s.value for s in score(measures({}, {}), rumor, now, Stream())[1]}

    def test_voices_and_wordings_are_distinct_and_of_the_last_day(self) -> None:
        rumor = self.rumor(
            {"voice": 7},
            {"voice": 7, "wording": 1},
            {"voice": 8, "wording": 0},
            {"voice": 9, "created_at": START - DAY},
            {"voice": 9, "created_at": START - DAY - 1},
            {"voice": 10, "created_at": START - DAY - 1},
        )
        values = self.values(rumor)
        assert values["voices"] == 3
        assert values["wordings"] == 2, "a text without words is no wording"
        assert self.values(rumor, START + DAY)["voices"] == 2
        assert self.values(rumor, START + DAY + 1)["voices"] == 0

    def test_a_repost_adds_volume_and_reach_but_never_a_voice(self) -> None:
        rumor = self.rumor({"voice": 1}, {"voice": 2, "repost_of": "0", "reach": 500})
        values = self.values(rumor)
        assert (values["voices"], values["wordings"], values["volume"]) == (1, 1, 2)
        assert rumor.reach == 501

    def test_growth_is_the_last_hour_over_the_six_before(self) -> None:
        at = START // (5 * MINUTE) * (5 * MINUTE)
        hours_ago = [{"created_at": at - h * HOUR} for h in (2, 3, 3, 4, 5, 6)]
        fresh = [{"created_at": at - MINUTE} for _ in range(8)]
        rumor = self.rumor(*hours_ago, *fresh)
        assert self.values(rumor, at)["growth"] == 8 / (6 / 6 + 1)
        assert self.values(rumor, at)["volume"] == 14

    def test_shares_and_communities(self) -> None:
        rumor = self.rumor(
            {"flags": int(Flag.ENQUIRY), "community": "g1"},
            {"flags": int(Flag.ENQUIRY | Flag.ADVERT), "community": "g2"},
            {"flags": int(Flag.DENIAL), "community": "g1"},
            {},
        )
        values = self.values(rumor)
        assert values["enquiry_share"] == 0.5
        assert values["advert_share"] == 0.25
        assert values["communities"] == 2

    def test_score_is_the_sum_of_weighted_shares_of_thresholds(self) -> None:
        rumor = self.rumor({"voice": 1}, {"voice": 2})
        zero = dict.fromkeys(NAMES, 0.0)
        half, _ = score(measures({**zero, "voices": 1.0}, {"voices": 4}), rumor, START, Stream())
        assert half == 0.5
        full, _ = score(measures({**zero, "voices": 1.0}, {"voices": 1}), rumor, START, Stream())
        assert full == 1.0
        mixed = measures({**zero, "voices": 0.3, "volume": 0.1}, {"voices": 4, "volume": 2})
        assert score(mixed, rumor, START, Stream())[0] == pytest.approx(0.3 * 0.5 + 0.1)
        assert score(measures(zero, {}), rumor, START, Stream())[0] == 0.0

    def test_adverts_lower_the_score(self) -> None:
        plain = [{"voice": n} for n in range(8)]
        adverts = [{"voice": n, "flags": int(Flag.ADVERT)} for n in range(8)]
        chosen = measures({}, {})
        high, _ = score(chosen, self.rumor(*plain), START, Stream())
        low, _ = score(chosen, self.rumor(*adverts), START, Stream())
        assert 0 <= low < high - 0.3

    def test_what_no_signal_asks_for_is_let_go(self) -> None:
        posts = [{"voice": n, "created_at": START + n * 5 * MINUTE} for n in range(2000)]
        rumor = self.rumor(*posts)
        now = START + 2000 * 5 * MINUTE
        before = self.values(rumor, now), sorted(rumor.timeline.items())[-288:]
        rumor.forget_before(now)
        assert (self.values(rumor, now), sorted(rumor.timeline.items())[-288:]) == before
        assert max(len(rumor.voices), len(rumor.wordings), len(rumor.timeline)) <= 289

    def test_a_confirmed_rumor_lets_go_too(self) -> None:
        done = warm(confirm=ALWAYS)
        for day in range(6):
            at = START + day * DAY
            posts = [
                post(f"{day}-{n}", TELLINGS[n], at + n, author=f"{day}-{n}") for n in range(10)
            ]
            take(done, *posts, Tick(at + HOUR))
        states = unpack_state(pack_state(done.alert.snapshot()))["tree"]["rumors"]
        (state,) = [s for s in states if s["alert"]]
        assert dict(state["alert"])["level"] == "confirm"
        assert len(state["posts"]) == 60
        assert len(state["voices"][1]) <= 20

    def test_an_unknown_name_is_refused_with_the_known_ones(self) -> None:
        with pytest.raises(
            UnknownSignal, match=r"'voice' .did you mean voices\?.*voices, wordings"
        ):
            AlertFold(AlertParameters(weights={"voice": 1.0}), encoder="none", dim=0)
        with pytest.raises(UnknownSignal, match="'height'"):
            AlertFold(AlertParameters(thresholds={"height": 1.0}), encoder="none", dim=0)

    @pytest.mark.parametrize(
        "wrong", [{"thresholds": {"voices": 0.0}}, {"index_posts": 0}, {"index_posts": 201}]
    )
    def test_values_that_cannot_work_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(BadParameter):
            AlertFold(AlertParameters(**wrong), encoder="none", dim=0)


class TestMicros:
    def test_vectors_follow_sums_and_the_largest_features_are_kept(self) -> None:
        micros = Micros(0, 0.3)
        features = np.arange(400, dtype=np.uint32)
        sums = np.where(features % 2, 64, 6400).astype(np.int32)
        delta = MicroDelta(
            id=["m"],
            dense=np.zeros((1, 0), np.int32),
            feature_ends=np.array([400]),
            features=features,
            feature_sums=sums,
            feature_posts=np.ones(400, np.int32),
            vectors=np.array([1], np.int32),
        )
        rows, due = micros.add(delta)
        assert rows.tolist() == due.tolist() == [0]
        kept = micros.state()["features"]
        assert len(kept) == 256
        assert set(range(0, 400, 2)) <= set(kept.tolist()), "all large ones"
        assert sorted(set(kept.tolist()) - set(range(0, 400, 2))) == list(range(1, 112, 2))
        # Due again when the sums have doubled, not at each post.
        again = [len(micros.add(delta)[1]) for _ in range(7)]
        assert again == [1, 0, 1, 0, 0, 0, 1]

    def test_a_rumors_dense_sum_is_over_all_of_its_micro_clusters(self) -> None:
        micros = Micros(3, 0.3)
        delta = MicroDelta(
            id=["a", "b", "c"],
            dense=np.array([[512, 0, -7], [100, 1, 0], [9, 9, 9]], np.int32),
            feature_ends=np.array([0, 0, 0]),
            features=np.zeros(0, np.uint32),
            feature_sums=np.zeros(0, np.int32),
            feature_posts=np.zeros(0, np.int32),
            vectors=np.array([2, 1, 1], np.int32),
        )
        rows, _ = micros.add(delta)
        micros.rumor[rows] = [4, 4, 5]
        assert micros.dense_of(micros.of_rumor(4)).tolist() == [612, 1, -7]
        assert micros.dense_of(micros.of_rumor(5)).tolist() == [9, 9, 9]
        assert micros.dense_of(micros.of_rumor(6)).tolist() == [0, 0, 0]
