"""Turns the measurements of a run into results: rows, comparisons, tables, stored learners."""

import gzip
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from hebbsim.baselines import LookupBaseline
from hebbsim.engine.checkpoint import write_checkpoint
from hebbsim.experiments.roles import comparisons
from hebbsim.experiments.roles.learning import Learning, Measuring
from hebbsim.experiments.roles.scores import Measured, Runs, constructions
from hebbsim.probes import Memberships, SplitStructure, accuracy, decide_roles, decide_split
from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.corpus_kinds import kinds_of
from hebbsim.readers.siblings import sibling_of
from hebbsim.rivals import settings_for
from hebbsim.runs.results import Results, json_text, provenance, summarize, utf8
from hebbsim.runs.resume import RunCache
from hebbsim.tagging.tagger import FILE, KIND, RoleTagger

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


@dataclass(frozen=True)
class Structure:
    """What decides a role (from F1 on dev), or whether a split depends on structure.

    For a role, `lookup` and `traces` are F1 on dev. For a split, the numbers come from a sibling
    corpus (`hebbsim.readers.siblings`): `lookup` is the accuracy of its lookup on the split of that
    name, `lookup_dev` on its dev, and `share` the share of errors on roles decided by structure. A
    split that the sibling lacks is ``not judged``. See `hebbsim.probes.structure`.
    """

    kind: str
    name: str
    decided: str
    lookup: float | None = None
    traces: float | None = None
    lookup_dev: float | None = None
    share: float | None = None


def structure_table(runs: Runs, traces: str, sibling: Corpus | None) -> list[Structure]:
    """Apply the definition of structure dependence; `traces` is the traces-only condition."""
    by_lookup, by_traces = runs.f1("lookup", "", "dev"), runs.f1("hebbian", traces, "dev")
    decided = decide_roles(by_lookup, by_traces)
    table = [Structure("role", r, d, by_lookup[r], by_traces[r]) for r, d in decided.items()]
    found = _judge(sibling, {role for role, d in decided.items() if d == "structure"})
    for split in runs.gold.codes:
        if split in found:
            table.append(Structure("split", split, **found[split]._asdict()))
        elif split.startswith("gen/"):
            table.append(Structure("split", split, "not judged"))
    return table


def _judge(sibling: Corpus | None, structure_roles: set[str]) -> dict[str, SplitStructure]:
    """Judge the generalization splits of a sibling corpus."""
    if sibling is None or sibling.layer is None:
        return {}
    gold = {name: split.layers[sibling.layer] for name, split in sibling.splits.items()}
    model = LookupBaseline().fit(sibling.splits["train"].sentences(), gold["train"])
    lookup = {name: model.predict(split.sentences()) for name, split in sibling.splits.items()}
    on_dev = accuracy(gold["dev"], lookup["dev"])
    return {
        name: decide_split(
            gold[name], lookup[name], lookup_dev=on_dev, structure_roles=structure_roles
        )
        for name in gold
        if name.startswith("gen/")
    }


def _part(seed: int) -> str:
    return f"tagger seed={seed}"


def keep_tagger(
    cache: RunCache,
    learner: Any,
    seed: int,
    about: Results,
    sentences: list[list[str]],
    roles: NDArray[np.str_] | None = None,
    members: Sequence[Memberships] | None = None,
) -> None:
    """Name the clusters of a learner and store both in the cache; `about` describes the run."""
    if cache.folder is None or cache.has(_part(seed)):
        return
    said = {"seed": seed, "config": about.config, "provenance": about.provenance}
    tagger = RoleTagger(learner, about=said).name(sentences, roles, members=members)
    cache.put(_part(seed), *tagger.state())


def write_taggers(cache: RunCache, n_seeds: int, folder: Path) -> None:
    """Write the stored taggers: ``tagger.safetensors``, ``tagger-1.safetensors``, ..."""
    for seed in range(n_seeds):
        step = cache.get(_part(seed))
        if step is not None:
            name = FILE if seed == 0 else FILE.replace(".", f"-{seed}.")
            # Only its owner can read a checkpoint; a copy has the permissions of the folder.
            private = folder / f".{name}"
            write_checkpoint(private, KIND, step.arrays, step.document)
            shutil.copyfile(private, folder / name)
            private.unlink()
