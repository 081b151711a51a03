"""The command line: `hebbsim VERB`.

Each verb is a function in a module of this package, and is added below; the verbs of experiments
are generated from their declarations (`hebbsim.runs.experiment`). Modules defer their imports to
the call, so that ``--help`` is fast.
"""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, NoReturn

import typer
import typer.core

from hebbsim._version import __version__
from hebbsim.cli import corpus, demo, doctor, figures, report, show, sweep, tag
from hebbsim.cli.options import Verb, add_command, with_help
from hebbsim.cli.run_command import complain
from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.interrupts import Interruption, terminating
from hebbsim.runs.registry import EXPERIMENTS

# Depending on its version, typer bundles click or uses the installed one; in both cases, the
# exception for bad usage is the parent of typer.BadParameter.
_UsageError: type[Any] = typer.BadParameter.__mro__[1]


class _RunFirst(typer.core.TyperGroup):
    """Lists the groups of verbs, which most users want, before the other verbs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(self.commands, key=lambda name: name not in ("run", "corpus"))


app = typer.Typer(
    name="hebbsim",
    cls=_RunFirst,
    help="Hebbian learning on multi-timescale traces of language.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)
run = typer.Typer(
    help="Run an experiment and write its tables and figures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(run, name="run")
app.add_typer(corpus.app, name="corpus")
app.command("tag", cls=Verb.of("hebbsim.runs.corpus_config:TextConfig"))(tag.tag)
app.command("show")(show.show)
app.command("errors")(show.errors)
for _experiment in EXPERIMENTS.values():
    if _experiment.help:
        add_command(run if _experiment.command.startswith("run ") else app, _experiment)
app.command("warmup")(doctor.warmup)
app.command("sweep")(sweep.sweep)
app.command("compare")(sweep.compare)
app.command("rerun")(sweep.rerun)
app.command("doctor")(doctor.doctor)
app.command("figures")(figures.figures)
app.command("report")(report.report)
app.command("demo", cls=Verb.of("hebbsim.demo.config:DemoConfig"))(demo.demo)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"hebbsim {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks; accepted anywhere on the line.")
    ] = False,
) -> None:
    pass


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit.

    Exit codes: 0 success, 1 failure, 2 bad usage or input, 129, 130 or 143 interrupted (SIGHUP,
    SIGINT, SIGTERM).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stderr is None:  # closed by the caller
        sys.stderr = open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            if stream is sys.stdout and not stream.isatty():
                # Data for a file or a program; names of files keep their bytes.
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")
            else:
                stream.reconfigure(errors="replace")  # no failure if the locale lacks a character
    debug = "--debug" in words
    interrupted = False
    words = [word for word in words if word != "--debug"]
    try:
        with terminating() as arrived:
            _refuse_empty(words)
            if sys.stdout is None:
                raise BadInputError("standard output is closed; send it to a file or to /dev/null")
            command = with_help(typer.main.get_command(app))
            status = command(words, prog_name="hebbsim", standalone_mode=False)
            sys.stdout.flush()
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            print(error.format_message(), file=sys.stderr)
        else:
            complain(f"{_one_line(error.format_message())} (see --help)")
        status = 2
    except Interruption as error:
        complain(_one_line(str(error)))
        status = error.status
        _leave_threads(status)
    except (typer.Abort, KeyboardInterrupt):
        interrupted = True
    except BrokenPipeError:
        # The reader of the pipe has left; discard what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        else:
            known = isinstance(error, HebbsimError | MemoryError)
            message = _message(error)
            hints = [getattr(error, "hint", ""), "" if known else "--debug shows where"]
            hint = "; ".join(filter(None, hints))
            complain(_one_line(f"{message} ({hint})" if hint else message))
        status = 2 if isinstance(error, BadInputError) else 1
        _leave_threads(status)
    else:  # typer converts an interruption to this status
        interrupted = status == 130
    if interrupted:
        status = 128 + (arrived[0] if arrived else signal.SIGINT)
        complain("interrupted; nothing was written")
    sys.exit(status if isinstance(status, int) else 0)


def _message(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, HebbsimError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({reason(error)}); give smaller numbers, or use a larger machine"
    if isinstance(error, OSError) and error.strerror:
        where = "a file or standard output" if error.filename is None else error.filename
        return f"{where}: {error.strerror}"
    return f"{type(error).__name__}: {error}"


def _refuse_empty(words: Sequence[str]) -> None:
    """Raise BadInputError for an empty argument, which as a path would be the current folder."""
    for before, word in pairwise(["hebbsim", *words]):
        name, sign, value = word.partition("=")
        if sign and not value and name.startswith("--"):
            before, word = name, ""
        if not word:
            empty = "its value is empty" if before.startswith("--") else "an empty argument follows"
            raise BadInputError(f"{before}: {empty}; is a variable of the shell not set?")


def _leave_threads(status: int) -> None:
    """Exit at once if threads are still learning, because they cannot be stopped."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    if any(not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _one_line(message: str) -> str:
    return " ".join(message.split())
