"""Known claims: how often one that comes back is found, and how often another rumor is taken for it.

    python -m bench.claims [--shared DIR]

For each labelled file the first post of every other story is brought as a claim; a rumor is the sum
of up to six later posts of a story, exact copies of the first left out. Stories without a claim must
meet none. An own verdict is given on a rumor of a story's first posts, one micro-cluster each, and
met by a rumor of its later ones. Across languages a claim is an English sentence of NTREX and the rumor
one translation; translations of other sentences must meet none. Weights and means come from the posts
at hand.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from pathlib import Path
from typing import NamedTuple

import config
from agents.claims import records_of
from agents.stages import alert_parameters
from alerts.claims import Claims
from alerts.knowing import claim_of
from alerts.micros import Micros
from alerts.parameters import AlertParameters
from alerts.rumor import AlertState, Kept, Rumor
from clusters.pending import Pending
from clusters.weights import gather
from embeddings.door import Door, build_frame
from embeddings.encoder import load_encoder
from streams.inputs import Action
from streams.records import PostColumns
from streams.sources.claims import FoundClaim
from streams.validation import InputRecord, IntakeRules

FILES = ("rumours_en", "news_vi", "multilingual")
LANGUAGES = ("vi", "zh", "ko", "km", "th", "id")
LATER = 6  # posts of a rumor
SENTENCES = 400  # claims of a language, and as many foreign sentences
SEED = 1


class Story(NamedTuple):
    name: str
    first: int  # row of the claim's text
    later: list[int]  # rows of the rumor


class Outcome(NamedTuple):
    found: list[float]  # likeness of rumors to their own claim; 0 when another was nearer
    foreign: list[float]  # likeness of rumors without a claim to the nearest one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--shared", type=Path, default=Path(__file__).resolve().parents[1] / ".." / "shared"
    )
    data = parser.parse_args().shared / "data"
    if not (data / "labelled").is_dir():
        parser.error(f"{data} has no folder labelled; give --shared DIR")
    parameters = alert_parameters(config.defaults())
    door = Door(key=b"bench", rules=IntakeRules(future_ms=None), encoder=load_encoder())
    offer, certain = parameters.claim_offer, parameters.claim_certain
    print(f"{'':22} {'claims':>6} {'others':>6}   offer {offer:.2f}          certain {certain:.2f}")
    print(f"{'':22} {'':6} {'':6}   {'found':>7} {'wrong':>7}   {'found':>7} {'wrong':>7}")
    for name in FILES:
        texts, stories = labelled(data / "labelled" / f"{name}.jsonl.gz")
        told(name, measure(texts, stories, door, parameters), offer, certain)
        told(f"{name}, own verdict", measure_own(texts, stories, door, parameters), offer, certain)
    for language in LANGUAGES:
        texts, stories = translated(data / "parallel_test" / "test_ntrex.tsv.gz", language)
        told(f"ntrex en -> {language}", measure(texts, stories, door, parameters), offer, certain)


def told(name: str, outcome: Outcome, offer: float, certain: float) -> None:
    parts = [f"{name:22} {len(outcome.found):6} {len(outcome.foreign):6}"]
    for threshold in (offer, certain):
        parts += [
            f"  {_share(outcome.found, threshold):7.3f} {_share(outcome.foreign, threshold):7.3f}"
        ]
    print(" ".join(parts))


def _share(likeness: list[float], threshold: float) -> float:
    return sum(one >= threshold for one in likeness) / max(len(likeness), 1)


def labelled(path: Path) -> tuple[list[str], list[Story]]:
    """Texts of a file, and its stories of two or more different texts."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = sorted(map(json.loads, file), key=lambda row: (row["created_at"] or "", row["id"]))
    of: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        if row["cluster"]:
            of.setdefault(row["cluster"], []).append(at)
    texts = [row["text"] for row in rows]
    stories = []
    for name, members in sorted(of.items()):
        later = [at for at in members[1:] if texts[at] != texts[members[0]]][:LATER]
        if later:
            stories.append(Story(name, members[0], later))
    return texts, stories


def translated(path: Path, language: str) -> tuple[list[str], list[Story]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t") for line in file]
    pairs = [p for p in pairs if p[:2] == ["en", language] and len(p[2].split()) >= 8]
    pairs = pairs[: 2 * SENTENCES]
    texts = [p[2] for p in pairs] + [p[3] for p in pairs]
    return texts, [Story(str(at), at, [len(pairs) + at]) for at in range(len(pairs))]


def measure(
    texts: list[str], stories: list[Story], door: Door, parameters: AlertParameters
) -> Outcome:
    chosen = list(stories)
    random.Random(SEED).shuffle(chosen)
    with_claim = {story.name for story in chosen[: len(chosen) // 2]}
    posts = _posts(texts, door)
    micros = _micros(posts, stories, door, parameters)
    claims = Claims(door.identity)
    found = [
        FoundClaim(
            claim=story.name, texts=[(texts[story.first], None)], verdict="fake", rating="",
            source="", published_at=None, correction="", link="",
        )
        for story in stories if story.name in with_claim
    ]  # fmt: skip
    for record in records_of(found, door, who="bench", at=0):
        claims.bring(record, 1)
    anything = AlertParameters(claim_offer=0.0, claim_certain=1.0)
    outcome = Outcome([], [])
    for number, story in enumerate(stories):
        match = claims.match(_rumor(number, story.name, posts, story.later), micros, anything)
        if story.name in with_claim:
            own = match is not None and match.claim_id == story.name
            outcome.found.append(match.similarity if own and match else 0.0)
        else:
            outcome.foreign.append(match.similarity if match else 0.0)
    return outcome


def measure_own(
    texts: list[str], stories: list[Story], door: Door, parameters: AlertParameters
) -> Outcome:
    """Claims of rumors of a story's first posts, held against rumors of as many later ones."""
    told = [story for story in stories if len(story.later) >= 2]
    chosen = list(told)
    random.Random(SEED).shuffle(chosen)
    with_claim = {story.name for story in chosen[: len(chosen) // 2]}
    posts = _posts(texts, door)
    later = [Story(s.name, s.first, s.later[len(s.later) // 2 :]) for s in told]
    early = {s.name: [s.first, *s.later[: len(s.later) // 2]] for s in told}
    micros = _micros(posts, later, door, parameters)
    claims, numbers = Claims(door.identity), len(later)
    for number, story in enumerate(told):
        if story.name not in with_claim:
            continue
        rumor = _rumor(numbers + number, story.name, posts, early[story.name])
        for at in early[story.name]:
            row = micros.row(f"post {at}")
            assert row is not None
            micros.rumor[row] = rumor.number
            rumor.kept.append(_kept(texts[at], posts, at))
        own = claim_of(
            Action(id="", deed="mute", alert="", who="bench", at=0),
            rumor,
            texts[story.first],
            door.identity,
        )
        own.claim_id, own.alert_id = story.name, None
        claims.own(own, rumor, micros)
    anything = AlertParameters(claim_offer=0.0, claim_certain=1.0)
    outcome = Outcome([], [])
    for number, story in enumerate(later):
        match = claims.match(_rumor(number, story.name, posts, story.later), micros, anything)
        if story.name in with_claim:
            own_one = match is not None and match.claim_id == story.name
            outcome.found.append(match.similarity if own_one and match else 0.0)
        else:
            outcome.foreign.append(match.similarity if match else 0.0)
    return outcome


def _rumor(number: int, name: str, posts: PostColumns, rows: list[int]) -> Rumor:
    spoken = [posts.lang[at] for at in rows]
    return Rumor(
        number=number, id=name, event=number, born_at=0, first_at=0, last_at=0,
        languages={lang: spoken.count(lang) for lang in spoken},
        alert=AlertState(name, "suggest", 0, ""),
    )  # fmt: skip


def _kept(text: str, posts: PostColumns, at: int) -> Kept:
    return Kept(
        source="s", id=str(at), text=text, created_at=0, lang=posts.lang[at], platform=None, community=None,
        url=None, reply_to=None, repost_of=None, kind=0, flags=0, reach=0, micro=f"post {at}",
        category="other", sure=0, wording=at + 1, words=20,
    )  # fmt: skip


def _posts(texts: list[str], door: Door) -> PostColumns:
    entries = [
        (at, InputRecord(source="s", input="", raw=json.dumps(
            {"id": str(at), "text": text, "created_at": 1_700_000_000_000}).encode()))
        for at, text in enumerate(texts)
    ]  # fmt: skip
    return build_frame(door, entries, origin="bench", partition=0).frame.posts


def _micros(
    posts: PostColumns, stories: list[Story], door: Door, parameters: AlertParameters
) -> Micros:
    """Every rumor as one micro-cluster, the other posts as one each: they give the weights."""
    dim = door.encoder.dim if door.encoder else 0
    names = [f"post {at}" for at in range(len(posts))]
    for story in stories:
        for at in story.later:
            names[at] = story.name
    pending = Pending(dim)
    pending.vectors(gather(posts, list(range(len(posts)))), names)
    change = pending.take(partition=0, sequence=1, watermark=0, encoder=door.identity)
    micros = Micros(dim, parameters.dense_weight)
    micros.add(change.micros)
    for number, story in enumerate(stories):
        row = micros.row(story.name)
        assert row is not None
        micros.rumor[row] = number
    return micros


if __name__ == "__main__":
    main()
