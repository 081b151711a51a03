"""The table of tokens of a roles run: what each word was taken for."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from hebbsim.readers.base import Split
from hebbsim.runs.results import utf8

#: Tokens of the table at most, so that a run on a large text does not write its text anew.
MOST_TOKENS = 1_000_000


def tokens_file(splits: Mapping[str, tuple[Split, Mapping[str, ArrayLike]]]) -> bytes:
    """A gzip-compressed CSV table with a row for every token, the same bytes for the same rows.

    `splits` are tokens and further columns [shape=(T,)], such as ``gold``, by name of the split;
    a column that a split lacks is left empty there. Sentences and positions count from 1.

    Examples
    --------
    >>> from hebbsim.readers.base import make_split
    >>> split = make_split("test", [["dogs", "bark"]], {})
    >>> print(gzip.decompress(tokens_file({"test": (split, {"cluster": [4, 7]})})).decode(), end="")
    split,sentence,position,word,cluster
    test,1,1,dogs,4
    test,1,2,bark,7
    """
    names = list(dict.fromkeys(name for _, columns in splits.values() for name in columns))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["split", "sentence", "position", "word", *names])
    left = MOST_TOKENS
    for split_name, (split, columns) in splits.items():
        n = min(left, split.n_tokens)
        left -= n
        lengths = np.diff(split.offsets)
        sentence = np.repeat(np.arange(1, len(lengths) + 1), lengths)
        position = np.arange(1, split.n_tokens + 1) - np.repeat(split.offsets[:-1], lengths)
        more = [
            np.asarray(columns[name])[:n].tolist() if name in columns else [""] * n
            for name in names
        ]
        forms = split.forms[:n].tolist()
        heads = sentence[:n].tolist(), position[:n].tolist(), forms
        writer.writerows(zip([split_name] * n, *heads, *more, strict=True))
    # No time stamp: two runs of one configuration write the same file.
    return gzip.compress(utf8(stream.getvalue()), compresslevel=6, mtime=0)
