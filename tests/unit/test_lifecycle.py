"""An alert's life under an analyst's hand: what follows what, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from alerts.desk import Desk, audit
from alerts.lifecycle import MOVES, advance, refusal
from alerts.rumor import AlertState, Rumor
from streams.codec import CodecError, encode
from streams.documents import Status
from streams.inputs import Action, Deed, read_input
from tests.fold_scene import START

NUMBERS = itertools.count()


def action(deed: Deed, **fields: Any) -> Action:
    needed: dict[Deed, dict[str, Any]] = {
        "assign": {"assignee": "Nam"},
        "note": {"why": "called the dam's keeper"},
        "dismiss": {"why": "an advert"},
        "merge": {"other": "a2"},
        "split": {"posts": ["p1"]},
        "verdict": {"verdict": "fake", "links": ["https://example.org/dam"]},
    }
    values = {"id": f"x{next(NUMBERS)}", "alert": "a1", "who": "Mai", "at": START}
    return Action(deed=deed, **(values | needed.get(deed, {}) | fields))


def alert(status: Status = "new") -> AlertState:
    return AlertState("a1", "suggest", START, "p1", status=status)


def after(*deeds: Deed) -> AlertState:
    held = alert()
    for deed in deeds:
        one = action(deed)
        assert refusal(held, one) is None, deed
        advance(held, one, START)
    return held


@pytest.mark.parametrize(
    ("deeds", "status"),
    [
        (["acknowledge"], "acknowledged"),
        (["acknowledge", "assign"], "assigned"),
        (["acknowledge", "assign", "assign"], "assigned"),
        (["acknowledge", "assign", "verify"], "verifying"),
        (["acknowledge", "assign", "verify", "verdict"], "answered"),
        (["verdict", "verdict", "close"], "closed"),
        (["acknowledge", "dismiss", "close", "note"], "closed"),
        (["dismiss", "close", "reopen"], "new"),
        (["note"], "new"),
    ],
)
def test_the_course_of_an_alert(deeds: list[Deed], status: Status) -> None:
    held = after(*deeds)
    assert held.status == status
    assert [step.deed for step in held.triage.history] == deeds


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("deed", get_args(Deed))
def test_every_deed_on_every_status_is_done_or_refused_with_a_reason(
    deed: Deed, status: Status
) -> None:
    held = alert(status)
    reason = refusal(held, action(deed))
    if status in MOVES[deed].allowed:
        assert reason is None
    else:
        assert reason is not None
        assert status in reason
        assert not reason.rstrip().endswith("that is")


def test_the_second_analyst_sees_what_stands_and_by_whom() -> None:
    reason = refusal(after("acknowledge"), action("acknowledge", who="Nam"))
    assert reason == "the alert is acknowledged by Mai: acknowledge is for one that is new"
    assert refusal(after("dismiss"), action("verify")) == (
        "the alert is dismissed by Mai: reopen it first"
    )


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (action("acknowledge", who=" "), "nobody"),
        (action("note", why=""), "reason"),
        (action("dismiss", why=""), "reason"),
        (action("assign", assignee=None), "to whom"),
        (action("merge", other=" "), "which"),
        (action("verdict", verdict=None), "missing"),
        (action("verdict", links=[]), "needs a link"),
        (action("verdict", links=["example.org"]), "http"),
        (action("verdict", correction_link="javascript:alert(1)"), "http"),
        (action("verdict", links=["https://example.org"] * 21), "more than"),
        (action("note", why="x" * 4001), "longer"),
    ],
)
def test_what_an_action_lacks_is_said(one: Action, wrong: str) -> None:
    assert wrong in str(refusal(alert(), one))


def test_unverifiable_needs_no_link() -> None:
    assert refusal(alert(), action("verdict", verdict="unverifiable", links=[])) is None


def test_a_verdict_stands_with_its_author_links_and_correction() -> None:
    held = alert()
    advance(
        held,
        action("verdict", correction="Đập an toàn.", correction_link="https://a.example"),
        START,
    )
    t = held.triage
    assert (t.verdict, t.decided_by, t.decided_at) == ("fake", "Mai", START)
    assert (t.links, t.correction, t.correction_link) == (
        ["https://example.org/dam"], "Đập an toàn.", "https://a.example"
    )  # fmt: skip


class TestDesk:
    @staticmethod
    def rumor(**fields: Any) -> Rumor:
        return Rumor(
            number=0, id="r1", event=0, born_at=START, first_at=START, last_at=START, **fields
        )

    def test_an_alert_answers_to_its_rumors_id_too(self) -> None:
        held = self.rumor(alert=alert())
        assert Desk("none").take(action("acknowledge", alert="r1"), [held], START)[:2] == (held, "")
        assert held.alert is not None
        assert held.alert.status == "acknowledged"

    def test_a_merged_id_answers_with_its_heir_and_a_closed_one_says_so(self) -> None:
        held, desk = self.rumor(alert=alert()), Desk("none")
        desk.gone("a3", "a2")
        desk.gone("a2", "a1")
        desk.gone("a9")
        assert desk.take(action("verify", alert="a3"), [held], START)[:2] == (held, "")
        assert "left the window" in desk.take(action("verify", alert="a9"), [held], START).reason

    def test_unknown_and_not_alerted_are_refused(self) -> None:
        assert (
            "no alert or rumor" in Desk("none").take(action("verify", alert="a7"), [], START).reason
        )
        assert (
            "no alert yet"
            in Desk("none").take(action("verify", alert="r1"), [self.rumor()], START).reason
        )

    def test_the_audit_tells_what_was_given_and_what_became_of_it(self) -> None:
        held, desk = self.rumor(alert=alert()), Desk("none")
        one, two = (action("verdict"), action("acknowledge", alert="r1", who="Nam", why="late"))
        taken, refused = (audit(a, desk.take(a, [held], START), 7) for a in (one, two))
        assert (taken.taken, taken.reason, taken.status) == (True, "", "answered")
        assert taken.given == {"verdict": "fake", "links": "https://example.org/dam"}
        assert (refused.taken, refused.status, refused.who, refused.why) == (
            False, "answered", "Nam", "late"
        )  # fmt: skip
        assert (refused.subject, refused.alert_id, refused.rumor_id) == ("r1", "a1", "r1")
        assert "answered by Mai" in refused.reason

    def test_an_action_is_seen_once_also_after_a_restart(self) -> None:
        desk, again = Desk("none"), Desk("none")
        assert [desk.seen("x"), desk.seen("x"), desk.seen("y")] == [False, True, False]
        again.restore(desk.state())
        assert [again.seen("x"), again.seen("z")] == [True, False]


def test_a_record_says_of_itself_what_it_is() -> None:
    one = action("acknowledge")
    assert read_input(encode(one)) == one
    with pytest.raises(CodecError, match="does not fit"):
        read_input(encode({"type": "gossip"}))
