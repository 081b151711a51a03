"""Turns the measurements of a run into results: rows, comparisons, the table of tokens."""

import gzip
import hashlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hebbsim.experiments.roles import comparisons
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.scores import Measured, Runs, constructions
from hebbsim.experiments.roles.structure import structure_table
from hebbsim.readers.base import Split
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.readers.siblings import sibling_of
from hebbsim.rivals import settings_for
from hebbsim.runs.results import Results, json_text, provenance, summarize, utf8

#: Maximum number of rows in the table of tokens, which would otherwise copy a large text.
MOST_TOKENS = 1_000_000
#: Supervised models that the learner is compared with: model and condition by name.
SUPERVISED = {
    "bigru": ("bigru", "labels=all"),
    "bigru/readout": ("bigru", "labels=readout"),
    "bigru/codes": ("bigru", "labels=all codes=hebbian"),
    "lookup": ("lookup", ""),
}


def empty_results(learning: Learning, inputs: Mapping[str, str], notes: list[str]) -> Results:
    """Results before any measurement; `inputs` are digests of unlabelled text, `notes` may grow."""
    config, corpus = learning.config, learning.corpus
    train = corpus.splits["train"]
    resolved = config.resolved() | {
        "corpus": corpus.name,
        "source": config.corpus,
        "gold_layer": corpus.layer,
        "n_sentences": train.n_sentences,
        "n_tokens": train.n_tokens,
    }
    files = {"network.json": json_text(learning.network).encode()}
    network = hashlib.sha256(files["network.json"]).hexdigest()
    vectors = {} if learning.vectors is None else {"vectors": learning.vectors.sha256}
    known = provenance(
        inputs=corpus.sha256 | {"network": network} | vectors,
        seeds=range(config.seeds),
        text=inputs,
        rules=config.rules,
    )
    if config.rivals:
        kinds = kinds_of(config.corpus)
        known["rivals"] = {name: settings_for(name, kinds) for name in config.rivals}
    return Results(experiment="roles", config=resolved, provenance=known, notes=notes, files=files)


def tabulate(results: Results, measuring: Measuring, runs: Runs, measured: Measured) -> Results:
    """Fill in rows, tables and files of the results, and return them."""
    config, corpus, k = measuring.config, measuring.corpus, measuring.k
    main = list(dict.fromkeys([k, measuring.main_condition]))
    main += [f"{condition} readout=soft" for condition in main]
    if config.ablation_seeds and config.baselines != "none":
        results.tables["structure"] = structure_table(runs, f"{k} view=traces", sibling_of(corpus))
    scores = runs.scores() + measured.scores
    results.costs = measured.costs
    results.rows = summarize(scores)
    found = comparisons.comparisons(runs, main, SUPERVISED, list(measuring.learning.draws))
    found += comparisons.rival_comparisons(runs, main, config.rivals, k)
    results.tables["comparisons"] = found
    results.rows += comparisons.comparison_rows(found, SUPERVISED)
    n_train = corpus.splits["train"].n_sentences
    for condition in main:
        results.rows += comparisons.equivalences(runs, condition, n_train)
    results.tables |= {"per_seed": scores, "constructions": constructions(runs)}
    results.files["tokens.csv.gz"] = _tokens(measuring, runs, measured)
    return results


def _tokens(measuring: Measuring, runs: Runs, measured: Measured) -> bytes:
    """The table of tokens: gold roles, and the roles from the first run of each model."""
    main = measuring.main_condition
    models = {
        "hebbian": ("hebbian", main),
        "hebbian_soft": ("hebbian", f"{main} readout=soft"),
        "bigru": ("bigru", "labels=all"),
        "lookup": ("lookup", ""),
    }
    splits = {}
    for name, split in measuring.corpus.splits.items():
        if name != "train":
            found = {column: runs.roles(*key, name) for column, key in models.items()}
            columns = {column: roles for column, roles in found.items() if roles is not None}
            cluster = {"cluster": measured.winners[name]} if name in measured.winners else {}
            splits[name] = (split, {"gold": measuring.roles[name], **cluster, **columns})
    return tokens_file(splits)


def tokens_file(splits: Mapping[str, tuple[Split, Mapping[str, ArrayLike]]]) -> bytes:
    """Gzip-compressed CSV table with one row per token; equal rows give equal bytes.

    `splits` holds, by name, a split and further columns [shape=(T,)] such as ``gold``; a column
    that a split lacks is empty there. Sentences and positions count from 1.

    >>> from hebbsim.readers.base import make_split
    >>> split = make_split("test", [["dogs", "bark"]], {})
    >>> print(gzip.decompress(tokens_file({"test": (split, {"cluster": [4, 7]})})).decode(), end="")
    split,sentence,position,word,cluster
    test,1,1,dogs,4
    test,1,2,bark,7
    """
    tables, left = [], MOST_TOKENS
    for name, (split, more) in splits.items():
        lengths = np.diff(split.offsets)
        columns = {
            "sentence": np.repeat(np.arange(1, len(lengths) + 1), lengths),
            "position": np.arange(1, split.n_tokens + 1) - np.repeat(split.offsets[:-1], lengths),
            "word": split.forms,
            **more,
        }
        # As objects, integers stay integers where other splits lack the column.
        table = pd.DataFrame({k: np.asarray(v)[:left] for k, v in columns.items()}, dtype=object)
        table.insert(0, "split", name)
        tables.append(table)
        left -= len(table)
    text = pd.concat(tables).to_csv(index=False, lineterminator="\n")
    # Without a time stamp, two runs of one configuration write the same file.
    return gzip.compress(utf8(text), compresslevel=6, mtime=0)
