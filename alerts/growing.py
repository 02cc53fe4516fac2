"""How rumors open, grow by posts, go into an heir, and close."""

from __future__ import annotations

import numpy as np

from alerts.lifecycle import hear, note
from alerts.measuring import count_texts
from alerts.rumor import AlertState, Rumor, folded_posts
from alerts.shaping import post_document
from alerts.standing import Standing
from alerts.writing import Writing
from streams.documents import Batch, PostDocument, RumorDocument
from streams.grid import int8
from streams.ids import rumor_id
from streams.inputs import Action
from streams.records import Change


def open_rumors(standing: Standing, change: Change, rows: np.ndarray) -> None:
    """A micro-cluster not known yet starts as a rumor of its own, named by its first post."""
    micros, tree = standing.micros, standing.tree
    lying = rows.tolist()
    new = {
        row for row, number in zip(lying, micros.rumor[rows].tolist(), strict=True) if number < 0
    }
    for row in sorted(new):
        number = tree.expected.pop(micros.ids[row])
        if number is not None:  # out of a split
            new.remove(row)
            micros.rumor[row], micros.event[row] = number, tree.rumors[number].event
    if not new:
        return
    for at, micro in enumerate(change.rows.micro.tolist()):
        row = lying[micro] if micro >= 0 else -1
        if row in new:
            new.remove(row)
            name = rumor_id(change.rows.source[at], change.rows.id[at])
            rumor = tree.open(name, int(change.rows.created_at[at]))
            micros.rumor[row] = micros.event[row] = rumor.number
    for row in sorted(new):  # out of a split that this fold's log does not reach back to
        rumor = tree.open("r" + micros.ids[row][1:], max(change.watermark, 0))
        micros.rumor[row] = micros.event[row] = rumor.number


def count(
    standing: Standing, writing: Writing, change: Change, rows: np.ndarray
) -> list[PostDocument]:
    """Add the change's posts to their rumors; returns documents of those that are indexed."""
    documents: list[PostDocument] = []
    numbers = standing.micros.rumor[rows].tolist()
    count_texts(standing.tree.rumors, numbers, change.micros.vectors.tolist())
    if not len(change.rows):
        return documents
    gate = standing.gate
    names = [standing.micros.ids[row] for row in rows.tolist()]
    for micro, voice, post in folded_posts(change, names, standing.known()):
        rumor = standing.tree.rumors[numbers[micro]]
        rumor.take(post, voice, standing.place)
        standing.place += 1
        standing.newest = post.id
        root = gate.root(rumor.number)
        alert = rumor.alert if root is None else standing.tree.rumors[root].alert
        if alert is not None and alert.settled_at is not None:
            hear(alert, post, voice)
        standing.trends.post(post.created_at, post.lang, post.platform, post.category)
        if rumor.indexed:
            documents.append(post_document(post, rumor.id, standing.version))
        elif rumor.posts.count >= standing.parameters.index_posts:
            documents += index(standing, writing, rumor)
    return documents


def index(standing: Standing, writing: Writing, rumor: Rumor) -> list[PostDocument]:
    """The rumor crossed the index threshold: what it kept so far is stored."""
    rumor.indexed = True
    writing.changed({rumor.number}, news=True)
    return [post_document(p, rumor.id, standing.version) for p in rumor.kept]


def absorb(
    standing: Standing, writing: Writing, heir: Rumor, loser: Rumor, by: Action | None = None
) -> list[PostDocument]:
    """The younger of two rumors goes into the older one, its alert and posts too.

    `by`: the analyst's action that merged them, if it was one.
    """
    moved = list(loser.kept)
    alert = loser.alert
    if alert is not None and heir.alert is None:
        heir.alert, alert = alert, None
    _note_merger(standing, heir, loser, alert, by)
    if loser.indexed or loser.alert is not None:
        document = writing.document(loser, open=False, merged_into=heir.id)
        heir_alert = heir.alert.alert_id if heir.alert and alert else None
        writing.ended(document, alert, heir_alert)
        standing.desk.gone(loser.id, heir.id)
        if alert is not None:
            standing.desk.gone(alert.alert_id, heir_alert or "")
    heir.absorb(loser)
    writing.drop(loser.number)
    writing.changed({heir.number}, news=True)
    moved_too = standing.gate.merged(heir.number, loser.number, heir.alert is not None)
    writing.changed(moved_too & standing.tree.rumors.keys())
    if heir.indexed:
        return [post_document(p, heir.id, standing.version) for p in moved]
    if loser.indexed or heir.posts.count >= standing.parameters.index_posts:
        return index(standing, writing, heir)
    return []


def _note_merger(
    standing: Standing, heir: Rumor, loser: Rumor, alert: AlertState | None, by: Action | None
) -> None:
    """Both alerts' histories tell of it. `alert`: the loser's, where the heir keeps its own."""
    if heir.alert is None or (alert is None and by is None):
        return
    deed, who = ("merge", by.who) if by else ("merged", "")
    at, why = (by.at, f": {by.why}" if by.why else "") if by else (standing.watermark, "")
    other = f"{alert.alert_id} ({loser.id})" if alert else loser.id
    note(heir.alert, deed, at, who=who, why=f"{other} became part of it{why}")
    if alert is not None:
        note(alert, deed, at, who=who, why=f"became part of {heir.alert.alert_id}{why}")


def close_aged(
    standing: Standing, writing: Writing, aged: list[str], batch: Batch
) -> list[RumorDocument]:
    """Rumors whose last micro-cluster left the window are closed.

    Documents that fell due before go into the batch.
    """
    closed: list[RumorDocument] = []
    if not aged:
        return closed
    tree, micros, desk = standing.tree, standing.micros, standing.desk
    tree.parts.forget(aged)
    left = micros.rumors_with(aged) | tree.expected.lost(aged)
    losing = sorted(left & tree.rumors.keys())
    writing.settle(set(losing), batch)
    for number in losing:
        rumor = tree.rumors[number]
        rows = micros.of_rumor(number)
        # One that goes unheard needs none, but for one that stays.
        if not rumor.vector and (_is_told(rumor) or len(rows) > 1 or tree.expected.has(number)):
            rumor.vector = int8(micros.dense_of(rows))
    micros.drop(aged)
    for number in losing:
        if micros.count_of_rumor(number) or tree.expected.has(number):
            continue
        rumor = tree.rumors[number]
        if rumor.alert is not None:
            rumor.alert.status = "closed"
            note(rumor.alert, "closed", standing.watermark, why="its last post left the window")
            desk.gone(rumor.id)
            desk.gone(rumor.alert.alert_id)
        written = rumor.indexed or rumor.alert is not None
        if _is_told(rumor):
            document = writing.document(rumor, open=False)
            if rumor.posts.count > 1 or rumor.alert is not None:
                closed.append(document)
            if written:
                writing.ended(document, rumor.alert, None)
        tree.close(number)
        writing.drop(number)
        writing.changed(standing.gate.ended(number))
    return closed


def _is_told(rumor: Rumor) -> bool:
    """Whether anybody hears of a rumor that closes; of most that have one post nobody ever does."""
    return rumor.posts.count > 1 or rumor.indexed or rumor.alert is not None
