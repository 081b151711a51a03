"""Logical forms of COGS and related corpora as graphs of relations between words.

Three notations are in use for the same meaning of *Emma saw the girl that slept*:

- with variables (COGS, SLOG): ``x _ i`` is token i, ``girl . nmod ( x _ 3 , x _ 5 )`` without a
  preposition is a relative clause, whose verb is the second::

    * girl ( x _ 3 ) ; see . agent ( x _ 1 , Emma ) AND see . theme ( x _ 1 , x _ 3 ) AND
    girl . nmod ( x _ 3 , x _ 5 ) AND sleep . agent ( x _ 5 , x _ 3 )

- variable-free (Qiu et al. 2022, SLOG)::

    see ( agent = Emma , theme = * girl ( nmod = sleep ( agent = * girl ) ) )

- with arbitrary variables (ReCOGS, Wu et al. 2023; no relative clauses)::

    Emma ( 7 ) ; see ( 4 ) AND agent ( 4 , 7 ) ...

``?`` is the participant that a question asks for, with the token *who* or *what*. If a form has no
token indices, its words are sorted into the order of the sentence and must match its content
words one by one. In variable-free forms the order follows from the structure (first argument,
verb, other arguments; a noun before its modifiers); ReCOGS lists nouns, then verbs, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

DETERMINERS = frozenset({"a", "an", "the"})
QUESTION = frozenset({"who", "what"})
_FUNCTION = (
    DETERMINERS
    | QUESTION
    | {"that", "to", "by", "was", "did", "in", "on", "beside", ".", ",", "?", "um", "uh"}
)
_ARGUMENTS = ("agent", "theme", "recipient")

_CONJUNCT = re.compile(
    r"(?P<label>\w+) \. (?P<relation>agent|theme|recipient|ccomp|xcomp|nmod(?: \. \w+)?)"
    r" \( x _ (?P<governor>\d+) , (?:x _ (?P<index>\d+)|(?P<name>\w+|\?)) \)"
)
_NOUN = re.compile(r"(?:\* )?(?P<label>\w+) \( x _ (?P<index>\d+) \)")
_NODE = re.compile(r"(?:\* )?(?P<label>\w+) \( (?P<id>\d+) \)")
_EDGE = re.compile(r"(?P<relation>\w+(?: \. \w+)?) \( (?P<governor>\d+) , (?P<dependent>\d+) \)")


@dataclass
class Graph:
    """The relations of a logical form; words are given by their position in the sentence."""

    #: (verb, ``agent`` | ``theme`` | ``recipient``, argument)
    arguments: list[tuple[int, str, int]] = field(default_factory=list)
    #: Verb -> (``ccomp`` | ``xcomp``, verb of the embedded clause)
    complement: dict[int, tuple[str, int]] = field(default_factory=dict)
    #: (noun, noun of a PP that modifies it)
    modifiers: list[tuple[int, int]] = field(default_factory=list)
    #: (noun, verb of a relative clause that modifies it)
    relatives: list[tuple[int, int]] = field(default_factory=list)

    def add(self, governor: int, relation: str, dependent: int) -> None:
        if relation == "nmod":
            self.relatives.append((governor, dependent))
        elif relation.startswith("nmod"):
            self.modifiers.append((governor, dependent))
        elif relation in ("ccomp", "xcomp"):
            self.complement[governor] = (relation, dependent)
        else:
            self.arguments.append((governor, relation, dependent))


def graph_of(tokens: Sequence[str], form: str) -> Graph:
    """The graph of a sentence of two or more words.

    Raises ValueError if the logical form cannot be read or does not match the tokens.

    >>> tokens = "Who saw the girl that slept ?".split()
    >>> form = "see ( agent = ? , theme = * girl ( nmod = sleep ( agent = * girl ) ) )"
    >>> graph = graph_of(tokens, form)
    >>> graph.arguments, graph.relatives
    ([(1, 'agent', 0), (1, 'theme', 3), (5, 'agent', 3)], [(3, 5)])
    """
    try:
        if " = " in form:
            try:
                return _variable_free(tokens, form, subjects=True)
            except ValueError:  # "the girl that a girl saw": the noun is not the subject
                return _variable_free(tokens, form, subjects=False)
        if re.search(r"\( \d+ [,)]", form):
            return _with_numbers(tokens, form)
        return _with_variables(tokens, form)
    except RecursionError:
        raise ValueError("the logical form is nested too deeply") from None


# With variables -------------------------------------------------------------------------------


def _with_variables(tokens: Sequence[str], form: str) -> Graph:
    graph = Graph()
    named: list[tuple[int, str, str]] = []  # verb, relation, name
    for conjunct in re.split(" AND | ; ", form):
        match = _CONJUNCT.fullmatch(conjunct)
        if match is None:
            noun = _NOUN.fullmatch(conjunct)
            if noun is None:
                raise ValueError(f"cannot read '{conjunct}' in the logical form")
            _check(tokens, int(noun["index"]), conjunct, noun["label"])
            continue
        governor, relation = int(match["governor"]), match["relation"]
        label = match["label"] if relation.startswith("nmod") else ""
        _check(tokens, governor, conjunct, label)
        if match["index"] is not None:
            dependent = int(match["index"])
            _check(tokens, dependent, conjunct)
            graph.add(governor, relation, dependent)
        elif match["name"] == "?":
            graph.add(governor, relation, _asked_for(tokens))
        else:
            named.append((governor, relation, match["name"]))
    for name in {name for _, _, name in named}:
        mentions = [(verb, relation) for verb, relation, of in named if of == name]
        for (verb, relation), place in _places(tokens, name, mentions, graph).items():
            graph.add(verb, relation, place)
    return graph


def _check(tokens: Sequence[str], place: int, conjunct: str, noun: str = "") -> None:
    """Raise ValueError if a position is outside the sentence, or holds another noun."""
    if place >= len(tokens):
        raise ValueError(f"the sentence has no token {place} ('{conjunct}')")
    if noun and tokens[place].lower() != noun.lower():
        raise ValueError(f"token {place} is '{tokens[place]}', not '{noun}' ('{conjunct}')")


def _asked_for(tokens: Sequence[str]) -> int:
    place = next((i for i, token in enumerate(tokens) if token.lower() in QUESTION), None)
    if place is None:
        raise ValueError("'?' is in the logical form, but no who or what in the sentence")
    return place


def _places(
    tokens: Sequence[str], name: str, mentions: list[tuple[int, str]], graph: Graph
) -> dict[tuple[int, str], int]:
    """The position of a name as argument of each verb: forms give names without an index.

    A subject that two verbs share occurs once. If a name occurs several times, occurrences are
    assigned to verbs so that the total distance is minimal.
    """
    places = [
        i
        for i, token in enumerate(tokens)
        if token == name and not (i and tokens[i - 1].lower() in DETERMINERS)
    ]
    shared = {
        (inner, "agent"): (verb, "agent")
        for verb, (relation, inner) in graph.complement.items()
        if relation == "xcomp" and (verb, "agent") in mentions
    }
    alone = [mention for mention in mentions if mention not in shared]
    if not places or (len(places) > 1 and len(places) != len(alone)):
        raise ValueError(f"'{name}' occurs {len(places)} times in the sentence, not once")
    if len(places) == 1:
        return dict.fromkeys(mentions, places[0])
    from scipy.optimize import linear_sum_assignment  # slow to import, and rarely needed

    distances = [[abs(verb - at) for at in places] for verb, _ in alone]
    rows, columns = linear_sum_assignment(distances)
    found = {alone[i]: places[j] for i, j in zip(rows.tolist(), columns.tolist(), strict=True)}
    return found | {inner: found[outer] for inner, outer in shared.items() if inner in mentions}


# Without token indices ------------------------------------------------------------------------


@dataclass(eq=False)
class _Node:
    """A word of a form without token indices."""

    label: str
    edges: list[tuple[str, _Node]] = field(default_factory=list)  # relation, dependent
    place: int = -1
    words: list[str] = field(default_factory=list)  # of the form, with those of its edges

    @property
    def is_verb(self) -> bool:
        return any(not relation.startswith("nmod") for relation, _ in self.edges)


class _Parser:
    """Parses a variable-free form into nodes; repeated words with one referent share a node.

    If `subjects`, the noun of a relative clause may be the first argument of its verb.
    """

    def __init__(self, form: str, subjects: bool) -> None:
        self._words = form.split()
        self._subjects = subjects
        self._at = 0

    def clause(self) -> _Node:
        node = self._node([])
        if self._at < len(self._words):
            raise ValueError(f"cannot read '{self._words[self._at]}' in the logical form")
        return node

    def _take(self, wanted: str = "") -> str:
        word = self._words[self._at] if self._at < len(self._words) else "its end"
        if wanted and word != wanted:
            raise ValueError(f"cannot read '{word}' in the logical form, '{wanted}' was expected")
        self._at += 1
        return word

    def _next(self, word: str) -> bool:
        there = self._words[self._at : self._at + 1] == [word]
        self._at += there
        return there

    def _node(self, known: list[_Node]) -> _Node:
        """The node of the next word: one of `known` if it refers to it, else a new one."""
        start = self._at
        self._next("*")
        label = self._take()
        same = next((node for node in known if node.label == label), None)
        if not self._next("("):
            return same or _Node(label)
        node = _Node(label)
        while True:
            relation = self._take()
            if self._next("."):
                relation = f"{relation} . {self._take()}"
            self._take("=")
            # A relative clause repeats its noun; an infinitive the subject before it.
            taken = [other for _, other in node.edges]
            meant = [other for other in known if other not in taken]
            if relation.startswith("nmod"):
                meant = [node] if relation == "nmod" else []
            elif relation == "xcomp":
                meant = [*taken[:1], *meant]
            elif relation in _ARGUMENTS and not (taken or self._subjects):
                meant = []
            node.edges.append((relation, self._node(meant)))
            if self._next(")"):
                node.words = self._words[start : self._at]
                # A noun may be repeated with all of its modifiers.
                return same if same is not None and same.words == node.words else node
            self._take(",")


def _variable_free(tokens: Sequence[str], form: str, *, subjects: bool) -> Graph:
    return _placed(tokens, list(_in_order(_Parser(form, subjects).clause(), set())))


def _with_numbers(tokens: Sequence[str], form: str) -> Graph:
    """The graph of a form with arbitrary variables."""
    nodes: dict[str, _Node] = {}
    edges: list[re.Match[str]] = []
    for conjunct in re.split(" AND | ; ", form):
        if match := _NODE.fullmatch(conjunct):
            nodes[match["id"]] = _Node(match["label"])
        elif match := _EDGE.fullmatch(conjunct):
            edges.append(match)
        else:
            raise ValueError(f"cannot read '{conjunct}' in the logical form")
    for match in edges:
        if not {match["governor"], match["dependent"]} <= nodes.keys():
            raise ValueError(f"'{match[0]}' in the logical form refers to no word of it")
        nodes[match["governor"]].edges.append((match["relation"], nodes[match["dependent"]]))
    nouns = [node for node in nodes.values() if not node.is_verb]
    verbs = [node for node in nodes.values() if node.is_verb]
    words: list[_Node] = []
    for place in _content(tokens):
        label = tokens[place].lower()
        noun = next((noun for noun in nouns if noun.label.lower() == label), None)
        if noun is not None:
            nouns.remove(noun)
            words.append(noun)
        elif verbs:
            words.append(verbs.pop(0))
    return _placed(tokens, [*words, *nouns, *verbs])


def _in_order(node: _Node, met: set[int]) -> Iterator[_Node]:
    """Words in the order of the sentence, each once, without ``?``."""
    if id(node) in met:
        return
    met.add(id(node))
    edges = node.edges
    if node.is_verb:
        # The first argument precedes the verb, unless it is ``?`` or occurred before.
        first = edges[0][1]
        if first.label != "?" and id(first) not in met:
            yield from _in_order(first, met)
        edges = edges[1:]
    yield node
    for _, other in edges:
        if other.label != "?":
            yield from _in_order(other, met)


def _content(tokens: Sequence[str]) -> list[int]:
    """Positions of the content words of a sentence."""
    return [i for i, token in enumerate(tokens) if token.lower() not in _FUNCTION]


def _placed(tokens: Sequence[str], words: Sequence[_Node]) -> Graph:
    """The graph of words that are in the order of the sentence, once each matches its token."""
    places = _content(tokens)
    if len(places) != len(words):
        raise ValueError(
            f"the logical form has {len(words)} words, the sentence {len(places)} that it may mean"
        )
    for word, place in zip(words, places, strict=True):
        word.place = place
        if not word.is_verb and tokens[place].lower() != word.label.lower():
            raise ValueError(
                f"'{word.label}' of the logical form is aligned with '{tokens[place]}'"
            )
    graph = Graph()
    for word in words:
        for relation, other in word.edges:
            place = _asked_for(tokens) if other.label == "?" else other.place
            graph.add(word.place, relation, place)
    return graph
