"""The command line's entry: global options, the list of commands, and how an error leaves.

Exit codes: 0 good, 1 failed, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.context import Call

# One thread multiplies the small matrices of a stream faster than two that wait for each other: a
# replay ran 1.7 to 2.9 times as fast. Read by numpy when it is first imported, so set before.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# In the order in which `tindon --help` lists them. Each module has `register(app)`, imports what is
# heavy inside its commands (`tindon --help` answers in half a second) and may be absent.
COMMANDS = (
    "cli.demo",
    "cli.replay",
    "cli.evaluate",
    "cli.tune",
    "cli.shadow",
    "cli.settings",
    "cli.ingest",
    "cli.worker",
    "cli.dead",
    "cli.grow",
    "cli.servers",
    "cli.apply",
    "cli.expire",
    "cli.console",
    "cli.triage",
    "cli.claims",
    "cli.explain",
    "cli.encoder",
    "cli.config",
    "cli.doctor",
)


INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; what a user can mend is one line on stderr."""
    try:
        code = application()(arguments, prog_name="tindon", standalone_mode=False)
        sys.stdout.flush()
        # Inside a command Ctrl-C arrives here as this code, without a word.
        if code == INTERRUPTED:
            return _said("interrupted", INTERRUPTED)
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        return _said("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Python flushes stdout once more at exit: let it flush into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if mend := _OS_MENDS.get(error.errno or 0):
            name = f"{error.filename}: " if error.filename else ""
            return _said(f"{name}{error.strerror}; {mend}", 1)
        raise
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise  # a fault of ours: the traceback is what a report of it needs
        return _said(_line(error), code)


def application() -> typer.Typer:
    """A fresh command tree with every command that exists."""
    app = typer.Typer(
        name="tindon",
        help="Group public posts that make the same claim; raise an explained alert early.",
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help starts in half the time
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    for name in COMMANDS:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name).register(app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tindon {version('tindon')}")
        raise typer.Exit


def _global_options(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings file; else TINDON_CONFIG, else ./tindon.yaml if it is there.",
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log at level debug.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    ctx.obj = Call(config_file=config, verbose=verbose)


_OS_MENDS = {
    errno.ENOSPC: "free some space on that disk, or choose another folder",
    errno.EDQUOT: "free some of your quota on that disk, or choose another folder",
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.EACCES: "give yourself the right to use it, or choose another path",
    errno.EPERM: "give yourself the right to use it, or choose another path",
    errno.EADDRINUSE: "choose another port, or stop the program that has it",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def _line(error: Exception) -> str:
    """The error as one line; for wrong use with the help to read."""
    formatted: Any = getattr(error, "format_message", None)
    text = formatted() if formatted is not None else getattr(error, "message", None) or str(error)
    ctx = getattr(error, "ctx", None)
    if ctx is None:
        return str(text)
    if type(error).__name__ == "NoArgsIsHelpError":  # a command group alone: its help is the answer
        return str(text)
    return f"{' '.join(str(text).split()).rstrip('.')}; see `{ctx.command_path} --help`"


def _said(text: str, code: int) -> int:
    prefix = "" if "\n" in text else "tindon: "  # several lines are a help text
    print(f"{prefix}{text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
