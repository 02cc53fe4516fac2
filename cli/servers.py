"""`tindon up`, `down` and `status`: everything on this machine, without Docker."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import loaded
from cli.errors import UserError, WrongUse
from cli.progress import Progress

if TYPE_CHECKING:
    from cli.installation import Installation
    from cli.processes import Process

WIDTH = 13  # of the first column of what is printed

TIME = {
    "wall": "goes by the clock; for a file of old posts: docs/running.md",
    "event": "goes by the posts' own times",
}

OnlyOption = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="Some of kafka, elasticsearch, worker, console; comma between them."
    ),
]


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)


def up(
    ctx: typer.Context,
    only: OnlyOption = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Start no worker: you run your own.")
    ] = False,
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, help="Worker processes that share the work.")
    ] = 1,
    wait: Annotated[
        float, typer.Option(metavar="S", min=1, help="Seconds to wait for each part.")
    ] = 180.0,
) -> None:
    """Start Kafka, Elasticsearch, a worker and the console on this machine, in the background."""
    from cli.installation import Installation
    from deploy.local import ServerError

    place = Installation(loaded(ctx))
    parts = _parts(only) if only is not None else place.usual_parts()
    if no_worker:
        parts = [part for part in parts if part != "worker"]
    most = place.settings.kafka.posts_partitions
    if workers > most:
        raise WrongUse(
            f"--workers {workers}: more than kafka.posts_partitions, {most}, find no work"
        )
    place.require_own_addresses(parts)
    place.make_folders()
    with place.alone(), Progress() as said, ExitStack() as undo:
        try:
            _Start(place, parts, workers, wait, said, undo).run()
        except ServerError as error:
            raise UserError(str(error)) from error
        undo.pop_all()  # all is up: it stays
    if "worker" in parts:
        _tell("time", place.settings.time.ticks, TIME[place.settings.time.ticks])
    _tell("logs", str(place.state_dir / "log"), str(place.servers_folder / "logs"))


class _Start:
    """One run of `up`; what it started is stopped again when it fails."""

    def __init__(
        self,
        place: Installation,
        parts: list[str],
        workers: int,
        wait: float,
        said: Progress,
        undo: ExitStack,
    ) -> None:
        self._place = place
        self._parts = parts
        self._wait = wait
        self._said = said
        self._undo = undo
        numbers = range(1, workers + 1) if "worker" in parts else ()
        self._workers = [place.worker(number) for number in numbers]
        self._consoles = [place.console()] if "console" in parts else []

    def run(self) -> None:
        processes = [*self._workers, *self._consoles]
        self._place.require_free_ports(self._parts, processes)
        self._place.require_memory(self._parts, processes)
        self._servers()
        self._apply()
        for worker in self._workers:
            self._process(worker, _address_of_metrics(worker), _metrics_answer(worker))
        for console in self._consoles:
            host, port = _near(self._place.settings.console.host), console.ports["console.port"]
            shown = f"[{host}]" if ":" in host else host
            ready = partial(_answers, host, port, "/health")
            self._process(console, f"http://{shown}:{port}/", ready)

    def _line(self, what: str, where: str, how: str) -> None:
        self._said.line(_columns(what, where, how))

    def _servers(self) -> None:
        servers = [
            self._place.server(part) for part in self._parts if part in ("kafka", "elasticsearch")
        ]
        for server in servers:  # Java, Maven and downloads, before anything runs
            server.ensure(self._said)
        began = time.monotonic()
        news = []
        for server in servers:
            news.append(not server.running())
            if news[-1]:
                self._undo.callback(server.stop, self._said)
            server.start(self._said)
        for server, new in zip(servers, news, strict=True):
            server.wait(self._wait, self._said)
            where = self._place.address(server.name)
            if server.name == "elasticsearch":
                where = f"http://{where}"
            self._line(server.title, where, _since(began) if new else "ran already")

    def _apply(self) -> None:
        from cli.apply import apply_templates, apply_topics

        settings = self._place.settings
        uses = set(self._parts)
        self._said("checking topics and index templates")
        if uses & {"kafka", "worker"}:
            changed = apply_topics(settings, _silent).topics
            self._line("topics", f"{settings.kafka.prefix}*", _changed(changed))
        if settings.store.kind == "elasticsearch" and uses & {"elasticsearch", "worker", "console"}:
            changed = apply_templates(settings, _silent).templates
            self._line("templates", f"{settings.store.prefix}*", _changed(changed))

    def _process(self, process: Process, where: str, ready: Callable[[], bool]) -> None:
        if process.record is not None:
            self._line(process.title.removeprefix("the "), where, "ran already")
            return
        began = time.monotonic()
        self._said(f"starting {process.title}")
        self._undo.callback(process.stop, self._said)
        process.start()
        process.wait(ready, self._wait, self._said)
        self._line(process.title.removeprefix("the "), where, _since(began))


def down(ctx: typer.Context, only: OnlyOption = None) -> None:
    """Stop what `tindon up` started: console, workers, Elasticsearch, Kafka; data stays."""
    from cli.installation import PARTS, Installation
    from deploy.local import ServerError

    place = Installation(loaded(ctx))
    parts = list(PARTS) if only is None else _parts(only)
    if not place.state_dir.is_dir():
        typer.echo(f"nothing runs from {place.state_dir}")
        return
    stopped = []
    with place.alone(), Progress() as said:
        if "console" in parts and place.console().stop(said):
            stopped.append("console")
        for worker in place.workers() if "worker" in parts else []:
            if worker.stop(said):
                stopped.append(worker.title)
        for part in ("elasticsearch", "kafka"):
            if part not in parts:
                continue
            server = place.server(part)
            was_running = server.running()
            try:
                server.stop(said)
            except ServerError as error:
                raise UserError(str(error)) from error
            if was_running:
                stopped.append(server.title)
    typer.echo(f"stopped {', '.join(stopped)}" if stopped else f"nothing ran in {place.state_dir}")


def status(ctx: typer.Context) -> None:
    """Tell what runs of what `tindon up` started; exit 1 when a part has ended by itself."""
    from cli.installation import Installation

    place = Installation(loaded(ctx))
    broken = []
    for part in ("kafka", "elasticsearch"):
        server = place.server(part)
        ports = place.running_ports(part)
        if ports is None:
            ended = (place.servers_folder / "run" / f"{part}.pid").exists()
            _tell(
                server.title,
                "ended by itself" if ended else "does not run",
                str(server.logs) if ended else "",
            )
            broken += [server.title] if ended else []
        else:
            state = "runs" if server.healthy() else "runs, does not answer"
            _tell(server.title, f"127.0.0.1:{next(iter(ports.values()))}", state)
    for process in [*place.workers(), place.console()]:
        title = process.title.removeprefix("the ")
        if record := process.record:
            _tell(
                title, f"127.0.0.1:{next(iter(record.ports.values()))}", f"runs, pid {record.pid}"
            )
        elif process.ended():
            _tell(title, "ended by itself", process.last_words())
            broken.append(title)
        else:
            _tell(title, "does not run", "")
    if broken:
        raise UserError(f"{', '.join(broken)} ended by itself: look above, then `tindon up` again")


def _parts(only: str) -> list[str]:
    from cli.installation import PARTS

    names = [name.strip() for name in only.split(",") if name.strip()]
    if not names or not set(names) <= set(PARTS):
        raise WrongUse(f"--only {only}: give one or more of {', '.join(PARTS)}")
    return [part for part in PARTS if part in names]


def _silent(text: str) -> None:
    """The plan of what is made anew each time is for `tindon apply` to tell."""


def _tell(what: str, where: str, how: str) -> None:
    typer.echo(_columns(what, where, how))


def _columns(what: str, where: str, how: str) -> str:
    return f"{what:<{WIDTH}}  {where:<30}  {how}".rstrip()


def _since(began: float) -> str:
    return f"started, {time.monotonic() - began:.0f} s"


def _changed(count: int) -> str:
    return f"{count} made or changed" if count else "as they should be"


def _address_of_metrics(worker: Process) -> str:
    return f"http://127.0.0.1:{worker.ports['worker.metrics_port']}/metrics"


def _metrics_answer(worker: Process) -> Callable[[], bool]:
    """Ready when it has partitions to work on: then it knows how far it lags behind."""
    port = worker.ports["worker.metrics_port"]
    return lambda: _answers("127.0.0.1", port, "/metrics", b"\ntindon_lag_records{")


def _near(host: str) -> str:
    """The address at which this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _answers(host: str, port: int, path: str, holds: bytes = b"") -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5.0)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status == 200 and holds in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
