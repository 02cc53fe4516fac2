"""What the desk did, in the shape that Elasticsearch keeps: triage, known claims, the audit."""

from __future__ import annotations

import msgspec

from stores.elasticsearch.values import Shape, iso, ms, ms_or_none, present
from streams.documents import AuditDocument, ClaimDocument, Triage


def triage_shape(triage: Triage) -> Shape:
    """Below `triage`, beside the status."""
    kept = present(**msgspec.to_builtins(triage))
    if triage.decided_at is not None:
        kept["decided_at"] = iso(triage.decided_at)
    if triage.match is not None:
        kept["match"] = present(**kept["match"])
        if triage.match.published_at is not None:
            kept["match"]["published_at"] = iso(triage.match.published_at)
    kept["history"] = [{**msgspec.to_builtins(s), "at": iso(s.at)} for s in triage.history]
    return kept


def triage(kept: Shape) -> Triage:
    """Back from `triage_shape`; documents of an older mapping have nothing but a status."""
    fields = {name: value for name, value in kept.items() if name != "status"}
    fields["decided_at"] = ms_or_none(kept.get("decided_at"))
    if "match" in kept:
        match = {"verdict": None, **kept["match"]}
        fields["match"] = {**match, "published_at": ms_or_none(match.get("published_at"))}
    fields["history"] = [{**s, "at": ms(s["at"])} for s in kept.get("history", [])]
    return msgspec.convert(fields, Triage)


def claim_shape(document: ClaimDocument) -> Shape:
    own = msgspec.to_builtins(document)
    own["id"] = own.pop("claim_id")
    if document.published_at is not None:
        own["published_at"] = iso(document.published_at)
    return {
        "@timestamp": iso(own.pop("since")),
        "event": {"kind": "enrichment", "sequence": own.pop("version")},
        "message": document.texts[0].text if document.texts else "",
        "claim": present(**own),
    }


def claim(kept: Shape) -> ClaimDocument:
    own = {"verdict": None, "alert_id": None, **kept["claim"]}
    own["claim_id"] = own.pop("id")
    own["published_at"] = ms_or_none(own.get("published_at"))
    own |= {"since": ms(kept["@timestamp"]), "version": kept["event"]["sequence"]}
    return msgspec.convert(own, ClaimDocument)


def audit_shape(document: AuditDocument) -> Shape:
    return {
        "@timestamp": iso(document.at),
        "event": {
            "kind": "event",
            "sequence": document.version,
            "id": document.action_id,
            "action": document.deed,
            "outcome": "success" if document.taken else "failure",
            "reason": document.reason,
        },
        "message": document.why,
        "audit": present(
            who=document.who,
            subject=document.subject,
            given=document.given,
            alert_id=document.alert_id,
            rumor_id=document.rumor_id,
            status=document.status,
        ),
    }


def audit(kept: Shape) -> AuditDocument:
    event = kept["event"]
    fields = {
        "action_id": event["id"],
        "version": event["sequence"],
        "at": ms(kept["@timestamp"]),
        "deed": event["action"],
        "why": kept["message"],
        "taken": event["outcome"] == "success",
        "reason": event["reason"],
        "alert_id": None,
        "rumor_id": None,
        "status": None,
    }
    return msgspec.convert(fields | kept["audit"], AuditDocument)
