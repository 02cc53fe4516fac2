"""One alert a story, so many alerts an hour, alerts raised by hand, and other levels for a category."""

from __future__ import annotations

from typing import Any

import pytest

import config
from agents.stages import alert_parameters
from alerts import AlertParameters, CategoryRules
from alerts.covering import MARGIN
from alerts.gate import Gate
from alerts.growing import absorb
from alerts.lifecycle import UNDER_WAY
from alerts.parameters import HOUR
from config.errors import SettingsError
from streams.codec import pack_state, unpack_state
from streams.documents import AlertDocument, AuditDocument, Batch, RumorDocument
from streams.inputs import Action
from streams.validation import Tick
from tests.fold_scene import (
    BANK,
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

# Four claims that share no word; invented.
CLAIMS = {
    "dam": "Đập thủy điện Hồ Lam sắp vỡ, hạ du sơ tán gấp trong đêm",
    "bank": BANK,
    "leaf": "Uống nước lá ráng mật khỏi hẳn tiểu đường sau một tuần",
    "bus": "Xe khách tông cột mốc quốc lộ chín, bốn hành khách nhập viện",
}


class Scene:
    """Posts in minutes, one tick after each batch; documents by id, the newest."""

    def __init__(self, **parameters: Any) -> None:
        rules = {"suggest": level(0.0, 2, 0), "confirm": level(1.0, 999, 0), "index_posts": 1}
        self.parameters = {**rules, **parameters}
        self.road = Road(cluster_fold(micro_threshold=0.9), alert_fold(**self.parameters))
        self.at = START
        self._first = 0
        self._seen = 0
        self._acted = 0
        self._flushed: list[tuple[float, Batch]] = []  # (effects before it, what it gave)

    def tell(self, claim: str, people: int, words: str = "") -> None:
        """So many people say it word by word."""
        text = " ".join([CLAIMS.get(claim, claim), words]).strip()
        entries: list[Entry] = []
        for _ in range(people):
            self._seen += 1
            entries.append(post(f"p{self._seen}", text, self.at, author=f"who{self._seen}"))
        self._take(entries)

    def act(self, deed: Any, name: str, **fields: Any) -> AuditDocument:
        """An analyst's action, and what became of it."""
        self._acted += 1
        given = {"id": f"x{self._acted}", "alert": name, "who": "Mai", "at": self.at, **fields}
        effects = self.road.alert.take(Action(deed=deed, **given))
        self.road.effects.append(effects)
        [told] = effects.batch.audits
        return told

    def again(self) -> None:
        """A new process takes up the checkpoint."""
        fresh = alert_fold(**self.parameters)
        fresh.restore(unpack_state(pack_state(self.road.alert.snapshot())))
        self.road.alert = fresh

    def wait(self, minutes: float) -> None:
        self.at += int(minutes * MINUTE)
        self._take([])

    def _take(self, entries: list[Entry]) -> None:
        self.at += 1
        entries = [*entries, Tick(self.at)]
        self.road.take([frame(entries, first=self._first)])
        self._first += len(entries)

    def raised(self) -> list[str]:
        """Headlines of the alerts, in order."""
        return [r.headline for e in self.road.effects for r in e.raised]

    def rumors(self) -> dict[str, RumorDocument]:
        """Open rumors by headline, as they stand."""
        return {d.headline: d for d in self.road.alert.open_documents()}

    def alerts(self) -> dict[str, AlertDocument]:
        """Alerts as last written, by headline."""
        self._flushed.append((len(self.road.effects) - 0.5, self.road.alert.flush()))
        batches = [(at, e.batch) for at, e in enumerate(self.road.effects)] + self._flushed
        batches.sort(key=lambda one: one[0])
        return {d.headline: d for _, batch in batches for d in batch.alerts}


class TestRate:
    def test_the_rest_of_a_full_hour_waits_and_is_seen_to(self) -> None:
        scene = Scene(per_hour=1)
        scene.tell("dam", 4)
        scene.tell("bank", 4)
        assert scene.raised() == [CLAIMS["dam"]]
        assert scene.road.alert.waiting == 1
        waits = scene.rumors()[CLAIMS["bank"]]
        assert waits.waiting_since == scene.at - 1 and waits.level is None
        scene.wait(59)
        assert scene.road.alert.waiting == 1
        scene.wait(2)
        assert scene.raised() == [CLAIMS["dam"], CLAIMS["bank"]]
        assert scene.road.alert.waiting == 0
        alert = scene.alerts()[CLAIMS["bank"]]
        assert alert.waited_ms == pytest.approx(61 * MINUTE, abs=10)
        assert scene.rumors()[CLAIMS["bank"]].waiting_since is None

    def test_the_highest_score_goes_first_whenever_it_came(self) -> None:
        scene = Scene(per_hour=1)
        scene.tell("dam", 4)
        scene.tell("bank", 3)
        scene.tell("leaf", 9)
        scene.tell("bus", 5)
        for _ in range(3):
            scene.wait(61)
        assert scene.raised() == [CLAIMS[name] for name in ("dam", "leaf", "bus", "bank")]

    def test_what_no_longer_reaches_a_level_stops_waiting(self) -> None:
        scene = Scene(per_hour=1, suggest=level(0.05, 2, 0))
        scene.tell("dam", 4)
        scene.tell("bank", 4)
        scene.wait(25 * 60)  # its posts are older than a day
        assert scene.raised() == [CLAIMS["dam"]] and scene.road.alert.waiting == 0
        assert scene.rumors()[CLAIMS["bank"]].waiting_since is None

    def test_a_level_that_rises_needs_no_place(self) -> None:
        scene = Scene(per_hour=1, confirm=level(0.0, 6, 0))
        scene.tell("dam", 4)
        scene.tell("dam", 4)
        levels = [r.level for e in scene.road.effects for r in e.raised]
        assert levels == ["suggest", "confirm"]

    def test_who_waits_waits_after_a_restart(self) -> None:
        scene = Scene(per_hour=1)
        scene.tell("dam", 4)
        scene.tell("bank", 4)
        scene.again()
        assert scene.road.alert.waiting == 1
        scene.wait(61)
        assert scene.raised() == [CLAIMS["dam"], CLAIMS["bank"]]

    def test_memory_is_of_the_last_hour_and_of_young_alerts(self) -> None:
        gate = Gate()
        for number in range(100):
            now = number * HOUR
            assert gate.room(now, 1) == 1
            gate.raised(number, now)
            assert gate.room(now, 1) == 0
            gate.young(now - 3 * HOUR)
        state = gate.state()
        assert len(state["times"]) == 1 and len(state["young"]) == 4 and not state["waiting"]


class TestCover:
    def scene(self, **parameters: Any) -> Scene:
        """Two rumors of one story: half of the words are the same."""
        scene = Scene(**{"macro_threshold": 0.8, "cover_threshold": 0.2, **parameters})
        scene.tell("dam", 4)
        return scene

    TOLD = "Đập thủy điện Hồ Lam sắp vỡ, hạ du nghe loa phường báo chạy ngay"

    def test_a_rumor_that_says_nearly_the_same_is_shown_with_the_alert(self) -> None:
        scene = self.scene()
        scene.tell(self.TOLD, 5)
        assert scene.raised() == [CLAIMS["dam"]]
        alert, below = scene.alerts()[CLAIMS["dam"]], scene.rumors()[self.TOLD]
        assert below.covered_by == alert.alert_id and below.alert_id is None
        assert alert.covers == [below.rumor_id]
        [step] = [s for s in alert.triage.history if s.deed == "covered"]
        assert below.rumor_id in step.why

    def test_means_tell_which_rumors_are_worth_comparing_post_by_post(self) -> None:
        scene = self.scene(macro_threshold=0.3)
        scene.road.cluster = cluster_fold(micro_threshold=0.4)
        words = CLAIMS["dam"].split()
        for number in range(24):  # by and by another story
            told = words[number // 3 :] + CLAIMS["bank"].split()[: number // 3]
            scene.tell(" ".join(told), 1, f"tin{number} xa{number}")
        standing = scene.road.alert._standing
        micros, numbers = standing.micros, sorted(standing.tree.rumors)
        means = micros.means_of([*numbers, numbers[-1] + 1])
        assert len(numbers) > 2 and micros.size > len(numbers) and not means[-1].any()
        for one, mean in zip(numbers, means, strict=False):
            for other, about in zip(numbers, means @ mean, strict=False):
                near = micros.between_posts(micros.of_rumor(one), micros.of_rumor(other)).mean()
                assert about == pytest.approx(near, abs=MARGIN / 50)

    def test_another_claim_is_raised(self) -> None:
        scene = self.scene()
        scene.tell("bank", 5)
        assert scene.raised() == [CLAIMS["dam"], CLAIMS["bank"]]

    @pytest.mark.parametrize("hours", [0.0, 2.0])
    def test_only_while_the_alert_is_young(self, hours: float) -> None:
        scene = self.scene(cooldown_h=hours)
        scene.wait(hours * 60 + 1)
        scene.tell(self.TOLD, 5)
        assert scene.raised() == [CLAIMS["dam"], self.TOLD]

    def test_it_stays_below_it_when_it_grows_later(self) -> None:
        scene = self.scene(cooldown_h=2.0)
        scene.tell(self.TOLD, 5)
        scene.wait(5 * 60)
        scene.tell(self.TOLD, 9)
        assert scene.raised() == [CLAIMS["dam"]]

    def test_when_they_become_one_nothing_stays_below(self) -> None:
        scene = self.scene()
        scene.tell(self.TOLD, 5)
        fold = scene.road.alert
        tree = fold._standing.tree
        heir, loser = (tree.rumors[n] for n in sorted(tree.rumors))
        gate = fold._standing.gate
        assert gate.covered(heir.number) == [loser.number]
        tree.unite(fold._standing.micros, heir, loser, scene.at, "an", "one claim")
        absorb(fold._standing, fold._writing, heir, loser)
        assert gate.covered(heir.number) == [] and gate.root(heir.number) is None

    def test_it_stands_for_itself_when_the_alert_has_left_the_window(self) -> None:
        scene = self.scene()
        scene.tell(self.TOLD, 5)
        for _ in range(5):
            scene.wait(4 * 24 * 60)
            scene.tell(self.TOLD, 2)
        assert scene.rumors()[self.TOLD].covered_by is None
        assert scene.raised() == [CLAIMS["dam"], self.TOLD]


class TestByHand:
    """An analyst raises what the road did not."""

    def covered(self) -> tuple[Scene, str]:
        """A rumor that another one's alert covers."""
        scene = TestCover().scene()
        scene.tell(TestCover.TOLD, 5)
        below = scene.rumors()[TestCover.TOLD]
        assert below.covered_by is not None
        return scene, below.rumor_id

    def test_a_covered_rumor_gets_an_alert_of_its_own(self) -> None:
        scene, name = self.covered()
        told = scene.act("raise", name, why="another dam")
        assert (told.taken, told.status, told.rumor_id) == (True, "new", name)
        [raised] = scene.road.effects[-1].raised
        assert (raised.alert_id, raised.level) == (told.alert_id, "suggest")
        assert raised.signals and len(raised.post_ids) == 5
        own, above = (scene.alerts()[claim] for claim in (TestCover.TOLD, CLAIMS["dam"]))
        [step] = own.triage.history
        assert (step.deed, step.who, step.why, step.status) == (
            "raise",
            "Mai",
            "another dam",
            "new",
        )
        assert own.alert_id == told.alert_id and own.signals
        assert above.covers == []
        step = above.triage.history[-1]
        assert (step.deed, step.who) == ("raise", "Mai") and name in step.why
        rumor = scene.rumors()[TestCover.TOLD]
        assert rumor.covered_by is None and rumor.alert_id == own.alert_id

    def test_its_documents_are_written_at_once(self) -> None:
        scene, name = self.covered()
        scene.act("raise", name)
        batch = scene.road.effects[-1].batch
        assert {a.headline for a in batch.alerts} == {TestCover.TOLD, CLAIMS["dam"]}
        assert {r.headline for r in batch.rumors} == {TestCover.TOLD, CLAIMS["dam"]}

    def test_it_lives_on_as_any_other_alert(self) -> None:
        scene, name = self.covered()
        scene.act("raise", name)
        scene.again()
        scene.tell(TestCover.TOLD, 9)
        assert scene.raised() == [CLAIMS["dam"], TestCover.TOLD]
        assert scene.act("acknowledge", name).status == "acknowledged"
        assert scene.alerts()[TestCover.TOLD].posts == 14

    def test_evidence_for_confirm_is_not_lost(self) -> None:
        scene = TestCover().scene(confirm=level(0.0, 5, 0))
        scene.tell(TestCover.TOLD, 5)
        scene.act("raise", scene.rumors()[TestCover.TOLD].rumor_id)
        assert [r.level for e in scene.road.effects for r in e.raised] == ["suggest", "confirm"]

    def test_what_waits_is_raised_and_takes_no_place_in_the_hour(self) -> None:
        scene = Scene(per_hour=1)
        scene.tell("dam", 4)
        scene.tell("bank", 4)
        scene.wait(10)
        scene.act("raise", scene.rumors()[CLAIMS["bank"]].rumor_id)
        assert scene.road.alert.waiting == 0
        assert scene.alerts()[CLAIMS["bank"]].waited_ms == pytest.approx(10 * MINUTE, abs=10)
        scene.tell("leaf", 4)
        scene.wait(52)
        assert scene.raised() == [CLAIMS[name] for name in ("dam", "bank", "leaf")]

    def test_a_rumor_far_below_every_level_is_raised_too(self) -> None:
        scene = Scene(suggest=level(1.0, 999, 0))
        scene.tell("leaf", 2)
        assert scene.raised() == []
        assert scene.act("raise", scene.rumors()[CLAIMS["leaf"]].rumor_id).taken
        assert scene.alerts()[CLAIMS["leaf"]].level == "suggest"

    def test_the_same_action_again_changes_nothing(self) -> None:
        scene, name = self.covered()
        scene.act("raise", name)
        state = pack_state(scene.road.alert.snapshot())
        again = Action(id="x1", deed="raise", alert=name, who="Mai", at=scene.at)
        assert not scene.road.alert.take(again).batch
        assert pack_state(scene.road.alert.snapshot()) == state

    def test_what_cannot_be_raised_is_told_and_nothing_else_changes(self) -> None:
        scene, name = self.covered()
        dam = scene.alerts()[CLAIMS["dam"]].alert_id
        gate = scene.road.alert._standing.gate.state()
        assert "no alert or rumor" in scene.act("raise", "r-nobody").reason
        assert scene.act("raise", dam).reason == "the alert is new: it is raised already"
        assert "nobody is named" in scene.act("raise", name, who=" ").reason
        scene.act("dismiss", dam, why="an advert")
        assert scene.act("raise", dam).reason == "the alert is dismissed by Mai: reopen it first"
        assert "raise one first" in scene.act("acknowledge", name).reason
        assert scene.road.alert._standing.gate.state() == gate
        assert scene.raised() == [CLAIMS["dam"]]
        for _ in range(5):
            scene.wait(4 * 24 * 60)
        assert "left the window" in scene.act("raise", name).reason
        assert "is closed" in scene.act("raise", dam).reason


class TestCategories:
    def test_a_category_has_its_own_levels(self) -> None:
        never = level(1.0, 999, 0)
        special = {"disaster": CategoryRules(suggest=level(0.0, 2, 0), confirm=never)}
        scene = Scene(suggest=never, confirm=never, categories=special)
        scene.tell("dam", 4)
        scene.tell("bank", 4)
        assert scene.raised() == [CLAIMS["dam"]]

    @pytest.mark.parametrize(("people", "opened"), [(4, False), (5, True)])
    def test_a_new_burst_is_held_against_the_category_s_own_level(
        self, people: int, opened: bool
    ) -> None:
        """Two voices would do for any other claim; for one of a disaster it takes five."""
        special = {"disaster": CategoryRules(suggest=level(0.0, 5, 0), confirm=level(1.0, 999, 0))}
        scene = Scene(categories=special)
        scene.tell("dam", 5)
        scene.tell("bank", 2)
        alerts = {name: scene.alerts()[CLAIMS[name]].alert_id for name in ("dam", "bank")}
        for name in alerts.values():
            assert scene.act("dismiss", name, why="answered by the keeper").taken
        scene.wait(UNDER_WAY / MINUTE + 1)
        scene.tell("dam", people)
        scene.tell("bank", 2)
        stands = {name: scene.alerts()[CLAIMS[name]] for name in alerts}
        assert stands["bank"].status == "new" and stands["bank"].triage.reopened == 1
        assert (stands["dam"].status, stands["dam"].triage.reopened) == (
            ("new", 1) if opened else ("dismissed", 0)
        )

    def test_what_a_category_leaves_out_is_the_level_s_own(self) -> None:
        env = {"TINDON_ALERT__CATEGORIES": "{health: {suggest: {min_posts: 3}}}"}
        made = alert_parameters(config.load(env=env).settings)
        usual = AlertParameters()
        assert made.categories["health"].suggest.min_posts == 3
        assert made.categories["health"].suggest.min_shared == usual.suggest.min_shared
        assert made.categories["health"].confirm == usual.confirm

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ("{healht: {suggest: {min_posts: 3}}}", r"no category 'healht' \(did you mean health"),
            ("{health: {sugest: {min_posts: 3}}}", "did you mean suggest"),
            ("{health: {suggest: {min_post: 3}}}", "did you mean min_posts"),
            ("{health: {suggest: {score: 7}}}", r"health\.suggest\.score"),
            ("{health: 3}", "is a table"),
        ],
    )
    def test_what_is_unknown_is_named(self, given: str, said: str) -> None:
        with pytest.raises(SettingsError, match=said) as caught:
            alert_parameters(config.load(env={"TINDON_ALERT__CATEGORIES": given}).settings)
        assert "\n" not in caught.value.message
