"""The source of sentences for `hebbsim run stream`."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from hebbsim.errors import BadInputError
from hebbsim.experiments.stream.config import StreamConfig
from hebbsim.readers.lines import digest, is_stdin
from hebbsim.readers.text import stream_text, text_files

BUILTIN = "builtin"


class TokenStream:
    """Sentences of files, or of the built-in corpus."""

    def __init__(self, config: StreamConfig) -> None:
        paths = config.corpus
        self.seed = config.seed
        self.inputs: dict[str, str] = {}
        self.files: list[Path] = []
        self.notes: dict[str, None] = {}
        self.stdin = False
        self._learned = hashlib.sha256()
        self._reading = config.reading
        if tuple(paths) == (BUILTIN,):
            self.name = BUILTIN
            return
        self.files = text_files(paths, self.notes.setdefault, config.field)
        self.name = "+".join(Path(path).name or "text" for path in paths)
        self.stdin = any(map(is_stdin, self.files))
        if self.stdin:
            if len(self.files) > 1:
                raise BadInputError("--corpus -: standard input cannot be mixed with files")
            self.name = "stdin"
        else:
            names = [file.name for file in self.files]
            self.inputs = {
                name if names.count(name) == 1 else str(file): digest(file, unpacked=False)
                for name, file in zip(names, self.files, strict=True)
            }

    @property
    def learned(self) -> str:
        """Digest of the sentences learned from standard input; files have their own digests."""
        return self._learned.hexdigest()

    def note(self, sentences: Iterable[list[str]]) -> None:
        """Add learned sentences to the digest."""
        for sentence in sentences if self.stdin else ():
            text = "\0".join([*sentence, "\n"])
            self._learned.update(text.encode(errors="surrogatepass"))

    def sentences(self, start: int, learned: str, *, repeat: bool) -> Iterator[list[str]]:
        """Sentences from `start` on; BadInputError if skipped standard input is not `learned`."""
        passed = 0
        while True:
            sentence = None
            for sentence in self._once():
                if passed < start:
                    self.note([sentence])
                elif passed == start:
                    self._check(learned)
                passed += 1
                if passed > start:
                    yield sentence
            if passed <= start:
                self._check(learned)
            if sentence is None or not repeat or self.stdin:
                return

    def _check(self, learned: str) -> None:
        if self.stdin and self.learned != learned:
            raise BadInputError(
                "--corpus -: standard input is not the text that the interrupted run had "
                "learned; give that text again, or name another folder with --out"
            )

    def _once(self) -> Iterator[list[str]]:
        if self.files:
            return stream_text(self.files, note=self.notes.setdefault, **self._reading)
        from hebbsim.readers import load_corpus

        return iter(load_corpus(BUILTIN, seed=self.seed).splits["train"].sentences())
