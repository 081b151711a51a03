"""Skip-gram and k-means: word2vec with a narrow window, and clusters of words in context.

Mikolov, T. et al. (2013). Distributed representations of words and phrases and their
compositionality. NeurIPS, section 2; the vectors are learned by gensim.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbsim.rivals.base import BOUNDARY, ContextClusters, Sentences, Types


@dataclass(eq=False)
class SkipGram(ContextClusters):
    """Vectors that predict the adjacent words, in a window of one.

    >>> import importlib.util
    >>> sentences = [["dogs", "bark"], ["cats", "run"]] * 8
    >>> if importlib.util.find_spec("gensim"):
    ...     found = SkipGram(n_clusters=2, size=4, epochs=2).fit(sentences)
    ...     assert found.predict([["dogs", "run"]]).shape == (2,)
    """

    RANGES = (*ContextClusters.RANGES, "size=20:100:log", "epochs=3:30:log", "eta=0.01:0.1:log")
    LIBRARY = ("gensim", "rivals")

    #: Dimensions of a vector.
    size: int = 50
    #: Passes over the sentences.
    epochs: int = 10
    #: Learning rate at the start.
    eta: float = 0.025

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        self.import_library()
        from gensim.models import Word2Vec

        end = str(BOUNDARY)
        texts = [[end, *map(str, types.numbers(words)), end] for words in sentences]
        # With more workers, the vectors would depend on their timing.
        model = Word2Vec(
            texts,
            vector_size=self.size,
            window=1,
            sg=1,
            min_count=1,
            alpha=self.eta,
            epochs=self.epochs,
            seed=self.random_state,
            workers=1,
        )
        table = np.zeros((len(types), self.size), dtype=np.float32)
        table[np.array(model.wv.index_to_key, dtype=np.int64)] = model.wv.vectors
        return table
