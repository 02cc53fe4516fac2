"""The results as plain text for a terminal or a log."""

from collections.abc import Sequence
from typing import Any

from evaluation.clustering import VIEWS
from evaluation.naive_rules import POSTS_RULE, WORDINGS_RULE
from evaluation.plots import band_name
from evaluation.wording import count, figure, minutes, percent, quantity

VIEW_NAMES = {
    "rumor_final": "rumor, final",
    "rumor_at_arrival": "rumor, at arrival",
    "event_final": "event, final",
    "micro_cluster": "micro-cluster",
}
# Languages in the terminal's table; all of them are in the JSON and the report.
LANGUAGES_SHOWN = 6
# Unknown columns that are named; all of them are in the JSON.
COLUMNS_SHOWN = 8
# The k of each naive rule that the terminal shows; all of them are in the JSON and the report.
RULE_KS_SHOWN = (3, 4, 6, 10)


def cli_text(results: dict[str, Any]) -> str:
    """The results as text of at most 100 columns, without colour."""
    posts = results["posts"]
    outcomes = ", ".join(
        f"{count(posts[name])} {name}" for name in ("duplicate", "late", "dead") if posts[name]
    )
    lines = [
        f"{', '.join(f['file'] for f in results['files'])}: {count(posts['records'])} posts"
        f"{f' ({outcomes})' if outcomes else ''}, {count(posts['labelled'])} labelled, "
        f"{count(posts['stories'])} stories, {count(posts['without_story'])} without story",
        *notices(results),
    ]
    if results["clustering"]:
        lines += _clustering(results["clustering"]) + _mistakes(results["mistakes"])
    lines += _alerts(results["alerts"], bool(results["clustering"]))
    return "\n".join(lines) + "\n"


def notices(results: dict[str, Any]) -> list[str]:
    """What a reader must know before trusting the figures."""
    posts = results["posts"]
    found = []
    if not results["clustering"]:
        found.append("No post is labelled with a story: clustering and alerts are not scored.")
    if posts["not_replayed"]:
        found.append(
            f"{count(posts['not_replayed'])} labelled posts are not in the replay; "
            "they count as posts that stand alone."
        )
    if posts["not_in_labelled_files"]:
        found.append(
            f"{count(posts['not_in_labelled_files'])} replayed posts are in no labelled file; "
            "they count as posts of no story."
        )
    found += _of_the_files(results)
    if results["alerts"]["unknown_post_ids"]:
        found.append(
            f"{count(results['alerts']['unknown_post_ids'])} post ids of alerts are not among the "
            "folded posts; the folder mixes two replays."
        )
    return found


def _of_the_files(results: dict[str, Any]) -> list[str]:
    """What the labelled files hold that is not scored as it stands there."""
    posts, found = results["posts"], []
    if posts["dead_by_reason"]:
        reasons = ", ".join(f"{count(n)} {reason}" for reason, n in posts["dead_by_reason"].items())
        found.append(
            f"Dead records: {count(posts['dead'])} ({reasons}). The rest is evaluated; a dead post with a "
            "story stands alone."
        )
    unreadable = sum(f["unreadable"] for f in results["files"])
    if unreadable > posts["dead"] or (unreadable and posts["not_in_labelled_files"]):
        found.append(f"{count(unreadable)} lines of the labelled files could not be read.")
    if posts["repeated_ids"]:
        other = posts["relabelled_ids"]
        found.append(
            f"Ids that came more than once in their source: {count(posts['repeated_ids'])}. Each post "
            "is scored once"
            + (f"; {count(other)} had several labels: the first counts." if other else ".")
        )
    if unknown := sorted({name for f in results["files"] for name in f["unknown_columns"]}):
        more = len(unknown) - COLUMNS_SHOWN
        found.append(
            "Columns that Tindon does not know are left out, as in a replay: "
            + ", ".join(map(_plain, unknown[:COLUMNS_SHOWN]))
            + (f" and {count(more)} more." if more > 0 else ".")
        )
    return found


def _plain(name: str) -> str:
    """A column's name as one short word of a line."""
    return "".join(c if c.isprintable() else "?" for c in name)[:40]


def _clustering(clustering: dict[str, Any]) -> list[str]:
    head = ["", "P", "R", "F1", "AMI", "ARI", "V", "groups", "stories"]
    lines = []
    removed = count(clustering["repeats_removed"]["removed"])
    for name, title in (
        ("repeats_kept", "Clustering (B-cubed P, R, F1), repeats kept"),
        ("repeats_removed", f"Clustering, {removed} exact repeats removed"),
    ):
        rows = []
        for view, _ in VIEWS:
            v = clustering[name][view]
            scores = ("precision", "recall", "f1", "ami", "ari", "v_measure")
            rows.append([
                VIEW_NAMES[view], *(figure(v[s]) for s in scores),
                count(v["groups"]), count(v["stories"]),
            ])  # fmt: skip
        lines += ["", title, *columns(head, rows)]
    head = ["", "posts", "P", "R", "F1", "event F1"]
    by_language = clustering["by_language"]
    rows = [[r["language"], *_slice(r)] for r in by_language[:LANGUAGES_SHOWN]]
    lines += ["", "By language, rumor level", *columns(head, rows)]
    rows = [[band_name(r["from"], r["to"]), *_slice(r)] for r in clustering["by_story_size"]]
    return [*lines, "", "By posts of the story, rumor level", *columns(head, rows)]


def _slice(row: dict[str, Any]) -> list[str]:
    rumor = row["rumor"]
    scores = (rumor["precision"], rumor["recall"], rumor["f1"], row["event"]["f1"])
    return [count(row["posts"]), *(figure(value) for value in scores)]


def _mistakes(mistakes: dict[str, Any]) -> list[str]:
    splits, joins = mistakes["splits"], mistakes["joins"]
    lines = [
        "",
        f"Splits: {count(splits['split_stories'])} of {count(splits['stories'])} stories lie in "
        f"more than one rumor (median {quantity(splits['rumors_per_story']['median'])}, "
        f"at most {count(splits['rumors_per_story']['max'])}); "
        f"{count(splits['posts_outside_largest'])} posts outside their story's largest rumor",
    ]
    for worst in splits["worst"]:
        lines.append(
            f"  story {worst['story']}: {count(worst['posts'])} posts in "
            f"{count(worst['rumors'])} rumors"
        )
        lines += [f"    {p['posts']:>5}  {p['excerpt']}" for p in worst["parts"]]
    lines += [
        "",
        f"Joins: {count(joins['joining_rumors'])} of {count(joins['rumors'])} rumors hold posts of "
        f"more than one story (at most {count(joins['stories_per_rumor']['max'])}); "
        f"{count(joins['posts_outside_largest'])} posts outside their rumor's largest story",
    ]
    for worst in joins["worst"]:
        lines.append(
            f"  rumor {worst['rumor_id']}: {count(worst['posts'])} posts of "
            f"{count(worst['stories'])} stories, {count(worst['chatter'])} of none"
        )
        lines += [f"    {p['posts']:>5}  {p['story']}: {p['excerpt']}" for p in worst["parts"]]
    return lines


def _alerts(alerts: dict[str, Any], labelled: bool) -> list[str]:
    suggest, confirm = alerts["levels"]["suggest"], alerts["levels"]["confirm"]
    lines = [
        "",
        f"Alerts: {count(suggest['alerts'])} reached suggest, {count(confirm['alerts'])} confirm, "
        f"on {count(alerts['days_with_posts'])} days with posts "
        f"({quantity(suggest['per_day'])} and {quantity(confirm['per_day'])} a day)",
    ]
    if not labelled:
        head = ["raised", "level", "posts", "score", "headline"]
        rows = [
            [a["raised_at"], a["level"], count(a["posts"]), figure(a["score"], 2), a["headline"]]
            for a in alerts["listed"]
        ]
        return lines + (columns(head, rows, left=(0, 1, 4)) if rows else [])
    head = ["", "right", "precision", "stories", "found", "recall", "posts", "p90", "time", "p90"]
    rows = []
    for name, level in alerts["levels"].items():
        for i, r in enumerate(level["recall"]):
            rows.append([
                f"{name}, stories of {r['min_posts']}+",
                count(level["right"]) if i == 0 else "",
                percent(level["precision"]) if i == 0 else "",
                count(r["stories"]), count(r["found"]), percent(r["recall"]),
                quantity(r["posts"]["median"]), quantity(r["posts"]["p90"]),
                minutes(r["minutes"]["median"]), minutes(r["minutes"]["p90"]),
            ])  # fmt: skip
    lines += [*columns(head, rows), "  posts and time until the first right alert: median, p90"]
    head = ["naive rule", "k", "alerts", "precision", "recall 20+", "recall 50+", "posts", "p90"]
    rows = [
        [
            p["rule"], f"{p['k']:g}", count(p["alerts"]), percent(p["precision"]),
            percent(p["recall_20"]), percent(p["recall_50"]),
            quantity(p["posts_median"]), quantity(p["posts_p90"]),
        ]
        for p in alerts["points"]
        if p["rule"] in (WORDINGS_RULE, POSTS_RULE) and p["k"] in RULE_KS_SHOWN
    ]  # fmt: skip
    lines += ["", *columns(head, rows)]
    pace = ", ".join(
        f"{p['post']}th {minutes(p['median'])}"
        for p in alerts["pace"]["minutes_to_post"]
        if p["post"] >= 5
    )
    if alerts["pace"]["stories"]:
        lines += [
            "",
            f"The data's own pace: in stories of {alerts['pace']['min_posts']}+ posts the median "
            f"time from first to {pace} post.",
        ]
    return lines


def columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)
) -> list[str]:
    """Rows as lines with aligned columns: those numbered in `left` to the left, others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
