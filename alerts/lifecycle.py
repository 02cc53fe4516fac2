"""An alert's life: which deed may follow which status, and what it leaves behind.

    new -> acknowledged -> assigned -> verifying -> answered | dismissed -> closed

An analyst may leave steps out, never go back; `reopen`, or a new burst, makes an alert new again.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from alerts.parameters import DAY, HOUR, SAYING, LevelRule
from alerts.rumor import AlertState, Kept
from streams.documents import Status, Step
from streams.inputs import Action, Deed

HISTORY_KEPT = 50
"""Steps that an alert's document shows; the audit has them all."""

LONGEST = 4_000
"""Characters of a reason, a correction or a link; an answer to the public is shorter."""

MOST_LINKS = 20

UNDER_WAY = 6 * HOUR
"""After an answer, posts that it cannot have reached yet: they make no new burst. [design]"""

BURST_KEPT = 200
"""Posts since an alert was settled that are looked at, the newest; more than any level asks for."""

_OPEN: frozenset[Status] = frozenset({"new", "acknowledged", "assigned", "verifying"})
_SETTLED: frozenset[Status] = frozenset({"answered", "dismissed"})
_CLOSED: frozenset[Status] = frozenset({"closed"})


class Move(NamedTuple):
    """From which statuses a deed may be done, and where it leads; None: the status stays."""

    allowed: frozenset[Status]
    to: Status | None


MOVES: dict[Deed, Move] = {
    "acknowledge": Move(frozenset({"new"}), "acknowledged"),
    "assign": Move(_OPEN, "assigned"),
    "verify": Move(_OPEN - {"verifying"}, "verifying"),
    "note": Move(_OPEN | _SETTLED | _CLOSED, None),
    "verdict": Move(_OPEN | {"answered"}, "answered"),
    "dismiss": Move(_OPEN, "dismissed"),
    "close": Move(_SETTLED, "closed"),
    "reopen": Move(_SETTLED | _CLOSED, "new"),
    "merge": Move(_OPEN | _SETTLED, None),
    "split": Move(_OPEN | _SETTLED, None),
    "mute": Move(_OPEN | _SETTLED, None),
    "unmute": Move(_OPEN | _SETTLED, None),
    "raise": Move(frozenset(), None),  # for a rumor without an alert, see `alerts.by_hand`
}


def refusal(alert: AlertState, action: Action) -> str | None:
    """Why the deed cannot be done as things stand; None when it can."""
    if lacks := fault(action):
        return lacks
    move = MOVES[action.deed]
    if alert.status in move.allowed:
        return None
    by = next((s.who for s in reversed(alert.triage.history) if s.status == alert.status), "")
    stands = f"the alert is {alert.status}{f' by {by}' if by else ''}"
    if alert.status in _SETTLED | _CLOSED and action.deed != "reopen":
        return f"{stands}: reopen it first"
    if action.deed == "raise":
        return f"{stands}: it is raised already"
    return f"{stands}: {action.deed} is for one that is {_listed(move.allowed)}"


def fault(action: Action) -> str | None:
    """What the action itself lacks."""
    if not action.who.strip():
        return "nobody is named as its author: say who"
    texts = [action.who, action.why, action.assignee or "", action.correction]
    if any(len(text) > LONGEST for text in [*texts, action.correction_link, *action.links]):
        return f"a text is longer than {LONGEST} characters: shorten it"
    if action.deed in ("note", "dismiss") and not action.why.strip():
        return f"{action.deed} needs a reason: say why"
    if action.deed == "assign" and not (action.assignee or "").strip():
        return "assign needs a name on the desk: say to whom"
    if action.deed == "merge" and not action.other.strip():
        return "merge needs the other alert: say which"
    if action.deed == "verdict":
        return _verdict_fault(action)
    return None


def _verdict_fault(action: Action) -> str | None:
    if action.verdict is None:
        return "the verdict is missing: fake, not-the-truth, authenticated or unverifiable"
    if not action.links and action.verdict != "unverifiable":
        return f"the verdict {action.verdict} needs a link to its source"
    links = [*action.links, *filter(None, [action.correction_link])]
    if len(action.links) > MOST_LINKS:
        return f"more than {MOST_LINKS} links: give the best ones"
    if any(not link.startswith(("https://", "http://")) for link in links):
        return "a link does not begin with https:// or http://"
    return None


def advance(alert: AlertState, action: Action, watermark: int) -> None:
    """Do a deed that was not refused, at a watermark (ms)."""
    alert.status = MOVES[action.deed].to or alert.status
    if alert.status in _OPEN:
        alert.settled_at, alert.burst = None, []
    elif alert.settled_at is None:
        alert.settled_at = watermark
    if action.deed == "assign":
        alert.triage = replace(alert.triage, assignee=action.assignee)
    elif action.deed in ("mute", "unmute"):
        alert.triage = replace(alert.triage, muted=action.deed == "mute")
    elif action.deed == "verdict":
        alert.triage = replace(
            alert.triage,
            verdict=action.verdict,
            decided_by=action.who,
            decided_at=action.at,
            links=list(action.links),
            correction=action.correction,
            correction_link=action.correction_link,
        )
    note(alert, action.deed, action.at, who=action.who, why=action.why)


def note(alert: AlertState, deed: str, at: int, *, who: str = "", why: str = "") -> None:
    """Add a step to the alert's history, with the status that it has by then."""
    step = Step(at=at, who=who, deed=deed, why=why, status=alert.status)
    history = [*alert.triage.history, step][-HISTORY_KEPT:]
    alert.triage = replace(alert.triage, history=history)


def breaks_out(alert: AlertState, rule: LevelRule, watermark: int) -> bool:
    """Whether the posts since the alert was settled, those of the last 24 hours, make a new burst.

    They do when they carry by themselves the evidence that the alert's level asks for.
    """
    since = [one for one in alert.burst if one[0] >= watermark - DAY]
    return (
        len(since) >= rule.min_posts
        and len({voice for _, voice, _ in since}) >= rule.min_voices
        and len({wording for _, _, wording in since if wording}) >= rule.min_wordings
    )


def hear(alert: AlertState, post: Kept, voice: int) -> None:
    """Note a post that tells a settled claim again. What was under way at the answer does not count."""
    assert alert.settled_at is not None
    if post.created_at >= alert.settled_at + UNDER_WAY and post.repost_of is None:
        wording = post.wording if post.words >= SAYING else 0
        alert.burst = [*alert.burst, (post.created_at, voice, wording)][-BURST_KEPT:]


def reopen(alert: AlertState, watermark: int) -> None:
    """A new burst: the alert is new again."""
    posts = len(alert.burst)
    alert.status, alert.settled_at, alert.burst = "new", None, []
    alert.triage = replace(alert.triage, reopened=alert.triage.reopened + 1)
    note(alert, "reopened", watermark, why=f"{posts} posts since it was settled")


def _listed(statuses: frozenset[Status]) -> str:
    order: tuple[Status, ...] = (
        "new", "acknowledged", "assigned", "verifying", "answered", "dismissed", "closed"
    )  # fmt: skip
    return " or ".join(status for status in order if status in statuses)
