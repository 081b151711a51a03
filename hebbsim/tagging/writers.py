"""Tagged sentences as CoNLL-U, a table, or JSON lines."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from hebbsim.tagging.tagger import Assignment, Token
    from hebbsim.tagging.texts import Sentence

_BLANKS = re.compile(r"[\t\r\n]+")
#: Attributes in MISC that earlier tagging wrote.
_OURS = ("Role=", "Share=", "Cluster=")


class Writer(ABC):
    """Formats tagged sentences, in order."""

    #: Short description of the format, for the help text of ``--format``.
    about: ClassVar[str]
    #: Text before the first sentence.
    heading = ""

    def __init__(self) -> None:
        self.n_sentences = 0

    def text(self, sentences: Sequence[Sentence], found: Assignment) -> str:
        """The text of sentences, with the roles of all their tokens."""
        tokens = iter(found.tokens(word for one in sentences for word in one.words))
        parts = []
        for sentence in sentences:
            self.n_sentences += 1
            parts.append(self._one(sentence, [next(tokens) for _ in sentence.words]))
        return "".join(parts)

    @abstractmethod
    def _one(self, sentence: Sentence, tokens: list[Token]) -> str:
        """The text of one sentence."""


class ConlluWriter(Writer):
    """CoNLL-U with ``Role=SUBJ|Share=0.93|Cluster=17`` in MISC; treebanks keep their columns."""

    about = "CoNLL-U with Role, Share and Cluster in MISC; the columns of a treebank are kept"

    def _one(self, sentence: Sentence, tokens: list[Token]) -> str:
        if sentence.lines is not None:
            lines = list(sentence.lines)
            for place, token in zip(sentence.places, tokens, strict=True):
                columns = lines[place].split("\t")
                misc = columns[sentence.misc_column]
                kept = [
                    x for x in misc.split("|") if x not in ("", "_") and not x.startswith(_OURS)
                ]
                columns[sentence.misc_column] = "|".join([*kept, _misc(token)])
                lines[place] = "\t".join(columns)
        else:
            words = [_cell(word) or "_" for word in sentence.words]
            lines = [f"# sent_id = {self.n_sentences}", f"# text = {' '.join(words)}"]
            lines += [
                f"{i}\t{word}\t_\t_\t_\t_\t_\t_\t_\t{_misc(token)}"
                for i, (word, token) in enumerate(zip(words, tokens, strict=True), 1)
            ]
        return "\n".join(lines) + "\n\n"


class TableWriter(Writer):
    """Tab-separated columns, one token per line."""

    about = "one token per line"
    heading = "sentence\tposition\tword\trole\tshare\tcluster\n"

    def _one(self, sentence: Sentence, tokens: list[Token]) -> str:
        return "".join(
            f"{self.n_sentences}\t{i}\t{_cell(token.word)}\t{token.role or ''}\t"
            f"{'' if token.share is None else f'{token.share:.4f}'}\t{_clusters(token)}\n"
            for i, token in enumerate(tokens, 1)
        )


class JsonWriter(Writer):
    """One JSON object per sentence: lists of tokens, roles, shares and clusters."""

    about = "one sentence per line"

    def _one(self, sentence: Sentence, tokens: list[Token]) -> str:
        document = {
            "tokens": [token.word for token in tokens],
            "roles": [token.role for token in tokens],
            "shares": [None if token.share is None else round(token.share, 4) for token in tokens],
            "clusters": [token.cluster for token in tokens],
        }
        return json.dumps(document, ensure_ascii=False) + "\n"


#: By name of the format.
WRITERS: dict[str, type[Writer]] = {"conllu": ConlluWriter, "tsv": TableWriter, "jsonl": JsonWriter}


def _cell(word: str) -> str:
    return _BLANKS.sub(" ", word)


def _clusters(token: Token) -> str:
    cluster = token.cluster
    return str(cluster) if isinstance(cluster, int) else ",".join(map(str, cluster))


def _misc(token: Token) -> str:
    cluster = f"Cluster={_clusters(token)}"
    if token.role is None:
        return cluster
    return f"Role={token.role.replace('|', '/')}|Share={token.share:.2f}|{cluster}"
