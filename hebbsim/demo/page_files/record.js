"use strict";
// A recording: readings by what was asked for, with words and roles as numbers of one list.
Heb.recordKey = (message) => {
  const s = message.settings;
  const what = message.example !== undefined ? `#${message.example}` : message.text;
  return [what, s.timescales.join(","), s.precision, s.noise, s.rule, s.eta, s.fresh].join("|");
};

Heb.survivalKey = (s) => [s.timescales.join(","), s.precision, s.noise].join("|");

Heb.unpack = (packed, shared) => {
  const texts = shared.texts;
  const words = (list) => list && list.map((row) => row.map((n) => texts[n]));
  return {
    ...packed,
    ...shared.sentences[packed.sentence],
    roles: words(packed.roles), linear: words(packed.linear), cancellation: words(packed.cancellation), kept: words(packed.kept),
    bigru: packed.bigru === null ? null : words(shared.bigru[packed.bigru]),
    prototypes: shared.prototypes[packed.prototypes],
    weights: packed.weights === null ? null : shared.weights[packed.weights],
    ...(packed.states === null ? { states: null } : shared.states[packed.states]),
  };
};
