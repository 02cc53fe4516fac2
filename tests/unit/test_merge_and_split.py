"""An analyst's word on which rumors are one binds the folds from its place in the log on."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.orders import embedded, order_of
from streams.codec import encode, pack_state, unpack_state
from streams.documents import Batch, PostDocument, RumorDocument
from streams.effects import Effects
from streams.inputs import Action
from streams.records import Frame
from streams.validation import Tick
from tests.fold_scene import (
    BANK,
    DAM,
    DAM_AGAIN,
    DAY,
    DOOR,
    MINUTE,
    START,
    Entry,
    Road,
    alert_fold,
    cluster_fold,
    cut,
    drawn_log,
    frame,
    level,
    post,
)

SEEDS = st.integers(0, 2**32 - 1)
WINDOW = 2 * DAY
LOW = {"suggest": level(0.0, 1, 1), "confirm": level(9.0, 99, 99), "index_posts": 2}


class Bound(Road):
    """A road on which an analyst acts: orders reach the cluster fold as they do on the real ones."""

    def __init__(self, **parameters: Any) -> None:
        super().__init__(cluster_fold(window_ms=WINDOW, **parameters), alert_fold(**LOW))
        self.parameters = parameters
        self.next = 0
        self.actions = 0

    def read(self, *entries: Entry) -> None:
        self.take([frame([*entries, Tick(START)], first=self.next)])
        self.next += len(entries) + 1

    def act(self, deed: Any, alert: str, **fields: Any) -> Effects:
        self.actions += 1
        given = {"id": f"x{self.actions}", "alert": alert, "who": "Mai", "at": START}
        return self.do(Action(deed=deed, **(given | fields)))

    def do(self, action: Action) -> Effects:
        effects = self.alert.take(action)
        self.effects.append(effects)
        self.obey(action, effects)
        return effects

    def obey(self, action: Action, effects: Effects) -> None:
        if (order := order_of(action, effects.moved)) is not None:
            for change in self.cluster.take(embedded(order, DOOR)):
                self.changes.append(change)
                self.effects.append(self.alert.apply(change))
            assert self.cluster.take(embedded(order, DOOR)) == [], "sent again, it finds nothing"

    def again(self) -> None:
        """A new process takes up the checkpoints."""
        clusters, alerts = self.state()
        fresh = Bound(**self.parameters)
        fresh.cluster.restore(unpack_state(clusters))
        fresh.alert.restore(unpack_state(alerts))
        assert fresh.state() == (clusters, alerts)
        self.cluster, self.alert = fresh.cluster, fresh.alert

    @property
    def rumors(self) -> dict[str, Any]:
        return {rumor.id: rumor for rumor in self.alert._standing.tree.rumors.values()}

    @property
    def stored(self) -> Batch:
        """What a store holds by now."""
        batches = [e.batch for e in self.effects] + [self.alert.flush()]
        return Batch(
            rumors=list({d.rumor_id: d for b in batches for d in b.rumors}.values()),
            alerts=list({d.alert_id: d for b in batches for d in b.alerts}.values()),
            posts=list({(d.source, d.post_id): d for b in batches for d in b.posts}.values()),
            audits=[d for b in batches for d in b.audits],
        )

    def rumor_of(self, post_id: str) -> Any:
        return next(r for r in self.rumors.values() if post_id in [p for _, p in r.posts])


def told(text: str, name: str, count: int, first: int = 0) -> list[Entry]:
    return [
        post(f"{name}{n}", f"{text} {chr(97 + n)}{n} {n + 7}", START + n, author=f"{name}-{n}")
        for n in range(first, first + count)
    ]


def two() -> tuple[Bound, Any, Any]:
    """A road with two rumors of three posts; the dam's is the older one."""
    road = Bound()
    road.read(*told(DAM, "d", 3), *told(BANK, "b", 3))
    dam, bank = road.rumor_of("d0"), road.rumor_of("b0")
    assert dam is not bank and len(dam.posts) == len(bank.posts) == 3
    assert dam.alert and bank.alert
    return road, dam, bank


def refused(road: Bound, deed: Any, alert: str, **fields: Any) -> str:
    stands = pack_state(road.alert._standing.tree.state())
    [entry] = road.act(deed, alert, **fields).batch.audits
    assert not entry.taken
    assert pack_state(road.alert._standing.tree.state()) == stands
    return entry.reason


class TestMerge:
    def test_the_older_keeps_its_id_and_the_others_answer_with_it(self) -> None:
        road, dam, bank = two()
        effects = road.act("merge", bank.alert.alert_id, other=dam.id, why="one hoax")
        assert list(road.rumors) == [dam.id]
        assert [(m.loser, m.heir) for m in effects.merged][-1] == (bank.id, dam.id)
        assert {p.rumor_id for p in effects.batch.posts} == {dam.id}
        assert {p.post_id for p in effects.batch.posts} == {"b0", "b1", "b2"}
        store = road.stored
        gone = next(r for r in store.rumors if r.rumor_id == bank.id)
        assert (gone.merged_into, gone.open) == (dam.id, False)
        ended = next(a for a in store.alerts if a.alert_id == bank.alert.alert_id)
        heir = next(a for a in store.alerts if a.alert_id == dam.alert.alert_id)
        assert ended.merged_into == heir.alert_id
        assert [(s.deed, s.who) for s in heir.triage.history] == [("merge", "Mai")]
        assert [(s.deed, s.who) for s in ended.triage.history] == [("merge", "Mai")]
        [join] = next(r for r in store.rumors if r.rumor_id == dam.id).joins
        assert (join.loser, join.by, join.reason) == (bank.id, "Mai", "Merged by Mai: one hoax")
        road.act("acknowledge", bank.alert.alert_id)
        assert dam.alert.status == "acknowledged"

    def test_both_parts_go_on_growing_also_after_a_restart(self) -> None:
        """By the mean over both halves nothing new would be near enough."""
        road, dam, bank = two()
        road.act("merge", dam.id, other=bank.id)
        road.again()
        road.read(
            post("n0", "bà con hạ du thủy điện Hồ Lam sắp vỡ thì sơ tán", START, author="x"),
            post("n1", "Sao Mai hết tiền mặt, ngân hàng cho rút tiền ngay", START, author="y"),
        )
        assert list(road.rumors) == [dam.id]
        assert len(road.rumor_of("n0").posts) == 8

    def test_what_is_refused(self) -> None:
        road, dam, bank = two()
        assert "no alert or rumor" in refused(road, "merge", dam.id, other="a77")
        assert "no alert or rumor" in refused(road, "merge", "a77", other=dam.id)
        assert "one already" in refused(road, "merge", dam.id, other=dam.alert.alert_id)
        assert "say which" in refused(road, "merge", dam.id)
        road.act("dismiss", bank.id, why="an advert")
        road.act("close", bank.id)
        assert "closed" in refused(road, "merge", dam.id, other=bank.id)
        assert "reopen it first" in refused(road, "merge", bank.id, other=dam.id)

    def test_a_merged_one_is_one_already(self) -> None:
        road, dam, bank = two()
        road.act("merge", dam.id, other=bank.id)
        assert "one already" in refused(road, "merge", dam.id, other=bank.alert.alert_id)


def mixed() -> tuple[Bound, Any]:
    """One rumor of one micro-cluster: three posts of a dam, and three of another dam."""
    road = Bound(micro_threshold=0.15)
    other = DAM.replace("Hồ Lam", "Sông Bạc").replace("trong đêm nay", "ngay")
    road.read(*told(DAM, "d", 3), *told(other, "s", 3), post("c0", f"{other} a0 7", START + 9))
    rumor = road.rumor_of("d0")
    assert len(rumor.posts) == 7
    assert len({kept.micro for kept in rumor.kept}) == 1, "the split must cross a micro-cluster"
    return road, rumor


class TestSplit:
    def test_across_a_micro_cluster(self) -> None:
        road, rumor = mixed()
        micro = rumor.kept[0].micro
        effects = road.act("split", rumor.id, posts=["s0", "s1", "s2"], why="two dams")
        part = road.rumor_of("s0")
        assert part.id != rumor.id
        # An exact copy of a named post goes along.
        assert [p for _, p in part.posts] == ["s0", "s1", "s2", "c0"]
        assert [p for _, p in rumor.posts] == ["d0", "d1", "d2"]
        assert {kept.micro for kept in rumor.kept} == {micro}
        assert micro not in {kept.micro for kept in part.kept}
        assert {p.post_id: p.rumor_id for p in effects.batch.posts} == dict.fromkeys(
            ["s0", "s1", "s2", "c0"], part.id
        )
        assert [(m.post.id, m.rumor) for m in effects.moved] == [
            (p, part.id) for p in ("s0", "s1", "s2", "c0")
        ]
        assert part.alert is not None, "it is an alert of its own by what it carries"
        for one in (rumor, part):
            [split] = next(r for r in road.stored.rumors if r.rumor_id == one.id).splits
            assert (split.rumor, split.part, split.by, split.why, split.posts) == (
                rumor.id, part.id, "Mai", "two dams", 4
            )  # fmt: skip
        assert [(s.deed, s.who) for s in rumor.alert.triage.history] == [("split", "Mai")]
        [entry] = effects.batch.audits
        assert (entry.given["part"], entry.given["posts"]) == (part.id, "s0 s1 s2")

    def test_what_comes_later_goes_to_the_nearer_one_and_they_stay_two(self) -> None:
        road, rumor = mixed()
        road.act("split", rumor.id, posts=["s0", "s1", "s2"])
        part = road.rumor_of("s0")
        road.again()
        other = DAM.replace("Hồ Lam", "Sông Bạc").replace("trong đêm nay", "ngay")
        road.read(
            *told(other, "t", 4, first=4),
            *told(DAM, "e", 4, first=4),
            post("r0", "x", START, repost_of="s1"),
            post("r1", "có thật không?", START, reply_to="s2"),
            post("r2", f"{other} c2 9", START),
        )
        assert {road.rumor_of(f"t{n}").id for n in range(4, 8)} == {part.id}
        assert {road.rumor_of(f"e{n}").id for n in range(4, 8)} == {rumor.id}
        assert {road.rumor_of(f"r{n}").id for n in range(3)} == {part.id}
        assert road.rumors.keys() == {rumor.id, part.id}

    def test_of_whole_micro_clusters_that_likeness_would_join_again(self) -> None:
        road = Bound(micro_threshold=0.95)
        road.read(*told(DAM, "d", 3), *told(DAM_AGAIN, "a", 3))
        rumor = road.rumor_of("d0")
        assert len(rumor.posts) == 6
        effects = road.act("split", rumor.id, posts=["a0", "a1", "a2"])
        assert order_of(Action(id="", deed="split", alert="", who="", at=0), effects.moved) is None
        part = road.rumor_of("a0")
        road.read(*told(DAM_AGAIN, "b", 8, first=8), *told(DAM, "e", 8, first=8))
        assert {rumor.id, part.id} <= road.rumors.keys()
        assert road.rumor_of("d0").id == rumor.id and road.rumor_of("a0").id == part.id

    def test_the_sums_of_both_are_those_of_their_posts(self) -> None:
        road, rumor = mixed()
        road.act("split", rumor.id, posts=["s0", "s1", "s2"])
        part = road.rumor_of("s0")
        for one, posts, voices in ((rumor, 3, 3), (part, 4, 4)):
            assert sum(one.languages.values()) == sum(one.timeline.values()) == posts
            assert len(one.voices) == voices
            assert one.texts == 3  # exact copies count once
            assert len(one.kept) == len(one.marks) == posts

    def test_what_is_refused(self) -> None:
        road, rumor = mixed()
        road.read(*told(BANK, "b", 2))
        assert "no post of" in refused(road, "split", rumor.id, posts=["b0"])
        assert "no post of" in refused(road, "split", rumor.id, posts=["d0", "zz"])
        assert "needs the ids" in refused(road, "split", rumor.id)
        every = [p for _, p in rumor.posts]
        assert "all of" in refused(road, "split", rumor.id, posts=every)
        assert "no alert or rumor" in refused(road, "split", "a77", posts=["d0"])
        road.act("dismiss", rumor.id, why="an advert")
        road.act("close", rumor.id)
        assert "reopen it first" in refused(road, "split", rumor.id, posts=["s0"])

    def test_only_kept_posts_can_be_named(self) -> None:
        def copies(first: int, end: int) -> list[Entry]:
            return [
                post(f"d{n}", f"{DAM} {n % 6}", START + n, author=f"d-{n}")
                for n in range(first, end)
            ]

        road = Bound(micro_threshold=0.15)
        road.read(*copies(0, 205))
        rumor = road.rumor_of("d0")
        assert len(rumor.posts) == 205
        assert "first 200 posts" in refused(road, "split", rumor.id, posts=["d203"])
        road.act("split", rumor.id, posts=["d3"])
        going = len([n for n in range(200) if n % 6 == 3])
        assert len(rumor.posts) == 205 - going and len(rumor.kept) == 200 - going
        road.read(*copies(300, 306))
        assert sum(rumor.languages.values()) == len(rumor.posts) == 205 - going + 5
        assert len(road.rumor_of("d3").posts) == going + 1, "a copy of what moved follows it"

    def test_the_opposite_action_lifts_it_and_says_so(self) -> None:
        road, rumor = mixed()
        road.act("split", rumor.id, posts=["s0", "s1", "s2"])
        part = road.rumor_of("s0")
        [entry] = road.act("merge", rumor.id, other=part.id, who="Nam").batch.audits
        assert entry.given["lifts"] == "the split by Mai"
        assert list(road.rumors) == [rumor.id]
        assert len(rumor.posts) == 7
        # The last word holds: parted once more, under another id.
        road.act("split", rumor.id, posts=["s0", "s1", "s2"])
        assert road.rumor_of("s0").id not in (rumor.id, part.id)
        road.read(Tick(START + MINUTE))
        assert len(road.rumors) == 2

    def test_it_ends_with_the_window_and_leaves_nothing_behind(self) -> None:
        road, rumor = mixed()
        road.act("split", rumor.id, posts=["s0", "s1", "s2"])
        two_, dam = Bound(), None
        two_.read(*told(DAM, "d", 3), *told(BANK, "b", 3))
        dam = two_.rumor_of("d0")
        two_.act("merge", dam.id, other=two_.rumor_of("b0").id)
        for one in (road, two_):
            one.read(
                Tick(START + WINDOW + 2 * DAY), post("z0", BANK[:20], START + WINDOW + 2 * DAY)
            )
            tree = one.alert._standing.tree
            assert [p for r in tree.rumors.values() for _, p in r.posts] == ["z0"]
            assert tree.bars.state() == tree.expected.state() == []
            assert tree.parts.state() == {"labels": [], "rumors": []}

    def test_words_of_a_micro_cluster_that_left_the_window_lead_to_no_part(self) -> None:
        """Whether the fold has forgotten them by then is a matter of its memory."""
        told_of: list[tuple[bytes, bytes]] = []
        for restarted in (False, True):
            road, later = Bound(), START + WINDOW + 2 * DAY
            road.read(post("d0", DAM))
            road.read(
                Tick(later),
                *(post(f"b{n}", f"{BANK} {n}", later, author=f"b-{n}") for n in range(3)),
                post("r0", DAM, later, repost_of="b0", author="r"),  # DAM led to d0's micro-cluster
                Tick(later + MINUTE),
            )
            if restarted:
                road.again()
            split = road.act("split", road.rumor_of("b0").id, posts=["r0"])
            assert [p for _, p in road.rumors[split.batch.audits[0].given["part"]].posts] == ["r0"]
            road.read(post("d1", DAM, later + MINUTE), Tick(later + 2 * MINUTE))
            told_of.append(road.state())
        assert told_of[0] == told_of[1]

    def test_an_order_that_finds_nothing_any_more_leaves_no_empty_rumor(self) -> None:
        """The micro-cluster left the window before the order reached the cluster fold."""
        road, rumor = mixed()
        action = Action(
            id="late", deed="split", alert=rumor.id, who="Mai", at=0, posts=["s0", "s1", "s2"]
        )
        effects = road.alert.take(action)
        order = order_of(action, effects.moved)
        assert order is not None
        assert len(road.rumors) == 2
        road.read(Tick(START + WINDOW + 2 * DAY), post("z0", BANK[:20], START + WINDOW + 2 * DAY))
        assert road.cluster.take(embedded(order, DOOR)) == []
        assert [p for r in road.rumors.values() for _, p in r.posts] == ["z0"]


# --- drawn by chance -----------------------------------------------------------------------------


def drawn_actions(road: Bound, chance: random.Random, number: int) -> Action | None:
    """Something that an analyst might do as things stand, refused or not."""
    rumors = sorted((r for r in road.rumors.values() if r.alert), key=lambda r: r.number)
    bare = sorted(r.id for r in road.rumors.values() if not r.alert)
    given = {"id": f"x{number}", "who": "Mai", "at": START}
    if bare and chance.random() < 0.2:
        return Action(deed="raise", alert=chance.choice(bare), **given)
    if not rumors:
        return None
    one = chance.choice(rumors)
    given["alert"] = one.id
    if chance.random() < 0.5:
        return Action(deed="merge", other=chance.choice(rumors).alert.alert_id, **given)
    ids = [p for _, p in one.posts]
    named = chance.sample(ids, min(len(ids), chance.randint(1, 4)))
    return Action(deed="split", posts=named, **given)


def log_of(seed: int) -> list[Frame | Action]:
    """A log with actions between its frames."""
    chance = random.Random(seed)
    whole = frame(drawn_log(seed, chance.choice([60, 160]), window_ms=WINDOW))
    pieces = cut(whole, [chance.randrange(len(whole.offsets)) for _ in range(12)])
    scout, log = Bound(micro_threshold=0.6), list[Frame | Action]()
    for number, piece in enumerate(pieces):
        log.append(piece)
        scout.take([piece])
        if (action := drawn_actions(scout, chance, number)) is not None:
            log.append(action)
            scout.do(action)
    return log


def run(log: list[Frame | Action], chance: random.Random | None = None) -> Bound:
    """Fold it; with chance: cut, restarted and with actions repeated."""
    road, done = Bound(micro_threshold=0.6), list[Action]()
    for one in log:
        if isinstance(one, Action):
            road.do(one)
            done.append(one)
            if chance is not None:
                for action in chance.sample(done, min(2, len(done))):
                    repeated = road.alert.take(action)
                    assert not repeated.batch and not repeated.moved and not repeated.merged
        else:
            points = [chance.randrange(len(one.offsets)) for _ in range(3)] if chance else []
            road.take(cut(one, points))
        if chance is not None and chance.random() < 0.5:
            clusters, alerts = road.state()
            road.cluster = cluster_fold(window_ms=WINDOW, micro_threshold=0.6)
            road.alert = alert_fold(**LOW)
            road.cluster.restore(unpack_state(clusters))
            road.alert.restore(unpack_state(alerts))
    return road


def said(road: Bound) -> tuple[list[bytes], list[bytes], tuple[bytes, bytes]]:
    kept = [e for e in road.effects if e.batch or e.assigned or e.moved or e.merged]
    return (
        [encode(change) for change in road.changes],
        [msgspec.msgpack.encode(effects) for effects in kept],
        road.state(),
    )


@given(seed=SEEDS, other=SEEDS)
@settings(max_examples=12)
def test_cuts_restarts_and_repeats_change_nothing(seed: int, other: int) -> None:
    log = log_of(seed)
    assert said(run(log, random.Random(other))) == said(run(log))


@given(seed=SEEDS)
@settings(max_examples=25)
def test_the_last_word_on_two_posts_holds(seed: int) -> None:
    """Whatever comes: what was parted last stays two, what was merged last stays one."""
    road = Bound(micro_threshold=0.6)
    words: dict[tuple[int, int], bool] = {}  # places of two posts in the folded order -> one
    for one in log_of(seed):
        if not isinstance(one, Action):
            road.take([one])
        else:
            effects = road.alert.take(one)
            [entry] = effects.batch.audits
            own = places(road.rumors[entry.rumor_id or ""]) if entry.taken else []
            if entry.taken and one.deed == "split":
                part = places(road.rumors[entry.given["part"]])
                words |= {pair: False for a in part for b in own for pair in ((a, b), (b, a))}
            elif one.deed == "merge":
                words |= {(a, b): True for a in own for b in own}
            road.obey(one, effects)
        now = {place: r.id for r in road.rumors.values() for place in places(r)}
        for (a, b), is_one in words.items():
            if a in now and b in now:
                assert (now[a] == now[b]) == is_one, (a, b)


def places(rumor: Any) -> list[int]:
    return [place for place, _ in rumor.posts]


@given(seed=SEEDS)
@settings(max_examples=12)
def test_every_post_is_in_one_rumor_and_the_store_says_which(seed: int) -> None:
    road = run(log_of(seed))
    rumors = road.rumors
    places = [place for r in rumors.values() for place, _ in r.posts]
    assert len(places) == len(set(places))
    newest: dict[tuple[str, str], PostDocument] = {}
    documents: dict[str, RumorDocument] = {}
    for batch in [*(e.batch for e in road.effects), road.alert.flush()]:
        newest |= {(p.source, p.post_id): p for p in batch.posts}
        documents |= {r.rumor_id: r for r in batch.rumors}
    last: dict[tuple[str, str], int] = {}  # an id that was forgotten may be folded again
    for rumor in rumors.values():
        for kept, (place, _) in zip(rumor.kept, rumor.marks, strict=True):
            last[kept.source, kept.id] = max(place, last.get((kept.source, kept.id), -1))
    for rumor in rumors.values():
        assert rumor.posts, "no rumor stands empty"
        if rumor.indexed:
            own = zip(rumor.kept, rumor.marks, strict=True)
            stored = {
                newest[k.source, k.id].rumor_id for k, m in own if m[0] == last[k.source, k.id]
            }
            assert stored <= {rumor.id}
            assert documents[rumor.id].posts == len(rumor.posts)
            assert documents[rumor.id].open


@pytest.mark.parametrize("deed", ["merge", "split", "raise"])
def test_a_claim_can_be_neither_merged_nor_split_nor_raised(deed: Any) -> None:
    road, dam, bank = two()
    effects = road.act("verdict", dam.id, verdict="fake", links=["https://example.org/dam"])
    [claim] = effects.batch.claims
    reason = refused(road, deed, claim.claim_id, other=bank.id, posts=["d0"])
    assert "can be muted and unmuted" in reason
