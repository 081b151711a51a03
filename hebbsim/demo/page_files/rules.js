"use strict";
// Learning rules in a recording: Hebbian weights between groups of words, learned by the page as
// `hebbsim.demo.weights` has the engine learn them. A rule changes weights W, a row for each group
// that may come, as group g comes while the traces are h.
Heb.RULES = (() => {
  const add = (w, factor, h) => { for (let j = 0; j < h.length; j++) w[j] += factor * h[j]; };
  const towards = ({ W }, h, g, eta) => { const w = W[g]; for (let j = 0; j < h.length; j++) w[j] += eta * (h[j] - w[j]); };
  // The step of a mean over all words so far, or over the last thousand.
  const step = (s) => 1 / (s.seen = Math.min(s.seen + 1, 1000));
  // Inputs are divided by their power; units answer by `answer`, with a bias each.
  const normalised = (answer) => (s, h, g, eta) => {
    const y = answer(s.W.map((w, i) => Heb.dot(w, h) + s.bias[i])), k = step(s);
    for (let j = 0; j < h.length; j++) {
      s.power[j] += k * (h[j] * h[j] - s.power[j]);
      s.along[j] = s.power[j] > 0 ? h[j] / Math.max(s.power[j], 1e-4) : 0;
    }
    const rate = eta / (1 + Heb.dot(h, s.along));
    s.W.forEach((w, i) => {
      const change = rate * (Number(i === g) - y[i]);
      add(w, change, s.along);
      s.bias[i] += change;
    });
  };
  return {
    covariance(s, h, g, eta) {
      const k = step(s);
      for (let j = 0; j < h.length; j++) { s.means[j] += k * (h[j] - s.means[j]); s.along[j] = h[j] - s.means[j]; }
      s.W.forEach((w, i) => {
        s.bias[i] += k * (Number(i === g) - s.bias[i]);
        add(w, eta * (Number(i === g) - s.bias[i]), s.along);
      });
    },
    delta: ({ W }, h, g, eta) => W.forEach((w, i) => add(w, eta * (Number(i === g) - Heb.dot(w, h)), h)),
    hebb: ({ W }, h, g, eta) => add(W[g], eta, h),
    instar: towards,
    nlms: normalised((y) => y),
    // Where one unit alone is active, this is the instar.
    oja: towards,
    softmax: normalised((y) => { const top = Math.max(...y), e = y.map((v) => Math.exp(v - top)), all = e.reduce((a, b) => a + b, 0); return e.map((v) => v / all); }),
    stdp({ W }, h, g, eta) {
      const G = W.length;
      add(W[g], eta, h);
      W.forEach((w, i) => { for (let at = 0; at < h.length; at += G) w[at + g] -= eta * h[at + i]; });
    },
  };
})();

Heb.Weights = class {
  // Groups are letters of base 36; a blank ends a sentence of the corpus.
  constructor({ names, known, unknown, corpus }, words, rules) {
    const numbers = (text) => Array.from(text, (letter) => parseInt(letter, 36));
    this.of = new Map(numbers(known).map((group, i) => [words[i], group]));
    Object.assign(this, { names, unknown, rules, corpus: corpus.split(" ").map(numbers), kept: new Map() });
  }

  start(n) {
    const G = this.names.length, zeros = (m) => new Float64Array(m);
    return { W: Array.from({ length: G }, () => zeros(n)), bias: zeros(G), power: zeros(n), means: zeros(n), along: zeros(n), seen: 0 };
  }

  // Learn one sentence; traces start anew. `look` is shown weights and traces before each word.
  learn(s, groups, { rule, eta, timescales }, look) {
    const G = this.names.length, h = new Float64Array(timescales.length * G);
    for (const g of groups) {
      if (look) look(s.W, h);
      Heb.RULES[rule](s, h, g, eta);
      // The engine holds weights in 32 bits.
      if (!s.W.every((w) => w.every((v) => Number.isFinite(Math.fround(v))))) throw new RangeError(`rule ${rule} diverged: its weights are no longer finite with learning rate eta=${eta}; lower eta`);
      timescales.forEach((tau, i) => { for (let j = 0; j < G; j++) h[i * G + j] += (Number(j === g) - h[i * G + j]) / tau; });
    }
  }

  // The weights that the corpus has taught, learned once for each choice.
  taught(settings) {
    const key = [settings.timescales, settings.rule, settings.eta].join("|");
    if (!this.kept.has(key)) {
      const s = this.start(settings.timescales.length * this.names.length);
      for (const groups of this.corpus) this.learn(s, groups, settings);
      this.kept.set(key, s);
    }
    return this.kept.get(key);
  }

  // Weights before a text and after each of its words, in thousandths of the largest.
  read(words, starts, settings) {
    const groups = words.map((word) => this.of.get(word) ?? this.unknown), n = settings.timescales.length, G = this.names.length;
    const all = [], guesses = [];
    const keep = (W) => all.push(W.map((w) => Array.from({ length: n }, (_, s) => Array.from(w.subarray(s * G, (s + 1) * G)))));
    try {
      const s = settings.fresh ? this.start(n * G) : structuredClone(this.taught(settings));
      starts.forEach((from, i) => this.learn(s, groups.slice(from, starts[i + 1]), settings, (W, h) => {
        keep(W);
        const expected = W.map((w) => Heb.dot(w, h));
        guesses.push(expected.some(Boolean) ? expected.indexOf(Math.max(...expected)) : -1);
      }));
      keep(s.W);
    } catch (error) {
      if (error instanceof RangeError) return { error: error.message };
      throw error;
    }
    const largest = Math.max(...all.flat(3).map(Math.abs)) || 1;
    return {
      values: all.map((W) => W.map((unit) => unit.map((row) => row.map((v) => Math.round((v * 1000) / largest))))), largest, groups, guesses, names: this.names,
      equation: this.rules.find(({ name }) => name === settings.rule).equation,
    };
  }
};
