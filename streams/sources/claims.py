"""Claims that others verified, out of files: ClaimReview JSON-LD (schema.org) and CSV.

A file is read whole. What cannot be used is told record by record; the good ones are kept.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from streams.documents import Verdict
from streams.ids import claim_id
from streams.timestamps import TimestampError, parse_time


class ClaimFileError(Exception):
    """A file holds no claims that can be read; one line with the mend."""

    exit_code = 1


class FoundClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim as its file tells it."""

    claim: str  # id
    texts: list[tuple[str, str | None]]  # text, language if it is stated
    verdict: Verdict
    rating: str
    source: str
    published_at: int | None  # ms
    correction: str
    link: str


class Problem(NamedTuple):
    """A record that is left out."""

    place: str  # "line 3", "record 2"
    reason: str


class ClaimFile(NamedTuple):
    found: list[FoundClaim]
    problems: list[Problem]


class _Unusable(Exception):
    """Why a record is left out."""


# Ratings as checkers word them, in plain lower case without marks, by the verdict they stand for.
_WORDED: dict[Verdict, list[str]] = {
    "fake": [
        "false", "fake", "pants on fire", "fabricated", "hoax", "scam", "altered", "tin gia",
        "gia mao", "bia dat", "sai", "sai su that", "falsch", "faux", "falso", "虚假", "谣言", "거짓",
    ],
    "not-the-truth": [
        "mostly false", "half true", "misleading", "partly false", "missing context", "mixture",
        "exaggerated", "distorted", "satire", "not the truth", "khong dung su that", "sai lech",
        "gay hieu lam", "thieu ngu canh", "phong dai",
    ],
    "authenticated": [
        "true", "correct", "accurate", "mostly true", "authenticated", "dung", "dung su that",
        "chinh xac", "vrai", "属实", "사실",
    ],
    "unverifiable": [
        "unproven", "unverified", "unverifiable", "no evidence", "chua kiem chung",
        "khong the kiem chung", "chua xac minh",
    ],
}  # fmt: skip
_PHRASES = {phrase: verdict for verdict, phrases in _WORDED.items() for phrase in phrases}

_TEXT_COLUMN = re.compile(r"text(?:_([a-z]{2}))?")
_LINK = re.compile(r"https?://\S+")


def read_claims(path: Path) -> ClaimFile:
    """The claims of a file. Raises ClaimFileError when it holds none that could be told apart."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClaimFileError(
            f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8"
        ) from error
    except OSError as error:
        raise ClaimFileError(f"{path}: {error.strerror}: give a file that can be read") from error
    records = _csv(path, text) if path.suffix.lower() == ".csv" else _json_ld(path, text)
    found: list[FoundClaim] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for place, record in records:
        try:
            claim = _from_row(record) if path.suffix.lower() == ".csv" else _from_review(record)
        except _Unusable as error:
            problems.append(Problem(place, str(error)))
            continue
        if claim.claim in seen:
            problems.append(Problem(place, f"the same claim stands in {seen[claim.claim]}"))
            continue
        seen[claim.claim] = place
        found.append(claim)
    return ClaimFile(found, problems)


# --- CSV --------------------------------------------------------------------------------------


def _csv(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    names = {(name or "").strip().lower() for name in rows.fieldnames or []}
    if not any(_TEXT_COLUMN.fullmatch(name) for name in names) or "verdict" not in names:
        raise ClaimFileError(
            f"{path} has no columns `text` and `verdict`: its first line must name them"
            " (also known: id, text_vi, text_en, ..., lang, source, date, correction, link)"
        )
    try:
        for row in rows:
            yield f"line {rows.line_num}", row
    except csv.Error as error:
        raise ClaimFileError(f"{path}, line {rows.line_num}: {error}: mend that line") from error


def _from_row(row: dict[str | None, Any]) -> FoundClaim:
    if None in row:
        raise _Unusable("it has more fields than the first line names: quote texts with commas")
    values = {str(name).strip().lower(): (value or "").strip() for name, value in row.items()}
    texts = [
        (value, name[1] or values.get("lang") or None)
        for column, value in values.items()
        if (name := _TEXT_COLUMN.fullmatch(column)) and value
    ]
    return _claim(
        key=values.get("id", ""),
        texts=texts,
        verdict=_worded(values["verdict"]),
        rating=values["verdict"],
        source=values.get("source", ""),
        date=values.get("date") or None,
        correction=values.get("correction", ""),
        link=values.get("link", ""),
    )


# --- ClaimReview ------------------------------------------------------------------------------


def _json_ld(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    try:
        whole = [json.loads(text)]
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise ClaimFileError(
                f"{path} is no JSON ({error}): give ClaimReview JSON-LD, or name CSV files .csv"
            ) from error
        for number, line in enumerate(lines, 1):
            try:
                yield from ((f"line {number}", one) for one in _reviews(json.loads(line)))
            except ValueError as broken:
                yield f"line {number}", f"it is no JSON ({broken})"
        return
    reviews = list(_reviews(whole))
    if not reviews:
        raise ClaimFileError(f"{path} holds no ClaimReview: its objects need that @type")
    yield from ((f"record {number}", one) for number, one in enumerate(reviews, 1))


def _reviews(value: Any) -> Iterator[dict[str, Any]]:
    """Every ClaimReview inside, however it is wrapped."""
    if isinstance(value, list):
        for one in value:
            yield from _reviews(one)
    elif isinstance(value, dict):
        kinds = value.get("@type", [])
        if "ClaimReview" in (kinds if isinstance(kinds, list) else [kinds]):
            yield value
        else:
            for name in ("@graph", "item", "itemListElement", "dataFeedElement", "claimReview"):
                yield from _reviews(value.get(name))


def _from_review(review: Any) -> FoundClaim:
    if isinstance(review, str):  # what was wrong with its line
        raise _Unusable(review)
    rating = review.get("reviewRating")
    rating = rating[0] if isinstance(rating, list) and rating else rating
    rating = rating if isinstance(rating, dict) else {}
    worded = _said(rating.get("alternateName")) or _said(rating.get("ratingExplanation"))
    lang = review.get("inLanguage")
    reviewed = review.get("claimReviewed")
    texts = [
        (said, _lang(one, lang))
        for one in (reviewed if isinstance(reviewed, list) else [reviewed])
        if (said := _said(one))
    ]
    return _claim(
        key=_said(review.get("@id")) or _said(review.get("url")),
        texts=texts,
        verdict=_worded(worded) or _numbered(rating),
        rating=worded,
        source=_said(review.get("author")) or _said(review.get("publisher")),
        date=review.get("datePublished"),
        correction=_said(review.get("reviewBody")) or _said(review.get("description")),
        link=_said(review.get("url")),
    )


def _said(value: Any) -> str:
    """The words of a value: a string, {"@value": ...}, {"name": ...}, or the first of a list."""
    if isinstance(value, list):
        return _said(value[0]) if value else ""
    if isinstance(value, dict):
        return _said(value.get("@value") or value.get("name") or value.get("@id"))
    return value.strip() if isinstance(value, str) else ""


def _lang(value: Any, default: Any) -> str | None:
    stated = value.get("@language") if isinstance(value, dict) else None
    name = stated or _said(default)
    return name.split("-")[0].lower() or None


def _numbered(rating: dict[str, Any]) -> Verdict | None:
    """The verdict of a rating in numbers: its ends, and not-the-truth between them."""
    try:
        value, worst, best = (
            float(rating[name]) for name in ("ratingValue", "worstRating", "bestRating")
        )
    except (KeyError, TypeError, ValueError):
        return None
    if not all(map(math.isfinite, (value, worst, best))) or not worst <= value <= best > worst:
        return None
    return "fake" if value == worst else "authenticated" if value == best else "not-the-truth"


# --- both -------------------------------------------------------------------------------------


def _worded(rating: str) -> Verdict | None:
    """The verdict that a rating's words stand for; None when they are not known."""
    plain = unicodedata.normalize("NFKD", rating.lower().replace("đ", "d"))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = unicodedata.normalize("NFC", re.sub(r"[\W_]+", " ", plain)).strip()
    return _PHRASES.get(plain)


def _claim(
    *,
    key: str,
    texts: list[tuple[str, str | None]],
    verdict: Verdict | None,
    rating: str,
    source: str,
    date: Any,
    correction: str,
    link: str,
) -> FoundClaim:
    if not texts:
        raise _Unusable("the claim's text is missing")
    if verdict is None:
        known = "fake, not-the-truth, authenticated or unverifiable, or a checker's common words"
        raise _Unusable(
            f"the rating {rating!r} is no verdict that is known: say {known}"
            if rating
            else "it has no verdict"
        )
    if link and not _LINK.fullmatch(link):
        raise _Unusable(f"its link {link!r} does not begin with https:// or http://")
    try:
        published = None if date is None else _day(date)
    except TimestampError as error:
        raise _Unusable(f"its date {date!r} is no date: write it like 2026-01-31") from error
    return FoundClaim(
        claim=claim_id(source, key or texts[0][0]),
        texts=texts,
        verdict=verdict,
        rating=rating,
        source=source,
        published_at=published,
        correction=correction,
        link=link,
    )


def _day(date: Any) -> int:
    if isinstance(date, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", date.strip()):
        return parse_time(f"{date.strip()}T00:00:00Z")
    return parse_time(date)
