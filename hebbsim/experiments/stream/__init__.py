"""Learning from a stream of any length: `hebbsim run stream`."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "stream",
        "hebbsim.experiments.stream.config:StreamConfig",
        "hebbsim.experiments.stream.run:run_stream",
        "hebbsim.experiments.stream.figures:FIGURES",
        paths=("corpus", "rules"),
        timed=("microseconds_per_token", "memory", "memory_slope", "seconds"),
    ),
)
