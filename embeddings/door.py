"""The door: from input records to frames of masked, pseudonymised, embedded posts. No author
passes it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from config.taxonomy import Taxonomy, load_taxonomy
from embeddings import flags as lexicons_module
from embeddings import language
from embeddings.categories import Categories
from embeddings.features import wording, words_of
from embeddings.linked import Linked
from embeddings.mask import mask, mask_url
from embeddings.normalise import clean, fold
from embeddings.pseudonym import anonymous_voice, voice
from embeddings.reading import DenseEncoder, Reading, Recent, add_dense, add_features, cut, dense_of
from streams.records import KINDS, Dead, DeadEntry, DoorPost, EntryKind, Frame, Post, PostColumns
from streams.validation import (
    FIELDS,
    InputRecord,
    IntakeRules,
    Invalid,
    Tick,
    Valid,
    check,
    parse,
)

NO_ENCODER = "none"
MAX_TEXT = 10_000  # characters read of a post
READ_CHARS = 1_500  # of these, those that are compared; later ones are stored only
MAX_DEAD_RAW = 4096  # characters kept of a dead record
_KIND_INDEX = {kind: index for index, kind in enumerate(KINDS)}


class Admitted(msgspec.Struct, frozen=True):
    """A post let in, and what was read off its text for the embedding."""

    post: DoorPost
    reading: Reading
    unknown_fields: int  # fields of the record that were left out


class Embedded(msgspec.Struct, frozen=True):
    """What came of a batch: its frame, its dead letters in order, and the count of fields left
    out."""

    frame: Frame
    dead: list[Dead]
    unknown_fields: int


class Door:
    """Rules, key, lexicons and encoder of one stage; but for caches stateless between calls, the
    same answer for the same record."""

    def __init__(
        self,
        *,
        key: bytes,
        rules: IntakeRules | None = None,
        lexicons: lexicons_module.Lexicons | None = None,
        encoder: DenseEncoder | None = None,
        taxonomy: Taxonomy | None = None,
        max_text: int = MAX_TEXT,
    ) -> None:
        self._key = key
        self.rules = rules or IntakeRules()
        self.encoder = encoder
        self.categories = Categories(taxonomy or load_taxonomy(), encoder)
        self.lexicons = lexicons or lexicons_module.load(words=self.categories.words)
        self.max_text = max_text
        self._texts: Recent[tuple[str, Reading]] = Recent()  # as they came -> masked, read
        self._linked = Linked(lambda text: self._reading(clean(text)))
        self._readings: Recent[Reading] = Recent()  # by cleaned text

    def __repr__(self) -> str:
        return f"Door(rules={self.rules}, encoder={self.identity}, max_text={self.max_text})"

    @property
    def identity(self) -> str:
        """Of the encoder, as frames name it."""
        return self.encoder.identity if self.encoder else NO_ENCODER

    @property
    def dim(self) -> int:
        """Dimensions of the encoder; 0 without one."""
        return self.encoder.dim if self.encoder else 0

    def admit(self, record: InputRecord, checked: Valid | Invalid | None = None) -> Admitted | Dead:
        """One record through validation, masking, normalising, pseudonym, language and flags.

        `checked`: what `streams.validation.check` said of it, from a caller who had to ask.
        """
        if checked is None:
            checked = check(record, self.rules)
        if isinstance(checked, Invalid):
            return dead_letter(record, checked)
        return self._admitted(checked.post, checked.unknown_fields)

    def again(self, post: DoorPost) -> Admitted:
        """A post that passed the door before, as it was let in then; out of a log that keeps no more."""
        return Admitted(post, self._reading(clean(cut(post.text, READ_CHARS))), 0)

    def _masked(self, raw: str) -> tuple[str, Reading]:
        """A text as it may be stored, and what is read off it."""
        found = self._texts.get(raw)
        if found is None:
            text = raw if len(raw) <= self.max_text else cut(raw, self.max_text)
            if not text.isascii():
                text = unicodedata.normalize("NFC", text)
            found = self._linked.masked(text, min(READ_CHARS, self.max_text))
            if found is None:
                text = mask(text)[: self.max_text]
                found = text, self._reading(clean(cut(text, READ_CHARS)))
            if found[0] == raw:  # mostly: then one string is enough
                found = raw, found[1]
            self._texts.put(raw, found)
        return found

    def _reading(self, cleaned: str) -> Reading:
        reading = self._readings.get(cleaned)
        if reading is None:
            folded = fold(cleaned)
            words = words_of(folded)
            flags, topics = self.lexicons.read(words, cleaned)
            reading = Reading(cleaned, folded, wording(words), flags, topics)
            self._readings.put(cleaned, reading)
        return reading

    def _admitted(self, post: Post, unknown_fields: int) -> Admitted:
        text, reading = self._masked(post.text)
        if post.author:
            who = voice(self._key, post.platform, post.source, post.author)
        else:
            who = anonymous_voice(self._key, reading.wording, text)
        door_post = DoorPost(
            source=post.source,
            id=post.id,
            created_at=post.created_at,
            text=text,
            lang=language.stated(post.lang) or reading.language,
            voice=who,
            wording=reading.wording,
            flags=reading.flags,
            kind=_KIND_INDEX[post.kind],
            reach=post.reach,
            platform=post.platform,
            community=mask(post.community) if post.community else None,
            url=mask_url(post.url) if post.url else None,
            reply_to=post.reply_to,
            repost_of=post.repost_of,
        )
        return Admitted(door_post, reading, unknown_fields)


def build_frame(
    door: Door, entries: Sequence[tuple[int, InputRecord | Tick]], *, origin: str, partition: int
) -> Embedded:
    """The embed stage: (offset, record or tick) entries, offsets ascending, into one frame and its
    dead letters.

    What an entry becomes does not depend on the entries beside it: another cut of the same log into
    batches gives the same rows. Raises ValueError when offsets do not ascend.
    """
    let_in = [(at, e if isinstance(e, Tick) else door.admit(e)) for at, e in entries]
    return frame_of(door, let_in, origin=origin, partition=partition)


def frame_of(
    door: Door,
    entries: Sequence[tuple[int, Admitted | Dead | Tick]],
    *,
    origin: str,
    partition: int,
) -> Embedded:
    """`build_frame` for entries that have passed the door already."""
    offsets = np.array([offset for offset, _ in entries], np.int64)
    if (np.diff(offsets) <= 0).any():
        raise ValueError("offsets of a frame must ascend")
    kinds = np.zeros(len(entries), np.uint8)
    admitted: list[Admitted] = []
    dead: list[Dead] = []
    ticks: list[int] = []
    for row, (_, entry) in enumerate(entries):
        if isinstance(entry, Tick):
            kinds[row] = EntryKind.TICK
            ticks.append(entry.at)
        elif isinstance(entry, Dead):
            kinds[row] = EntryKind.DEAD
            dead.append(entry)
        else:
            kinds[row] = EntryKind.POST
            admitted.append(entry)
    frame = Frame(
        encoder=door.identity,
        origin=origin,
        partition=partition,
        offsets=offsets,
        kinds=kinds,
        posts=_columns(admitted, door),
        dead=[DeadEntry(letter.source, letter.id, letter.reason) for letter in dead],
        ticks=ticks,
    )
    return Embedded(frame, dead, sum(one.unknown_fields for one in admitted))


def _columns(admitted: list[Admitted], door: Door) -> PostColumns:
    encoder = door.encoder
    posts = [one.post for one in admitted]
    readings = [one.reading for one in admitted]
    add_features(readings)
    sizes = np.array([len(r.counts) for r in readings], np.int64)
    dense = np.zeros((len(posts), 0 if encoder is None else encoder.dim), np.float32)
    if encoder is not None and posts:
        add_dense(readings, encoder)
        dense = dense_of(readings)
    door.categories.decide(readings)
    return PostColumns(
        source=[post.source for post in posts],
        id=[post.id for post in posts],
        text=[post.text for post in posts],
        lang=[post.lang for post in posts],
        platform=[post.platform for post in posts],
        community=[post.community for post in posts],
        url=[post.url for post in posts],
        reply_to=[post.reply_to for post in posts],
        repost_of=[post.repost_of for post in posts],
        category=[r.category for r in readings],
        created_at=np.array([post.created_at for post in posts], np.int64),
        voice=np.array([post.voice for post in posts], np.uint64),
        wording=np.array([post.wording for post in posts], np.uint64),
        flags=np.array([p.flags | r.harm for p, r in zip(posts, readings, strict=True)], np.uint32),
        sure=np.array([r.sure for r in readings], np.uint8),
        kind=np.array([post.kind for post in posts], np.uint8),
        reach=np.array([post.reach for post in posts], np.int64),
        feature_ends=np.cumsum(sizes),
        features=np.frombuffer(b"".join([r.hashes for r in readings]), np.uint32),
        feature_counts=np.frombuffer(b"".join([r.counts for r in readings]), np.uint8),
        dense=dense,
    )


# Fields that name a person, in records that cannot be parsed.
_NAMED = re.compile(
    r'("[^"]*(?:author|user|name|phone|mail|address)[^"]*"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[^,}\]\s]+)',
    re.I,
)


def dead_letter(record: InputRecord, invalid: Invalid) -> Dead:
    """The dead letter of a record: known fields only, masked, without its author."""
    return Dead(
        source=invalid.source,
        id=invalid.id,
        reason=invalid.reason,
        detail=invalid.detail,
        input=record.input,
        raw=_remains(record.raw)[:MAX_DEAD_RAW],
    )


def _remains(raw: bytes) -> str:
    # Masking may shorten: twice the kept size is read, and the cut falls between words.
    try:
        value = parse(raw) if len(raw) <= 2 * MAX_DEAD_RAW else None
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        kept = {name: _masked_value(name, item) for name, item in value.items() if name in FIELDS}
        return msgspec.json.encode(kept).decode("utf-8")
    text = raw[: 4 * 2 * MAX_DEAD_RAW].decode("utf-8", "replace")
    return mask(_NAMED.sub(r'\1"[author]"', cut(text, 2 * MAX_DEAD_RAW)))


def _masked_value(name: str, value: Any) -> Any:
    if name == "author":
        return None if value is None else "[author]"
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode("utf-8")
        return mask_url(value) if name == "url" else mask(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask(str(value))[:MAX_DEAD_RAW]
