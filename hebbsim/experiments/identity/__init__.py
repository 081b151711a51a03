"""How much traces keep of past tokens, in a stream or one sentence: `hebbsim run identity`."""

from hebbsim.runs.experiment import Experiment

_PATHS = ("stream", "structure", "decoder_files")

EXPERIMENTS = (
    Experiment(
        "identity",
        "hebbsim.experiments.identity.config:IdentityConfig",
        "hebbsim.experiments.identity.run:run_identity",
        "hebbsim.experiments.identity.table:show",
        """Measure which past tokens can be decoded from traces.

        From the state of the traces, each decoder guesses the tokens 0, 1, ... steps back. The
        bits that it finds, by calibrated log-loss, are shown beside the most that the noisy
        channel allows. The same is done for structure (position, part of speech, role, depth,
        number) and for other memories of the same size.
        """,
        folder="identity-{stream}",
        instead={"sentence": "sentence"},
        figures_at="hebbsim.experiments.identity.figures:IDENTITY",
        evidence_at="hebbsim.experiments.identity.evidence:findings",
        model="cancellation",
        split="test",
        metric="total_bits",
        words={"precision": "float32"},
        paths=_PATHS,
    ),
    Experiment(
        "sentence",
        "hebbsim.experiments.identity.config:IdentityConfig",
        "hebbsim.experiments.identity.sentence:run_sentence",
        "hebbsim.experiments.identity.table:show_sentence",
        folder="identity-sentence",
        figures_at="hebbsim.experiments.identity.figures:SENTENCE",
        paths=_PATHS,
    ),
)
