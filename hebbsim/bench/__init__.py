"""The benchmark: what each part costs beside other software. `hebbsim bench`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "bench",
        "hebbsim.bench.run:BenchConfig",
        "hebbsim.bench.run:run_bench",
        "hebbsim.bench.figures:FIGURES",
        once="it measures time",
    ),
)
