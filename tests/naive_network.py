"""The network that learns roles, token by token, in float64, as its documentation says it.

Written from the docstrings, without the kernels: rules are those of `naive.RULES`.
"""

import math

import naive
import numpy as np


def unit(x):
    length = np.sqrt(x @ x)
    return x / length if length > 0 else x


def contexts(codes, tau, side):
    """Traces on one side of every token, shape=(L, S * (C + 1)); the boundary is the last code."""
    n, width = codes.shape
    order = range(n) if side == 0 else range(n - 1, -1, -1)
    trace = np.zeros((len(tau), width + 1))
    trace[:, -1] = 1
    out = np.empty((n, trace.size))
    for t in order:
        out[t] = trace.ravel()
        for s, each in enumerate(tau):
            trace[s] += (np.append(codes[t], 0) - trace[s]) / each
    return out


class Weights:
    def __init__(self, part, n_units, n_inputs, rng=None):
        self.rule, self.eta = part.rule, part.kernel.eta if part.eta is None else part.eta
        self.parameters = part.kernel.resolve(part.parameters)
        self.W = np.zeros((n_units, n_inputs))
        if rng is not None:
            self.W += 0.1 / math.sqrt(n_inputs) * rng.standard_normal(self.W.shape)
        self.state = np.float64(part.kernel.start(n_inputs, n_units))

    def learn(self, h, x=None, eta=None):
        clamped = x is not None
        x = np.ones(1) if x is None else x
        eta = self.eta if eta is None else eta
        rule = naive.RULES[self.rule]
        self.W, self.state, y = rule(self.W, self.state, h, x, clamped, eta, self.parameters)
        return y

    def along(self, x):
        length = np.sqrt((self.W**2).sum(axis=1))
        return np.where(length > 0, self.W @ x / np.where(length > 0, length, 1), 0)


class Words:
    def __init__(self, layer, below_size, tau, rng, ending):
        self.layer, self.tau, self.ending = layer, tau, ending
        width = 2 * len(tau) * (below_size + 1)
        self.memory, self.counts, self.codes = {}, {}, {}
        self.pieces, self.piece_counts = {}, {}
        self.directions = Weights(layer.directions, layer.n_directions, width, rng)
        self.categories = Weights(layer.categories, layer.size, len(self.place("a")))
        self.mean, self.seen, self.width, self.settled = np.zeros(width), 0, width, False

    def code(self, word):
        if word not in self.memory and self.layer.pieces and self.settled:
            return self.shares(self.place(word))
        return self.codes.get(word, np.full(self.layer.size, 1 / self.layer.size))

    def shares_of_pieces(self, word, rest):
        """Pieces of a word with their shares of the rest; the last is that of all rare words."""
        found, left = [], 0.0
        endings = [f"-{word[-k:]}" for k in (4, 3, 2, 1) if k < len(word)]
        beginnings = [f"{word[:k]}-" for k in (3, 2, 1) if k < len(word)]
        weight = self.layer.beginnings
        for chain, share in ((endings, (1 - weight) * rest), (beginnings, weight * rest)):
            for piece in chain:
                n = self.piece_counts.get(piece, 0)
                found.append((piece, share * n / (n + self.layer.piece_shrinkage)))
                share -= found[-1][1]
            left += share
        return [*found, ("", left)]

    def row(self, word):
        row = self.memory[word].W[0] if word in self.memory else np.zeros(self.width)
        if not self.layer.pieces:
            return row
        n = self.counts.get(word, 0)
        share = n / (n + self.layer.shrinkage)
        row = share * row
        for piece, part in self.shares_of_pieces(word, 1 - share):
            if piece in self.pieces:
                row = row + part * self.pieces[piece].W[0]
        return row

    def root(self, row):
        return unit(np.sqrt(np.maximum(row, 0)))

    def place(self, word):
        along = np.zeros(self.layer.n_directions)
        if word in self.memory or self.pieces:
            along = unit(self.directions.along(self.root(self.row(word)) - self.mean))
        weight = self.layer.ending_weight
        return unit(np.concatenate([along, weight * self.ending(word)])) if weight else along

    def learn_pieces(self, word, h):
        for piece, _ in self.shares_of_pieces(word, 1.0):
            n = self.piece_counts[piece] = self.piece_counts.get(piece, 0) + 1
            if piece not in self.pieces:
                self.pieces[piece] = Weights(self.layer.memory, 1, self.width)
            row = self.pieces[piece]
            row.learn(h, np.ones(1), row.eta * max(1 / n, self.layer.memory_floor))

    def shares(self, point):
        cosine = self.categories.along(point)
        share = np.exp(self.layer.inverse_temperature * (cosine - cosine.max()))
        return share / share.sum()

    def learn(self, words, codes, draws, counts):
        layer = self.layer
        around = np.hstack([contexts(codes, self.tau, side) for side in range(2)])
        for word, h, draw in zip(words, around, draws, strict=True):
            n = self.counts[word] = self.counts.get(word, 0) + 1
            if word not in self.memory:
                self.memory[word] = Weights(layer.memory, 1, self.width)
            row = self.memory[word]
            row.learn(h, np.ones(1), row.eta * max(1 / n, layer.memory_floor))
            if layer.pieces and counts[word] <= 10:
                self.learn_pieces(word, h)
            chance = min(layer.visits / math.sqrt(n), 1)
            if draw >= chance:
                continue
            x = self.root(self.row(word))
            slow = min(0.5, layer.direction_visits / (self.seen + 1))
            if n >= layer.min_count and draw < chance * slow:
                self.seen += 1
                self.mean += (x - self.mean) / min(self.seen, 20_000)
                self.directions.learn(x - self.mean)
            if self.settled:
                point = self.place(word)
                if n >= layer.min_count:
                    self.categories.learn(point)
                self.codes[word] = self.shares(point)

    def begin(self, rng, order):
        known = [w for w in order if self.counts.get(w, 0) >= self.layer.min_count]
        points = {w: self.place(w) for w in known}
        most = 0.005 * sum(self.counts.values())
        weight = np.sqrt([min(self.counts[w], most) for w in known])
        size = self.layer.size
        chosen = rng.choice(len(known), size, replace=len(known) < size, p=weight / weight.sum())
        self.categories.W = np.array([points[known[i]] for i in chosen])
        self.codes |= {w: self.shares(points[w]) for w in known}
        self.settled = True


class Tokens:
    def __init__(self, layer, below_size, tau, shape_size, rng):
        self.layer, self.tau, n = layer, tau, layer.n_directions
        width = len(tau) * (below_size + 1)
        self.guess = Weights(layer.guess, below_size, 2 * (below_size + 1) + shape_size)
        self.own = Weights(layer.own, n, below_size, rng)
        self.prediction = [Weights(layer.prediction, n, width) for _ in range(2)]
        self.directions = [Weights(layer.directions, n, width, rng) for _ in range(2)]
        self.prototypes = Weights(layer.prototypes, layer.size, below_size + 4 * n)
        self.means = [np.zeros(m) for m in (below_size, width, width)]
        self.seen, self.tokens, self.waiting, self.settled = [0, 0, 0], 0, [], False

    def _centred(self, which, x, teaches):
        if teaches:
            self.seen[which] += 1
            self.means[which] += (x - self.means[which]) / min(self.seen[which], 20_000)
        return x - self.means[which]

    def vectors(self, codes, counts, shapes, taught, teaches, competes, fade):
        layer = self.layer
        shape = (len(codes), len(self.tau), -1)
        around = [contexts(codes, self.tau, s).reshape(shape).mean(axis=1) for s in range(2)]
        seen = np.hstack([*around, shapes])
        completed = codes.copy()
        for i in range(len(codes)):
            if counts[i] <= layer.known_from * layer.shrinkage:
                y = np.maximum(self.guess.learn(seen[i], codes[i], 0), 0)
                share = counts[i] / (counts[i] + layer.shrinkage)
                if y.sum() > 0:
                    completed[i] = share * codes[i] + (1 - share) * y / y.sum()
        for i in np.flatnonzero(taught):
            self.guess.learn(seen[i], codes[i], self.guess.eta * fade)
        around = [contexts(completed, self.tau, side) for side in range(2)]
        out = []
        for i, code in enumerate(completed):
            root = np.sqrt(code)
            centred = self._centred(0, root, teaches[i])
            if teaches[i]:
                self.own.learn(centred)
            target = self.own.along(centred)
            parts = [layer.lengths[0] * root]
            along = []
            for side in range(2):
                x = np.sqrt(around[side][i])
                y = self.prediction[side].learn(x, target, self.prediction[side].eta * fade)
                parts.append(layer.lengths[1 + side] * unit(y))
                z = np.zeros(layer.n_directions)
                if layer.lengths[3 + side] > 0:
                    x = self._centred(1 + side, x, teaches[i])
                    if teaches[i]:
                        self.directions[side].learn(x)
                    z = layer.lengths[3 + side] * unit(self.directions[side].along(x))
                along.append(z)
            vector = np.concatenate(parts + along)
            if competes[i] and self.settled:
                self.prototypes.learn(vector)
            out.append(vector)
        return np.array(out)

    def learn(self, codes, counts, shapes, frequency, draws, rng):
        layer = self.layer
        fade = 1 / math.sqrt(1 + self.tokens / layer.fade_after)
        competes = draws[:, 0] < np.sqrt(layer.subsample / frequency)
        taught = (draws[:, 1] < 4 / np.sqrt(counts)) & (counts >= 3)
        teaches = draws[:, 1] < 0.1
        out = self.vectors(codes, counts, shapes, taught, teaches, competes, fade)
        self.tokens += len(codes)
        if not self.settled:
            self.waiting = [*self.waiting, *out[competes]][-4 * layer.size :]
            if self.tokens >= layer.settle and len(self.waiting) >= 2 * layer.size:
                self.begin(rng)

    def begin(self, rng):
        n, size = len(self.waiting), self.layer.size
        self.prototypes.W = np.array(self.waiting)[rng.choice(n, size, replace=n < size)]
        self.settled = True


class Network:
    """Without a bound of the words, which the oracle keeps for ever."""

    def __init__(self, layers, timescales, context_words, shape, ending, random_state=0):
        *words, top = layers
        self.rng, self.shape = np.random.default_rng(random_state), shape
        self.context_words, self.columns = context_words, {}
        self.counts, self.tokens, self.layers = {}, 0, {}
        sizes, start = {"text": context_words + 1}, np.random.default_rng([random_state, 4])
        for layer in words:
            tau = layer.timescales or [min(timescales)]
            self.layers[layer.name] = Words(layer, sizes[layer.below], tau, start, ending)
            sizes[layer.name] = layer.size
        self.words, shape_size = list(self.layers.values()), len(shape("a"))
        tau = top.timescales or timescales
        self.top = Tokens(top, sizes[top.below], tau, shape_size, start)

    def codes(self, below, sentence):
        if below == "text":
            return np.eye(self.context_words + 1)[[self.columns.get(w, 0) for w in sentence]]
        return np.array([self.layers[below].code(word) for word in sentence])

    def learn(self, sentence):
        for word in sentence:
            self.counts[word] = self.counts.get(word, 0) + 1
            if self.counts[word] == 3 and len(self.columns) < self.context_words:
                self.columns[word] = len(self.columns) + 1
        draws = self.rng.random((len(sentence), 2))
        for layer in self.words:
            begun = self.tokens - layer.layer.start
            if begun < 0:
                break
            if not layer.settled and begun >= layer.layer.settle:
                layer.begin(self.rng, list(self.counts))
            layer.learn(sentence, self.codes(layer.layer.below, sentence), draws[:, 0], self.counts)
        if self.tokens >= self.top.layer.start:
            counts, shapes = self._known(sentence)
            frequency = counts / sum(self.counts.values())
            codes = self.codes(self.top.layer.below, sentence)
            self.top.learn(codes, counts, shapes, frequency, draws, self.rng)
        self.tokens += len(sentence)

    def _known(self, sentence):
        counts = np.array([self.counts.get(word, 0) for word in sentence])
        return counts, np.float64([self.shape(word) for word in sentence])

    def vectors(self, sentence):
        codes, none = self.codes(self.top.layer.below, sentence), np.zeros(len(sentence), bool)
        return self.top.vectors(codes, *self._known(sentence), none, none, none, 0)
