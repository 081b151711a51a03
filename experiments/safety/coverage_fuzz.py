"""The same readers under a fuzzer that is led by coverage (package atheris, libFuzzer).

    pip install atheris
    python experiments/safety/coverage_fuzz.py KIND FOLDER -max_total_time=600

KIND is one of those in tests/fuzzing.py; FOLDER keeps the inputs that reached new code. A
finding ends the run with libFuzzer's report and leaves the input in a file ``crash-...``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import atheris

os.environ["NUMBA_DISABLE_JIT"] = "1"  # its compiler does not read instrumented code

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

with atheris.instrument_imports(
    include=["hebbsim.readers", "hebbsim.models.role_network", "conllu"]
):
    import hebbsim.models.role_network
    import hebbsim.readers.cogs
    import hebbsim.readers.formats
    import hebbsim.readers.lines
    import hebbsim.readers.tables
    import hebbsim.readers.text
    import hebbsim.readers.ud  # noqa: F401
from fuzzing import Targets


def main() -> None:
    kind, corpus = sys.argv[1], Path(sys.argv[2])
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    targets = Targets(Path(tempfile.mkdtemp(dir=memory)))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds[kind]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [sys.argv[0], str(corpus), "-timeout=10", "-rss_limit_mb=1024", *sys.argv[3:]]
    atheris.Setup(options, lambda data: targets.read(kind, data) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
