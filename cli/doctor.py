"""`tindon doctor`: what this machine has and lacks, each lack with its mend."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.config import Format, FormatOption, summary
from cli.context import loaded
from cli.errors import UserError
from cli.finding import Finding
from deploy.local.process import members, read_record

if TYPE_CHECKING:
    from config import Settings

FREE_BYTES = 2 * 1024**3  # a day of 1,000,000 posts takes under 1 GiB of log and store; twice that


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(ctx: typer.Context, output: FormatOption = Format.TEXT) -> None:
    """Check this machine and its servers; each lack with its mend."""
    from cli import doctor_servers as servers

    findings, settings = _settings(ctx)
    checks: list[Callable[[Settings], Finding]] = [
        python,
        packages,
        sqlite,
        state_folder,
        disk,
        encoder,
        console_port,
        servers.java,
        servers.maven,
        servers.memory,
        servers.chromium,
    ]
    findings += [check(settings) for check in checks]
    findings += servers.kafka(settings) + servers.elasticsearch(settings)
    if output is Format.JSON:
        rows = [{**asdict(finding), "good": finding.good} for finding in findings]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            state = "ok" if finding.good else "not" if finding.essential else "lack"
            typer.echo(f"{state:<4}  {finding.name:<13}  {finding.detail}")
            if finding.mend:
                typer.echo(f"{'':<21}mend: {finding.mend}")
    failed = [finding.name for finding in findings if finding.essential and not finding.good]
    if failed:
        raise UserError(f"this machine lacks something essential: {', '.join(failed)}; see above")


def _settings(ctx: typer.Context) -> tuple[list[Finding], Settings]:
    """The state of the settings, and what the other checks use: the defaults where these fail."""
    from config import SettingsError, defaults

    try:
        found = loaded(ctx)
    except SettingsError as error:
        what, _, mend = error.message.partition("; ")
        return [Finding("settings", what, mend or "correct that setting")], defaults()
    return [Finding("settings", summary(found).removeprefix("good: "))], found.settings


def python(settings: Settings) -> Finding:
    have = ".".join(map(str, sys.version_info[:3]))
    mend = "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer"
    return Finding("python", have, mend)


def packages(settings: Settings) -> Finding:
    """Every core dependency is installed, and the pinned ones at their version."""
    from packaging.requirements import Requirement

    wrong: list[str] = []
    total = 0
    for line in requires("tindon") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue  # an extra's, or another Python's
        total += 1
        name = wanted.name
        try:
            have = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if not wanted.specifier.contains(have, prereleases=True):
            wrong.append(f"{name} is {have}, not {wanted.specifier}")
    detail = ", ".join(wrong) or f"{total} of {total}"
    return Finding("packages", detail, "run `make setup`, or reinstall tindon" if wrong else "")


def sqlite(settings: Settings) -> Finding:
    """The store searches with FTS5 and writes with a write-ahead log."""
    have = f"SQLite {sqlite3.sqlite_version}"
    with sqlite3.connect(":memory:") as connection:
        options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    connection.close()
    if "ENABLE_FTS5" in options:
        return Finding("sqlite", f"{have} with FTS5")
    return Finding("sqlite", f"{have} without FTS5", "use a Python whose SQLite has FTS5")


def state_folder(settings: Settings) -> Finding:
    """The state folder, or the folder that it will be made in, can be written."""
    there = _nearest_folder(settings.state_dir)
    mend = (
        "" if os.access(there, os.W_OK | os.X_OK) else "set TINDON_STATE_DIR to a folder of yours"
    )
    state = "" if there == settings.state_dir else " (not made yet)"
    return Finding("state folder", f"{settings.state_dir}{state}", mend)


def disk(settings: Settings) -> Finding:
    there = _nearest_folder(settings.state_dir)
    free = shutil.disk_usage(there).free
    mend = f"free some space below {there}, or set TINDON_STATE_DIR" if free < FREE_BYTES else ""
    return Finding("disk", f"{free / 1024**3:.1f} GiB free, {FREE_BYTES >> 30} needed", mend)


def encoder(settings: Settings) -> Finding:
    name = settings.embed.encoder
    if name == "none":
        return Finding("encoder", "none: lexical features alone")
    try:
        from embeddings.encoder import SHIPPED_NAME, load_encoder

        identity = load_encoder(None if name == SHIPPED_NAME else name).identity
    except Exception as error:  # whatever breaks in loading is what the doctor has to tell
        mend = "set embed.encoder to none, or reinstall tindon"
        return Finding("encoder", f"{name}: {' '.join(str(error).split())}", mend)
    return Finding("encoder", identity)


def console_port(settings: Settings) -> Finding:
    host, port = settings.console.host, settings.console.port
    address = f"{host}:{port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will bind it
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            if taken and _is_ours(settings):
                return Finding("console port", f"{address} is the console that `tindon up` started")
            cause = "is taken" if taken else f"cannot be used: {error.strerror}"
            mend = "set TINDON_CONSOLE__PORT (or _HOST), or stop the program that has it"
            return Finding("console port", f"{address} {cause}", mend, essential=False)
    return Finding("console port", f"{address} is free")


def _is_ours(settings: Settings) -> bool:
    record = read_record(settings.state_dir / "run" / "console.pid")
    ports = record.ports if record is not None and members(record) else {}
    return ports.get("console.port") == settings.console.port


def _nearest_folder(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    for folder in (path, *path.absolute().parents):
        if folder.exists():
            return folder
    return Path("/")
