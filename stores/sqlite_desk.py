"""Known claims and the audit in SQLite: rows of them, and what is asked of them."""

from __future__ import annotations

import sqlite3

import msgspec

from streams.documents import AuditDocument, Batch, ClaimDocument

CLAIM = "SELECT document FROM claims WHERE id = ?"
CLAIMS = "SELECT document FROM claims ORDER BY since DESC, id LIMIT ? OFFSET ?"
ACTION = "SELECT document FROM audit WHERE id = ?"
AUDIT = "SELECT document FROM audit ORDER BY version DESC, id LIMIT ? OFFSET ?"
AUDIT_OF = (
    "SELECT document FROM audit WHERE alert_id = ? ORDER BY version DESC, id LIMIT ? OFFSET ?"
)

_PUT_CLAIM = """
INSERT INTO claims (id, version, since, document) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, since = excluded.since,
    document = excluded.document
WHERE excluded.version >= version
"""
# Append only: what was written once stays.
_PUT_AUDIT = """
INSERT INTO audit (id, version, at, alert_id, document) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""

_encode = msgspec.msgpack.Encoder().encode
claims = msgspec.msgpack.Decoder(ClaimDocument)
audits = msgspec.msgpack.Decoder(AuditDocument)


def put(connection: sqlite3.Connection, batch: Batch) -> int:
    """Write a batch's claims and audit; returns how many were stored."""
    stored = 0
    if batch.claims:
        rows = [(c.claim_id, c.version, c.since, _encode(c)) for c in batch.claims]
        stored += connection.executemany(_PUT_CLAIM, rows).rowcount
    if batch.audits:
        entries = [(a.action_id, a.version, a.at, a.alert_id, _encode(a)) for a in batch.audits]
        stored += connection.executemany(_PUT_AUDIT, entries).rowcount
    return stored
