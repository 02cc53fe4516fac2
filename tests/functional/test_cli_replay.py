"""`tindon replay` as a user meets it: what it leaves, and what it says when something is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agents import embedded
from agents import replay as replaying
from cli.main import main
from streams.sources.scenario import generate
from streams.validation import REASONS

TINDON = Path(sys.executable).with_name("tindon")
IDS = ("micro_cluster_id", "first_rumor_id", "rumor_id", "event_id")
ASSIGNMENT = ["seq", "input", "source", "post_id", "outcome", "reason", "duplicate_of", *IDS]
ALERT = [
    *("alert_id", "level", "raised_at", "raised_by", "rumor_id", "final_rumor_id", "first_post_at"),
    *("post_ids", "headline", "score", "signals", "category", "languages"),
]
SUMMARY = [
    *("schema", "posts_in", "folded", "duplicates", "late", "dead", "dead_by_reason", "rumors"),
    *("events", "alerts", "wall_s", "posts_per_s", "peak_rss_bytes", "settings_sha256"),
    *("encoder", "tindon_version"),
]
GOOD = {
    "id": "g1",
    "text": "Cầu Sắt sắp sập, xe tải đừng qua",
    "created_at": "2026-10-13T08:00:00+07:00",
}


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(
        "TINDON_EMBED__ENCODER", "none"
    )  # the model's load time is of no interest here
    monkeypatch.chdir(tmp_path)


class Said:
    """What a run of the command came to."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def failed(self, *words: str, code: int = 1) -> None:
        """It ended with one line on stderr that says these words."""
        assert self.code == code, self.err
        assert self.err.startswith("tindon: ")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word.lower() in self.err.lower(), self.err


@pytest.fixture
def replay(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run `tindon replay ARGUMENTS --out out` in this process."""

    def run(*arguments: object, out: Path = Path("out")) -> Said:
        code = main(["replay", *map(str, arguments), "--out", str(out)])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return run


def process(*arguments: object, given: bytes = b"", **options: Any) -> Said:
    """Run `tindon ARGUMENTS` as a process."""
    options["env"] = {**os.environ, "OPENBLAS_NUM_THREADS": "1", **options.pop("env", {})}
    done = subprocess.run(
        [*options.pop("prefix", []), str(TINDON), *map(str, arguments)],
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def write(path: str | Path, *records: dict[str, Any] | str) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records]
    path = Path(path)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def lines(name: str, out: Path = Path("out")) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / name).read_bytes().splitlines()]


def summary(out: Path = Path("out")) -> dict[str, Any]:
    (found,) = lines("summary.json", out)
    return found


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    posts = generate()[:1500]
    posts.append({**posts[3], "text": "the same id again"})
    posts.append({**posts[5], "id": "copy"})
    late = {**posts[0], "id": "late", "created_at": "2026-10-01T00:00:00Z"}
    odd = ['{"half', json.dumps({"id": 7, "text": "x", "created_at": 0})]
    write(folder / "scenario.jsonl", *posts[:900], late, *odd, *posts[900:])
    done = process(
        *("replay", folder / "scenario.jsonl", "--as-is", "--out", folder / "out"),
        env={"TINDON_EMBED__ENCODER": "none", "TINDON_STATE_DIR": str(folder)},
    )
    assert done.code == 0, done.err
    return folder / "out"


class TestFiles:
    """The contract of the files in --out, on the first posts of the scenario and some bad ones."""

    def test_names_and_nothing_half_written(self, out: Path) -> None:
        names = {p.name for p in out.iterdir()}
        assert {n for n in names if n.endswith((".jsonl", ".json"))} == {
            *("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl", "summary.json")
        }
        assert not [n for n in names if n.endswith(".new")]

    def test_one_assignment_for_each_record(self, out: Path) -> None:
        found = lines("assignments.jsonl", out)
        assert [list(a) for a in found] == [ASSIGNMENT] * 1505
        assert [a["seq"] for a in found] == list(range(1505))
        assert sorted(a["input"] for a in found) == sorted(
            f"scenario.jsonl:{n}" for n in range(1, 1506)
        )
        # --as-is: folded order is the file's, the dead last in the file's order too.
        numbers = [int(a["input"].rpartition(":")[2]) for a in found]
        assert numbers[:-2] == sorted(numbers[:-2])
        assert numbers[-2:] == [902, 903]

    def test_null_where_there_is_nothing_to_say(self, out: Path) -> None:
        for a in lines("assignments.jsonl", out):
            folded = a["outcome"] == "folded"
            assert all(isinstance(a[name], str) if folded else a[name] is None for name in IDS)
            assert (a["reason"] is None) == (a["outcome"] in ("folded", "duplicate"))
            assert (a["duplicate_of"] is None) == (a["outcome"] != "duplicate")
            assert a["source"] == "scenario"
            assert (a["post_id"] is None) == (a["outcome"] == "dead")

    def test_each_outcome(self, out: Path) -> None:
        found = lines("assignments.jsonl", out)
        assert Counter(a["outcome"] for a in found) == {
            **{"folded": 1501, "duplicate": 1, "late": 1, "dead": 2}
        }
        by_id = {a["post_id"]: a for a in found if a["outcome"] != "duplicate"}
        (twice,) = [a for a in found if a["outcome"] == "duplicate"]
        assert twice["duplicate_of"] == twice["post_id"] == generate()[3]["id"]
        assert by_id["late"]["reason"] == "late"
        copied = by_id[generate()[5]["id"]]
        assert [by_id["copy"][n] for n in IDS] == [copied[n] for n in IDS]
        assert [a["reason"] for a in found[-2:]] == ["not_json", "bad_id"]

    def test_the_summary_adds_up(self, out: Path) -> None:
        found, assigned = summary(out), lines("assignments.jsonl", out)
        assert list(found) == SUMMARY
        assert found["schema"] == 1
        outcomes = [found[n] for n in ("folded", "duplicates", "late", "dead")]
        assert found["posts_in"] == sum(outcomes) == len(assigned)
        assert found["dead_by_reason"] == {"bad_id": 1, "not_json": 1}
        folded = [a for a in assigned if a["outcome"] == "folded"]
        assert found["rumors"] == len({a["rumor_id"] for a in folded})
        assert found["events"] == len({a["event_id"] for a in folded})
        levels = Counter(a["level"] for a in lines("alerts.jsonl", out))
        assert found["alerts"] == {"suggest": levels["suggest"], "confirm": levels["confirm"]}
        assert found["alerts"]["suggest"] > 0
        assert found["posts_per_s"] == pytest.approx(found["posts_in"] / found["wall_s"], rel=0.01)
        assert found["peak_rss_bytes"] > 2**24
        assert re.fullmatch("[0-9a-f]{64}", found["settings_sha256"])
        assert found["encoder"] == "none"

    def test_alerts(self, out: Path) -> None:
        found, assigned = lines("alerts.jsonl", out), lines("assignments.jsonl", out)
        assert [list(a) for a in found] == [ALERT] * len(found)
        assert [(a["raised_at"], a["alert_id"]) for a in found] == sorted(
            (a["raised_at"], a["alert_id"]) for a in found
        )
        order = {a["post_id"]: a["seq"] for a in assigned if a["outcome"] == "folded"}
        last = {a["post_id"]: a["rumor_id"] for a in assigned if a["outcome"] == "folded"}
        levels: dict[str, list[str]] = {}
        for a in found:
            levels.setdefault(a["alert_id"], []).append(a["level"])
            for name in ("raised_at", "first_post_at"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", a[name])
                datetime.fromisoformat(a[name])
            assert a["raised_by"] in order
            places = [order[p] for p in a["post_ids"]]
            assert places == sorted(places) != []
            assert places[-1] <= order[a["raised_by"]]
            # Rumors only grow into heirs: whoever was in it then is in its heir in the end.
            assert {last[p] for p in a["post_ids"]} == {a["final_rumor_id"]}
            assert a["headline"]
            assert math.isfinite(a["score"])
            assert a["signals"]
            assert {"name", "value", "threshold"} <= set(a["signals"][0])
            assert a["languages"] == sorted(a["languages"])
        assert set(map(tuple, levels.values())) <= {
            ("suggest",),
            ("suggest", "confirm"),
            ("confirm",),
        }

    def test_rumors_of_two_posts_or_an_alert(self, out: Path) -> None:
        assigned = lines("assignments.jsonl", out)
        sizes = Counter(a["rumor_id"] for a in assigned if a["outcome"] == "folded")
        alerted = {a["final_rumor_id"] for a in lines("alerts.jsonl", out)}
        found = {r["rumor_id"]: r for r in lines("rumors.jsonl", out)}
        assert set(found) == {r for r, n in sizes.items() if n > 1} | alerted
        events = {a["rumor_id"]: a["event_id"] for a in assigned}
        for name, rumor in found.items():
            assert rumor["posts"] == sizes[name]
            assert rumor["event_id"] == events[name]

    def test_the_dead_are_masked_and_say_why(self, out: Path) -> None:
        first, second = lines("dead.jsonl", out)
        assert (first["reason"], first["input"]) == ("not_json", "scenario.jsonl:902")
        assert (second["reason"], second["input"]) == ("bad_id", "scenario.jsonl:903")
        assert first["detail"]

    def test_no_wall_time_and_no_path(self, out: Path) -> None:
        for name in ("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl"):
            text = (out / name).read_text(encoding="utf-8")
            assert str(out.parent) not in text
        assert str(out.parent) not in (out / "summary.json").read_text()


class TestReading:
    def test_sorted_by_time_source_and_id_unless_as_is(self, replay) -> None:
        early, late = {**GOOD, "id": "a"}, {**GOOD, "id": "b", "created_at": "2026-10-13T09:00:00Z"}
        write("posts.jsonl", late, "{half", early, {**early, "id": "A"}, {**early, "source": "0"})
        assert replay("posts.jsonl").code == 0
        assert [(a["source"], a["post_id"]) for a in lines("assignments.jsonl")] == [
            ("0", "a"),
            ("posts", "A"),
            ("posts", "a"),
            ("posts", "b"),
            ("posts", None),
        ]
        assert replay("posts.jsonl", "--as-is").code == 0
        assert [a["post_id"] for a in lines("assignments.jsonl")] == ["b", "a", "A", "a", None]

    def test_several_files_are_merged_by_time(self, replay) -> None:
        write("one.jsonl", {**GOOD, "created_at": 1_790_000_002})
        write("two.jsonl", {**GOOD, "created_at": 1_790_000_001})
        assert replay("one.jsonl", "two.jsonl").code == 0
        assert [a["source"] for a in lines("assignments.jsonl")] == ["two", "one"]

    def test_csv_gzip_and_json_lines_say_the_same(self, replay) -> None:
        posts = [{**GOOD, "id": f"p{n}", "author": f"who{n % 3}"} for n in range(5)]
        table = io.StringIO()
        rows = csv.DictWriter(table, posts[0])
        rows.writeheader()
        rows.writerows(posts)
        write("posts.jsonl", *posts)
        Path("posts.csv").write_text(table.getvalue(), encoding="utf-8")
        Path("posts.csv.gz").write_bytes(gzip.compress(Path("posts.csv").read_bytes()))
        Path("posts.jsonl.gz").write_bytes(gzip.compress(Path("posts.jsonl").read_bytes()))
        said = []
        for name in ("posts.jsonl", "posts.csv", "posts.csv.gz", "posts.jsonl.gz"):
            assert replay(name, out=Path(name + ".out")).code == 0
            found = lines("assignments.jsonl", Path(name + ".out"))
            said.append([{k: v for k, v in a.items() if k != "input"} for a in found])
        assert all(one == said[0] for one in said)

    def test_standard_input(self) -> None:
        given = "".join(json.dumps({**GOOD, "id": f"p{n}"}) + "\n" for n in range(3))
        done = process("replay", "-", "--out", "out", given=given.encode())
        assert done.code == 0, done.err
        assert [(a["source"], a["input"]) for a in lines("assignments.jsonl")] == [
            ("stdin", f"stdin:{n}") for n in (1, 2, 3)
        ]

    def test_assume_rate_gives_steady_times(self, replay) -> None:
        timeless = [{"id": f"p{n}", "text": GOOD["text"], "author": f"w{n}"} for n in range(3)]
        write("posts.jsonl", *timeless)
        replay("posts.jsonl").failed("no valid post")
        assert replay("posts.jsonl", "--assume-rate", "60").code == 0
        (rumor,) = lines("rumors.jsonl")
        assert rumor["first_post_at"] == "2020-01-01T00:00:00.000Z"
        assert rumor["last_post_at"] == "2020-01-01T00:02:00.000Z"

    def test_speed_keeps_the_posts_apart(self, replay) -> None:
        write("posts.jsonl", GOOD, {**GOOD, "id": "g2", "created_at": "2026-10-13T08:01:00+07:00"})
        assert replay("posts.jsonl", "--speed", "60").code == 0
        assert summary()["wall_s"] >= 1.0

    def test_says_what_came_of_it(self, replay) -> None:
        write("posts.jsonl", GOOD, "{half")
        said = replay("posts.jsonl")
        assert said.code == 0, "dead posts are no failure"
        assert said.err == "", "no bar in a pipe"
        assert re.search(r"posts +2  folded 1, .*dead 1 \(1 not_json\)", said.out)
        assert "posts/s" in said.out


INVALID = {
    "not_utf8": b'{"id": "x", "text": "\xff\xfe", "created_at": 0}',
    "not_json": b'{"id": "x", "te',
    "not_object": b'["a", "b"]',
    "too_large": b'{"id": "x", "text": "' + b"a" * (1 << 20) + b'"}',
    "no_id": b'{"text": "x", "created_at": 0}',
    "bad_id": b'{"id": 7, "text": "x", "created_at": 0}',
    "bad_source": b'{"id": "x", "text": "x", "created_at": 0, "source": 3}',
    "no_text": b'{"id": "x", "text": " ", "created_at": 0}',
    "bad_text": b'{"id": "x", "text": 5, "created_at": 0}',
    "no_time": b'{"id": "x", "text": "x"}',
    "bad_time": b'{"id": "x", "text": "x", "created_at": "yesterday"}',
    "bad_field": b'{"id": "x", "text": "x", "created_at": 0, "reach": -1}',
}


class TestInvalidPosts:
    def test_each_kind_is_dead_with_its_reason_and_the_good_are_processed(self, replay) -> None:
        good = json.dumps(GOOD).encode()
        Path("posts.jsonl").write_bytes(b"\n".join([*INVALID.values(), good]) + b"\n")
        assert replay("posts.jsonl").code == 0
        found = lines("dead.jsonl")
        assert [d["reason"] for d in found] == list(INVALID)
        assert [d["input"] for d in found] == [f"posts.jsonl:{n + 1}" for n in range(len(INVALID))]
        assert all(d["detail"] for d in found)
        assert [a["reason"] for a in lines("assignments.jsonl")] == [None, *INVALID]
        assert (summary()["folded"], summary()["dead"]) == (1, len(INVALID))

    def test_rows_that_do_not_fit_the_header(self, replay) -> None:
        Path("t.csv").write_text("id,text,created_at\n1,một bài,0\n2,thiếu\n", encoding="utf-8")
        assert replay("t.csv").code == 0
        assert [d["reason"] for d in lines("dead.jsonl")] == ["bad_row"]
        assert summary()["folded"] == 1

    def test_a_gzip_file_that_breaks_off(self, replay) -> None:
        text = "".join(
            json.dumps({**GOOD, "id": f"p{n}", "text": os.urandom(40).hex()}) + "\n"
            for n in range(50)
        )
        Path("t.jsonl.gz").write_bytes(gzip.compress(text.encode())[:-900])
        assert replay("t.jsonl.gz").code == 0
        assert [d["reason"] for d in lines("dead.jsonl")] == ["truncated_file"]
        assert 10 < summary()["folded"] < 50

    def test_every_reason_is_met_here_or_cannot_be_in_a_replay(self) -> None:
        assert set(REASONS) - set(INVALID) == {"bad_row", "truncated_file", "future"}

    def test_personal_numbers_and_authors_do_not_reach_dead_letters(self, replay) -> None:
        bad = {"id": 1, "text": "gọi 0912345678 gặp chị Hoa", "author": "hoa.nguyen"}
        write("posts.jsonl", GOOD, bad)
        assert replay("posts.jsonl").code == 0
        text = Path("out/dead.jsonl").read_text(encoding="utf-8")
        assert "0912345678" not in text
        assert "hoa.nguyen" not in text

    def test_without_a_valid_post_it_fails_and_says_where_to_look(self, replay) -> None:
        write("posts.jsonl", "{half", "[]")
        replay("posts.jsonl").failed("no valid post among 2", "dead.jsonl")
        found = summary()
        assert (found["posts_in"], found["dead"]) == (2, 2)
        assert len(lines("assignments.jsonl")) == len(lines("dead.jsonl")) == 2


class TestUnusableFiles:
    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("empty.jsonl", b"", ["empty"]),
            ("blank.jsonl", b"\n \n\n", ["empty"]),
            ("plain.jsonl.gz", b'{"id": "x"}\n', ["not gzip"]),
            ("cut.jsonl.gz", b"\x1f\x8b\x08\x00", ["ends early", "again"]),
            ("array.json", b'[{"id": "x"}]', ["one JSON array", "one object per line"]),
            ("columns.csv", b"nr,says,when\n1,x,0\n", ["lacks", "id, text, created_at"]),
            ("semicolons.csv", b"id;text;created_at\n1;x;0\n", ["separate", "commas"]),
            ("wide.jsonl", "{}".encode("utf-16"), ["UTF-16", "UTF-8"]),
        ],
    )
    def test_one_line_with_the_mend(
        self, replay, name: str, content: bytes, words: list[str]
    ) -> None:
        Path(name).write_bytes(content)
        replay(name).failed(name, *words)

    def test_missing(self, replay) -> None:
        replay("nowhere.jsonl").failed("nowhere.jsonl", "does not exist", "check the path")

    def test_a_folder(self, replay) -> None:
        Path("folder").mkdir()
        replay("folder").failed("folder", "is a folder", "name the files")

    def test_two_files_of_one_name(self, replay) -> None:
        Path("a").mkdir()
        one, two = write("posts.jsonl", GOOD), write("a/posts.jsonl", GOOD)
        replay(one, two).failed("posts.jsonl", "rename one")


class TestWrongUse:
    def test_no_file(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", "--out", "out"]) == 2
        assert "Traceback" not in capsys.readouterr().err

    def test_no_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["replay", str(write("posts.jsonl", GOOD))]) == 2
        assert "--out" in capsys.readouterr().err

    @pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf"])
    def test_speed(self, replay, speed: str) -> None:
        replay(write("posts.jsonl", GOOD), "--speed", speed).failed("--speed", "above 0", code=2)

    @pytest.mark.parametrize("rate", ["0", "-1", "nan"])
    def test_rate(self, replay, rate: str) -> None:
        replay(write("posts.jsonl", GOOD), "--assume-rate", rate).failed(
            "--assume-rate", "more than 0"
        )

    def test_an_unknown_setting_names_the_nearest(self, capsys: pytest.CaptureFixture[str]) -> None:
        Path("mine.yaml").write_text("alert:\n  index_post: 3\n")
        code = main(
            ["--config", "mine.yaml", "replay", str(write("p.jsonl", GOOD)), "--out", "out"]
        )
        Said(code, *capsys.readouterr()).failed("index_post", "index_posts", code=code)
        assert code in (1, 2)

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ("weights: {voice: 1.0}", ["no signal 'voice'", "voices"]),
            ("thresholds: {voices: 0}", ["threshold of voices", "above 0"]),
            ("index_posts: 999", ["index_posts", "200"]),
        ],
    )
    def test_settings_that_the_folds_cannot_use(
        self, capsys: pytest.CaptureFixture[str], setting: str, words: list[str]
    ) -> None:
        Path("tindon.yaml").write_text(f"alert:\n  {setting}\n")
        code = main(["replay", str(write("p.jsonl", GOOD)), "--out", "out"])
        Said(code, *capsys.readouterr()).failed(*words)


class TestOut:
    """What stands in --out already, and disks that do not take it."""

    @pytest.fixture
    def posts(self) -> Path:
        return write("posts.jsonl", *({**GOOD, "id": f"p{n}"} for n in range(200)))

    @pytest.fixture
    def stopped(self, posts: Path, monkeypatch: pytest.MonkeyPatch, replay) -> Path:
        """A replay that was interrupted after its first checkpoint."""
        monkeypatch.setattr(embedded, "CHECKPOINT_S", 0.0)
        monkeypatch.setattr(embedded, "CHECKPOINT_SHARE", 1e9)
        monkeypatch.setattr(replaying, "CHUNK", 50)

        def interrupt(road: Any, *_: Any) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(replaying, "write_files", interrupt)
            replay(posts).failed("stopped; the same command goes on", " out", code=130)
        return Path("out")

    def change(self, out: Path, script: str, *values: Any) -> None:
        database = sqlite3.connect(out / "tindon.sqlite")
        with database:
            assert database.execute(script, values).rowcount > 0
        database.close()

    def test_a_finished_replay_is_done_anew(self, replay, posts: Path) -> None:
        assert replay(posts).code == 0
        first = Path("out/assignments.jsonl").read_bytes()
        write("posts.jsonl", GOOD)
        assert replay("posts.jsonl").code == 0
        assert summary()["posts_in"] == 1
        assert Path("out/assignments.jsonl").read_bytes() != first

    def test_an_interrupted_one_goes_on(self, replay, posts: Path, stopped: Path) -> None:
        assert replay(posts).code == 0
        assert summary()["posts_in"] == summary()["folded"] == 200

    def test_an_unfinished_replay_of_other_files_is_kept(self, replay, stopped: Path) -> None:
        other = write("other.jsonl", GOOD)
        replay(other).failed("unfinished replay of other files", "another --out")
        process("replay", "posts.jsonl", "--as-is", "--out", "out").failed("unfinished replay")

    def test_a_damaged_checkpoint(self, replay, posts: Path, stopped: Path) -> None:
        damage = "UPDATE blobs SET value = ? WHERE key = ?"
        for key in ("checkpoint/alert/tree", "checkpoint/cluster", "checkpoint"):
            database = sqlite3.connect(stopped / "tindon.sqlite")
            question = "SELECT value FROM blobs WHERE key = ?"
            (blob,) = database.execute(question, (key,)).fetchone()
            database.close()
            for at in (0, 4, len(blob) // 2, len(blob) - 1):
                broken = blob[:at] + bytes([blob[at] ^ 0x40]) + blob[at + 1 :]
                self.change(stopped, damage, broken, key)
                replay(posts).failed("checkpoint", "damaged", "delete the folder")
            self.change(stopped, damage, blob[:99], key)
            replay(posts).failed("checkpoint", "damaged", "delete the folder")
            self.change(stopped, damage, blob, key)
        self.change(stopped, "DELETE FROM blobs WHERE key = 'checkpoint/alert/tree'")
        replay(posts).failed("checkpoint", "damaged", "delete the folder")

    def test_a_damaged_mark_and_a_damaged_log(self, replay, posts: Path, stopped: Path) -> None:
        shutil.copytree(stopped, "second")
        self.change(stopped, "UPDATE blobs SET value = x'c1' WHERE key = 'run'")
        replay(posts).failed("damaged", "delete the folder")
        self.change(Path("second"), "UPDATE records SET value = x'c1'")
        replay(posts, out=Path("second")).failed("damaged", "delete the folder")

    def test_a_damaged_database(self, replay, posts: Path) -> None:
        Path("out").mkdir()
        Path("out/tindon.sqlite").write_bytes(b"no database at all" * 500)
        replay(posts).failed("tindon.sqlite", "damaged or no SQLite file", "move it away")

    def test_another_programs_database(self, replay, posts: Path) -> None:
        Path("out").mkdir()
        database = sqlite3.connect("out/tindon.sqlite")
        database.execute("CREATE TABLE theirs (x)")
        database.close()
        replay(posts).failed("another program", "another path")

    def test_a_file_in_its_place(self, replay, posts: Path) -> None:
        Path("out").write_text("mine")
        replay(posts).failed("out", "another --out")
        replay(posts, out=Path("out/deeper")).failed("out/deeper", "another --out")
        assert Path("out").read_text() == "mine"

    def test_a_folder_that_cannot_be_written(self, posts: Path, tmp_path: Path) -> None:
        for folder in (tmp_path, *tmp_path.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o055)
        prefix: list[str] = []
        if os.geteuid() == 0:  # root may write anywhere
            if shutil.which("setpriv") is None:
                pytest.skip("setpriv is not installed")
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            if subprocess.run([*prefix, sys.executable, "-c", ""], check=False).returncode:
                pytest.skip("another user cannot run this Python")
        locked = tmp_path / "locked"
        locked.mkdir()
        locked.chmod(0o555)
        (tmp_path / "keys").mkdir(mode=0o777)
        (tmp_path / "keys").chmod(0o777)
        env = {"TINDON_STATE_DIR": str(tmp_path / "keys"), "HOME": "/nonexistent"}
        for out in (locked, locked / "new"):
            done = process("replay", posts, "--out", out, prefix=prefix, env=env)
            done.failed("locked")
            assert re.search("writable|right to use|another", done.err)

    def test_a_full_disk_is_told_and_once_there_is_room_it_goes_on(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        small = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
        if os.geteuid() != 0 or subprocess.run(small, capture_output=True, check=False).returncode:
            pytest.skip("a small disk needs the right to mount one")
        try:
            posts = write(tmp_path / "posts.jsonl", *generate()[:1500])
            process("replay", posts, "--out", disk / "out").failed("full", "free some space")
            larger = ["mount", "-o", "remount,size=100m", str(disk)]
            subprocess.run(larger, check=True)
            assert process("replay", posts, "--out", disk / "out").code == 0
            assert process("replay", posts, "--out", tmp_path / "calm").code == 0
            for name in ("assignments.jsonl", "alerts.jsonl", "rumors.jsonl", "dead.jsonl"):
                found = (disk / "out" / name).read_bytes()
                assert found == (tmp_path / "calm" / name).read_bytes()
        finally:
            subprocess.run(["umount", str(disk)], check=True)
