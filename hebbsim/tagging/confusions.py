"""Role confusions of a run, with the tokens that were wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hebbsim.errors import BadInputError, reason

if TYPE_CHECKING:
    from pandas import DataFrame

#: File name in a run folder.
TOKENS = "tokens.csv.gz"

_NEEDED = ("split", "sentence", "position", "word", "gold")


class Confusion(NamedTuple):
    """Number of tokens with role `gold` that were labelled `found`."""

    gold: str
    found: str
    tokens: int
    #: Sentences, and the position of the wrong token in each, from 0.
    examples: list[tuple[list[str], int]]


def read_tokens(folder: str | Path, split: str, model: str) -> DataFrame:
    """The tokens of a split from the table of a run, with columns `_NEEDED` and ``found``.

    Raises BadInputError if the table does not exist, or lacks the split or model.
    """
    import zlib

    import pandas as pd

    path = Path(folder) / TOKENS
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise BadInputError(
            f"{path}: no such table; give the folder of a finished `hebbsim run roles`"
        ) from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise BadInputError(
            f"{path}: not a table that can be read ({reason(error, 120)})"
        ) from None
    if "gold" not in table.columns:
        raise BadInputError(f"{path}: its corpus has no roles")
    models = [name for name in table.columns if name not in (*_NEEDED, "cluster")]
    if model not in models:
        raise BadInputError(f"{path}: no model {model}; choose {', '.join(models)}")
    splits = list(dict.fromkeys(table["split"]))
    chosen = table[(table["split"] == split) & (table[model] != "")]
    if chosen.empty:
        raise BadInputError(f"{path}: no split {split} of {model}; choose {', '.join(splits)}")
    return chosen[list(_NEEDED)].assign(found=chosen[model])


def confusion_table(tokens: DataFrame) -> DataFrame:
    """Tokens by gold role (rows) and predicted role (columns), the most frequent role first."""
    import pandas as pd

    order = tokens["gold"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    roles = [*order.index, *sorted(set(tokens["found"]) - set(order.index))]
    table = pd.crosstab(tokens["gold"], tokens["found"])
    return table.reindex(index=list(order.index), columns=roles, fill_value=0)


def confusions(tokens: DataFrame, *, n_examples: int = 3) -> Iterator[Confusion]:
    """Errors by gold and predicted role, the most frequent first, with example sentences."""
    wrong = tokens[tokens["gold"] != tokens["found"]]
    counts = wrong.groupby(["gold", "found"]).size().sort_values(ascending=False, kind="stable")
    sentences = dict(iter(tokens.groupby("sentence")["word"]))
    for (gold, found), count in counts.items():
        some = wrong[(wrong["gold"] == gold) & (wrong["found"] == found)][:n_examples]
        examples = [
            (list(sentences[sentence]), int(position) - 1)
            for sentence, position in zip(some["sentence"], some["position"], strict=True)
        ]
        yield Confusion(str(gold), str(found), int(count), examples)
