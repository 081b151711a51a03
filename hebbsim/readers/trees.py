"""What a dependency tree says of its words beyond their roles: clause depth, agreement."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["NO_NUMBER", "clause_depths", "subject_numbers"]

#: Relations of words that head a clause inside another.
_CLAUSES = frozenset({"csubj", "ccomp", "xcomp", "advcl", "acl", "parataxis"})
_NUMBERS = {"Sing": "sg", "Plur": "pl"}
NO_NUMBER = "none"


def clause_depths(heads: Sequence[int], relations: Sequence[str]) -> list[str]:
    """Clauses that every word stands inside of, the main clause not counted.

    Parameters
    ----------
    heads : sequence of int, shape=(T,)
        Position of the head from 1, 0 for the root.
    relations : sequence of str, shape=(T,)

    Examples
    --------
    >>> clause_depths([2, 0, 4, 2], ["nsubj", "root", "mark", "ccomp"])
    ['0', '0', '1', '1']
    """
    opens = [relation.partition(":")[0] in _CLAUSES for relation in relations]
    depths = []
    for word in range(1, len(heads) + 1):
        depth, steps = 0, 0
        while word and steps <= len(heads):  # a tree with a circle in it ends, too
            depth += opens[word - 1]
            word = heads[word - 1]
            steps += 1
        depths.append(str(depth))
    return depths


def subject_numbers(
    heads: Sequence[int], relations: Sequence[str], features: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Number of the subject at every finite verb that follows its subject.

    The finite verb is the predicate itself or its first finite auxiliary or copula. A
    coordinated subject is plural.

    Parameters
    ----------
    heads, relations
        As of `clause_depths`.
    features : sequence of str, shape=(T,)
        Column 6 of CoNLL-U, such as ``Number=Sing|VerbForm=Fin``.

    Returns
    -------
    numbers : list of str, shape=(T,)
        ``sg``, ``pl``, or ``none`` where there is no such verb or number.
    distances : list of str, shape=(T,)
        Tokens from the subject to the verb; ``0`` where there is none.

    Examples
    --------
    >>> subject_numbers([2, 0], ["nsubj", "root"], ["Number=Plur", "VerbForm=Fin"])
    (['none', 'pl'], ['0', '1'])
    """
    numbers = [NO_NUMBER] * len(heads)
    distances = ["0"] * len(heads)
    names = [relation.partition(":")[0] for relation in relations]
    children: dict[int, list[int]] = {}
    for place, head in enumerate(heads):
        children.setdefault(head - 1, []).append(place)
    for subject, (head, name) in enumerate(zip(heads, names, strict=True)):
        if name != "nsubj" or not head:
            continue
        number = NO_NUMBER
        for feature in features[subject].split("|"):
            key, _, value = feature.partition("=")
            if key == "Number":
                number = _NUMBERS.get(value, NO_NUMBER)
        if any(names[child] == "conj" for child in children.get(subject, ())):
            number = "pl"
        helpers = [c for c in children.get(head - 1, ()) if names[c] in ("aux", "cop")]
        finite = [
            place
            for place in (*helpers, head - 1)
            if "VerbForm=Fin" in features[place].split("|") and place > subject
        ]
        if finite and number != NO_NUMBER:
            numbers[finite[0]] = number
            distances[finite[0]] = str(finite[0] - subject)
    return numbers, distances
