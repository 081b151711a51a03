"""Pictures of the network at work: ``python figures/how.py`` (two minutes).

Fits the network that ships on the built-in grammar, seed 0, and draws what it holds, as
``how-STEP.svg``: one picture for every step of the page *How it learns*, and ``path.svg`` and
``path.png``, the whole path from text to roles. Nothing is drawn that the engine did not compute.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.patheffects import withStroke

from hebbsim import RoleNetwork, load_corpus
from hebbsim.engine.network.contexts import sentence_contexts
from hebbsim.plots.style import INK, MUTED, SHEET
from hebbsim.probes import RoleReadout

HERE = Path(__file__).resolve().parent
SENTENCE = "the sailor gave emma a letter .".split()
FOCUS = 5  # the word whose traces are shown: "letter"
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#00785A", "#A8487F"
#: Keeps letters readable on marks.
HALO = withStroke(linewidth=1.5, foreground="white")
#: Colours of roles, light enough for dark letters on them.
TINTS = {"SUBJ": "#A6CEE3", "OBJ": "#FDBF6F", "IOBJ": "#CAB2D6", "PRED": "#B2DF8A"}


class Fitted:
    """The network, how its clusters were named, and its arrays."""

    def __init__(self) -> None:
        corpus = load_corpus("builtin")
        train, self.dev = corpus.splits["train"], corpus.splits["dev"]
        self.learner = RoleNetwork(random_state=0).fit(train.sentences())
        self.gold = self.dev.layers[corpus.layer or ""]
        self.clusters = self.learner.predict(self.dev.sentences())
        self.readout = RoleReadout().fit(self.clusters, self.gold)
        self.network = self.learner.network_
        self.timescales = self.network.timescales
        self.columns = self.network.state()[0]["columns"]
        self.context_word = {
            int(self.columns[row]): word for word, row in self.network.index.items()
        }
        self.context_word[0] = "(other)"
        self.context_word[self.network.context_words + 1] = "(edge)"

    def row(self, word: str) -> int:
        return self.network.index[word]

    def memory(self, word: str) -> np.ndarray:
        """Weights of a word in the first layer, over its shortest traces, shape=(2, C + 1)."""
        values = self.network.words[0].arrays()["memory"][self.row(word)]
        return values.reshape(2, -1)

    def roles(self, sentence: list[str]) -> list[str]:
        return self.readout.predict(self.learner.predict([sentence])).tolist()

    def words_of(self, cluster: int, n: int = 3) -> list[str]:
        found = Counter(self.dev.forms[self.clusters == cluster].tolist())
        return [word for word, _ in found.most_common(n)]


def held(timescales: list[float], n_words: int) -> np.ndarray:
    """Share of each word in the traces at each word, shape=(L, 2, S, L + 1), by the kernel."""
    tau = np.array(timescales, dtype=np.float32)
    out = np.empty((n_words, 2, len(tau), n_words + 1), dtype=np.float32)
    sentence_contexts(np.eye(n_words, dtype=np.float32), 1 - 1 / tau, 1 / tau, out)
    return out


def path(fitted: Fitted) -> Figure:
    """The whole way of one sentence, from top to bottom."""
    n = len(SENTENCE)
    figure = Figure(figsize=(7.2, 5.2), layout="constrained")
    axes = figure.subplots(6, 1, sharex=True, height_ratios=[0.55, 1.3, 0.9, 1.4, 0.9, 0.6])
    titles = ("Text", "Traces", "Weights", "Codes", "Clusters", "Roles")
    notes = (
        "words, one by one",
        f"what “{SENTENCE[FOCUS]}” finds\nof the words on either\nside; slow traces\nreach further",
        "words that each word's\nweights have grown\ntowards: it stands\nafter, or before, them",
        "category of each word\n(dark: sure), by what\nstands around it",
        "the prototype that each\ntoken falls to, and\nother words there",
        "name of the cluster,\ngiven once, afterwards",
    )
    for number, (ax, title, note) in enumerate(zip(axes, titles, notes, strict=True)):
        ax.set(xlim=(-0.5, n - 0.5), yticks=[], xticks=[])
        ax.spines[:].set_visible(False)
        ax.text(-0.285, 0.96, f"{number + 1}  {title}", transform=ax.transAxes, fontsize=9.5,
                weight="bold", va="top")  # fmt: skip
        ax.text(-0.285, 0.96, f"\n\n{note}", transform=ax.transAxes, fontsize=6.5, va="top",
                color=MUTED, linespacing=1.05)  # fmt: skip
    text, traces, weights, codes, clusters, roles = axes
    for i, word in enumerate(SENTENCE):
        _box(text, i, word, "#F2F2F2", size=10, weight="bold" if i == FOCUS else "normal")
    shares = held(fitted.timescales, n)[FOCUS]
    for s, (tau, color) in enumerate(zip(fitted.timescales, (BLUE, ORANGE, GREEN), strict=True)):
        bars = np.where(np.arange(n) < FOCUS, shares[0, s, :n], shares[1, s, :n])
        traces.bar(np.arange(n) + 0.22 * (s - 1), bars, 0.2, color=color, label=f"τ = {tau:g}")
    traces.legend(loc="upper left", ncols=1)
    traces.axhline(0, color=MUTED, linewidth=0.6)
    traces.text(FOCUS, 0.04, "here", ha="center", color=MUTED)
    for i, word in enumerate(SENTENCE):
        for side, (said, y) in enumerate((("after", 0.78), ("before", 0.26))):
            near = "  ".join(strongest(fitted, word, side))
            weights.text(i, y, said, ha="center", va="center", fontsize=6, color=MUTED)
            weights.text(i, y - 0.22, near, ha="center", va="center", fontsize=7.5)
    of_words = fitted.learner.word_codes(SENTENCE)
    shown = np.unique(np.argsort(of_words, axis=1)[:, -3:].ravel())
    shown = shown[np.argsort(of_words[:, shown].argmax(axis=0), kind="stable")]
    codes.imshow(of_words[:, shown].T, aspect="auto", cmap="Blues", vmin=0,
                 extent=(-0.5, n - 0.5, 0, 1))  # fmt: skip
    for i in range(1, n):
        codes.axvline(i - 0.5, color="white", linewidth=2)
    found = fitted.learner.predict([SENTENCE]).tolist()
    for i, cluster in enumerate(found):
        others = [w for w in fitted.words_of(cluster, 4) if w != SENTENCE[i]][:2]
        clusters.text(i, 0.72, f"no. {cluster}", ha="center", va="center", fontsize=8)
        clusters.text(i, 0.25, "\n".join(others), ha="center", va="center", fontsize=6.5,
                      color=MUTED, linespacing=1.0)  # fmt: skip
    for i, role in enumerate(fitted.roles(SENTENCE)):
        _box(roles, i, role, TINTS.get(role, "#E5E5E5"), size=9)
    return figure


def strongest(fitted: Fitted, word: str, side: int) -> list[str]:
    """The two words on one side that a word's weights have grown towards most."""
    weights = fitted.memory(word)[side].copy()
    weights[[0, -1]] = 0  # rare words, which share a column, and the edge of the sentence
    found = [fitted.context_word[c] for c in np.argsort(-weights)[:2].tolist() if weights[c] > 0]
    return found or ["(nothing)"]


def _box(ax, x, text, color, *, size, weight="normal"):
    width = 0.9
    ax.add_patch(FancyBboxPatch(
        (x - width / 2, 0.15), width, 0.7, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=color, edgecolor=MUTED, linewidth=0.6, mutation_aspect=1,
    ))  # fmt: skip
    ax.text(x, 0.5, text, ha="center", va="center", fontsize=size, weight=weight, color=INK)
    ax.set_ylim(0, 1)


# --- one picture a step ---------------------------------------------------------------------


def traces(fitted: Fitted) -> Figure:
    """Share of every word in the left traces, as the sentence goes by."""
    n = len(SENTENCE)
    shares = held(fitted.timescales, n)[:, 0]
    figure = Figure(figsize=(5.2, 2.6), layout="constrained")
    axes = figure.subplots(1, len(fitted.timescales), sharey=True)
    colors = [*matplotlib.colormaps["viridis"](np.linspace(0.1, 0.95, n)), "#DDDDDD"]
    for s, (ax, tau) in enumerate(zip(axes, fitted.timescales, strict=True)):
        bottom = np.zeros(n)
        for word in [n, *range(n)]:
            label = "(edge)" if word == n else SENTENCE[word]
            ax.bar(range(n), shares[:, s, word], 0.9, bottom, color=colors[word], label=label)
            bottom += shares[:, s, word]
        ax.set_title(f"τ = {tau:g}")
        ax.set_xticks(range(n), SENTENCE, rotation=90)
    axes[0].set_ylabel("share of the left trace before the word")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right center")
    return figure


def memory(fitted: Fitted) -> Figure:
    """Weights of a few words: what stands around them."""
    words = ["letter", "cake", "sailor", "emma", "gave", "saw", "the", "to"]
    words = [word for word in words if word in fitted.network.index]
    weights = np.stack([fitted.memory(word) for word in words])  # (words, 2, C + 1)
    figure = Figure(figsize=(5.2, 2.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for side, ax in enumerate(axes):
        columns = np.argsort(-weights[:, side].max(axis=0))[:12]
        columns = [int(c) for c in columns if c]
        image = ax.imshow(weights[:, side][:, columns], cmap="Blues", vmin=0, vmax=0.5,
                          aspect="auto")  # fmt: skip
        ax.set_xticks(range(len(columns)), [fitted.context_word[c] for c in columns], rotation=90)
        ax.set_title(("in the left trace, τ = 2", "in the right trace, τ = 2")[side])
    axes[0].set_yticks(range(len(words)), words)
    figure.colorbar(image, ax=axes, label="weight", shrink=0.9)
    return figure


def directions(fitted: Fitted) -> Figure:
    """Words along the first two directions of the second layer."""
    layer = fitted.network.words[1]
    counts = layer.arrays()["counts"]
    on_dev = set(fitted.dev.forms.tolist())
    of_row = {row: w for w, row in fitted.network.index.items() if w in on_dev}
    known = np.array([row for row in of_row if counts[row] >= 20])
    arrays = layer.arrays()
    rows = np.sqrt(np.maximum(arrays["memory"][known], 0))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= arrays["mean"]
    units = arrays["directions"][:2]
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    points = rows @ units.T
    best: dict[str, Counter[str]] = {}
    for form, role in zip(fitted.dev.forms, fitted.gold, strict=True):
        best.setdefault(str(form), Counter())[str(role)] += 1
    roles = [best[of_row[row]].most_common(1)[0][0] for row in known]
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    ax = figure.subplots()
    shown = [role for role, _ in Counter(roles).most_common(6)]
    for role, marker in zip(shown, "osD^vP", strict=False):
        chosen = [i for i, r in enumerate(roles) if r == role]
        ax.plot(*points[chosen].T, marker, markersize=3, alpha=0.7, label=role)
    rng = np.random.default_rng(1)
    named: list[int] = []
    for i in rng.choice(len(known), 40, replace=False):
        # A name that would lie on an earlier one is left out.
        if all((abs(points[i] - points[j]) > (0.13, 0.025)).any() for j in named):
            named.append(i)
            ax.annotate(of_row[known[i]], points[i], xytext=(2, 2), textcoords="offset points",
                        fontsize=6, path_effects=[HALO])  # fmt: skip
    ax.set(xlabel="first direction", ylabel="second direction")
    ax.legend(title="commonest role\non dev (for the\ncolour alone)", loc="upper left",
              bbox_to_anchor=(1, 1))  # fmt: skip
    return figure


def codes(fitted: Fitted) -> Figure:
    """Codes of a few words in the second layer."""
    words = ["letter", "cake", "sailor", "captain", "emma", "gave", "saw", "the", "a", "to", "was"]
    words = [word for word in words if word in fitted.network.index]
    found = fitted.learner.word_codes(words)
    columns = np.unique(np.argsort(found, axis=1)[:, -3:].ravel())
    columns = columns[np.argsort(found[:, columns].argmax(axis=0), kind="stable")]
    figure = Figure(figsize=(5.2, 2.4), layout="constrained")
    ax = figure.subplots()
    image = ax.imshow(found[:, columns], cmap="Blues", vmin=0, aspect="auto")
    ax.set_yticks(range(len(words)), words)
    ax.set_xticks(range(len(columns)), columns, rotation=90)
    ax.set_xlabel(f"category (those that matter here, of {found.shape[1]})")
    figure.colorbar(image, ax=ax, label="share")
    return figure


def tokens(fitted: Fitted) -> Figure:
    """Likeness of tokens by their word's code alone, and by their whole vector."""
    sentences = ["the sailor saw emma .".split(), "emma saw the sailor .".split()]
    vectors = fitted.learner.transform(sentences)
    n_code = fitted.learner.word_codes(["the"]).shape[1]
    words = [word for sentence in sentences for word in sentence]
    figure = Figure(figsize=(5.2, 2.7), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, part, title in zip(
        axes, (vectors[:, :n_code], vectors), ("code of the word alone", "with both contexts"),
        strict=True,
    ):  # fmt: skip
        unit = part / np.linalg.norm(part, axis=1, keepdims=True)
        image = ax.imshow(unit @ unit.T, cmap="Blues", vmin=0, vmax=1)
        ax.set_title(title)
        ax.set_xticks(range(len(words)), words, rotation=90)
        ax.axhline(4.5, color=MUTED, linewidth=0.8)
        ax.axvline(4.5, color=MUTED, linewidth=0.8)
    axes[0].set_yticks(range(len(words)), words)
    figure.colorbar(image, ax=axes, label="cosine of two tokens", shrink=0.9)
    return figure


def prototypes(fitted: Fitted) -> Figure:
    """The nearest prototypes of one word in two places."""
    figure = Figure(figsize=(5.2, 2.2), layout="constrained")
    axes = figure.subplots(1, 2, sharex=True)
    centres = fitted.learner.prototypes_.centres
    names = fitted.readout.predict(np.arange(len(centres), dtype=np.int32)).tolist()
    for ax, sentence, at in zip(
        axes, ("the SAILOR saw emma .", "emma saw the SAILOR ."), (1, 3), strict=True
    ):
        vector = fitted.learner.transform([sentence.lower().split()])[at]
        far = np.linalg.norm(centres - vector, axis=1)
        near = np.argsort(far)[:6]
        ax.barh(range(6), far[near], color=[BLUE, *["#BBBBBB"] * 5])
        labels = [f"{names[k]}: {', '.join(fitted.words_of(k, 2))}" for k in near]
        ax.set_yticks(range(6), labels)
        ax.invert_yaxis()
        ax.set_title(sentence)
        ax.set_xlabel("distance")
    return figure


def naming(fitted: Fitted) -> Figure:
    """Gold roles of the dev tokens in a few clusters."""
    # Clusters of nouns: the word alone does not tell their role.
    nouns = ("SUBJ", "OBJ", "IOBJ", "OBL", "NMOD")
    named = fitted.readout.predict(fitted.clusters)
    chosen = [
        k
        for role, n in zip(nouns, (4, 4, 1, 2, 1), strict=True)
        for k, _ in Counter(fitted.clusters[named == role].tolist()).most_common(n)
    ]
    roles = list(nouns)
    figure = Figure(figsize=(5.2, 2.8), layout="constrained")
    ax = figure.subplots()
    left = np.zeros(len(chosen))
    colors = [BLUE, ORANGE, "#E69F00", GREEN, PINK]
    for role, color in zip(roles, colors, strict=False):
        part = np.array([np.mean(fitted.gold[fitted.clusters == k] == role) for k in chosen])
        ax.barh(range(len(chosen)), part, left=left, color=color, label=role)
        left += part
    names = fitted.readout.predict(np.array(chosen, dtype=np.int32)).tolist()
    labels = [
        f"{k}: {', '.join(fitted.words_of(k, 2))} → {name}"
        for k, name in zip(chosen, names, strict=True)
    ]
    ax.set_yticks(range(len(chosen)), labels)
    ax.invert_yaxis()
    ax.set(xlabel="share of the cluster's tokens on dev, by gold role", xlim=(0, 1))
    figure.legend(loc="outside right center")
    return figure


STEPS = (traces, memory, directions, codes, tokens, prototypes, naming)


def main() -> None:
    fitted = Fitted()
    still = {"metadata": {"Date": None}}
    with matplotlib.style.context(SHEET):
        for number, step in enumerate(STEPS, 1):
            step(fitted).savefig(HERE / f"how-{number}-{step.__name__}.svg", **still)
        figure = path(fitted)
        figure.savefig(HERE / "path.svg", **still)
        figure.savefig(HERE / "path.png", dpi=200)


if __name__ == "__main__":
    main()
