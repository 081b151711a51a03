"""Wraps the work of an experiment by what all experiments do before and after it."""

import inspect
import os
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from hebbsim.config import ExperimentConfig
from hebbsim.runs.folders import Out
from hebbsim.runs.results import Clock, Progress, Results, quiet
from hebbsim.runs.resume import RunCache

Config = TypeVar("Config", bound=ExperimentConfig)

_EXAMPLES = "Examples\n--------\n"
_DOCSTRING = """\
{summary}

Parameters
----------
config : {config}, optional
    Or its fields as keywords.
out : path, optional
    Run folder to write (default: none). It resumes an interrupted run of the same
    configuration there.
progress : callable, optional
    Called with a line to show or None, the number of completed steps and the total.
overwrite : bool
    Replace a finished run in `out`.

Returns
-------
Results
{results}

Raises
------
{errors}BadInputError
    An option, the data or a folder to write cannot be used.
{examples}"""


def run_function(
    kind: type[Config],
) -> Callable[[Callable[[Config, RunCache, Progress], Results]], Callable[..., Results]]:
    """Make the function of an experiment from its work: ``work(config, cache, progress)``.

    The function checks the options, loads user-defined rules, opens the run folder, and writes
    the results of the work into it. Its docstring gets the common parameters and errors; what
    follows the first line of that of the work describes the results.

    >>> class Config(ExperimentConfig):
    ...     seeds: int = 1
    >>> @run_function(Config)
    ... def run_nothing(config, cache, progress):
    ...     return Results("nothing", config.resolved(), {})
    >>> run_nothing(seeds=3).config
    {'seeds': 3}
    """

    def decorate(work: Callable[[Config, RunCache, Progress], Results]) -> Callable[..., Results]:
        def run(
            config: Any = None,
            *,
            out: Out | None = None,
            progress: Progress | None = None,
            overwrite: bool = False,
            **options: Any,
        ) -> Results:
            clock = Clock()
            config = kind.checked(options) if config is None else config
            if rules := getattr(config, "rules", ()):
                # The configuration may have been checked in another process.
                from hebbsim.engine import load_rules

                load_rules(rules)
            # Only the first process of torchrun writes.
            with RunCache(None if rank() else out, overwrite=overwrite) as cache:
                results = work(config, cache, progress or quiet)
                cache.write(results, machine=clock.machine() | results.machine, save=results.save)
            return results

        about, example, lines = inspect.cleandoc(work.__doc__ or "").partition(_EXAMPLES)
        about, raises, errors = about.partition("Raises\n------\n")
        summary, _, results = about.strip().partition("\n\n")
        run.__doc__ = _DOCSTRING.format(
            summary=summary,
            config=kind.__name__,
            results=textwrap.indent(results, "    "),
            errors=f"{errors.strip()}\n" if raises else "",
            examples=f"\n{example}{lines}\n" if example else "",
        )
        run.__name__, run.__qualname__ = work.__name__, work.__qualname__
        run.__module__ = work.__module__
        return run

    return decorate


def rank() -> int:
    """Rank of this process under torchrun; 0 otherwise."""
    return int(os.environ.get("RANK", "0"))
