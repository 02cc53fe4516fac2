"""The tables of the SQLite store."""

from __future__ import annotations

SCHEMA_VERSION = 4

# `detail = none`: only whole words are asked for, so the index needs no places of words in a post.
# `content = ''`: the text stands in the document already. The tokenizer `ascii` splits at ASCII
# separators only, every other character is part of a word: what `stores.folding.folded` gives.
SCHEMA = """
CREATE TABLE IF NOT EXISTS store_versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS rumors (
    id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, score REAL NOT NULL, merged INTEGER NOT NULL,
    open INTEGER NOT NULL, last_post_at INTEGER NOT NULL, vector BLOB, document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS rumors_by_score ON rumors (score DESC, id) WHERE merged = 0;
CREATE INDEX IF NOT EXISTS rumors_open ON rumors (id) WHERE open;

CREATE TABLE IF NOT EXISTS alerts (
    id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, level TEXT NOT NULL, status TEXT NOT NULL,
    rumor_id TEXT NOT NULL, raised_at INTEGER NOT NULL, merged INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS alerts_by_time ON alerts (raised_at DESC, id) WHERE merged = 0;
CREATE INDEX IF NOT EXISTS alerts_by_rumor ON alerts (rumor_id);

CREATE TABLE IF NOT EXISTS posts (
    place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
    rumor_id TEXT NOT NULL, created_at INTEGER NOT NULL, document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS posts_by_rumor ON posts (rumor_id, created_at, key);
CREATE INDEX IF NOT EXISTS posts_by_time ON posts (created_at);
CREATE VIRTUAL TABLE IF NOT EXISTS posts_text USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
);

CREATE TABLE IF NOT EXISTS trends (
    bucket INTEGER NOT NULL, language TEXT NOT NULL, platform TEXT NOT NULL, category TEXT NOT NULL,
    version INTEGER NOT NULL, document BLOB NOT NULL,
    PRIMARY KEY (bucket, language, platform, category)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS claims (
    id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, since INTEGER NOT NULL, document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS claims_by_time ON claims (since DESC, id);

CREATE TABLE IF NOT EXISTS audit (
    id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, at INTEGER NOT NULL, alert_id TEXT,
    document BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS audit_by_order ON audit (version DESC, id);
CREATE INDEX IF NOT EXISTS audit_by_alert ON audit (alert_id, version DESC);
"""
