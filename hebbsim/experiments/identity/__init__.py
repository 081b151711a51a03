"""How much of past tokens traces keep: `hebbsim run identity`, of a stream or of one sentence."""

from hebbsim.runs.experiment import Experiment

EXPERIMENTS = (
    Experiment(
        "identity",
        "hebbsim.experiments.identity.config:IdentityConfig",
        "hebbsim.experiments.identity.run:run_identity",
        "hebbsim.experiments.identity.figures:IDENTITY",
        "hebbsim.experiments.identity.evidence:findings",
        model="cancellation",
        split="test",
        metric="total_bits",
        words={"precision": "float32"},
        paths=("stream", "structure", "decoder_files"),
    ),
    Experiment(
        "sentence",
        "hebbsim.experiments.identity.config:IdentityConfig",
        "hebbsim.experiments.identity.sentence:run_sentence",
        "hebbsim.experiments.identity.figures:SENTENCE",
        paths=("stream", "structure", "decoder_files"),
    ),
)
