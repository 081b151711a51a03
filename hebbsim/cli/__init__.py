"""The command line: `hebbsim VERB`.

A verb is one module of this package with a typer app named ``app``, mounted below. The
modules import what they run only when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer

from hebbsim._version import __version__
from hebbsim.cli import bench, corpus, run
from hebbsim.errors import BadInputError, HebbsimError, StoppedError

# typer carries its own click or uses the installed one, by version; either way the
# exception that means bad usage is the parent of typer.BadParameter.
_UsageError: type[Any] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="hebbsim",
    help="Hebbian learning on multi-timescale traces of language.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)
app.add_typer(run.app, name="run")
app.add_typer(corpus.app, name="corpus")
app.command("bench")(bench.bench)
app.command("warmup")(bench.warmup)


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
        bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere on the line.")
    ] = False,
) -> None:
    pass


@app.command()
def versions() -> None:
    """Print the versions of everything that a result may depend on."""
    import platform

    from hebbsim.experiments.results import package_versions

    for name, number in {**package_versions(), "python": platform.python_version()}.items():
        typer.echo(f"{name:<14}{number}")
    typer.echo(f"{'platform':<14}{platform.platform()}")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit: 0 done, 1 failed, 2 bad usage or input, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = run.spread([word for word in words if word != "--debug"], "--text")
    kept = ""
    try:
        status = typer.main.get_command(app)(words, prog_name="hebbsim", standalone_mode=False)
        sys.stdout.flush()
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
            print(error.format_message(), file=sys.stderr)
        else:
            _complain(f"{_first_line(error.format_message())} (see --help)")
        status = 2
    except (typer.Abort, KeyboardInterrupt):
        status = 130
    except StoppedError as stop:
        kept, status = str(stop), 130
    except BrokenPipeError:
        # The reader of a pipe left; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        elif isinstance(error, HebbsimError):
            _complain(str(error))
        else:
            _complain(f"{type(error).__name__}: {error} (--debug shows where)")
        status = 2 if isinstance(error, BadInputError) else 1
    if status == 130:
        _complain(kept or "interrupted; nothing was written")
    sys.exit(status if isinstance(status, int) else 0)


def _complain(message: str) -> None:
    print(f"hebbsim: {_first_line(message)}", file=sys.stderr)


def _first_line(message: str) -> str:
    return " ".join(message.split())
