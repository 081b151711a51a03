"""The benchmark: what each part costs beside other software. `hebbsim bench`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "bench",
        "hebbsim.bench.run:BenchConfig",
        "hebbsim.bench.run:run_bench",
        "hebbsim.bench.table:show",
        """Compare speed with other packages, on one core.

        All contenders run once in each round, so that a busy machine slows all of them alike.
        Results are medians of CPU time, with quartiles over the rounds, and the limits of the
        machine for comparison.
        """,
        command="bench",
        figures_at="hebbsim.bench.figures:FIGURES",
        once="it measures time",
    ),
)
