"""Options of every command that reads text."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Field", "Sentences", "Tokenizer"]

Tokenizer = Annotated[
    str,
    typer.Option(
        help="plain, spacy, or spacy:LANGUAGE (zh, ja, th, ...), for raw text.", metavar="NAME"
    ),
]
Field = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Field or column that holds the text, in JSON, CSV, TSV or parquet (default: text, "
        "content, sentence, tokens or words).",
    ),
]
Sentences = Annotated[
    str,
    typer.Option(
        help="lines: each line of plain text is a sentence; wrapped: lines go on up to an empty "
        "one; auto: told by the text."
    ),
]
