"""Merge and split: what an analyst says of which rumors are one, carried out.

The latest word holds: merging two rumors lifts the bar that an earlier split set between them, and a
split may undo a merge. Each says what it lifts.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from alerts.desk import Decided, audit
from alerts.growing import absorb, index
from alerts.lifecycle import note
from alerts.measuring import measure
from alerts.parting import Awaited, as_left_the_door, carve, chosen
from alerts.raising import raise_alerts
from alerts.rumor import Rumor
from alerts.shaping import last_of_each
from alerts.standing import Standing
from alerts.writing import Writing
from streams.documents import Split
from streams.effects import Effects, Moved
from streams.ids import part_id
from streams.inputs import Action


def bind(standing: Standing, writing: Writing, action: Action, effects: Effects) -> None:
    """Do a merge or a split, or refuse it; documents are written at once."""
    desk, rumors = standing.desk, standing.tree.rumors
    decided = desk.refer(action, rumors.values())
    changed: list[Rumor] = []
    if not decided.reason and decided.rumor is not None:
        do = _merge if action.deed == "merge" else _split
        decided, changed = do(standing, writing, action, decided.rumor, effects)
    measure(changed, standing.micros)
    effects.raised = raise_alerts(standing, writing, {rumor.number for rumor in changed})
    effects.batch.audits.append(audit(action, decided, standing.version))
    effects.batch.posts = last_of_each(effects.batch.posts)
    writing.tell_ended(effects.batch)
    for rumor in changed:
        writing.tell(rumor, effects.batch)


def _merge(
    standing: Standing, writing: Writing, action: Action, rumor: Rumor, effects: Effects
) -> tuple[Decided, list[Rumor]]:
    tree, desk = standing.tree, standing.desk
    other = desk.find(action.other, tree.rumors.values())
    if isinstance(other, str):
        return Decided(rumor, other), []
    if other is rumor:
        return Decided(rumor, f"{action.alert} and {action.other} are one already"), []
    if other.alert is not None and other.alert.status == "closed":
        return Decided(rumor, f"the alert {other.alert.alert_id} is closed: reopen it first"), []
    lifted = tree.bars.lift(rumor.number, other.number)
    more = {"lifts": f"the split by {lifted}"} if lifted is not None else {}
    reason = f"Merged by {action.who}{f': {action.why}' if action.why else '.'}"
    effects.merged, heir, loser = tree.unite(
        standing.micros, rumor, other, standing.watermark, action.who, reason
    )
    effects.batch.posts += absorb(standing, writing, heir, loser, by=action)
    return Decided(heir, "", more), [heir]


def _split(
    standing: Standing, writing: Writing, action: Action, rumor: Rumor, effects: Effects
) -> tuple[Decided, list[Rumor]]:
    going = chosen(rumor, action.posts)
    if isinstance(going, str):
        return Decided(rumor, going), []
    tree, micros = standing.tree, standing.micros
    posts = [rumor.kept[at] for at in sorted(going)]
    part = tree.part(rumor, part_id(rumor.id, action.id), min(post.created_at for post in posts))
    crossed = _crossed(rumor, going)
    enters = {
        name: part_id(name, action.id) if crosses else name for name, crosses in crossed.items()
    }
    rumor.kept = [
        replace(post, micro=enters[post.micro]) if at in going else post
        for at, post in enumerate(rumor.kept)
    ]
    effects.moved = [
        Moved(
            post=as_left_the_door(rumor.kept[at], rumor.marks[at][1]),
            leaves=post.micro,
            micro=enters[post.micro],
            rumor=part.id,
        )
        for at, post in zip(sorted(going), posts, strict=True)
    ]
    carve(rumor, going, part)
    lifts = tree.parts.forget([name for name, crosses in crossed.items() if not crosses])
    for name, crosses in crossed.items():
        row = micros.row(name)
        if crosses:
            if row is not None or tree.expected.knows(name):
                tree.expected.add(enters[name], Awaited(part.number, name))
        elif row is not None:
            micros.rumor[row] = part.number
            texts = micros.texts_of(np.array([row]))
            rumor.texts, part.texts = rumor.texts - texts, part.texts + texts
        else:
            tree.expected.turn(name, part.number)
    tree.bars.add(rumor.number, part.number, action.who)
    record = Split(
        rumor=rumor.id, part=part.id, at=action.at, by=action.who, why=action.why, posts=len(posts)
    )
    rumor.splits.append(record)
    part.splits.append(record)
    assert rumor.alert is not None  # else it was refused
    why = f"{len(posts)} posts became {part.id}{f': {action.why}' if action.why else ''}"
    note(rumor.alert, "split", action.at, who=action.who, why=why)
    writing.reshaped(rumor.number)
    if rumor.indexed or part.posts.count >= standing.parameters.index_posts:
        effects.batch.posts += index(standing, writing, part)
    more = {"part": part.id, **({"lifts": "an earlier merge"} if lifts else {})}
    return Decided(rumor, "", more), [rumor, part]


def _crossed(rumor: Rumor, going: set[int]) -> dict[str, bool]:
    """The micro-clusters of the posts that go: whether the split crosses them.

    It does where posts of one stay, or where the rumor does not know all of its posts any more.
    """
    whole = len(rumor.kept) == rumor.posts.count
    staying = {post.micro for at, post in enumerate(rumor.kept) if at not in going}
    names = dict.fromkeys(rumor.kept[at].micro for at in sorted(going))
    return {name: not whole or name in staying for name in names}
