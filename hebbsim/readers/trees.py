"""Properties of words in a dependency tree besides roles: clause depth and agreement."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

#: Relations of words that head an embedded clause.
_CLAUSES = frozenset({"csubj", "ccomp", "xcomp", "advcl", "acl", "parataxis"})
_NUMBERS = {"Sing": "sg", "Plur": "pl"}
NO_NUMBER = "none"


def clause_depths(heads: Sequence[int], relations: Sequence[str]) -> list[str]:
    """Clause depth of every word, shape=(T,); 0 in the main clause.

    Heads are positions from 1, and 0 for the root.

    >>> clause_depths([2, 0, 4, 2], ["nsubj", "root", "mark", "ccomp"])
    ['0', '0', '1', '1']
    """
    opens = [relation.partition(":")[0] in _CLAUSES for relation in relations]
    # By position from 1; 0 stands for the parent of the root. Every word is visited once.
    depths: list[int | None] = [0] + [None] * len(heads)
    for word in range(1, len(heads) + 1):
        path = []
        while depths[word] is None:
            depths[word] = 0  # ends cycles
            path.append(word)
            word = heads[word - 1]
        depth = depths[word] or 0
        for below in reversed(path):
            depth += opens[below - 1]
            depths[below] = depth
    return [str(depth) for depth in depths[1:]]


def subject_numbers(
    heads: Sequence[int], relations: Sequence[str], features: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Number of the subject at every finite verb that follows its subject, and their distance.

    The finite verb is the first finite auxiliary or copula after the subject, or the predicate
    itself. Coordinated subjects are plural. Heads are those of `clause_depths`, `features` is
    column 6 of CoNLL-U, such as ``Number=Sing|VerbForm=Fin``; all have shape=(T,). Numbers are
    ``sg``, ``pl``, or ``none`` at any other word; distances from the subject to the verb are in
    tokens, ``0`` at any other word.

    >>> subject_numbers([2, 0], ["nsubj", "root"], ["Number=Plur", "VerbForm=Fin"])
    (['none', 'pl'], ['0', '1'])
    """
    numbers = [NO_NUMBER] * len(heads)
    distances = ["0"] * len(heads)
    names = [relation.partition(":")[0] for relation in relations]
    finite = ["VerbForm=Fin" in feature.split("|") for feature in features]
    helpers: dict[int, list[int]] = {}  # finite auxiliaries and copulas by their predicate
    coordinated = set()
    for place, (head, name) in enumerate(zip(heads, names, strict=True)):
        if name in ("aux", "cop") and finite[place]:
            helpers.setdefault(head - 1, []).append(place)
        elif name == "conj":
            coordinated.add(head - 1)
    for subject, (head, name) in enumerate(zip(heads, names, strict=True)):
        if name != "nsubj" or not head:
            continue
        values = dict(feature.partition("=")[::2] for feature in features[subject].split("|"))
        number = _NUMBERS.get(values.get("Number", ""), NO_NUMBER)
        if subject in coordinated:
            number = "pl"
        before = helpers.get(head - 1, [])
        after = before[bisect_right(before, subject) :][:1]
        if not after and finite[head - 1] and head - 1 > subject:
            after = [head - 1]
        if after and number != NO_NUMBER:
            numbers[after[0]] = number
            distances[after[0]] = str(after[0] - subject)
    return numbers, distances
