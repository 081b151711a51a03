"""Learning from a stream of any length: `hebbsim run stream`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "stream",
        "hebbsim.experiments.stream.config:StreamConfig",
        "hebbsim.experiments.stream.run:run_stream",
        "hebbsim.experiments.stream.table:show",
        """Learn from a stream of any length in constant memory.

        Measures time and memory along the stream. The learner is saved as learner.safetensors in
        the run folder. After an interruption, the same command resumes from the last checkpoint.
        """,
        figures_at="hebbsim.experiments.stream.figures:FIGURES",
        paths=("corpus", "rules"),
        timed=("microseconds_per_token", "memory", "memory_slope", "seconds"),
    ),
)
