"""`tindon triage`: an analyst's action on an alert, as a record in the road's log."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.desk import PathOption, WaitOption, WhoOption, answer, give, name_of, store_of
from cli.errors import UserError, WrongUse

if TYPE_CHECKING:
    from streams.documents import AuditDocument


class Deed(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    VERIFY = "verify"
    NOTE = "note"
    VERDICT = "verdict"
    DISMISS = "dismiss"
    CLOSE = "close"
    REOPEN = "reopen"
    MUTE = "mute"
    UNMUTE = "unmute"
    MERGE = "merge"
    SPLIT = "split"
    RAISE = "raise"


# What follows a deed on the command line.
_VALUES = {
    Deed.ASSIGN: "the name to assign it to",
    Deed.VERDICT: "fake, not-the-truth, authenticated or unverifiable",
    Deed.NOTE: "the note",
    Deed.MERGE: "the id of the other alert or rumor",
}


_ONLY_SPLIT = "--post is for split: leave it out"


def register(app: typer.Typer) -> None:
    app.command("triage")(triage)


def triage(
    ctx: typer.Context,
    alert: Annotated[
        str, typer.Argument(metavar="ALERT", help="Id of an alert, a rumor, or a claim.")
    ],
    deed: Annotated[
        Deed, typer.Argument(metavar="ACTION", help="What you do; see the list below.")
    ],
    value: Annotated[
        str | None,
        typer.Argument(
            metavar="[VALUE]",
            help="assign: a name; verdict: which; note: the note; merge: the other alert or rumor.",
        ),
    ] = None,
    why: Annotated[str, typer.Option(metavar="TEXT", help="The reason; dismiss needs one.")] = "",
    link: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="verdict: where it can be checked; may be repeated."),
    ] = None,
    post: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="split: a post of another claim; may be repeated."),
    ] = None,
    correction: Annotated[
        str, typer.Option(metavar="TEXT", help="verdict: the answer to share.")
    ] = "",
    correction_link: Annotated[
        str, typer.Option(metavar="URL", help="verdict: where the answer stands.")
    ] = "",
    who: WhoOption = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it was done, ISO 8601; else now.")
    ] = None,
    action_id: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="Send an action again under its id: it counts once."
        ),
    ] = None,
    path: PathOption = None,
    wait: WaitOption = 10.0,
) -> None:
    """Act on an alert: acknowledge, assign NAME, verify, note TEXT, verdict WHICH, dismiss, close,
    reopen, mute, unmute, merge OTHER, split --post ID. A claim can be muted and unmuted; a rumor
    without an alert gets one by raise.

    The road takes it at its place in the log, or refuses it with a reason; both stand in the audit.
    """
    import uuid

    from streams.inputs import Action

    action = Action(
        id=action_id or uuid.uuid4().hex,
        deed=deed.value,
        alert=alert,
        who=name_of(who),
        at=_time(at),
        links=link or [],
        posts=post or [],
        correction=correction,
        correction_link=correction_link,
        **{"why": why, **_valued(deed, value, why, post or [])},
    )
    if path is not None and not (path / "tindon.sqlite").is_file():
        raise UserError(f"{path} holds no tindon.sqlite: give the folder of `tindon replay --out`")
    give(ctx, path, [action])
    store = store_of(ctx, path)
    try:
        told = answer(store, action.id, wait) if wait > 0 else None
    finally:
        store.close()
    if told is None:
        typer.echo(f"{action.id}: in the road's log or inbox; nothing is known of it yet")
    else:
        _say(told)


def _valued(deed: Deed, value: str | None, why: str, posts: list[str]) -> dict[str, Any]:
    """The fields that a deed's value fills. Raises WrongUse."""
    from typing import get_args

    from streams.documents import Verdict

    if (deed is Deed.SPLIT) != bool(posts):
        raise WrongUse("split needs --post ID, once for each post" if not posts else _ONLY_SPLIT)
    needed = _VALUES.get(deed)
    if needed is None:
        if value is not None:
            raise WrongUse(f"{deed.value} takes no value: leave {value!r} out, or give it as --why")
        return {}
    if deed is Deed.NOTE:
        if value is not None and why:
            raise WrongUse("give the note once: as VALUE or as --why")
        return {"why": value or why}
    if value is None:
        raise WrongUse(f"{deed.value} needs a value: {needed}")
    if deed is Deed.ASSIGN:
        return {"assignee": value}
    if deed is Deed.MERGE:
        return {"other": value}
    if value not in get_args(Verdict):
        raise WrongUse(f"{value} is no verdict: give {needed}")
    return {"verdict": value}


def _time(at: str | None) -> int:
    from streams.timestamps import parse_time

    if at is None:
        return int(time.time() * 1000)
    try:
        return parse_time(at)
    except ValueError as error:
        raise WrongUse(f"{at} is no time: give one as 2026-03-01T08:00:00+07:00") from error


def _say(told: AuditDocument) -> None:
    if not told.taken:
        raise UserError(f"refused: {told.reason}")
    name = told.alert_id or told.rumor_id or told.subject
    other = f" (for {told.subject})" if told.subject not in (name, told.rumor_id) else ""
    stands = f", the alert is {told.status}" if told.status else ""
    part = f", the posts are {told.given['part']} now" if "part" in told.given else ""
    lifts = f"; it lifts {told.given['lifts']}" if "lifts" in told.given else ""
    typer.echo(f"{name}{other}: {told.deed} taken{stands}{part}{lifts}")
