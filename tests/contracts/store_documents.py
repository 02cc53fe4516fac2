"""Invented documents for the store tests."""

from __future__ import annotations

from typing import Any

from streams.documents import (
    AlertDocument,
    AuditDocument,
    ClaimDocument,
    ClaimMatch,
    ClaimText,
    Exemplar,
    Join,
    PostDocument,
    RumorDocument,
    Signal,
    Split,
    Step,
    TrendDocument,
    Triage,
)

BASE = 1_772_323_200_000  # 2026-03-01T00:00Z, ms
MINUTE = 60_000
DAY = 86_400_000


def signal(**changes: Any) -> Signal:
    values: dict[str, Any] = {
        "name": "voices",
        "value": 12.5,
        "threshold": 4.0,
        "unit": "voices",
        "definition": "Distinct voices in the last 24 hours.",
    }
    return Signal(**(values | changes))


def exemplar(**changes: Any) -> Exemplar:
    values: dict[str, Any] = {
        "source": "forum",
        "post_id": "p1",
        "text": "Nghe nói đập Sông Mơ sắp vỡ, có thật không mọi người? 🙏",
        "created_at": BASE,
        "why": "first",
    }
    return Exemplar(**(values | changes))


def rumor(rumor_id: str = "r1", version: int = 1, **changes: Any) -> RumorDocument:
    values: dict[str, Any] = {
        "rumor_id": rumor_id,
        "version": version,
        "event_id": "e1",
        "headline": "đập Sông Mơ sắp vỡ",
        "posts": 14,
        "voices": 12,
        "reach": 2**40,
        "born_at": BASE + 1,
        "first_post_at": BASE,
        "last_post_at": BASE + 9 * MINUTE + 7,
        "updated_at": BASE + 10 * MINUTE + 123,
        "languages": {"vi": 12, "en": 2},
        "platforms": {"forum": 14, "a.b c": 1},
        "communities": {"Hội chợ 4.0": 3, "": 1},
        "micro_clusters": 3,
        "score": 0.1 + 0.2,
        "signals": [signal(), signal(name="enquiry", value=1 / 3, unit="share")],
        "exemplars": [exemplar(), exemplar(post_id="p2", why="enquiry")],
        "timeline": [(BASE, 4), (BASE + 5 * MINUTE, 10)],
        "joins": [Join(loser="r9", at=BASE, similarity=0.31, threshold=0.3, reason="0.31 >= 0.30")],
        "splits": [Split(rumor="r1", part="r8", at=BASE, by="Mai", why="two dams", posts=2)],
        "level": "suggest",
        "alert_id": "a1",
        "category": "disaster",
        "category_confidence": 0.625,
        "merged_into": None,
        "covered_by": "a7",
        "waiting_since": BASE + 3,
        "open": True,
    }
    return RumorDocument(**(values | changes))


def triage(**changes: Any) -> Triage:
    values: dict[str, Any] = {
        "assignee": "Mai",
        "verdict": "not-the-truth",
        "decided_by": "Nam",
        "decided_at": BASE + 20 * MINUTE,
        "links": ["https://example.org/dap-song-mo"],
        "correction": "Đập Sông Mơ không có sự cố.",
        "correction_link": "https://example.org/tra-loi",
        "reopened": 1,
        "muted": True,
        "returned": True,
        "match": ClaimMatch(
            claim_id="c1",
            similarity=0.71,
            certain=True,
            text="Đập Sông Mơ sắp vỡ",
            verdict="fake",
            source="Trung tâm kiểm chứng (bịa)",
            published_at=BASE - DAY,
            correction="Không.",
            link="https://example.org/dap",
        ),
        "history": [
            Step(at=BASE + 1, who="Mai", deed="acknowledge", why="", status="acknowledged"),
            Step(at=BASE + 2, who="", deed="reopened", why="8 posts since", status="new"),
        ],
    }
    return Triage(**(values | changes))


def alert(alert_id: str = "a1", version: int = 1, **changes: Any) -> AlertDocument:
    values: dict[str, Any] = {
        "alert_id": alert_id,
        "version": version,
        "rumor_id": "r1",
        "event_id": "e1",
        "level": "suggest",
        "status": "new",
        "raised_at": BASE + 10 * MINUTE + 1,
        "confirmed_at": None,
        "raised_by": "p14",
        "updated_at": BASE + 11 * MINUTE,
        "headline": "đập Sông Mơ sắp vỡ",
        "score": 7.25,
        "signals": [signal(), signal(name="growth", value=2.0, threshold=-0.5, unit="1/h")],
        "posts": 14,
        "voices": 12,
        "reach": 900,
        "first_post_at": BASE,
        "last_post_at": BASE + 9 * MINUTE,
        "languages": ["en", "vi"],
        "platforms": {"forum": 14},
        "communities": {},
        "exemplars": [exemplar()],
        "settings_version": "sha256:00ff",
        "encoder": "none",
        "category": None,
        "category_confidence": 0.25,
        "merged_into": None,
        "covers": ["r3", "r5"],
        "waited_ms": 1234,
        "triage": triage(),
    }
    return AlertDocument(**(values | changes))


def post(post_id: str = "p1", version: int = 1, **changes: Any) -> PostDocument:
    values: dict[str, Any] = {
        "source": "forum",
        "post_id": post_id,
        "version": version,
        "rumor_id": "r1",
        "micro_cluster_id": "m1",
        "created_at": BASE + MINUTE,
        "text": "Nghe nói đập Sông Mơ sắp vỡ, có thật không?",
        "lang": "vi",
        "platform": "forum",
        "community": None,
        "url": None,
        "reply_to": None,
        "repost_of": None,
        "kind": "post",
        "flags": ["enquiry", "urgent"],
        "reach": 3,
    }
    return PostDocument(**(values | changes))


def trend(bucket: int = BASE, version: int = 1, **changes: Any) -> TrendDocument:
    values: dict[str, Any] = {
        "bucket": bucket,
        "language": "vi",
        "platform": "forum",
        "category": "health",
        "version": version,
        "posts": 5,
        "alerts_suggest": 1,
        "alerts_confirm": 0,
    }
    return TrendDocument(**(values | changes))


def claim(claim_id: str = "c1", version: int = 1, **changes: Any) -> ClaimDocument:
    values: dict[str, Any] = {
        "claim_id": claim_id,
        "version": version,
        "since": BASE,
        "texts": [
            ClaimText(text="Đập Sông Mơ sắp vỡ", lang="vi"),
            ClaimText(text="The Song Mo dam is about to break", lang="en"),
        ],
        "verdict": "fake",
        "rating": "Sai sự thật",
        "source": "Trung tâm kiểm chứng (bịa)",
        "published_at": BASE - DAY,
        "correction": "Đập Sông Mơ an toàn.",
        "link": "https://example.org/dap",
        "origin": "import",
        "alert_id": None,
        "encoder": "none",
        "muted": False,
        "returned": 2,
    }
    return ClaimDocument(**(values | changes))


def audit(action_id: str = "x1", version: int = 1, **changes: Any) -> AuditDocument:
    values: dict[str, Any] = {
        "action_id": action_id,
        "version": version,
        "at": BASE + MINUTE,
        "who": "Mai",
        "deed": "verdict",
        "subject": "a0",
        "why": "gọi trạm thủy văn",
        "given": {"verdict": "fake", "links": "https://example.org/dap"},
        "taken": True,
        "reason": "",
        "alert_id": "a1",
        "rumor_id": "r1",
        "status": "answered",
    }
    return AuditDocument(**(values | changes))
