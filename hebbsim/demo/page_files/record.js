"use strict";
// A recording: roles by what was asked for, with words and roles as numbers of one list. The page
// computes traces, what is read back from them and weights by itself; of a sentence that was not
// recorded, its roles as well.
Heb.survivalKey = (s) => [s.timescales.join(","), s.precision, s.noise].join("|");

Heb.recordKey = ({ example, text, settings }) => `${example !== undefined ? `#${example}` : text}|${Heb.survivalKey(settings)}`;

Heb.unpack = (packed, shared) => {
  const texts = shared.texts;
  const words = (list) => list && list.map((row) => row.map((n) => texts[n]));
  return {
    ...packed,
    ...shared.sentences[packed.sentence],
    roles: words(packed.roles), kept: words(packed.kept),
    bigru: packed.bigru === null ? null : words(shared.bigru[packed.bigru]),
    prototypes: shared.prototypes[packed.prototypes],
  };
};

// Where a page gets its answers from that has no server.
Heb.Recording = class {
  constructor(recorded, receive) {
    Object.assign(this, { recorded, receive, shown: 0, timer: 0 });
    const { groups, words } = recorded.reader;
    this.weights = new Heb.Weights(groups, words, recorded.hello.rules);
  }

  get reader() { return (this.opened ||= new Heb.Reader(this.recorded.reader)); }

  start() { this.receive({ kind: "hello", ...this.recorded.hello }); }

  send(message) { if (this[message.do]) this[message.do](message); }

  // What an example or a text is read as, or what is wrong with it.
  found({ example, text, settings }) {
    const { readings, shared, reader } = this.recorded, key = Heb.survivalKey(settings);
    const packed = readings[Heb.recordKey({ example, text, settings })];
    if (packed) {
      const found = Heb.unpack(packed, shared);
      return { note: null, ...found, ...this.reader.memory(found.words, settings) };
    }
    if (text === undefined || !reader.readers[key]) {
      const [, bits] = Heb.PRECISIONS.find(([name]) => name === settings.precision) || ["", settings.precision];
      return `This recording does not have ${text === undefined ? `sentence ${example + 1}` : "this sentence"} with timescales ${settings.timescales.join(", ")}, numbers of ${parseInt(bits, 10) || bits} bits and ${settings.noise} % noise. “hebbsim demo” has every choice.`;
    }
    return this.reader.read(text, settings) || "Type a sentence first: there are no words in the box.";
  }

  read(message) {
    const { id, settings } = message, found = this.found(message);
    if (typeof found === "string") return this.receive({ kind: "error", id, text: found });
    if (!Object.hasOwn(Heb.RULES, settings.rule)) return this.receive({ kind: "error", id, text: `This recording does not have the rule ${settings.rule}. “hebbsim demo” has every rule.` });
    const weights = this.weights.read(found.words, found.starts, settings);
    this.receive({ kind: "reading", id, ...found, weights, settings: { ...settings, timescales: [...settings.timescales] } });
    this.receive({ kind: "survival", id, ...this.recorded.survival[Heb.survivalKey(settings)] });
  }

  aside({ text, settings }) {
    const found = this.found({ text, settings });
    this.receive({ kind: "aside", text, roles: found.roles ? found.roles.at(-1) : null });
  }

  learn({ what }) {
    clearInterval(this.timer);
    const tell = (running) => {
      const curve = this.recorded.curve.slice(0, this.shown), done = curve.length === this.recorded.curve.length;
      if (done) clearInterval(this.timer);
      this.receive({ kind: "learning", running: running && !done, done, curve });
    };
    if (what === "reset") this.shown = 0;
    if (what !== "start") return tell(false);
    const step = () => { this.shown += 1; tell(true); };
    this.timer = setInterval(step, 400);
    step();
  }
};
