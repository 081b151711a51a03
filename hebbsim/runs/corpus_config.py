"""Options for reading a corpus, shared by several commands."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import field_validator

from hebbsim.config import ExperimentConfig, Offline, corpus_option

FieldName = Annotated[
    str | None,
    corpus_option(
        "Field or column that holds the text in JSON, CSV, TSV or parquet.",
        default="text, content, sentence, tokens or words",
    ),
]


class TextConfig(ExperimentConfig):
    """How raw text is read, see `hebbsim.readers.text.stream_text`.

    >>> TextConfig(sentences="lines").reading
    {'tokenizer': 'plain', 'field': None, 'sentences': 'lines'}
    """

    tokenizer: str = corpus_option(
        "How raw text is split into words: plain, spacy, or spacy:LANGUAGE (zh, ja, th, ...).",
        value="plain",
    )
    field: FieldName = None
    sentences: Literal["auto", "lines", "wrapped"] = corpus_option(
        "How text is cut into sentences: lines (one per line), wrapped (at full stops, "
        "after joining lines up to an empty one), or auto (detected).",
        value="auto",
    )

    @field_validator("tokenizer")
    @classmethod
    def _is_tokenizer(cls, value: str) -> str:
        from hebbsim.readers.text import check_tokenizer

        check_tokenizer(value)
        return value

    @property
    def reading(self) -> dict[str, Any]:
        """Options for `hebbsim.readers.text.stream_text`."""
        return {name: getattr(self, name) for name in TextConfig.model_fields}


class GoldConfig(ExperimentConfig):
    """How the roles of an annotated corpus are read."""

    gold_layer: str | None = corpus_option(
        "Annotation layer to score: roles (grammatical, thematic), parts of speech (pos, "
        "xpos) or any other that the corpus has.",
        name="--layer",
        default="the main layer of the corpus",
    )
    role_map: Path | None = corpus_option(
        "How dependency relations become roles: ud-roles, ud1-roles (UD version 1), sud-roles, "
        "clearnlp-roles, or a JSON file.",
        metavar="NAME|FILE",
        default="ud-roles",
    )
    offline: Offline = False

    @field_validator("role_map")
    @classmethod
    def _is_scheme(cls, value: Path | None) -> Path | None:
        from hebbsim.readers.ud import SCHEMES

        if value is not None and str(value) not in SCHEMES and not value.is_file():
            raise ValueError(f"{value}: no such file, nor one of {', '.join(SCHEMES)}")
        return value


class CorpusConfig(GoldConfig, TextConfig):
    """How any corpus is read, see `hebbsim.readers.load_corpus`."""

    parser: str | None = corpus_option(
        "spaCy pipeline that gives raw text automatic (silver) roles, such as en_core_web_sm.",
        metavar="PIPELINE",
    )


class SeededCorpusConfig(CorpusConfig):
    """The corpus of `hebbsim corpus info` and `hebbsim corpus make`."""

    seed: int = corpus_option("Random seed of the built-in corpus.", value=0, ge=0)
