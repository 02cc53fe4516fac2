"""The built-in scenario keeps its promises: repeatable, valid, varied, and truthfully labelled."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from streams.sources import scenario
from streams.sources.scenario.bank import load_bank
from streams.sources.scenario.grammar import PhraseError, render, wordings
from streams.sources.scenario.noise import HABITS, Teencode, fold, roughen

ROOT = Path(__file__).resolve().parents[2]
FIELDS = {
    "id", "text", "created_at", "lang", "author", "platform", "community", "url", "reply_to",
    "repost_of", "reach", "kind", "source",
}  # fmt: skip
REQUIRED = FIELDS - {"lang", "url"}

Posts = list[dict[str, Any]]


def as_bytes(posts: Posts) -> bytes:
    return "\n".join(json.dumps(post, ensure_ascii=False) for post in posts).encode()


def told_by_story(posts: Posts, bank: str = "main") -> dict[str, Posts]:
    truth = scenario.truth(bank=bank)
    found: dict[str, Posts] = defaultdict(list)
    for post in posts:
        story = truth[post["id"]].story
        if story is not None:
            found[story].append(post)
    return found


@pytest.fixture(scope="module")
def posts() -> Posts:
    return scenario.generate()


@pytest.fixture(scope="module")
def second() -> Posts:
    return scenario.generate(bank="second")


def test_the_same_seed_gives_the_same_bytes_in_another_process(
    posts: Posts, tmp_path: Path
) -> None:
    out = tmp_path / "posts.jsonl"
    command = [sys.executable, "-m", "streams.sources.scenario", "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=60)
    assert out.read_bytes() == as_bytes(posts) + b"\n"


def test_another_seed_gives_other_posts(posts: Posts) -> None:
    other = scenario.generate(seed=8)
    texts = {post["text"] for post in posts}
    assert as_bytes(other) != as_bytes(posts)
    assert sum(post["text"] in texts for post in other) < len(other) / 2


def test_there_are_at_least_six_thousand_posts_within_one_day(posts: Posts) -> None:
    assert 6_000 <= len(posts) <= 8_000
    moments = [datetime.fromisoformat(post["created_at"]) for post in posts]
    assert timedelta(hours=23) < moments[-1] - moments[0] < timedelta(hours=24)
    assert moments[0].utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_posts_are_sorted_with_unique_ids_and_valid_fields(bank: str) -> None:
    posts = scenario.generate(bank=bank)
    keys = [(post["created_at"], post["id"]) for post in posts]
    assert keys == sorted(keys)
    assert len({post["id"] for post in posts}) == len(posts)
    for post in posts:
        assert set(post) >= REQUIRED
        assert set(post) <= FIELDS
        assert post["text"].strip() == post["text"] != ""
        assert not set("[]{}|") & set(post["text"]), post["text"]
        assert post["kind"] in {"post", "tip", "correction"}
        assert post["source"] == "scenario"
        assert isinstance(post["reach"], int) and post["reach"] >= 0
        assert post["author"] and post["platform"] and post["community"]


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_replies_and_reposts_name_an_earlier_post_of_the_same_story(bank: str) -> None:
    posts = scenario.generate(bank=bank)
    truth = scenario.truth(bank=bank)
    seen: set[str] = set()
    links = Counter[str]()
    for post in posts:
        for link in ("reply_to", "repost_of"):
            if post[link] is not None:
                assert post[link] in seen
                assert truth[post[link]].story == truth[post["id"]].story
                links[link] += 1
        seen.add(post["id"])
    assert min(links["reply_to"], links["repost_of"]) > 100


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_at_least_fifteen_rumors_have_eight_posts_of_four_authors(bank: str) -> None:
    told = told_by_story(scenario.generate(bank=bank), bank)
    rumors = [story for story in scenario.stories(bank) if story.kind == "rumor"]
    assert len(rumors) >= 15
    for story in rumors:
        assert len(told[story.id]) == story.posts >= 8
        assert len({post["author"] for post in told[story.id]}) >= 4


def test_stories_differ_in_size_and_kind(posts: Posts) -> None:
    stories = scenario.stories()
    sizes = [story.posts for story in stories if story.kind == "rumor"]
    assert min(sizes) <= 15
    assert max(sizes) >= 300
    assert {story.kind for story in stories} == {
        "rumor", "true-breaking", "advert", "greeting", "viral",
    }  # fmt: skip
    assert {post["kind"] for post in posts} == {"post", "tip", "correction"}


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_no_wording_makes_up_half_of_a_rumor(bank: str) -> None:
    kinds = {story.id: story.kind for story in scenario.stories(bank)}
    for story, posts in told_by_story(scenario.generate(bank=bank), bank).items():
        if kinds[story] in {"rumor", "true-breaking"}:
            wording, count = Counter(post["text"] for post in posts).most_common(1)[0]
            assert count <= len(posts) / 2, f"{story}: {wording}"


def test_rumors_are_doubted_denied_and_corrected() -> None:
    roles: dict[str, set[str]] = defaultdict(set)
    for real in scenario.truth().values():
        if real.story:
            roles[real.story].add(real.role)
    rumors = [story.id for story in scenario.stories() if story.kind == "rumor"]
    for story in rumors:
        assert {"rumor-claim", "enquiry"} <= roles[story], story
    assert sum({"denial", "correction"} <= roles[story] for story in rumors) >= 12


def test_corrections_come_from_an_office_after_the_claim(posts: Posts) -> None:
    truth = scenario.truth()
    begun: set[str] = set()
    for post in posts:
        real = truth[post["id"]]
        if post["kind"] == "correction":
            assert real.role == "correction"
            assert real.story in begun
        if real.story and real.role == "rumor-claim":
            begun.add(real.story)


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_several_languages_tell_the_same_rumor(bank: str) -> None:
    languages: dict[str, set[str]] = defaultdict(set)
    for real in scenario.truth(bank=bank).values():
        languages[real.story or "chatter"].add(real.lang)
    assert len(set().union(*languages.values())) >= 4
    rumors = [story.id for story in scenario.stories(bank) if story.kind == "rumor"]
    assert sum(len(languages[story]) >= 3 for story in rumors) >= 3


def test_vietnamese_comes_with_and_without_diacritics_and_in_teencode(posts: Posts) -> None:
    truth = scenario.truth()
    texts = [post["text"] for post in posts if truth[post["id"]].lang == "vi"]
    bare = sum(text == fold(text) for text in texts) / len(texts)
    assert 0.2 < bare < 0.6
    words = Counter(word for text in texts for word in text.lower().split())
    assert min(words[short] for short in ("ko", "k", "ng", "r", "cx")) >= 10
    assert any(text.isupper() for text in texts)


def test_chatter_is_no_single_story(posts: Posts) -> None:
    truth = scenario.truth()
    texts = [post["text"] for post in posts if truth[post["id"]].story is None]
    assert len(texts) > 700
    _, most = Counter(fold(text).lower() for text in texts).most_common(1)[0]
    assert most < len(texts) * 0.01


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_no_sentence_of_the_chatter_is_said_more_than_three_times_a_day(bank: str) -> None:
    truth = scenario.truth(bank=bank)
    drawn = load_bank(bank)
    sentences = [line for parts in drawn.topics.values() for line in parts[1]]
    # The longest run of fixed words stands for the sentence, however its slots are filled.
    fixed = {max(re.split(r"[\[{][^\]}]*[\]}]|[,.?:]", s), key=len).strip() for s in sentences}
    told = [
        post["text"].lower()
        for post in scenario.generate(bank=bank)
        if truth[post["id"]].story is None
    ]
    for part in fixed:
        if part.count(" ") >= 3:
            assert sum(part.lower() in text for text in told) <= 3, part


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_chatter_replies_stand_below_chatter(bank: str) -> None:
    truth = scenario.truth(bank=bank)
    replies = [post for post in scenario.generate(bank=bank) if post["reply_to"]]
    below = [truth[post["reply_to"]] for post in replies if truth[post["id"]].role == "chatter"]
    assert len(below) > 30
    assert {real.role for real in below} == {"chatter"}


@pytest.mark.parametrize("bank", scenario.BANKS)
def test_most_posts_of_a_rumor_name_what_it_is_about(bank: str) -> None:
    """A word pair that is frequent in the story and rare elsewhere stands in most of its texts."""
    told = {
        story.id: [set(fold(post["text"]).lower().split()) for post in posts]
        for story, posts in (
            (story, told_by_story(scenario.generate(bank=bank), bank)[story.id])
            for story in scenario.stories(bank)
            if story.kind == "rumor"
        )
    }
    every = Counter(word for texts in told.values() for words in texts for word in words)
    for story, texts in told.items():
        own = Counter(word for words in texts for word in words)
        core = {word for word, n in own.items() if n > every[word] * 0.4 and n > len(texts) * 0.2}
        naming = sum(bool(words & core) for words in texts)
        assert naming >= 0.7 * len(texts), (story, naming, len(texts), core)


def test_only_numbers_that_nobody_has_are_printed(posts: Posts, second: Posts) -> None:
    for post in posts + second:
        digits = "".join(c for c in post["text"] if c.isdigit() or c in " .")
        for run in digits.replace(".", "").split():
            assert len(run) < 9 or run.startswith(("0900000", "0000000")), post["text"]


def test_the_second_bank_shares_no_phrase_and_no_story_with_the_main_one(
    posts: Posts, second: Posts
) -> None:
    assert not set(scenario.phrases("main")) & set(scenario.phrases("second"))
    main_ids = {story.id for story in scenario.stories("main")}
    assert not main_ids & {story.id for story in scenario.stories("second")}
    assert {post["id"] for post in posts}.isdisjoint(post["id"] for post in second)


def test_phrases_are_written_out(posts: Posts) -> None:
    phrases = scenario.phrases()
    assert len(phrases) > 1_000
    assert all(phrase and not set("[]{}") & set(phrase) for phrase in phrases)


def test_a_start_moves_the_times_and_nothing_else(posts: Posts) -> None:
    start = datetime(2027, 1, 2, 8, tzinfo=timezone(timedelta(hours=7)))
    moved = scenario.generate(start=start)
    first = datetime.fromisoformat(moved[0]["created_at"])
    assert timedelta(0) <= first - start < timedelta(minutes=30)
    assert [post["text"] for post in moved] == [post["text"] for post in posts]


def test_a_start_without_offset_and_an_unknown_bank_are_refused_with_the_mend() -> None:
    with pytest.raises(ValueError, match="give one"):
        scenario.generate(start=datetime(2027, 1, 2))
    with pytest.raises(PhraseError, match="main, second"):
        scenario.generate(bank="third")


def test_labelled_lines_name_a_cluster_for_told_stories_only(tmp_path: Path) -> None:
    from streams.sources.scenario.__main__ import main

    out = tmp_path / "labelled.jsonl"
    assert main(["--out", str(out), "--labelled"]) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    told = {s.id for s in scenario.stories() if s.kind in {"rumor", "true-breaking"}}
    assert {row["cluster"] for row in rows} == told | {None}
    assert all((row["cluster"] is None) == (row["label"] in {"chatter", "advert", "greeting", "viral"})
               for row in rows)  # fmt: skip


def test_an_unwritable_file_is_one_line_and_exit_code_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from streams.sources.scenario.__main__ import main

    assert main(["--out", str(tmp_path / "no" / "where.jsonl")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--out" in error


def test_grammar_picks_alternatives_slots_and_numbers_and_refuses_unknown_slots() -> None:
    rng = random.Random(1)
    made = {render("[một|hai] {place} {3-4}", rng, {"place": ("bờ", "bãi")}) for _ in range(200)}
    assert made == {f"{a} {b} {c}" for a in ("một", "hai") for b in ("bờ", "bãi") for c in "34"}
    assert wordings("[một|hai|ba] con", {}) == ["một con", "hai con", "ba con"]
    with pytest.raises(PhraseError, match="unknown slot"):
        render("ở {nowhere}", rng, {})
    with pytest.raises(PhraseError, match="unbalanced"):
        render("ở [đây", rng, {})


def test_noise_leaves_addresses_and_an_offices_words_alone() -> None:
    teencode = Teencode(load_bank("main").teencode)
    text = "Không tải ở https://vi-du.example/được nhé mọi người"
    for habit in HABITS:
        rng = random.Random(3)
        assert roughen(text, habit, teencode, rng, care=1.0) == text
        assert all(
            "https://vi-du.example/" in roughen(text, habit, teencode, rng) for _ in range(50)
        )
