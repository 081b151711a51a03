"use strict";
// Sentences of one's own in a recording: what the server does with them, done by the page, with
// the learner and the readers that travel with it (`hebbsim/demo/portable.py`).
Heb.Reader = class {
  static array(packed) {
    const bytes = Uint8Array.from(atob(packed.f || packed.q), (c) => c.charCodeAt(0)).buffer;
    return packed.f !== undefined ? new Float32Array(bytes) : Float32Array.from(new Int16Array(bytes), (v) => v * packed.unit);
  }

  static rows(packed) {
    const flat = Heb.Reader.array(packed), width = packed.shape[1];
    return Array.from({ length: packed.shape[0] }, (_, i) => flat.subarray(i * width, (i + 1) * width));
  }

  constructor(packed) {
    const { rows, array } = Heb.Reader;
    Object.assign(this, packed, {
      index: new Map(packed.words.map((word, i) => [word, i + 1])),
      place: new Map(packed.book.map((word, i) => [word, i])),
      chance: rows(packed.chance), frequency: array(packed.frequency),
    });
    this.norms = this.chance.map((code) => Heb.dot(code, code) / 2);
    this.mean = this.chance[0].map((_, d) => this.chance.reduce((sum, code, v) => sum + this.frequency[v] * code[d], 0));
    this.logs = Array.from(this.frequency, Math.log);
  }

  // The learner, unpacked when it is first needed.
  get net() {
    const { rows, array } = Heb.Reader, n = this.network, centres = rows(n.centres);
    const value = { ...n, codes: rows(n.roots).map((row) => row.map((v) => v * v)), guess: rows(n.guess), bias: array(n.bias), biases: n.biases.map(array), prediction: n.prediction.map(rows), directions: n.directions.map(rows).map((all) => all.map(Heb.unit)),
      means: n.means.map(array), attended: rows(n.attended), centres,
      spacing: centres.reduce((sum, a, i) => sum + Math.min(...centres.map((b, j) => (i === j ? Infinity : Heb.square(a, b)))), 0) / centres.length };
    Object.defineProperty(this, "net", { value });
    return value;
  }

  // Words as the corpus has them: lower case, marks apart; 60 at most.
  split(text) {
    const plain = text.normalize("NFC").replace(/[‘’]/g, "'").replace(/[„«]/g, "“").replaceAll("»", "”").replaceAll("…", "...").replace(/(?: \.){2,}/g, " ...").replace(/n't/gi, " $&");
    const tokens = plain.match(Heb.TOKENS) || [], cased = plain !== plain.toLowerCase(), ends = [0];
    // A closing mark belongs to what it closes; of straight quotes it is every second.
    const closes = (token, before) => /^[\p{Pe}\p{Pf}]/u.test(token) || (/^["']$/.test(token) && before.filter((other) => other === token).length % 2);
    tokens.forEach((mark, at) => {
      if (at < ends.at(-1) || !/^[.!?]+$/.test(mark)) return;
      let end = at + 1;
      while (end < tokens.length && closes(tokens[end], tokens.slice(ends.at(-1), end))) end += 1;
      // Dots, an exclamation or a question may stand inside a sentence.
      const next = tokens[end] || "";
      if (mark === "." || !(next === "," || next === "--" || (cased && /^\p{Ll}/u.test(next)))) ends.push(end);
    });
    const words = tokens.slice(0, 60).map((token) => (/^[“”]$/.test(token) ? '"' : token.toLowerCase()));
    return [...ends, Infinity].slice(1).map((end, i) => words.slice(ends[i], end)).filter(({ length }) => length);
  }

  code(word) {
    if (this.place.has(word)) return this.chance[this.place.get(word)];
    const random = Heb.random(Heb.crc(word));
    return Heb.unit(Float32Array.from({ length: this.mean.length }, () => Heb.normal(random)));
  }

  // Vectors of the words of a sentence, as the token layer has them.
  vectors(words, hold) {
    const { net } = this, ids = words.map((word) => this.index.get(word) || 0);
    const codes = ids.map((id) => net.codes[id]), C = codes[0].length, S = net.timescales.length;
    const contexts = (rows) => {
      const sides = [0, 1].map((side) => {
        const out = new Array(words.length);
        rows.forEach((_, i) => {
          const t = side ? words.length - 1 - i : i, before = side ? t + 1 : t - 1;
          out[t] = net.timescales.map((tau, s) => Float32Array.from({ length: C + 1 }, (_, c) =>
            (i === 0 ? Number(c === C) : (1 - 1 / tau) * out[before][s][c] + (c < C ? rows[before][c] / tau : 0))));
        });
        return out;
      });
      if (hold) hold(sides.flat());
      return sides;
    };
    let sides = contexts(codes);
    const completed = codes.map((code, t) => {
      const n = ids[t] ? this.counts[ids[t] - 1] : 0;
      if (n > net.knownFrom * net.shrinkage) return code;
      const seen = [...sides.map((side) => Array.from({ length: C + 1 }, (_, c) => side[t].reduce((sum, row) => sum + row[c], 0) / S)).flat(), ...Heb.shape(words[t], net.shapeSize)];
      const raw = net.guess.map((w, i) => Heb.dot(w, seen) + net.bias[i]), top = Math.max(...raw);
      const weights = raw.map((v) => Math.exp(v - top)), total = weights.reduce((a, b) => a + b, 0);
      const own = n / (n + net.shrinkage);
      return code.map((v, c) => own * v + ((1 - own) * weights[c]) / total);
    });
    sides = contexts(completed);
    return completed.map((code, t) => {
      const x = sides.map((side) => Float32Array.from(side[t].map((row) => [...row]).flat(), Math.sqrt));
      const part = (values, k) => Heb.unit(values.map((v, j) => v * net.attended[k][j])).map((v) => v * net.lengths[1 + k]);
      const parts = [0, 1, 2, 3].map((k) => {
        const side = k % 2;
        if (k < 2) return part(net.prediction[side].map((w, i) => Heb.dot(w, x[side]) + net.biases[side][i]), k);
        if (!net.lengths[1 + k]) return net.directions[side].map(() => 0);
        const off = x[side].map((v, j) => v - net.means[side][j]);
        return part(net.directions[side].map((w) => Heb.dot(w, off)), k);
      });
      return [...Array.from(code, (v) => net.lengths[0] * Math.sqrt(v)), ...parts.flat()];
    });
  }

  // The traces that the learner reads are rounded and noisy, as those of the words are.
  held(settings) {
    if (!settings.noise && ["float64", "float32"].includes(settings.precision)) return null;
    const random = Heb.random(7);
    return (all) => all[0].forEach((_, s) => {
      const rows = all.map((traces) => traces[s]);
      const most = Math.max(...rows.map((row) => Math.max(...row)));
      if (settings.precision === "int8") for (const row of rows) row.forEach((v, c) => { row[c] = (Math.round((v / most) * 127) * most) / 127; });
      if (settings.precision === "bfloat16") for (const row of rows) row.forEach((v, c) => { row[c] = Heb.bfloat(v); });
      const size = (settings.noise / 100) * Math.sqrt(rows.reduce((sum, row) => sum + Heb.dot(row, row), 0) / (rows.length * rows[0].length));
      if (size) for (const row of rows) row.forEach((v, c) => { row[c] = Math.max(0, v + size * (Heb.normal(random) - 1)); });
    });
  }

  winners(vector) {
    const found = this.net.centres.map((centre, k) => [k, Heb.square(centre, vector)]).sort((a, b) => a[1] - b[1]).slice(0, 4);
    const weights = found.map(([, distance]) => Math.exp((found[0][1] - distance) / this.net.spacing)), total = weights.reduce((a, b) => a + b, 0);
    return found.map(([k], i) => [k, weights[i] / total]);
  }

  // The likeliest word of each lag, by the weights that the lag has.
  decode(held, lags, taus, cancels) {
    let rest = held;
    return lags.map((lag, k) => {
      if (!lag) return this.book[this.logs.indexOf(Math.max(...this.logs))];
      const S = taus.length, [gain, others, variance] = lag.slice(S);
      const read = this.mean.map((mean, d) => (lag.slice(0, S).reduce((sum, w, s) => sum + w * rest[s][d], 0) - others * mean) / gain);
      let best = -Infinity, word = "";
      for (const [v, code] of this.known) {
        const score = (Heb.dot(read, code.code) - code.norm) / variance + code.log;
        if (score > best) { best = score; word = v; }
      }
      if (cancels) rest = rest.map((h, s) => h.map((v, d) => v - ((1 - 1 / taus[s]) ** k / taus[s]) * this.known.get(word).code[d]));
      return word;
    });
  }

  // The traces after each word, and the words that are read back from them.
  memory(words, settings) {
    const taus = settings.timescales, reader = this.readers[Heb.survivalKey(settings)];
    // Codes of all words, those of this sentence with them.
    this.known = new Map(this.book.map((word, v) => [word, { code: this.chance[v], norm: this.norms[v], log: this.logs[v] }]));
    const rare = Math.min(...this.logs);
    for (const word of words) if (!this.known.has(word)) { const code = this.code(word); this.known.set(word, { code, norm: Heb.dot(code, code) / 2, log: rare }); }
    // Traces have read other words before, and been rounded after each.
    const past = this.before.map((v) => this.book[v]), all = [...past, ...words];
    const codes = Object.fromEntries(all.map((word) => [word, this.known.get(word).code]));
    const empty = taus.map(() => new Float64Array(this.mean.length));
    const traces = Heb.traces(all, { before: empty, codes }, taus), exact = traces.slice(past.length);
    const sizes = taus.map((_, s) => Math.sqrt(exact.reduce((sum, h) => sum + Heb.rms(h[s]) ** 2, 0) / exact.length));
    const peaks = taus.map((_, s) => Math.max(...exact.map((h) => Math.max(...h[s].map(Math.abs)))));
    const after = this.hold(all, codes, empty, settings, sizes, peaks).slice(past.length);
    const depth = (t) => Math.min(t + 1, reader.linear.length);
    const linear = after.map((h, t) => this.decode(h, reader.linear.slice(0, depth(t)), taus, false));
    const cancellation = after.map((h, t) => this.decode(h, reader.cancellation.slice(0, depth(t)), taus, true));
    for (const word of cancellation.flat()) codes[word] = this.known.get(word).code;
    const unit = 1 / Math.sqrt(this.mean.length);
    const code_peak = Math.max(...[...this.known.values()].map(({ code }) => Math.max(...code.map(Math.abs)))) / unit;
    return { states: { after, before: traces[past.length - 1], codes }, sizes: sizes.map((v) => v / unit), peaks: peaks.map((v) => v / unit), code_peak, linear, cancellation };
  }

  read(text, settings) {
    const sentences = this.split(text), words = sentences.flat();
    if (!words.length) return null;
    const memory = this.memory(words, settings), rolesKnown = settings.timescales.join() === this.network.timescales.join();
    return {
      ...memory, words, starts: sentences.map((_, i) => sentences.slice(0, i).flat().length), known: words.map((word) => this.index.has(word)),
      gold: null, bigru: null,
      ...(rolesKnown ? this.rolesOf(sentences, settings, memory.states.codes) : this.noRoles(words, settings.timescales.length)),
      note: rolesKnown ? null : `A recording finds roles in sentences of your own only with timescales ${this.network.timescales.join(", ")}; “hebbsim demo” finds them with any.`,
    };
  }

  noRoles(words, n) {
    return { roleless: true, roles: words.map((_, t) => new Array(t + 1).fill("")), winners: words.map(() => []), prototypes: {}, slots: this.slots[n], places: words.map(() => new Array(n).fill(-1)), kept: words.map(() => new Array(n).fill("")) };
  }

  rolesOf(sentences, settings, codes) {
    const hold = this.held(settings), roles = [], winners = [];
    const slots = this.slots[settings.timescales.length], places = [], kept = [];
    const now = slots.map(() => -1), random = Heb.random(3), words = sentences.flat();
    let done = [];
    for (const sentence of sentences) {
      let last = [];
      sentence.forEach((_, t) => {
        const vectors = this.vectors(sentence.slice(0, t + 1), hold);
        const near = vectors.map((vector) => this.winners(vector));
        last = near.map((found) => this.roles[found[0][0]]);
        roles.push([...done, ...last]);
        winners.push(near.at(-1));
        const slot = slots.indexOf(last.at(-1));
        if (slot >= 0) now[slot] = roles.length - 1;
        places.push([...now]);
        kept.push(now.map((place) => (place < 0 ? "" : this.nearest(Array.from(codes[words[place]], (v) => v + (settings.noise / 100 / 8) * Heb.normal(random))))));
      });
      done = [...done, ...last];
    }
    const clusters = new Set(winners.flat().map(([k]) => k));
    return { roles, winners, slots, places, kept, prototypes: Object.fromEntries([...clusters].map((k) => [k, this.prototypes[k]])) };
  }

  nearest(code) {
    let best = -Infinity, word = "";
    for (const [v, known] of this.known) {
      const score = Heb.dot(code, known.code) - known.norm;
      if (score > best) { best = score; word = v; }
    }
    return word;
  }

  // Traces in the number format, rounded after each word, and with noise when they are read.
  hold(words, codes, before, settings, sizes, peaks) {
    const round = { float64: (v) => v, float32: (v) => Math.fround(v), bfloat16: (v) => Heb.bfloat(v), int8: (v, s) => (Math.round(Math.max(-1, Math.min(1, v / peaks[s])) * 127) * peaks[s]) / 127 }[settings.precision];
    const random = Heb.random(1);
    let now = before;
    return words.map((word) => {
      now = settings.timescales.map((tau, s) => now[s].map((h, d) => round((1 - 1 / tau) * h + codes[word][d] / tau, s)));
      return settings.noise ? now.map((h, s) => h.map((v) => v + (settings.noise / 100) * sizes[s] * Heb.normal(random))) : now;
    });
  }
};

// Clitics stand apart, marks of one kind in a row are one word, and what is seen as one picture is one word: a flag, a family, a skin tone.
Heb.TOKENS = /n't\b|'(?:s|d|m|re|ve|ll)\b|[\p{L}\p{M}\p{N}]+(?:'(?!(?:s|d|m|re|ve|ll|t)\b)[\p{L}\p{M}\p{N}]+)*|\.+|-+|[!?]+|\*+|=+|_+|\p{RI}\p{RI}|\p{Extended_Pictographic}(?:\u200d\p{Extended_Pictographic}|\p{M}|\p{Emoji_Modifier}|[\u{e0020}-\u{e007f}])*|\S/giu;

Heb.dot = (a, b) => { let sum = 0; for (let i = 0; i < a.length; i++) sum += a[i] * b[i]; return sum; };
Heb.square = (a, b) => { let sum = 0; for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2; return sum; };
Heb.unit = (a) => { const size = Math.sqrt(Heb.dot(a, a)); return size ? a.map((v) => v / size) : a; };
Heb.bfloat = (v) => { const f = new Float32Array([v]), bits = new Uint32Array(f.buffer); bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000; return f[0]; };

// Random numbers that are the same each time: mulberry32, and normal ones of two of them.
Heb.random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
Heb.normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

Heb.crc = (text, start = 0) => {
  let crc = ~start;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};

// The shape of a word, as `hebbsim/engine/network/shape.py` has it: endings, beginnings, length.
Heb.shape = (word, size) => {
  const letters = [...word], n = letters.length, code = new Float32Array(size);
  const features = [1, 2, 3, 4].filter((k) => n > k).map((k) => `-${letters.slice(-k).join("")}`)
    .concat([1, 2, 3].filter((k) => n > k).map((k) => `${letters.slice(0, k).join("")}-`));
  if (/\p{Nd}/u.test(word)) features.push("digit");
  if (!/[\p{L}\p{N}]/u.test(word)) features.push("mark");
  for (const mark of "-./@'") if (word.includes(mark)) features.push(`has ${mark}`);
  features.push(`length ${Math.min(n, 12)}`);
  for (const feature of features) { const value = Heb.crc(feature); code[value % size] += value & 0x10000 ? 1 : -1; }
  return code;
};
