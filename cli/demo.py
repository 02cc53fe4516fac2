"""`tindon demo`: the built-in scenario through the embedded road, with the console."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import settings
from cli.errors import UserError

if TYPE_CHECKING:
    from agents.embedded import EmbeddedRoad
    from agents.told import Progress
    from console.status import PipelineStatus

HOUR_MS = 3_600_000
AHEAD_H = 7.0
"""Hours of the day that are folded before the first page is looked at, so that it is not empty."""

BANNER = {
    "vi": "Bản trình diễn: mọi bài đăng, tên người, địa danh, cơ quan ở đây đều được viết ra, không có thật.",
    "en": "Demonstration: every post, name, place and agency here was invented for it.",
}


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    ctx: typer.Context,
    speed: Annotated[
        float,
        typer.Option(metavar="X", help="Times as fast as the invented day; 0: as fast as it goes."),
    ] = 240.0,
    port: Annotated[int | None, typer.Option(metavar="PORT", help="Port of the console.")] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another seed tells the day in other words.")
    ] = 7,
    stop: Annotated[
        bool, typer.Option("--stop", help="End when the day is over instead of serving on.")
    ] = False,
) -> None:
    """Play an invented day in an invented province, and show its rumors and alerts on the console."""
    from cli.deeds import Deeds
    from config.taxonomy import load_taxonomy
    from console import create_app
    from console.guard import is_loopback
    from console.serving import ConsoleError, open_socket, server
    from stores.sqlite import SqliteStore

    if speed < 0:
        raise UserError(f"--speed {speed:g} is not usable: give 0 or more")
    chosen = settings(ctx)
    host, at = chosen.console.host, port if port is not None else chosen.console.port
    try:
        listener = open_socket(host, at)
    except ConsoleError as error:
        raise UserError(str(error)) from error
    folder = chosen.state_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    posts = _write_scenario(folder / "scenario.jsonl", seed)
    day = _Day(ctx, folder, speed)
    day.start()
    store = SqliteStore(day.database())
    language = chosen.console.language
    app = create_app(
        store,
        status=day.status,
        banner=BANNER[language],
        language=language,
        desk=Deeds(chosen, folder) if is_loopback(host) else None,
        categories=load_taxonomy(chosen.embed.taxonomy).names(),
    )
    served = server(app, host)
    day.on_end = served if stop else None
    typer.echo(
        f"{posts:,} invented posts of one day, {f'{speed:g} times as fast' if speed else 'flat out'}"
    )
    typer.echo(f"console  http://{host}:{listener.getsockname()[1]}/   (Ctrl-C ends)")
    try:
        served.run(sockets=[listener])
    finally:
        store.close()
        listener.close()
    if day.failure is not None:
        raise day.failure


def _write_scenario(path: Path, seed: int) -> int:
    from streams.sources import scenario

    posts = scenario.generate(seed=seed)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(post, ensure_ascii=False) + "\n" for post in posts)
    return len(posts)


class _Day(threading.Thread):
    """The replay beside the console, and what it tells of itself."""

    def __init__(self, ctx: typer.Context, folder: Path, speed: float) -> None:
        super().__init__(name="demo-day", daemon=True)
        self._ctx = ctx
        self._folder = folder
        self._speed = speed
        self._road: EmbeddedRoad | None = None
        self._stands = threading.Event()
        self._last: Progress | None = None
        self._rate = (time.monotonic(), 0, 0.0)  # when, posts then, posts per second until then
        self.failure: Exception | None = None
        self.on_end: object | None = None

    def run(self) -> None:
        from agents.replay import ReplayOptions
        from cli.replay import run

        options = ReplayOptions(
            speed=self._speed or None, ahead_ms=int(AHEAD_H * HOUR_MS), on_road=self._on_road
        )
        try:
            run(self._ctx, [str(self._folder / "scenario.jsonl")], self._folder, lambda _: options)
        except Exception as error:
            self.failure = error
        finally:
            if self._road is not None:
                self._last = self._road.progress
            self._stands.set()
            if self.on_end is not None or self.failure is not None:
                self._end_serving()

    def _end_serving(self) -> None:
        if self.on_end is not None:
            self.on_end.should_exit = True  # type: ignore[attr-defined]

    def _on_road(self, road: EmbeddedRoad) -> None:
        self._road = road
        self._stands.set()

    def database(self) -> Path:
        """The file that the road writes, once it stands. Raises what stopped the road."""
        self._stands.wait()
        if self.failure is not None:
            raise self.failure
        return self._folder / "tindon.sqlite"

    def status(self) -> PipelineStatus:
        from console.status import PipelineStatus
        from streams.time import NEVER

        progress = self._last or (self._road.progress if self._road else None)
        if progress is None:
            return PipelineStatus()
        return PipelineStatus(
            posts_in=progress.posts_in,
            folded=progress.folded,
            duplicates=progress.duplicates,
            late=progress.late,
            dead=progress.dead,
            posts_per_s=self._posts_per_s(progress.posts_in),
            watermark=progress.watermark if progress.watermark != NEVER else None,
            rumors=progress.open_rumors,
            alerts_suggest=progress.only_suggest,
            alerts_confirm=progress.confirm,
            running=self._last is None,
            speed=self._speed or None,
            finished=self._last is not None,
        )

    def _posts_per_s(self, posts: int) -> float:
        """Over the last two seconds or more."""
        then, before, rate = self._rate
        now = time.monotonic()
        if now - then >= 2.0:
            rate = (posts - before) / (now - then)
            self._rate = (now, posts, rate)
        return rate
