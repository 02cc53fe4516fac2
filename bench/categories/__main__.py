"""Are posts and stories told their category? On stories labelled by hand (labels.yaml).

    python -m bench.categories [--shared DIR] [--taxonomy FILE] [--wrong]

DIR holds ``data/labelled``; the scenario's banks are built in. A post is right when its category is one
of its story's; `told` is the share of posts that are given one but `other`. A story is judged by the
sum of its posts, as a rumor is.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import yaml

from alerts.topics import category_of
from config.taxonomy import OTHER, load_taxonomy
from embeddings import flags
from embeddings.categories import Categories
from embeddings.encoder import load_encoder
from embeddings.features import words_of
from embeddings.mask import mask
from embeddings.normalise import clean, fold
from embeddings.reading import Reading, add_dense
from streams.sources.scenario import BANKS, generate, truth

SEEDS = {"main": 7, "second": 11}
LABELS = Path(__file__).with_name("labels.yaml")


def main() -> None:
    """Judge each source of each part and print its row."""
    parser = argparse.ArgumentParser(prog="python -m bench.categories", description=__doc__)
    default = Path(__file__).resolve().parents[2] / ".." / "shared"
    parser.add_argument("--shared", type=Path, default=default)
    parser.add_argument("--taxonomy", type=Path)
    parser.add_argument("--wrong", action="store_true", help="list the stories told wrong")
    options = parser.parse_args()
    matcher = Categories(load_taxonomy(options.taxonomy), load_encoder())
    lexicons = flags.load(words=matcher.words)
    print("| part | source | stories | right | posts | right | told | told right |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for part, sources in yaml.safe_load(LABELS.read_text(encoding="utf-8")).items():
        for source, labels in sources.items():
            texts = dict(_texts(source, options.shared))
            if not texts:
                print(f"| {part} | {source} | not here | | | | | |")
                continue
            known = {story: set(names.split()) for story, names in labels.items()}
            stories = {
                story: [_reading(lexicons, text) for text in texts[story]] for story in known
            }
            print(f"| {part} | {source} | {_judged(matcher, stories, known, options.wrong)} |")


def _judged(
    matcher: Categories, stories: dict[str, list[Reading]], known: dict[str, set[str]], wrong: bool
) -> str:
    posts = right = told = told_right = stories_right = 0
    said = []
    for story, readings in stories.items():
        if matcher.encoder is not None:
            add_dense(readings, matcher.encoder)
        matcher.decide(readings)
        mass: Counter[str] = Counter()
        for reading in readings:
            mass[reading.category] += reading.sure
        name, share = category_of(mass, len(readings))
        good = name in known[story]
        stories_right += good
        if not good:
            top = ", ".join(f"{k} {n / len(readings) / 100:.2f}" for k, n in mass.most_common(3))
            said.append(
                f"  {story}: {name} {share:.2f}, not {'/'.join(sorted(known[story]))} ({top})"
            )
        posts += len(readings)
        right += sum(r.category in known[story] for r in readings)
        told += sum(r.category != OTHER for r in readings)
        told_right += sum(r.category != OTHER and r.category in known[story] for r in readings)
    if wrong:
        print("\n".join(said))
    return (
        f"{len(stories)} | {stories_right / len(stories):.2f} | {posts} | {right / posts:.2f} "
        f"| {told / posts:.2f} | {told_right / max(told, 1):.2f}"
    )


def _reading(lexicons: flags.Lexicons, text: str) -> Reading:
    cleaned = clean(mask(text))
    folded = fold(cleaned)
    bits, topics = lexicons.read(words_of(folded), cleaned)
    return Reading(cleaned, folded, 0, bits, topics)


def _texts(source: str, shared: Path) -> Iterable[tuple[str, list[str]]]:
    """Story -> texts of its posts."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if source in BANKS:
        told = truth(SEEDS[source], source)
        for post in generate(SEEDS[source], bank=source):
            found[told[post["id"]].story or ""].append(post["text"])
        return found.items()
    file = shared / "data" / "labelled" / f"{source}.jsonl.gz"
    if file.exists():
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for post in map(json.loads, lines):
                found[post["cluster"] or ""].append(post["text"])
    return found.items()


if __name__ == "__main__":
    main()
