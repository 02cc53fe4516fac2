"""What stands in small print beside an alert or a rumor: times, category, ids."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from console.language import Language
from stores.base import AlertDocument, RumorDocument


@dataclass(frozen=True)
class Fact:
    label: str
    value: str
    code: bool = False  # an id, set in fixed-width letters
    href: str = ""  # the page of what it names


def alert_facts(alert: AlertDocument, rumor_id: str, now: int, words: Language) -> list[Fact]:
    facts = [
        Fact(words.word("status"), words.name("status", alert.status)),
        Fact(words.word("first_post"), words.clock(alert.first_post_at, now)),
        Fact(words.word("raised_at"), words.clock(alert.raised_at, now)),
        Fact(words.word("delay"), words.duration(alert.raised_at - alert.first_post_at)),
    ]
    if alert.confirmed_at is not None:
        facts.append(Fact(words.word("confirmed_at"), words.clock(alert.confirmed_at, now)))
    facts.append(Fact(words.word("last_post"), words.clock(alert.last_post_at, now)))
    facts += _category(alert, words)
    if alert.waited_ms:
        facts.append(Fact(words.word("waited"), words.duration(alert.waited_ms)))
    facts += [Fact(words.word("covers"), name, True, _rumor(name)) for name in alert.covers]
    return [
        *facts,
        Fact(words.word("alert"), alert.alert_id, code=True),
        Fact(words.word("rumor"), rumor_id, True, _rumor(rumor_id)),
        Fact(words.word("event"), alert.event_id, code=True),
        Fact(words.word("settings"), alert.settings_version, code=True),
        Fact(words.word("encoder"), alert.encoder, code=True),
    ]


def _category(document: AlertDocument | RumorDocument, words: Language) -> list[Fact]:
    """Its name and the confidence."""
    if not document.category:
        return []
    name = words.name("category", document.category)
    sure = words.share(document.category_confidence)
    return [Fact(words.word("category"), f"{name} ({sure})")]


def rumor_facts(rumor: RumorDocument, now: int, words: Language) -> list[Fact]:
    facts = [
        Fact(words.word("first_post"), words.clock(rumor.first_post_at, now)),
        Fact(words.word("last_post"), words.clock(rumor.last_post_at, now)),
        Fact(words.word("updated_at"), words.clock(rumor.updated_at, now)),
        Fact(words.word("micro_clusters"), words.number(rumor.micro_clusters)),
    ]
    facts += _category(rumor, words)
    if rumor.covered_by is not None:
        facts.append(
            Fact(words.word("covered_by"), rumor.covered_by, True, _alert(rumor.covered_by))
        )
    if rumor.waiting_since is not None:
        facts.append(Fact(words.word("waiting_since"), words.clock(rumor.waiting_since, now)))
    return [
        *facts,
        Fact(words.word("rumor"), rumor.rumor_id, code=True),
        Fact(words.word("event"), rumor.event_id, code=True),
    ]


def _alert(name: str) -> str:
    return f"/alerts/{quote(name, safe='')}"


def _rumor(name: str) -> str:
    return f"/rumors/{quote(name, safe='')}"
