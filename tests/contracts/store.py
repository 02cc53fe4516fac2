"""What every store promises; each store's tests inherit this suite and give it a fresh store."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from stores.base import Store
from stores.retention import Ages
from streams.documents import Batch, PostDocument
from tests.contracts.store_documents import (
    BASE,
    DAY,
    MINUTE,
    alert,
    audit,
    claim,
    exemplar,
    post,
    rumor,
    trend,
    triage,
)

Reopen = Callable[[], Store]
EMPTY = {"rumors": 0, "alerts": 0, "posts": 0, "trends": 0}


class StoreContract:
    """Fixtures to give: `store`, empty; `reopen`, which closes it and opens its place again."""

    @staticmethod
    def put(store: Store, **documents: object) -> int:
        stored = store.write(Batch(**documents))  # type: ignore[arg-type]
        store.refresh()
        return stored

    # --- whole documents ----------------------------------------------------------------------

    def test_an_empty_store_answers_every_question(self, store: Store) -> None:
        assert store.counts() == EMPTY
        assert store.rumor("r1") is None
        assert store.alert("a1") is None
        assert store.rumors() == store.alerts() == store.posts("r1") == []
        assert store.trends(0, 2**53) == store.search("đập") == []

    def test_documents_come_back_as_they_were_written(self, store: Store) -> None:
        assert (
            self.put(store, rumors=[rumor()], alerts=[alert()], posts=[post()], trends=[trend()])
            == 4
        )
        assert store.rumor("r1") == rumor()
        assert store.rumors() == [rumor()]
        assert store.alert("a1") == alert()
        assert store.alerts() == [alert()]
        assert store.posts("r1") == [post()]
        assert store.trends(BASE, BASE + 1) == [trend()]
        assert store.counts() == {"rumors": 1, "alerts": 1, "posts": 1, "trends": 1}

    def test_optional_fields_keep_their_values(self, store: Store) -> None:
        bare = rumor(
            level=None, alert_id=None, category=None, signals=[], exemplars=[], timeline=[],
            joins=[], languages={}, platforms={}, communities={}, open=False, headline="",
            score=0.0,
        )  # fmt: skip
        full = alert(
            level="confirm",
            status="dismissed",
            confirmed_at=BASE + 1,
            category="bank",
            languages=[],
            triage=triage(match=replace(triage().match, verdict=None, published_at=None)),
        )
        rich = post(
            community="Hội chợ", url="https://example.org/a?b=1#c", reply_to="p0", repost_of="p00",
            kind="correction", flags=[], platform=None,
        )  # fmt: skip
        self.put(store, rumors=[bare], alerts=[full], posts=[rich])
        assert store.rumor("r1") == bare
        assert store.alert("a1") == full
        assert store.posts("r1") == [rich]

    def test_every_field_keeps_a_value_of_its_own(self, store: Store) -> None:
        """No field of any document is left at its default here: one that a store forgets is seen."""
        full = Batch(
            rumors=[rumor(merged_into="r2", open=False, vector=bytes([1, *[0] * 255]))],
            alerts=[
                alert(confirmed_at=BASE + 1, communities={"Hội chợ": 3}, category="bank", merged_into="a2")
            ],
            posts=[
                post(community="Hội chợ", url="https://example.org", reply_to="p0", repost_of="p00")
            ],
            trends=[trend(alerts_confirm=2)],
            claims=[claim(alert_id="a1", muted=True)],
            audits=[audit(taken=False, reason="the alert is new")],
        )  # fmt: skip
        for [document] in (getattr(full, name) for name in full.__struct_fields__):
            for field in fields(document):
                value, default = getattr(document, field.name), field.default
                told = value != default if isinstance(value, bool) else value
                assert told or (value is False and default is NODEFAULT), field.name
        store.write(full)
        store.refresh()
        assert store.rumor("r1") == full.rumors[0]
        assert store.alert("a1") == full.alerts[0]
        assert store.posts("r1") == full.posts
        assert store.trends(BASE, BASE + 1) == full.trends
        assert store.claims() == full.claims
        assert store.audit() == full.audits

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Ko tin đc đâu ạ 😱👨‍👩‍👧‍👦",
            "e\u0301 decomposed, é composed",
            'quotes " and \\ and \n newlines \t tabs',
            "nul \x00 inside, bell \x07",
            "ข่าวลือ 東京 서울 हिन्दी عربي עברית",
            "\u202eright to left\u2028line",
            "x" * 40_000,
        ],
        ids=["empty", "emoji", "normal-forms", "escapes", "control", "scripts", "marks", "long"],
    )
    def test_any_text_survives(self, store: Store, text: str) -> None:
        self.put(
            store,
            posts=[post(text=text)],
            rumors=[rumor(headline=text, exemplars=[exemplar(text=text)])],
        )
        assert store.posts("r1") == [post(text=text)]
        assert store.rumor("r1") == rumor(headline=text, exemplars=[exemplar(text=text)])

    @pytest.mark.parametrize("name", ["a/b?c#d", "kênh 📢", "_x", "..", "p" * 600, '"', "a b"])
    def test_any_id_survives(self, store: Store, name: str) -> None:
        self.put(store, posts=[post(name, source=name, rumor_id="r1")])
        assert store.posts("r1") == [post(name, source=name)]

    def test_ids_of_two_sources_do_not_collide(self, store: Store) -> None:
        both = [post("b:c", source="a"), post("c", source="a:b")]
        self.put(store, posts=both)
        assert len(store.posts("r1")) == 2

    # --- versions -----------------------------------------------------------------------------

    def test_an_older_version_never_overwrites(self, store: Store) -> None:
        self.put(
            store,
            rumors=[rumor(version=5)],
            alerts=[alert(version=5)],
            posts=[post(version=5)],
            trends=[trend(version=5)],
        )
        stored = self.put(
            store,
            rumors=[rumor(version=4, headline="old", score=99.0, merged_into="r2")],
            alerts=[alert(version=4, headline="old", merged_into="a2")],
            posts=[post(version=4, text="old", rumor_id="r2")],
            trends=[trend(version=4, posts=0)],
        )
        assert stored == 0
        assert store.rumors() == [rumor(version=5)]
        assert store.alerts() == [alert(version=5)]
        assert store.posts("r1") == [post(version=5)]
        assert store.posts("r2") == store.search("old") == []
        assert store.trends(BASE, BASE + 1) == [trend(version=5)]

    def test_a_newer_version_takes_the_place(self, store: Store) -> None:
        self.put(store, rumors=[rumor()], alerts=[alert()], posts=[post()], trends=[trend()])
        stored = self.put(
            store,
            rumors=[rumor(version=2, score=9.0)],
            alerts=[alert(version=2, status="closed")],
            posts=[post(version=2, text="entirely different", rumor_id="r2")],
            trends=[trend(version=2, posts=6)],
        )
        assert stored == 4
        assert store.rumors() == [rumor(version=2, score=9.0)]
        assert store.alerts() == [alert(version=2, status="closed")]
        assert store.posts("r1") == []
        assert store.posts("r2") == [post(version=2, text="entirely different", rumor_id="r2")]
        assert store.search("Nghe nói") == []
        assert len(store.search("different")) == 1
        assert store.trends(BASE, BASE + 1) == [trend(version=2, posts=6)]
        assert store.counts() == {"rumors": 1, "alerts": 1, "posts": 1, "trends": 1}

    def test_an_equal_version_changes_nothing(self, store: Store) -> None:
        for _ in range(3):
            self.put(store, rumors=[rumor()], alerts=[alert()], posts=[post()], trends=[trend()])
        assert store.counts() == {"rumors": 1, "alerts": 1, "posts": 1, "trends": 1}
        assert store.rumors() == [rumor()]
        assert store.search("đập") == [post()]

    def test_the_newest_of_one_batch_stays(self, store: Store) -> None:
        order = (2, 3, 1)
        self.put(
            store,
            rumors=[rumor(version=v, score=float(v)) for v in order],
            posts=[post(version=v, text=f"word{v}") for v in order],
        )
        assert store.rumors() == [rumor(version=3, score=3.0)]
        assert store.search("word3") == [post(version=3, text="word3")]
        assert store.search("word1") == store.search("word2") == []

    def test_an_empty_batch_is_written(self, store: Store) -> None:
        assert self.put(store) == 0
        assert store.counts() == EMPTY

    # --- questions ----------------------------------------------------------------------------

    def test_alerts_are_newest_first_then_by_id(self, store: Store) -> None:
        raised = {"a4": BASE, "a1": BASE + 2, "a3": BASE + 1, "a2": BASE + 1, "A5": BASE + 1}
        self.put(store, alerts=[alert(name, raised_at=at) for name, at in raised.items()])
        assert [a.alert_id for a in store.alerts()] == ["a1", "A5", "a2", "a3", "a4"]

    def test_alerts_filter_by_level_status_and_rumor(self, store: Store) -> None:
        self.put(
            store,
            alerts=[
                alert("a1", level="confirm", status="new", rumor_id="r1"),
                alert("a2", level="suggest", status="new", rumor_id="r2"),
                alert("a3", level="confirm", status="closed", rumor_id="r2"),
            ],
        )
        ids = lambda found: [a.alert_id for a in found]  # noqa: E731
        assert ids(store.alerts(level="confirm")) == ["a1", "a3"]
        assert ids(store.alerts(status="new")) == ["a1", "a2"]
        assert ids(store.alerts(rumor_id="r2")) == ["a2", "a3"]
        assert ids(store.alerts(level="confirm", status="closed", rumor_id="r2")) == ["a3"]
        assert ids(store.alerts(level="suggest", status="closed")) == []

    def test_rumors_are_highest_score_first_then_by_id(self, store: Store) -> None:
        scores = {"r3": 1.5, "r1": -0.5, "r2": 1.5, "r4": 1.5000000001}
        self.put(store, rumors=[rumor(name, score=score) for name, score in scores.items()])
        assert [r.rumor_id for r in store.rumors()] == ["r4", "r2", "r3", "r1"]

    def test_open_only_leaves_closed_rumors_out(self, store: Store) -> None:
        self.put(store, rumors=[rumor("r1"), rumor("r2", open=False)])
        assert [r.rumor_id for r in store.rumors(open_only=True)] == ["r1"]
        assert len(store.rumors()) == 2

    def test_merged_documents_are_left_out_of_lists_but_can_be_read(self, store: Store) -> None:
        self.put(
            store,
            rumors=[rumor("r1"), rumor("r2", merged_into="r1")],
            alerts=[alert("a1"), alert("a2", merged_into="a1")],
        )
        assert [r.rumor_id for r in store.rumors()] == ["r1"]
        assert [a.alert_id for a in store.alerts(rumor_id="r1")] == ["a1"]
        assert store.rumor("r2") == rumor("r2", merged_into="r1")
        assert store.alert("a2") == alert("a2", merged_into="a1")
        assert store.counts()["rumors"] == store.counts()["alerts"] == 2

    def test_posts_are_oldest_first_then_by_key(self, store: Store) -> None:
        times = {"p9": 2, "p1": 3, "p3": 1, "p2": 1}
        self.put(
            store,
            posts=[post(name, created_at=BASE + at) for name, at in times.items()]
            + [post("other", rumor_id="r2", created_at=BASE)],
        )
        assert [p.post_id for p in store.posts("r1")] == ["p2", "p3", "p9", "p1"]

    def test_posts_of_different_days_are_one_list(self, store: Store) -> None:
        days = [post(f"p{day}", created_at=BASE + day * DAY) for day in range(4)]
        self.put(store, posts=days[::-1])
        assert store.posts("r1") == days

    def test_trends_are_a_half_open_range_in_time_order(self, store: Store) -> None:
        buckets = [BASE + i * 5 * MINUTE for i in range(6)]
        self.put(
            store,
            trends=[trend(b, language=lang) for b in reversed(buckets) for lang in ("vi", "en")]
            + [trend(buckets[1], platform="chat", language="en")]
            + [trend(buckets[1], language="en", category="disaster")],
        )
        found = store.trends(buckets[1], buckets[3])
        assert [(t.bucket, t.language, t.platform, t.category) for t in found] == [
            (buckets[1], "en", "chat", "health"),
            (buckets[1], "en", "forum", "disaster"),
            (buckets[1], "en", "forum", "health"),
            (buckets[1], "vi", "forum", "health"),
            (buckets[2], "en", "forum", "health"),
            (buckets[2], "vi", "forum", "health"),
        ]
        assert len(store.trends(0, 2**50)) == 14

    def test_pages_cover_everything_once(self, store: Store) -> None:
        self.put(
            store,
            rumors=[rumor(f"r{i:02d}", score=float(i % 3)) for i in range(25)],
            alerts=[alert(f"a{i:02d}", raised_at=BASE + i % 4) for i in range(25)],
            posts=[post(f"p{i:02d}", created_at=BASE + i % 5) for i in range(25)],
        )
        for question in (store.rumors, store.alerts, lambda **page: store.posts("r1", **page)):
            whole = question(limit=100)
            assert len(whole) == 25
            pages = [
                document for at in range(0, 30, 7) for document in question(limit=7, offset=at)
            ]
            assert pages == whole

    def test_the_default_page_is_100(self, store: Store) -> None:
        self.put(store, posts=[post(str(i)) for i in range(120)])
        assert len(store.posts("r1")) == 100
        assert len(store.search("đập")) == 50

    # --- similar rumors ---------------------------------------------------------------------

    def test_similar_rumors_are_nearest_first_then_by_id(self, store: Store) -> None:
        def pointing(*components: int) -> bytes:
            return np.array([*components, *[0] * (256 - len(components))], np.int8).tobytes()

        near = {"r1": (127,), "r5": (100, 50), "r3": (-127,), "r2": (0, 127), "r4": (0, 90)}
        self.put(
            store,
            rumors=[rumor(name, vector=pointing(*at)) for name, at in near.items()]
            + [
                rumor("closed", vector=pointing(127, 10), open=False, born_at=BASE - 40 * DAY),
                rumor("merged", vector=pointing(127), merged_into="r1"),
                rumor("bare"),
                rumor("zero", vector=bytes(256)),
                rumor("foreign", vector=bytes([1]) * 384),
            ],
        )
        found = store.similar("r1")
        assert [one.rumor.rumor_id for one in found] == ["closed", "r5", "r2", "r4", "r3"]
        expected = [127 / np.hypot(127, 10), 100 / np.hypot(100, 50), 0, 0, -1]
        assert [one.cosine for one in found] == pytest.approx(expected)
        assert found[1].rumor == rumor("r5", vector=pointing(100, 50))
        assert [one.rumor.rumor_id for one in store.similar("r1", limit=2)] == ["closed", "r5"]
        for name in ("bare", "zero", "foreign", "none"):
            assert store.similar(name) == []

    def test_similar_follows_the_newest_vector(self, store: Store) -> None:
        one, other = bytes([127, *[0] * 255]), bytes([0, 127, *[0] * 254])
        self.put(store, rumors=[rumor("r1", vector=one), rumor("r2", vector=other)])
        assert store.similar("r1")[0].cosine == 0
        self.put(store, rumors=[rumor("r2", version=2, vector=one)])
        assert store.similar("r1")[0].cosine == 1
        self.put(store, rumors=[rumor("r2", version=1, vector=other)])
        assert store.similar("r1")[0].cosine == 1

    # --- the desk -----------------------------------------------------------------------------

    def test_claims_come_back_newest_first_and_a_newer_version_replaces(self, store: Store) -> None:
        own = claim("c2", origin="verdict", alert_id="a1", published_at=None, since=BASE + 1)
        muted = claim("c3", origin="mute", verdict=None, muted=True, texts=[], rating="", source="")
        assert self.put(store, claims=[claim(), own, muted]) == 3
        assert store.claims() == [own, claim(), muted]
        assert store.claims(limit=1, offset=1) == [claim()]
        assert store.claim("c2") == own
        assert store.claim("c9") is None
        self.put(store, claims=[claim(version=2, returned=3), claim(version=1, returned=9)])
        assert store.claim("c1") == claim(version=2, returned=3)

    def test_the_audit_is_append_only_and_in_the_order_of_the_log(self, store: Store) -> None:
        refused = audit(
            "x2", version=2, at=BASE, taken=False, reason="the alert is new", given={}, why="",
            alert_id=None, rumor_id=None, status=None,
        )  # fmt: skip
        third = audit("x3", version=3, alert_id="a2")
        assert self.put(store, audits=[audit(), refused, third]) == 3
        assert store.audit() == [third, refused, audit()]
        assert store.audit(alert_id="a1") == [audit()]
        assert store.audit(limit=1, offset=1) == [refused]
        assert self.put(store, audits=[audit(version=9, who="nobody", at=audit().at)]) == 0
        assert store.action("x1") == audit()
        assert store.action("x9") is None

    # --- search -------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "query",
        [
            "đập sông mơ",
            "dap song mo",
            "ĐẬP Sông MƠ",
            "vỡ đập",
            "vo dap",
            "đập, (vỡ)!",
            "đâp sòng mớ",
        ],
    )
    def test_search_finds_with_and_without_diacritics(self, store: Store, query: str) -> None:
        marked = post("p1", text="Nghe nói ĐẬP Sông Mơ sắp vỡ?", created_at=BASE)
        plain = post("p2", text="nghe noi dap song mo sap vo", created_at=BASE + 1)
        self.put(store, posts=[marked, plain, post("p3", text="Giá vàng hôm nay tăng")])
        assert store.search(query) == [plain, marked]

    def test_search_asks_for_all_words_and_whole_words(self, store: Store) -> None:
        self.put(store, posts=[post("p1", text="cầu sập ở huyện"), post("p2", text="cầu vồng đẹp")])
        assert [p.post_id for p in store.search("cầu sập")] == ["p1"]
        assert store.search("cầu lũ") == []
        assert store.search("cau vo") == []

    def test_search_finds_chat_spelling(self, store: Store) -> None:
        chat, full = post("p1", text="ko dc chuyển tiền"), post("p2", text="Không được chuyển tiền")
        self.put(store, posts=[chat, full])
        assert {p.post_id for p in store.search("không được")} == {"p1", "p2"}
        assert {p.post_id for p in store.search("ko dc")} == {"p1", "p2"}

    @pytest.mark.parametrize(
        "query", ["", "   ", "?!", "😱", "AND", '"', "*", "a:b", "(", "^x", "-", "NEAR("]
    )
    def test_no_query_is_an_error(self, store: Store, query: str) -> None:
        self.put(store, posts=[post(text="một hai ba")])
        assert store.search(query) == []

    def test_search_finds_other_scripts(self, store: Store) -> None:
        texts = {
            "th": "น้ำท่วมจริงไหม",
            "zh": "东京停电是真的吗",
            "ko": "정전이 사실인가요",
            "hi": "बाढ़ आई है क्या",
        }
        self.put(store, posts=[post(lang, text=text) for lang, text in texts.items()])
        for query, lang in (("น้ำท่วม", "th"), ("停电", "zh"), ("사실인가요", "ko"), ("बाढ़", "hi")):
            assert [p.post_id for p in store.search(query)] == [lang]

    def test_search_gives_the_newest_first_up_to_the_limit(self, store: Store) -> None:
        self.put(store, posts=[post(f"p{i}", created_at=BASE + i * DAY) for i in range(6)])
        assert [p.post_id for p in store.search("đập", limit=3)] == ["p5", "p4", "p3"]

    # --- retention ----------------------------------------------------------------------------

    def test_what_is_past_its_age_goes_but_nothing_of_an_open_rumor(self, store: Store) -> None:
        ages = Ages(posts=30, trends=None, rumors=None, alerts=None)
        assert store.newest() is None
        self.put(
            store,
            rumors=[rumor("open"), rumor("closed", open=False)],
            posts=[
                post("p1", rumor_id="open"),
                post("p2", rumor_id="closed", created_at=BASE + 2 * DAY),
                post("p3", rumor_id="closed", created_at=BASE + 40 * DAY),
            ],
            trends=[trend(), trend(BASE + 40 * DAY), trend(BASE + 39 * DAY)],
        )
        now = store.newest()
        assert now == BASE + 40 * DAY
        for dry_run in (True, False):
            gone = store.expire(ages, now, dry_run=dry_run)
            assert gone == {"posts": 1, "trends": 0, "rumors": 0, "alerts": 0}
        assert store.posts("open") and len(store.posts("closed")) == 1
        assert store.search("dap") == store.posts("closed") + store.posts("open")
        assert store.counts() == {"rumors": 2, "alerts": 0, "posts": 2, "trends": 3}

    # --- size, threads, restarts --------------------------------------------------------------

    def test_a_batch_of_a_thousand_of_each(self, store: Store) -> None:
        numbers = range(1000)
        stored = self.put(
            store,
            rumors=[rumor(f"r{i}") for i in numbers],
            alerts=[alert(f"a{i}") for i in numbers],
            posts=[post(f"p{i}") for i in numbers],
            trends=[trend(BASE + i * 5 * MINUTE) for i in numbers],
        )
        assert stored == 4000
        assert store.counts() == {"rumors": 1000, "alerts": 1000, "posts": 1000, "trends": 1000}
        assert len(store.posts("r1", limit=1000)) == 1000

    def test_two_threads_that_write_leave_the_newest(self, store: Store) -> None:
        errors: list[BaseException] = []

        def work(versions: list[int]) -> None:
            try:
                for version in versions:
                    documents: list[PostDocument] = [
                        post(f"p{i}", version=version) for i in range(20)
                    ]
                    store.write(Batch(posts=documents, rumors=[rumor(version=version)]))
                    store.rumors()
            except BaseException as error:  # the thread's error is the test's
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(versions,))
            for versions in (list(range(0, 30, 2)), list(range(29, 0, -2)))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.refresh()
        assert errors == []
        assert store.rumor("r1") == rumor(version=29)
        assert {p.version for p in store.posts("r1")} == {29}
        assert store.counts()["posts"] == 20

    def test_everything_is_there_after_opening_again(self, store: Store, reopen: Reopen) -> None:
        self.put(
            store, rumors=[rumor(version=3)], alerts=[alert()], posts=[post()], trends=[trend()]
        )
        again = reopen()
        assert again.rumors() == [rumor(version=3)]
        assert again.alerts() == [alert()]
        assert again.search("dap") == [post()]
        assert again.trends(BASE, BASE + 1) == [trend()]
        assert self.put(again, rumors=[rumor(version=2)]) == 0
