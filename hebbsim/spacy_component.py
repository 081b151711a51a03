"""Roles in a spaCy pipeline: ``nlp.add_pipe("hebbsim_roles", config={"model": PATH})``.

The component sets ``token._.role`` and ``token._.role_share``. Put it after a component that finds
sentences (``sentencizer`` or a parser); without one, a whole document counts as a sentence.

spaCy imports this module for every pipeline, so the learner is imported only when it is used.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.language import Language
from spacy.tokens import Doc, Token
from spacy.util import minibatch

from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.tagging import RoleTagger


_NAME = "hebbsim_roles"
_FILE = "tagger.safetensors"
_EXTENSIONS = ("role", "role_share")


class RolesComponent:
    """Sets the role of every token of a document.

    Parameters
    ----------
    model : str or None
        A tagger file, or the folder of a run. It need not exist if the component is loaded from
        a saved pipeline, which contains its model.
    readout : {"soft", "majority"}
        As for `RoleTagger.tag`.

    Examples
    --------
    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> _ = nlp.add_pipe("sentencizer")
    >>> _ = nlp.add_pipe("hebbsim_roles", config={"model": "runs/roles"})  # doctest: +SKIP
    >>> [token._.role for token in nlp("The dog saw a cat.")]  # doctest: +SKIP
    ['DET', 'SUBJ', 'PRED', 'DET', 'OBJ', 'PUNCT']
    """

    def __init__(self, model: str | None = None, readout: str = "soft") -> None:
        self.model, self.readout = model, readout
        self.tagger: RoleTagger | None = None
        if model is not None and Path(model).exists():
            from hebbsim.tagging import load

            self.tagger = load(model)
        for name in _EXTENSIONS:
            if not Token.has_extension(name):
                Token.set_extension(name, default=None)

    def __call__(self, doc: Doc) -> Doc:
        """Set the roles of one document.

        Raises
        ------
        BadInputError
            There is no model.
        """
        self._set([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Set the roles of many documents, a batch at a time."""
        for batch in minibatch(stream, batch_size):
            yield from self._set(batch)

    def _set(self, docs: list[Doc]) -> list[Doc]:
        tagger = self._loaded()
        sentences = [
            [token for token in sentence if not token.is_space]
            for doc in docs
            for sentence in (doc.sents if doc.has_annotation("SENT_START") else [doc])
        ]
        found = tagger.assign(([t.text for t in s] for s in sentences), readout=self.readout)
        tokens = (token for sentence in sentences for token in sentence)
        for token, role, share in zip(
            tokens, found.roles.tolist(), found.shares.tolist(), strict=True
        ):
            if role is not None:
                token._.role, token._.role_share = role, share
        return docs

    def _loaded(self) -> RoleTagger:
        if self.tagger is None:
            given = "no model is given" if self.model is None else f"{self.model}: no such model"
            raise BadInputError(
                f'{_NAME}: {given}; nlp.add_pipe("{_NAME}", config={{"model": PATH}}) takes a '
                "tagger file or the folder of a finished `hebbsim run roles`"
            )
        return self.tagger

    # With the pipeline --------------------------------------------------------------------

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model to a folder of the pipeline."""
        Path(path).mkdir(parents=True, exist_ok=True)
        self._loaded().save(Path(path) / _FILE)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> RolesComponent:
        """Load the model that `to_disk` wrote."""
        from hebbsim.tagging import load

        self.tagger = load(path)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The model as bytes."""
        with tempfile.TemporaryDirectory() as folder:
            self.to_disk(folder)
            return (Path(folder) / _FILE).read_bytes()

    def from_bytes(self, content: bytes, *, exclude: Iterable[str] = ()) -> RolesComponent:
        """Load the model that `to_bytes` returned."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / _FILE).write_bytes(content)
            return self.from_disk(folder)


def make_roles(nlp: Language, name: str, model: str | None, readout: str) -> Any:
    """Create the component for spaCy."""
    return RolesComponent(model, readout)


# spaCy 3.7 needs types, but with postponed evaluation annotations are strings.
make_roles.__annotations__ |= {"nlp": Language, "name": str, "model": str | None, "readout": str}
Language.factory(
    _NAME,
    assigns=[f"token._.{name}" for name in _EXTENSIONS],
    default_config={"model": None, "readout": "soft"},
)(make_roles)
