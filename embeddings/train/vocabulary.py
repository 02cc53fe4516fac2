"""Stage ``vocabulary``: a unigram tokenizer for social Vietnamese and 17 more languages.

Vietnamese writes a space between syllables, and most of its words have two. A bag of syllables
loses "chính phủ" (government) between "chính" (main) and "phủ" (to cover), and more so when the
marks are dropped. So the commonest two-syllable compounds, with and without marks, are pieces of
their own; the unigram model then picks them wherever they occur, and the file stays an ordinary
``tokenizer.json``.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from embeddings.train.corpus import Pair, Post
from embeddings.train.damage import bare

PIECES = 50_000
COMPOUNDS = 6_000  # with marks; their bare forms come on top
MIN_COUNT = 6  # fewer uses cannot be learnt
WORD_COUNT = 8  # uses from which a word is a piece of its own
MAX_WORD = 20  # characters of such a word, the leading space sign included
MAX_PIECE = 14  # characters of a trained piece
SPACE = "▁"
SIDES = {"en": 60_000, "vi": 70_000}
SIDES_OTHER = 16_000  # texts per further language
SIDES_BARE = 30_000


def normalizer() -> normalizers.Normalizer:
    """NFKC, lower case, single spaces, none at the ends."""
    return normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[\s\x1c-\x1f▁]+"), " "),
            normalizers.Strip(),
        ]
    )


def pre_tokenizer(split: bool) -> pre_tokenizers.PreTokenizer:
    """Digits and punctuation apart; words apart too where ``split``."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(split=split),
            pre_tokenizers.Digits(individual_digits=False),
            pre_tokenizers.Punctuation(),
        ]
    )


def sample(pairs: list[Pair], posts: list[Post], seed: int) -> list[str]:
    """Texts that the pieces are counted on: balanced by language, Vietnamese in both spellings."""
    rng = random.Random(seed)
    sides: dict[str, set[str]] = {}
    for pair in pairs:
        sides.setdefault(pair.lang_a, set()).add(pair.a)
        sides.setdefault(pair.lang_b, set()).add(pair.b)
    texts: list[str] = []
    for lang in sorted(sides):
        kept = sorted(sides[lang])
        rng.shuffle(kept)
        texts += kept[: SIDES.get(lang, SIDES_OTHER)]
        if lang == "vi":
            texts += [bare(text) for text in kept[:SIDES_BARE]]
    for post in posts:
        texts.append(post.text)
        if post.lang == "vi":
            texts.append(bare(post.text))
    return texts


def train_pieces(texts: list[str]) -> list[tuple[str, float]]:
    """Pieces and log probabilities of a unigram model that splits at spaces."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizer(split=True)
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES,
        special_tokens=["[PAD]", "[UNK]"],
        unk_token="[UNK]",
        max_piece_length=MAX_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    vocab: list[list[Any]] = json.loads(tokenizer.to_str())["model"]["vocab"]
    return [(piece, float(score)) for piece, score in vocab]


def add_words(
    texts: list[str], pieces: list[tuple[str, float]], size: int
) -> list[tuple[str, float]]:
    """``size`` pieces: whole words of ``WORD_COUNT`` uses and more join, what is least used leaves.

    The trainer prunes frequent words ("▁said") in favour of letters, which a bag of pieces cannot
    do with. Scores are the log shares of hard counts under the joint vocabulary.
    """
    splitter = pre_tokenizer(split=True)
    clean = normalizer()
    words: Counter[str] = Counter()
    for text in texts:
        words.update(word for word, _ in splitter.pre_tokenize_str(clean.normalize_str(text)))
    total = sum(words.values())
    scores = dict(pieces)
    for word, count in words.items():
        whole = word.startswith(SPACE) or word.isdigit()
        if count >= WORD_COUNT and whole and len(word) <= MAX_WORD:
            scores[word] = max(scores.get(word, -1e9), math.log(count / total))
    specials = [piece for piece, _ in pieces[:2]]
    names = specials + [piece for piece in scores if piece not in specials]
    joint = Tokenizer(models.Unigram([(name, scores[name]) for name in names], 1, False))
    used: Counter[int] = Counter()
    common = list(words)
    for start in range(0, len(common), 10_000):
        part = common[start : start + 10_000]
        for word, coded in zip(part, joint.encode_batch_fast(part), strict=True):
            for i in coded.ids:
                used[i] += words[word]
    # A single character is the last resort of a rare word: it stays if it was seen at all often.
    worth = sorted(
        range(2, len(names)),
        key=lambda i: (-(used[i] + (1e9 if len(names[i]) == 1 and used[i] > 20 else 0)), i),
    )[: size - 2]
    everything = sum(used.values())
    kept = [(names[i], math.log((used[i] + 0.5) / everything)) for i in worth]
    return [*pieces[:2], *kept]


def compounds(texts: Iterable[str], pieces: set[str]) -> list[tuple[str, str, float]]:
    """The (first, second, log probability) of the ``COMPOUNDS`` strongest syllable pairs.

    Strength is count times pointwise mutual information (the likelihood ratio's main term:
    Dunning 1993), over pairs of syllables that are pieces themselves.
    """
    single: Counter[str] = Counter()
    double: Counter[tuple[str, str]] = Counter()
    for text in texts:
        words = [w.strip(".,!?:;\"'()[]“”…") for w in text.lower().split()]
        single.update(words)
        double.update(pairwise(words))
    total = sum(single.values())
    ranked: list[tuple[float, str, str, float]] = []
    for (a, b), count in double.items():
        if count < MIN_COUNT or not (a.isalpha() and b.isalpha()) or len(a) < 2 or len(b) < 2:
            continue
        if SPACE + a not in pieces or SPACE + b not in pieces or (a.isascii() and b.isascii()):
            continue
        information = math.log(count * total / (single[a] * single[b]))
        if information > 1.5:
            ranked.append((count * information, a, b, math.log(count / total)))
    ranked.sort(reverse=True)
    return [(a, b, score) for _, a, b, score in ranked[:COMPOUNDS]]


def assemble(
    pieces: list[tuple[str, float]], pairs: list[tuple[str, str, float]]
) -> tuple[Tokenizer, dict[int, list[int]]]:
    """The tokenizer with compounds, and what each compound's vector is the sum of.

    The second value maps a compound's id to ids: itself (or its marked form) and its syllables.
    Marked and bare form share one learnt vector, so that either spelling teaches the other.
    """
    vocab = [(piece, round(score, 4)) for piece, score in pieces]
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    parts: dict[int, list[int]] = {}
    for a, b, score in pairs:
        shared: int | None = None
        for first, second in dict.fromkeys([(a, b), (bare(a), bare(b))]):
            piece = f"{SPACE}{first}{SPACE}{second}"
            syllables = [ids.get(SPACE + first), ids.get(SPACE + second)]
            if piece in ids or None in syllables:
                continue
            ids[piece] = len(vocab)
            shared = ids[piece] if shared is None else shared
            parts[ids[piece]] = [shared, *(i for i in syllables if i is not None)]
            vocab.append((piece, round(score, 4)))
    tokenizer = Tokenizer(models.Unigram(vocab, 1, False))
    tokenizer.normalizer = normalizer()
    tokenizer.pre_tokenizer = pre_tokenizer(split=False)
    return tokenizer, parts


def build(pairs: list[Pair], posts: list[Post], out: Path, seed: int) -> None:
    """Write ``tokenizer.json`` and ``compounds.json`` under ``out``."""
    pieces_file = out / "pieces.json"
    if not pieces_file.exists():
        texts = sample(pairs, posts, seed)
        pieces = add_words(texts, train_pieces(texts), PIECES)
        pieces_file.write_text(json.dumps(pieces, ensure_ascii=False), "utf-8")
    pieces = [(piece, score) for piece, score in json.loads(pieces_file.read_text("utf-8"))]
    vietnamese = [p.b for p in pairs if p.lang_b == "vi"] + [p.a for p in pairs if p.lang_a == "vi"]
    vietnamese += [p.text for p in posts if p.lang == "vi"]
    found = compounds(vietnamese, {piece for piece, _ in pieces})
    tokenizer, parts = assemble(pieces, found)
    (out / "compounds.json").write_text(json.dumps(parts), "utf-8")
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)


def load(work: Path) -> tuple[Tokenizer, dict[int, list[int]]]:
    """The tokenizer and the compounds' parts that ``build`` wrote."""
    parts = json.loads((work / "compounds.json").read_text("utf-8"))
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    return tokenizer, {int(k): v for k, v in parts.items()}
