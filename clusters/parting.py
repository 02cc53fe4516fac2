"""An order to part: posts leave their micro-clusters, and what says the same follows them.

A micro-cluster that is left keeps what they added to its sum here: the weights of then are gone. With
every post that joins, it counts for less. Raw sums are exact, so the change withdraws it.
"""

from __future__ import annotations

from clusters.admission import leans_on_parent
from clusters.pending import Pending
from clusters.seen import Seen
from clusters.table import MicroTable
from clusters.weights import Weights, gather
from streams.inputs import Parting


def part(
    order: Parting, seen: Seen, table: MicroTable, wordings: dict[int, int], weights: Weights,
    pending: Pending, dense_weight: float,
) -> bool:  # fmt: skip
    """Carry the order out; False when there is nothing to do."""
    posts = order.posts
    rows = _leaving(order, seen, table)
    if not rows:
        return False
    opened: dict[str, int] = {}
    for row in rows:
        name, created = order.enters[row], int(posts.created_at[row])
        if name not in opened:
            opened[name] = table.open(name, created)
        table.touch(opened[name], created)
        serial = int(table.serial[opened[name]])
        seen.move(posts.source[row], posts.id[row], serial)
        wording = int(posts.wording[row])
        known = wordings.get(wording)
        if known is not None and table.row_of(known) is not None:
            wordings[wording] = serial
    spoken = _speaking(order, rows)
    texts = gather(posts, spoken)
    for row, x in zip(spoken, weights.vectors(texts, dense_weight), strict=True):
        table.add(opened[order.enters[row]], x)
    pending.vectors(texts, [order.enters[row] for row in spoken])
    pending.withdraw(texts, [order.leaves[row] for row in spoken])
    return True


def _leaving(order: Parting, seen: Seen, table: MicroTable) -> list[int]:
    """The rows of an order whose posts lie where it says that they do.

    The others are another partition's, have left the window, or were moved by this order before.
    """
    rows = []
    places = zip(order.posts.source, order.posts.id, order.leaves, strict=True)
    for row, (source, post_id, name) in enumerate(places):
        serial = seen.serial(source, post_id)
        at = None if serial is None else table.row_of(serial)
        if at is not None and table.ids[at] == name:
            rows.append(row)
    return rows


def _speaking(order: Parting, rows: list[int]) -> list[int]:
    """Those of the rows whose words make the new micro-clusters, ascending.

    As when they came: of exact copies one, reposts and replies that lean on their parent not at all;
    but all of a micro-cluster that would have none.
    """
    posts = order.posts
    heard: set[tuple[str, int]] = set()
    chosen = []
    for row in rows:
        said = (order.enters[row], int(posts.wording[row]) or -1 - row)
        if posts.repost_of[row] is None and not leans_on_parent(posts, row) and said not in heard:
            chosen.append(row)
            heard.add(said)
    voiced = {name for name, _ in heard}
    return sorted(chosen + [row for row in rows if order.enters[row] not in voiced])
