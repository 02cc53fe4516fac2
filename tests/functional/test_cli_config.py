"""`tindon config`, `tindon doctor` and the entry itself, as a user meets them: a real process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli import main as entry
from cli.errors import UserError

TINDON = Path(sys.executable).with_name("tindon")


def tindon(
    *arguments: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TINDON, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **env},
        check=False,
    )


class TestEntry:
    def test_help_lists_the_commands_and_is_quick(self) -> None:
        took = []
        for _ in range(3):
            start = time.perf_counter()
            done = tindon("--help")
            took.append(time.perf_counter() - start)
        assert done.returncode == 0
        assert "config" in done.stdout
        assert "doctor" in done.stdout
        assert min(took) < 2.0  # 0.3 s on a quiet machine; builds share theirs

    def test_help_does_not_import_what_is_heavy(self) -> None:
        code = (
            "import sys; from cli.main import main; main(['--help']);"
            "heavy = {'numpy', 'pydantic', 'faust', 'elasticsearch', 'kafka', 'starlette'};"
            "print(sorted(heavy & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"

    def test_version(self) -> None:
        assert tindon("--version").stdout.startswith("tindon 0.")

    @pytest.mark.parametrize(
        "arguments",
        [("nonsense",), ("config", "show", "--bad"), ("config", "show", "--format", "x")],
    )
    def test_wrong_use_is_one_line_and_code_2(self, arguments: tuple[str, ...]) -> None:
        done = tindon(*arguments)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("tindon: ")
        assert "--help`" in done.stderr
        assert done.stdout == ""

    def test_reader_that_goes_away_gets_no_traceback(self) -> None:
        process = subprocess.Popen(
            [TINDON, "config", "show"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        with process.stderr as said:
            assert said.read() == ""
        assert process.wait(60) == 1

    def test_ctrl_c_inside_a_command_is_one_line(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("cli.config.loaded", interrupted)
        assert entry.main(["config", "path"]) == 130
        assert capsys.readouterr().err == "tindon: interrupted\n"

    @pytest.mark.parametrize(
        ("raised", "code", "line"),
        [
            (
                UserError("the disk is full;\nfree some space"),
                1,
                "the disk is full; free some space",
            ),
            (KeyboardInterrupt(), 130, "interrupted"),
            (
                OSError(28, "No space left on device", "/data/x"),
                1,
                "/data/x: No space left on device",
            ),
            (
                OSError(30, "Read-only file system", "/data/x"),
                1,
                "choose a folder on a disk that can",
            ),
            (OSError(98, "Address already in use"), 1, "choose another port"),
        ],
    )
    def test_what_a_user_can_mend_is_one_line(
        self,
        raised: BaseException,
        code: int,
        line: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def failing() -> object:
            def run(*_: object, **__: object) -> None:
                raise raised

            return run

        monkeypatch.setattr(entry, "application", failing)
        assert entry.main([]) == code
        said = capsys.readouterr().err
        assert line in said
        assert said.count("\n") == 1

    def test_fault_of_ours_keeps_its_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def failing() -> object:
            raise ZeroDivisionError

        monkeypatch.setattr(entry, "application", failing)
        with pytest.raises(ZeroDivisionError):
            entry.main([])


class TestConfig:
    def test_show_tells_value_and_origin_of_each(self, tmp_path: Path) -> None:
        mine = tmp_path / "mine.yaml"
        mine.write_text("cluster: {window_days: 7}\n")
        done = tindon("--config", str(mine), "config", "show", TINDON_CONSOLE__PORT="9999")
        rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
        assert rows["cluster.window_days"] == ["7.0", str(mine)]
        assert rows["console.port"] == ["9999", "TINDON_CONSOLE__PORT"]
        assert rows["store.kind"] == ['"sqlite"', "default"]

    def test_show_as_json(self) -> None:
        answer = json.loads(tindon("config", "show", "--format", "json").stdout)
        assert answer["settings"]["console.port"] == {"value": 8080, "origin": "default"}
        assert len(answer["sha256"]) == 64
        assert answer["file"] is None

    @pytest.mark.parametrize("output", ["text", "json"])
    def test_show_hides_secrets(self, output: str) -> None:
        done = tindon("config", "show", "--format", output, TINDON_KAFKA__PASSWORD="hush-hush")
        assert "(set)" in done.stdout
        assert "hush-hush" not in done.stdout + done.stderr

    def test_path_names_the_files(self, tmp_path: Path) -> None:
        (tmp_path / "tindon.yaml").write_text("")
        done = tindon("config", "path", cwd=tmp_path)
        defaults, yours = (line.split()[1] for line in done.stdout.splitlines())
        assert Path(defaults).name == "default.yaml"
        assert Path(defaults).is_file()
        assert yours == str(tmp_path / "tindon.yaml")

    def test_check_good_and_bad(self) -> None:
        assert tindon("config", "check").stdout.startswith("good: ")
        bad = tindon("config", "check", TINDON_CLUSTER__WINDOWDAYS="3")
        assert bad.returncode == 2
        assert bad.stderr.count("\n") == 1
        assert "did you mean TINDON_CLUSTER__WINDOW_DAYS?" in bad.stderr

    @pytest.mark.parametrize(
        ("variable", "given", "said"),
        [
            (
                "TINDON_ALERT__CATEGORIES",
                "{helth: {suggest: {min_posts: 3}}}",
                "did you mean health?",
            ),
            ("TINDON_ALERT__WEIGHTS", "{volum: 1}", "did you mean volume?"),
            ("TINDON_EMBED__TAXONOMY", "/nowhere/mine.yaml", "embed.taxonomy"),
        ],
    )
    def test_check_looks_up_what_names_stand_for(
        self, variable: str, given: str, said: str
    ) -> None:
        bad = tindon("config", "check", **{variable: given})
        assert (bad.returncode, bad.stderr.count("\n")) == (2, 1)
        assert said in bad.stderr


class TestDoctor:
    def test_healthy_machine(self) -> None:
        done = tindon("doctor", "--format", "json", TINDON_EMBED__ENCODER="none")
        assert done.returncode == 0, done.stdout
        found = {row["name"]: row for row in json.loads(done.stdout)}
        assert found["sqlite"]["good"]
        assert found["packages"]["good"]
        assert {"settings", "python", "state folder", "disk", "encoder"} < set(found)

    def test_bad_setting_is_found_and_fails(self) -> None:
        done = tindon("doctor", TINDON_CLUSTER__WINDOWDAYS="3", TINDON_EMBED__ENCODER="none")
        assert done.returncode == 1
        assert "not   settings" in done.stdout
        assert "mend: did you mean TINDON_CLUSTER__WINDOW_DAYS?" in done.stdout
        assert "settings" in done.stderr

    def test_encoder_that_does_not_load_fails(self) -> None:
        done = tindon("doctor", TINDON_EMBED__ENCODER="/nowhere/no-model")
        assert done.returncode == 1
        assert "not   encoder" in done.stdout

    def test_taken_port_is_a_lack_with_its_mend(self) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = str(holder.getsockname()[1])
            done = tindon("doctor", TINDON_CONSOLE__PORT=port, TINDON_EMBED__ENCODER="none")
        assert done.returncode == 0
        assert f"127.0.0.1:{port} is taken" in done.stdout
        assert "TINDON_CONSOLE__PORT" in done.stdout

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_state_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        done = tindon("doctor", TINDON_STATE_DIR=str(tmp_path), TINDON_EMBED__ENCODER="none")
        tmp_path.chmod(0o700)
        assert done.returncode == 1
        assert "TINDON_STATE_DIR" in done.stdout
