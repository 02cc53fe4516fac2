"""The embedded road's checkpoint: where it stands and its folds' snapshots, as blobs of its database.

Each large part of the alert fold's snapshot is a blob of its own, written as it is packed, a few MB at
a time, and let go before the next one. The caller's transaction makes all of them durable together.
"""

from __future__ import annotations

from typing import Any

from stores.sqlite import SqliteStore
from streams.codec import CodecError, pack_state, state_pieces, unpack_state

HEAD = "checkpoint"
_CLUSTER = "checkpoint/cluster"
_ALERT = "checkpoint/alert/"


def put_cluster(store: SqliteStore, cluster: bytes) -> None:
    """Keep the cluster fold's packed snapshot, in the transaction of the checkpoint that it is part of."""
    store.put_blob(_CLUSTER, cluster)


def put(store: SqliteStore, head: dict[str, Any], alert: dict[str, Any]) -> None:
    """Keep a checkpoint in place of the last one, inside a transaction.

    `head`: where the road stands. `alert`: that fold's snapshot; its parts are taken out.
    Without `put_cluster` before it, the last checkpoint's snapshot of the cluster fold still holds.
    """
    parts = [name for name, value in alert.items() if isinstance(value, dict)]
    for name in parts:
        store.put_pieces(_ALERT + name, state_pieces(alert.pop(name)))
    store.put_pieces(HEAD, state_pieces({**head, "alert": alert, "parts": parts}))


def stands(store: SqliteStore) -> dict[str, Any] | None:
    """The last checkpoint's head, with the alert fold's snapshot under `alert`; None before the first.

    Raises CodecError.
    """
    blob = store.get_blob(HEAD)
    if blob is None:
        return None
    head = unpack_state(blob)
    for name in head.get("parts", ()):  # in older checkpoints the snapshot stands in the head
        head["alert"][name] = unpack_state(_part(store, _ALERT + name))
    return head


def cluster_in(store: SqliteStore) -> bytes | None:
    """The cluster fold's packed snapshot in the last checkpoint; None before the first.

    Raises CodecError.
    """
    blob = store.get_blob(HEAD)
    if blob is None:
        return None
    head = unpack_state(blob)
    if "parts" in head:
        return _part(store, _CLUSTER)
    cluster = head["cluster"]  # in the oldest checkpoints the snapshot itself, not its bytes
    return cluster if isinstance(cluster, bytes) else pack_state(cluster)


def _part(store: SqliteStore, key: str) -> bytes:
    blob = store.get_blob(key)
    if blob is None:
        raise CodecError(f"the checkpoint is damaged: its part {key} is missing")
    return blob
