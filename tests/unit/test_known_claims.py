"""Known claims in the fold: offered, returned, muted; a burst opens a settled alert again."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from agents.claims import records_of
from alerts import AlertFold
from streams.codec import encode, pack_state, unpack_state
from streams.effects import Effects
from streams.inputs import Action, ClaimRecord, read_input
from streams.sources.claims import FoundClaim
from streams.validation import Tick
from tests.fold_scene import (
    BANK,
    DAY,
    DOOR,
    HOUR,
    MINUTE,
    START,
    Road,
    alert_fold,
    cluster_fold,
    frame,
    level,
    post,
)
from tests.unit.test_alert_fold import TELLINGS

RULES: dict[str, Any] = {
    "index_posts": 1, "suggest": level(0.0, 3, 3), "confirm": level(1.0, 99, 99),
    "claim_offer": 0.3, "claim_certain": 0.5,
}  # fmt: skip


def known(text: str = TELLINGS[0], key: str = "k1", **changes: Any) -> ClaimRecord:
    values: dict[str, Any] = {
        "claim": f"c{key}", "texts": [(text, "vi")], "verdict": "fake", "rating": "Sai",
        "source": "Trạm kiểm chứng (bịa)", "published_at": START - DAY, "correction": "Đập an toàn.",
        "link": "https://a.example/1",
    }  # fmt: skip
    found = FoundClaim(**(values | changes))
    return records_of([found], DOOR, who="Mai", at=START)[0]


def action(deed: Any, name: str, **fields: Any) -> Action:
    return Action(
        id=f"{deed}{name}{sorted(fields)}", deed=deed, alert=name, who="Mai", at=START,
        **({"why": "seen"} | fields),
    )  # fmt: skip


class Desk:
    """A road, posts told on it, and decisions in between; restored from bytes after each step."""

    def __init__(self, **rules: Any) -> None:
        self._rules = RULES | rules
        self.road = Road(cluster_fold(micro_threshold=0.35), alert_fold(**self._rules))
        self._at = 0
        chance = random.Random(1)
        words = ["".join(chance.sample("bcdghklmnpqrstvx", 6)) for _ in range(64 * 8)]
        other = [post(f"w{i}", " ".join(words[8 * i : 8 * i + 8])) for i in range(64)]
        self.told(other)

    def told(self, posts: list[Any], now: int = START) -> list[Effects]:
        entries = [*posts, Tick(now)]
        self.road.take([frame(entries, first=self._at)])
        self._at += len(entries)
        self._again()
        return self.road.effects[-1:]

    def decide(self, record: Action | ClaimRecord) -> Effects:
        effects = self.road.alert.take(read_input(encode(record)))
        self._again()
        return effects

    def _again(self) -> None:
        fold: AlertFold = alert_fold(**self._rules)
        blob = pack_state(self.road.alert.snapshot())
        fold.restore(unpack_state(blob))
        assert pack_state(fold.snapshot()) == blob
        self.road.alert = fold

    def alerts(self) -> list[Any]:
        return [r for e in self.road.effects for r in e.raised]

    def returned(self) -> int:
        """How often the claim came back, as its newest document tells."""
        batches = [e.batch for e in self.road.effects] + [self.road.alert.flush()]
        return [claim for batch in batches for claim in batch.claims][-1].returned

    def noted(self, name: str) -> Any:
        effects = self.road.alert.take(
            Action(
                id=f"look{self.road.alert.version}", deed="note", alert=name, who="M", at=0, why="x"
            )
        )
        return effects.batch.alerts[0]


def tellings(first: int, n: int, at: int = START, who: str = "who") -> list[Any]:
    return [
        post(f"{who}{i}", TELLINGS[i], at + i, author=f"{who}{i}") for i in range(first, first + n)
    ]


def test_a_claim_that_comes_back_is_one_alert_marked_returned() -> None:
    desk = Desk()
    brought = desk.decide(known())
    assert [(a.deed, a.taken) for a in brought.batch.audits] == [("claim", True)]
    desk.told(tellings(1, 5))
    (raised,) = desk.alerts()
    triage = desk.noted(raised.alert_id).triage
    assert triage.returned
    match = triage.match
    assert (match.claim_id, match.certain, match.verdict) == ("ck1", True, "fake")
    assert (match.source, match.published_at) == ("Trạm kiểm chứng (bịa)", START - DAY)
    assert (match.correction, match.link) == ("Đập an toàn.", "https://a.example/1")
    assert desk.returned() == 1


def test_another_claim_is_not_met() -> None:
    desk = Desk()
    desk.decide(known(BANK))
    desk.told(tellings(1, 5))
    (raised,) = desk.alerts()
    triage = desk.noted(raised.alert_id).triage
    assert (triage.returned, triage.match) == (False, None)


def test_a_muted_claim_raises_nothing_and_is_counted_until_it_is_unmuted() -> None:
    desk = Desk()
    desk.decide(known())
    assert desk.decide(action("mute", "ck1")).batch.claims[0].muted
    refused = desk.decide(action("mute", "ck1", why="again"))
    assert "muted already" in refused.batch.audits[0].reason
    desk.told(tellings(1, 5))
    assert desk.alerts() == []
    assert desk.returned() == 1
    desk.decide(action("unmute", "ck1"))
    desk.told(tellings(6, 2))
    assert len(desk.alerts()) == 1


def test_a_claim_that_is_brought_later_is_held_against_alerts_that_stand() -> None:
    desk = Desk()
    desk.told(tellings(1, 5))
    (raised,) = desk.alerts()
    effects = desk.decide(known())
    (document,) = effects.batch.alerts
    assert document.alert_id == raised.alert_id
    assert document.triage.returned
    assert effects.batch.claims[0].returned == 1
    assert desk.decide(known()).batch.audits == [], "the same record again changes nothing"


def test_a_verdict_becomes_a_claim_and_meets_the_next_rumor_not_its_own() -> None:
    desk = Desk()
    desk.told(tellings(0, 5))
    (raised,) = desk.alerts()
    effects = desk.decide(
        action(
            "verdict",
            raised.alert_id,
            verdict="fake",
            links=["https://a.example"],
            correction="Không.",
        )
    )
    (claim,) = effects.batch.claims
    assert (claim.origin, claim.verdict, claim.alert_id) == ("verdict", "fake", raised.alert_id)
    assert claim.correction == "Không."
    assert desk.noted(raised.alert_id).triage.match is None
    # Its posts leave the window; then the claim comes back.
    later = START + 20 * DAY
    desk.told([post("x", "chuyện hoàn toàn khác của ngày hôm nay đó nha", later)], later)
    desk.told(tellings(1, 5, later, "new"), later)
    (_, back) = desk.alerts()
    triage = desk.noted(back.alert_id).triage
    assert triage.returned
    assert triage.match.claim_id == claim.claim_id


def test_a_claim_of_another_encoder_is_refused_with_the_way_out() -> None:
    desk = Desk()
    effects = desk.decide(msgspec.structs.replace(known(), encoder="other/1/x"))
    assert not effects.batch.audits[0].taken
    assert "import it again" in effects.batch.audits[0].reason
    assert effects.batch.claims == []


def test_a_new_burst_opens_a_settled_alert_again_what_was_under_way_does_not() -> None:
    desk = Desk()
    desk.told(tellings(0, 4))
    (raised,) = desk.alerts()
    desk.decide(action("dismiss", raised.alert_id))
    desk.told(tellings(4, 3, START + HOUR), START + HOUR)
    assert desk.noted(raised.alert_id).status == "dismissed"
    later = START + 7 * HOUR
    desk.told(tellings(7, 2, later), later)
    assert desk.noted(raised.alert_id).status == "dismissed", "two voices are no burst"
    desk.told(tellings(9, 1, later + MINUTE), later + MINUTE)
    document = desk.noted(raised.alert_id)
    assert (document.status, document.triage.reopened) == ("new", 1)
    assert [s.deed for s in document.triage.history if not s.who] == ["reopened"]
    assert len(desk.alerts()) == 1


def test_a_muted_alert_is_not_opened_again() -> None:
    desk = Desk()
    desk.told(tellings(0, 4))
    (raised,) = desk.alerts()
    desk.decide(action("mute", raised.alert_id))
    desk.decide(action("dismiss", raised.alert_id))
    later = START + 7 * HOUR
    desk.told(tellings(4, 6, later), later)
    assert desk.noted(raised.alert_id).status == "dismissed"


def test_an_own_verdict_is_met_in_each_of_its_tellings() -> None:
    """A rumor of two micro-clusters is known by both, not by what they have in common alone."""
    desk = Desk()
    loosely = "Nghe đâu thủy điện trên Hồ Lam nứt toác cả thân, dân dưới hạ du chạy lũ suốt đêm"
    copies = [
        post(
            f"l{n}",
            f"{loosely} {['rồi', 'đó', 'nha', 'các', 'bác', 'ơi'][n]}",
            START + n,
            author=f"l{n}",
        )
        for n in range(4)
    ]
    desk.told([*tellings(0, 5), *copies])
    alerts = [raised.alert_id for raised in desk.alerts()]
    if len(alerts) == 2:  # the desk says that they are one
        desk.decide(action("merge", alerts[0], other=alerts[1]))
    links = ["https://a.example/1"]
    told = desk.decide(action("verdict", alerts[0], verdict="fake", links=links))
    [claim] = told.batch.claims
    assert len(claim.texts) >= 3
    assert any("Nghe đâu" in text.text for text in claim.texts)
    assert any("Nghe đâu" not in text.text for text in claim.texts[1:])
    kept = desk.road.alert._standing.desk._claims._sums[claim.claim_id]
    assert len(kept.dense) == len(kept.ends) == len(kept.posts) == len(claim.texts)
    assert kept.ends.tolist() == sorted(kept.ends.tolist())
    assert kept.ends[-1] == len(kept.features) == len(kept.sums)
