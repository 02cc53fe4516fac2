"""Stage ``corpus``: openly licensed pairs and unlabelled posts, cleaned and decontaminated.

Only the ``parallel`` folder trains the weights; ``parallel_test`` is read to drop whatever it
holds. Posts come without their labels, and the files that the card's story figures are measured
on are left out altogether.
"""

from __future__ import annotations

import gzip
import html
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from embeddings.train.damage import bare

# Posts that may be read as plain text. Story files used for figures (rumours_en, news_vi,
# breaking_news, multilingual) are not among them.
POST_FILES = ("scale_en", "posts_vi", "fake_vi", "chatter_vi")
MAX_CHARS = 400  # about what the encoder reads of a post (96 tokens)
# Share of each pair file that is kept: glossaries and interface strings are plentiful and narrow.
SHARES = {"dict_lao": 0.3, "l10n_strings": 0.7, "msdocs_headings": 0.5, "ms_beginners_mt": 0.8}
_SPACE = re.compile(r"\s+")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"<[^>]{1,80}>|`{1,3}|\*\*|^\s*(?:#{1,6}|>|[-*])\s+|\{[^}]{0,40}\}")
_LINK = re.compile(r"https?://\S+|www\.\S+|pic\.twitter\S+")
_MENTION = re.compile(r"@\w+")
_KEY = re.compile(r"[\W_]+")
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True)
class Pair:
    """Two texts that say the same: file name, languages, texts (side a is English where one is)."""

    source: str
    lang_a: str
    lang_b: str
    a: str
    b: str


@dataclass(frozen=True)
class Post:
    """An unlabelled text and its language."""

    lang: str
    text: str


def clean_pair_text(text: str) -> str:
    """Markup, entities and doubled quotes out; one line of at most ``MAX_CHARS`` characters."""
    text = html.unescape(text).replace("\\n", " ").replace('""', '"').replace("\xa0", " ")
    text = _MARKUP.sub(" ", _MARKDOWN_LINK.sub(r"\1", text))
    return _SPACE.sub(" ", text).strip()[:MAX_CHARS]


def clean_post_text(text: str) -> str:
    """Links and mentions out, one line; the runtime's normaliser does the same to a live post."""
    text = _MENTION.sub(" ", _LINK.sub(" ", html.unescape(text)))
    return _SPACE.sub(" ", text.replace("#", " ")).strip()[:MAX_CHARS]


def key(text: str) -> str:
    """Letters and digits only, lower case, marks dropped: equal keys count as the same text."""
    return _KEY.sub("", bare(text).lower())


def read_table(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Rows (lang_a, lang_b, text_a, text_b) of one gzip-compressed TSV; malformed rows skipped."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if len(cells) == 4:
                yield cells[0], cells[1], cells[2], cells[3]


def test_keys(folder: Path) -> set[str]:
    """The keys of both sides of every test row."""
    keys: set[str] = set()
    for path in sorted(folder.glob("*.tsv.gz")):
        for _, _, a, b in read_table(path):
            keys.add(key(a))
            keys.add(key(b))
    return keys


def read_pairs(folder: Path, banned: set[str], rng: random.Random) -> list[Pair]:
    """Cleaned pairs of every file in ``folder``, without rows that touch a ``banned`` key."""
    pairs: list[Pair] = []
    seen: set[tuple[str, str, str]] = set()
    for path in sorted(folder.glob("*.tsv.gz")):
        name = path.name.removesuffix(".tsv.gz")
        share = SHARES.get(name, 1.0)
        for lang_a, lang_b, raw_a, raw_b in read_table(path):
            if rng.random() >= share and "vi" not in (lang_a, lang_b):
                continue
            a, b = clean_pair_text(raw_a), clean_pair_text(raw_b)
            key_a, key_b = key(a), key(b)
            if not _LETTERS.search(a) or not _LETTERS.search(b) or key_a == key_b:
                continue
            if key_a in banned or key_b in banned or (lang_b, key_a, key_b) in seen:
                continue
            seen.add((lang_b, key_a, key_b))
            pairs.append(Pair(name, lang_a, lang_b, a, b))
    return pairs


def read_posts(folder: Path, banned: set[str], english: int, rng: random.Random) -> list[Post]:
    """Unlabelled posts: every Vietnamese one, and at most ``english`` English ones."""
    posts: list[Post] = []
    for name in POST_FILES:
        texts: set[str] = set()
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                text = clean_post_text(json.loads(line)["text"])
                if _LETTERS.search(text) and key(text) not in banned:
                    texts.add(text)
        kept = sorted(texts)
        rng.shuffle(kept)
        lang = "vi" if name.endswith("_vi") else "en"
        posts += [Post(lang, text) for text in (kept if lang == "vi" else kept[:english])]
    return posts


def build(data: Path, out: Path, seed: int, english: int) -> None:
    """Write ``pairs.jsonl`` and ``posts.jsonl`` under ``out``."""
    rng = random.Random(seed)
    banned = test_keys(data / "parallel_test")
    pairs = read_pairs(data / "parallel", banned, rng)
    posts = read_posts(data / "labelled", banned, english, rng)
    for name, rows in (
        ("posts.jsonl", [[p.lang, p.text] for p in posts]),
        ("pairs.jsonl", [[p.source, p.lang_a, p.lang_b, p.a, p.b] for p in pairs]),
    ):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (out / name).write_text(text, encoding="utf-8")


def load_pairs(work: Path) -> list[Pair]:
    """The pairs that ``build`` wrote."""
    with (work / "pairs.jsonl").open(encoding="utf-8") as lines:
        return [Pair(*json.loads(line)) for line in lines]


def load_posts(work: Path) -> list[Post]:
    """The posts that ``build`` wrote."""
    with (work / "posts.jsonl").open(encoding="utf-8") as lines:
        return [Post(*json.loads(line)) for line in lines]
