"""Errors that a user can act on."""

#: Largest number of characters in a message.
_LONGEST = 600


class HebbsimError(Exception):
    """A run failed for a reason that one line explains (exit code 1)."""


class BadInputError(HebbsimError, ValueError):
    """Input or arguments that cannot be used (exit code 2).

    The message is one line: what is wrong, where (file and line), what to do. Quoted input can
    neither add lines nor send control characters to the terminal.

    Examples
    --------
    >>> str(BadInputError("a.txt:1: no " + chr(27) + "[31m word" + chr(10) + "here"))
    'a.txt:1: no \\\\x1b[31m word here'
    """

    def __init__(self, message: str = "") -> None:
        line = " ".join(part.strip() for part in str(message).splitlines())
        if not line.isprintable():
            line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
        super().__init__(line)


class LibraryMissingError(HebbsimError):
    """A library that an extra installs is needed, but missing.

    >>> str(LibraryMissingError("gensim", "rivals"))
    "gensim is not installed: pip install 'hebbsim[rivals]'"
    """

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed: pip install 'hebbsim[{extra}]'")


def reason(error: BaseException, most: int = 200) -> str:
    """The message of an error in one line of at most `most` characters, or its type if empty.

    Examples
    --------
    >>> reason(ValueError("no such\\nword")), reason(KeyError())
    ('no such word', 'KeyError')
    """
    return " ".join(str(error).split())[:most] or type(error).__name__


class DivergenceError(HebbsimError, FloatingPointError):
    """Weights stopped being finite while learning."""


class DivergenceWarning(RuntimeWarning):
    """Weights have grown so large that they may soon stop being finite."""
