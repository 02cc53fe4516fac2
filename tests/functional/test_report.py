"""From a replay's folder and its labelled file to scores, terminal text, JSON and HTML report.

The posts, stories and alerts are invented; the folder has the format that `tindon replay` writes.
"""

import gzip
import json
from html.parser import HTMLParser

import pytest

import evaluation
from evaluation.errors import EvaluationError

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

STORIES = {
    "dam": "Đập Suối Vàng sắp vỡ, bà con sơ tán gấp",
    "bank": "Ngân hàng Hoa Mai hết tiền, rút ngay kẻo mất",
}
EPOCH = 1714521600  # 2024-05-01T00:00:00Z, a minute from post to post


def moment(minute):
    day, rest = divmod(minute, 1440)
    return f"2024-05-{1 + day:02d}T{rest // 60:02d}:{rest % 60:02d}:00.000Z"


def make_posts():
    """60 posts: 24 about the dam, 12 about the bank, chatter between, two exact repeats."""
    posts = []
    for i in range(60):
        cluster = "dam" if i % 5 in (0, 2) else "bank" if i % 5 == 4 else None
        text = f"{STORIES[cluster]} ({i})" if cluster else f"Hôm nay ăn gì {i} <b>&nbsp;"
        posts.append({
            "id": f"p{i}", "text": text, "created_at": moment(i), "lang": "vi" if i % 3 else "en",
            "author": None, "cluster": cluster, "label": None,
        })  # fmt: skip
    posts[10]["text"] = posts[0]["text"].upper()
    posts[12]["text"] = f"  {posts[0]['text']}"
    return posts


@pytest.fixture
def labelled(tmp_path):
    path = tmp_path / "province.jsonl.gz"
    write_labelled(path, make_posts())
    return path


@pytest.fixture
def replayed(tmp_path):
    """What a replay left that split the dam in two, lost two posts and joined one chatter post."""
    folder = tmp_path / "out"
    folder.mkdir()
    lines = []
    for i, post in enumerate(make_posts()):
        rumor = post["cluster"] or f"lone{i}"
        if rumor == "dam" and i >= 45:
            rumor = "dam-b"
        if i == 1:
            rumor = "bank"
        lines.append(assignment(i, post["id"], rumor))
    for place, outcome in ((50, "late"), (55, "dead")):
        lines[place].update(
            outcome=outcome, reason="too_late", micro_cluster_id=None, first_rumor_id=None,
            rumor_id=None, event_id=None,
        )  # fmt: skip
    lines.append(lines.pop(55))
    for seq, line in enumerate(lines):
        line["seq"] = seq
    write_lines(folder / "assignments.jsonl", lines)
    dam = [f"p{i}" for i in (0, 2, 5, 7, 10, 12)]
    write_lines(folder / "alerts.jsonl", [
        alert("a1", "suggest", dam[:4], 8),
        alert("a1", "confirm", dam, 14),
        alert("a2", "suggest", ["p1", "p3"], 20),
    ])  # fmt: skip
    summary = {
        "schema": 1, "posts_in": 60, "folded": 58, "duplicates": 0, "late": 1, "dead": 1,
        "rumors": 30, "events": 30, "wall_s": 0.1, "posts_per_s": 600.0,
        "peak_rss_bytes": 10_000_000, "settings_sha256": "0" * 64, "encoder": "lexical/1/0",
        "tindon_version": "0.1.0",
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def assignment(i, post_id, rumor):
    return {
        "seq": i, "input": f"province.jsonl.gz:{i + 1}", "source": "province", "post_id": post_id,
        "outcome": "folded", "reason": None, "duplicate_of": None, "micro_cluster_id": f"m-{rumor}",
        "first_rumor_id": f"r-{rumor}", "rumor_id": f"r-{rumor}",
        "event_id": f"e-{rumor.removesuffix('-b')}",
    }  # fmt: skip


def alert(alert_id, level, post_ids, raised_minute):
    return {
        "alert_id": alert_id, "level": level, "raised_at": moment(raised_minute),
        "raised_by": f"p{raised_minute}", "rumor_id": "r-dam", "final_rumor_id": "r-dam",
        "first_post_at": moment(0), "post_ids": post_ids, "headline": STORIES["dam"],
        "score": 2.5, "signals": [{"name": "voices", "value": 4, "threshold": 4}],
        "category": "disaster", "languages": ["en", "vi"],
    }  # fmt: skip


def write_lines(path, rows):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


def write_labelled(path, rows):
    path.write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in rows).encode()))


def test_scores_follow_the_rules(replayed, labelled):
    results = evaluation.score(replayed, [labelled])
    assert results["posts"] == {
        "records": 60, "folded": 58, "duplicate": 0, "late": 1, "dead": 1, "labelled": 36,
        "stories": 2, "without_story": 24, "exact_repeats": 2, "not_replayed": 0,
        "not_in_labelled_files": 0, "repeated_ids": 0, "relabelled_ids": 0,
        "dead_by_reason": {"too_late": 1},
    }  # fmt: skip
    final = results["clustering"]["repeats_kept"]["rumor_final"]
    # Dam: rumors of 18 and 4, a late and a dead post alone; bank: 12 and one chatter post.
    assert final["recall"] == pytest.approx((18 * 18 / 24 + 4 * 4 / 24 + 2 / 24 + 12) / 36)
    assert final["precision"] == pytest.approx((24 + 12 * 12 / 13) / 36)
    event = results["clustering"]["repeats_kept"]["event_final"]
    assert event["recall"] == pytest.approx((22 * 22 / 24 + 2 / 24 + 12) / 36)
    removed = results["clustering"]["repeats_removed"]
    assert (removed["removed"], removed["rumor_final"]["posts"]) == (2, 34)
    assert removed["rumor_final"]["recall"] == pytest.approx(
        (16 * 16 / 22 + 4 * 4 / 22 + 2 / 22 + 12) / 34
    )
    assert [(r["from"], r["posts"]) for r in results["clustering"]["by_story_size"]] == [
        (10, 12), (20, 24),
    ]  # fmt: skip
    assert sum(r["posts"] for r in results["clustering"]["by_language"]) == 36


def test_mistakes_name_the_split_story_and_its_parts(replayed, labelled):
    mistakes = evaluation.score(replayed, [labelled])["mistakes"]
    (split,) = mistakes["splits"]["worst"]
    assert (split["story"], split["rumors"], split["outside_largest"]) == ("dam", 4, 6)
    assert [p["posts"] for p in split["parts"]] == [18, 4, 1]
    assert split["parts"][0]["rumor_id"] == "r-dam"
    assert mistakes["joins"]["joining_rumors"] == 0


def test_joined_stories_are_found(replayed, labelled):
    path = replayed / "assignments.jsonl"
    path.write_text(path.read_text().replace('"r-bank"', '"r-dam"'))
    (join,) = evaluation.score(replayed, [labelled])["mistakes"]["joins"]["worst"]
    assert (join["posts"], join["chatter"], join["outside_largest"]) == (31, 1, 12)
    assert [(p["story"], p["posts"]) for p in join["parts"]] == [("dam", 18), ("bank", 12)]


def test_alert_figures(replayed, labelled):
    levels = evaluation.score(replayed, [labelled])["alerts"]["levels"]
    assert levels["suggest"]["precision"] == 0.5
    assert levels["suggest"]["delays"] == [{"story": "dam", "size": 24, "posts": 4, "minutes": 8.0}]
    assert levels["confirm"]["precision"] == 1.0
    assert levels["confirm"]["delays"][0]["posts"] == 6
    assert [(r["found"], r["stories"]) for r in levels["confirm"]["recall"]] == [
        (1, 2), (1, 1), (0, 0), (0, 0),
    ]  # fmt: skip


def test_the_same_folder_gives_the_same_report(replayed, labelled, tmp_path):
    results = evaluation.score(replayed, [labelled])
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    first = evaluation.render(results, tmp_path / "one").read_bytes()
    again = evaluation.render(evaluation.score(replayed, [labelled]), tmp_path / "two").read_bytes()
    assert first == again
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["report.html", "results.json"]


class Page(HTMLParser):
    """Collects text and everything that would be fetched from elsewhere."""

    def __init__(self):
        super().__init__()
        self.text, self.fetched, self.bold, self.drawings = "", [], 0, 0

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        self.fetched += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]
        self.fetched += [tag] if tag in ("script", "link", "iframe") else []
        self.bold += tag == "b"
        self.drawings += tag == "svg" and "aria-label" in names

    def handle_data(self, data):
        self.text += data


def test_the_report_is_self_contained_and_shows_the_figures(replayed, labelled, tmp_path):
    results = evaluation.score(replayed, [labelled])
    page = Page()
    page.feed(evaluation.render(results, tmp_path / "report").read_text(encoding="utf-8"))
    assert page.fetched == []
    assert page.drawings == 3
    f1 = results["clustering"]["repeats_kept"]["rumor_final"]["f1"]
    for expected in (f"{f1:.3f}", "50.0 %", "province.jsonl.gz", STORIES["dam"], "chatter only"):
        assert expected in page.text


def test_post_text_cannot_become_markup(replayed, labelled, tmp_path):
    posts = make_posts()
    posts[0]["text"] = "<script>alert(1)</script> Đập Suối Vàng"
    write_labelled(labelled, posts)
    results = evaluation.score(replayed, [labelled])
    html = evaluation.render(results, tmp_path / "report").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_excerpts_are_masked_like_stored_posts(replayed, labelled, tmp_path):
    posts = make_posts()
    posts[0]["text"] = "Đập Suối Vàng sắp vỡ, gọi 0912 345 678 hoặc an.le@thu.example"
    write_labelled(labelled, posts)
    results = evaluation.score(replayed, [labelled])
    evaluation.render(results, tmp_path / "report")
    for shown in (*(p.read_text() for p in (tmp_path / "report").iterdir()),
                  evaluation.cli_text(results)):  # fmt: skip
        assert "Đập Suối Vàng sắp vỡ, gọi" in shown
        assert "345" not in shown
        assert "an.le" not in shown


def test_terminal_text_fits_100_columns_and_names_the_figures(replayed, labelled):
    results = evaluation.score(replayed, [labelled])
    text = evaluation.cli_text(results)
    tables = [line for line in text.splitlines() if not line.startswith("    ")]
    assert "Splits: 1 of 2 stories" in text
    assert "60 posts (1 late, 1 dead)" in text
    assert max(len(line) for line in tables if line.startswith("  ")) <= 100
    assert "suggest, stories of 10+" in text


def test_no_alert_and_no_mistake_are_said(replayed, labelled, tmp_path):
    (replayed / "alerts.jsonl").write_text("")
    path = replayed / "assignments.jsonl"
    path.write_text(path.read_text().replace("dam-b", "dam"))
    results = evaluation.score(replayed, [labelled])
    html = evaluation.render(results, tmp_path / "report").read_text(encoding="utf-8")
    assert "No alert was raised." in html
    assert "No rumor joins two stories." in html
    assert "0 reached suggest" in evaluation.cli_text(results)


def test_unlabelled_posts_give_alerts_but_no_scores(replayed, labelled, tmp_path):
    write_labelled(labelled, [{**p, "cluster": None} for p in make_posts()])
    with pytest.raises(EvaluationError, match="none of 60 posts has a story"):
        evaluation.score(replayed, [labelled])
    results = evaluation.score(replayed, [labelled], allow_unlabelled=True)
    assert results["clustering"] is None
    assert results["alerts"]["levels"]["suggest"]["alerts"] == 2
    html = evaluation.render(results, tmp_path / "report").read_text(encoding="utf-8")
    assert "No post is labelled with a story" in html
    assert STORIES["dam"] in html
    assert STORIES["dam"] in evaluation.cli_text(results)


def test_posts_missing_from_one_side_are_said(replayed, labelled):
    path = replayed / "assignments.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    extra = lines[0].replace('"p0"', '"q0"').replace("jsonl.gz:1", "jsonl.gz:99")
    path.write_text("".join([extra, *lines[1:]]))
    results = evaluation.score(replayed, [labelled])
    assert results["posts"]["not_replayed"] == 1
    assert results["posts"]["not_in_labelled_files"] == 1
    text = evaluation.cli_text(results)
    assert "1 labelled posts are not in the replay" in text
    assert "1 replayed posts are in no labelled file" in text


@pytest.mark.parametrize(("folded", "duplicate"), [(0, 2), (2, 0)])
def test_an_id_that_came_twice_is_scored_once(replayed, labelled, folded, duplicate):
    posts = make_posts()
    posts[2] |= {"id": "p0", "cluster": "bank"}
    write_labelled(labelled, posts)
    path = replayed / "assignments.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[folded]["post_id"] = "p0"
    # A rumor named on a line that was not folded changes nothing.
    rows[duplicate].update(post_id="p0", outcome="duplicate", duplicate_of="p0", rumor_id="r-bank")
    write_lines(path, rows)
    results = evaluation.score(replayed, [labelled])
    counts = results["posts"]
    assert (counts["records"], counts["duplicate"], counts["labelled"]) == (60, 1, 35)
    assert (counts["repeated_ids"], counts["relabelled_ids"]) == (1, 1)
    assert (counts["not_replayed"], counts["not_in_labelled_files"]) == (0, 0)
    assert counts["without_story"] == 24
    kept = results["clustering"]["repeats_kept"]
    # Dam: rumors of 17 and 4, a late and a dead post alone.
    assert kept["rumor_final"]["recall"] == pytest.approx(
        (17 * 17 / 23 + 4 * 4 / 23 + 2 / 23 + 12) / 35
    )
    assert results["clustering"]["repeats_removed"]["removed"] == 2
    text = evaluation.cli_text(results)
    assert (
        "Ids that came more than once in their source: 1. Each post is scored once; 1 had" in text
    )


@pytest.mark.parametrize(("every", "charts"), [(5, 0), (2, 1), (1, 2)])
def test_a_chart_without_a_point_gives_way_to_a_sentence(
    replayed, labelled, tmp_path, every, charts
):
    """Stories of 4, 12 and 24 posts at most: a right alert needs 10, the recall that is drawn 20."""
    posts = make_posts()
    seen = dict.fromkeys([*STORIES, None], 0)
    for post in posts:
        seen[post["cluster"]] += 1
        if post["cluster"] and seen[post["cluster"]] % every:
            post["cluster"] = None
    write_labelled(labelled, posts)
    results = evaluation.score(replayed, [labelled])
    html = evaluation.render(results, tmp_path / "report").read_text(encoding="utf-8")
    assert ("No story has 10 labelled posts or more" in html) == (charts == 0)
    names = [n for n in ("recall of stories with 20", "median posts of the story") if n in html]
    assert len(names) == charts
    assert html.count("<figure></figure>") == 0


@pytest.mark.parametrize("name", ["assignments.jsonl", "alerts.jsonl", "summary.json"])
def test_a_missing_or_broken_file_is_told_with_the_mend(replayed, labelled, name):
    (replayed / name).write_text('{"seq": 1\n')
    with pytest.raises(EvaluationError) as error:
        evaluation.score(replayed, [labelled])
    assert "line 1" in str(error.value)
    assert "replay again" in str(error.value)
    assert "\n" not in str(error.value)
    (replayed / name).unlink()
    with pytest.raises(EvaluationError, match=r"make the folder with `tindon replay FILE --out"):
        evaluation.score(replayed, [labelled])


def test_another_files_replay_is_refused(replayed, labelled):
    other = labelled.rename(labelled.with_name("other.jsonl.gz"))
    with pytest.raises(EvaluationError, match="no replayed post is in other"):
        evaluation.score(replayed, [other])


def test_a_folder_that_cannot_be_written_is_told(replayed, labelled, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="give a folder that can be written"):
        evaluation.render(evaluation.score(replayed, [labelled]), tmp_path / "file" / "report")
