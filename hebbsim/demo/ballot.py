"""The question that a class votes on, and its votes."""

from __future__ import annotations

import threading

from hebbsim.errors import BadInputError

__all__ = ["LETTERS", "MOST_VOTERS", "Ballot"]

LETTERS = "ABCD"
#: Browsers whose votes on a question count, at most: it bounds the memory, too.
MOST_VOTERS = 300


class Ballot:
    """The question that is open, and a letter for each browser; safe to use from any thread.

    A browser is recognized by an id that only the server can give; whoever deletes it gets
    another one, and votes again. A bound per network address would silence a class that shares
    one: addresses are counted, and the teacher is told if there are fewer of them than votes.

    Examples
    --------
    >>> ballot = Ballot()
    >>> ballot.open(3)
    >>> ballot.vote("one phone", "B"), ballot.vote("one phone", "C"), ballot.vote("other", "D")
    (True, True, False)
    >>> ballot.counts
    [0, 0, 1]
    >>> ballot.vote("third", "A", "192.0.2.7"), ballot.n_addresses
    (True, 2)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._votes: dict[str, tuple[str, str]] = {}
        self.n_options = 0
        self.is_open = False
        #: Counts the questions; phones see by it that there is a new one.
        self.number = 0

    def open(self, n_options: int) -> None:
        """Ask a new question: earlier votes are gone.

        Raises
        ------
        BadInputError
            It has fewer options than two, or more than there are letters.
        """
        if not 2 <= n_options <= len(LETTERS):
            raise BadInputError(f"a ballot has from 2 to {len(LETTERS)} options, not {n_options}")
        with self._lock:
            self._votes.clear()
            self.n_options, self.is_open = n_options, True
            self.number += 1

    def close(self) -> None:
        """Take no more votes; the counts stay."""
        self.is_open = False

    def vote(self, voter: str, letter: str, address: str = "") -> bool:
        """Count a voter's letter in place of an earlier one; False if it cannot be counted.

        `address` is the network address that the vote came from.
        """
        with self._lock:
            known = voter in self._votes
            if not self.is_open or letter not in tuple(LETTERS[: self.n_options]):
                return False
            if not known and len(self._votes) >= MOST_VOTERS:
                return False
            self._votes[voter] = letter, address
            return True

    def letter_of(self, voter: str) -> str:
        """The letter that a voter chose; empty without one."""
        return self._votes.get(voter, ("", ""))[0]

    @property
    def counts(self) -> list[int]:
        """Votes by option, shape=(n_options,)."""
        with self._lock:
            votes = [letter for letter, _ in self._votes.values()]
        return [votes.count(letter) for letter in LETTERS[: self.n_options]]

    @property
    def n_addresses(self) -> int:
        """Number of network addresses that the counted votes came from."""
        with self._lock:
            return len({address for _, address in self._votes.values()})
