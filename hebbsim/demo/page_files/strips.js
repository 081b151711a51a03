"use strict";
// Vectors of numbers as strips of colour, and the arithmetic of traces that the page does itself.
Heb.tint = (v, top) => (v >= 0 ? `rgba(0,114,178,${Math.min(1, v / top)})` : `rgba(192,78,0,${Math.min(1, -v / top)})`);

Heb.rms = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0) / v.length);
// How far two vectors are apart, in shares of the first.
Heb.apart = (a, b) => Heb.rms(a.map((x, d) => x - b[d])) / (Heb.rms(a) || 1);

// Traces after each word, in exact arithmetic, from what was there and the codes of the words.
Heb.traces = (words, { before, codes }, timescales) => {
  let now = before;
  return words.map((word) => (now = timescales.map((tau, s) => now[s].map((h, d) => (1 - 1 / tau) * h + codes[word][d] / tau))));
};

// Rows of strips, each with what it is; values of one row share a scale with the others.
Heb.strips = (figure, rows, top, label) => {
  // No higher than it needs where it stands above its words.
  if (Heb.narrow()) figure.style.height = figure.style.minHeight = `${52 * rows.length}px`;
  const width = Math.max(300, figure.clientWidth), height = Math.max(Heb.narrow() ? 0 : 110, figure.clientHeight);
  // As wide as the longest name.
  const large = Heb.large() ? 17 : 14;
  const names = rows.flatMap(({ name, small }) => [name, small || ""]);
  const left = Math.min(0.6 * width, 12 + Math.max(...names.map((text) => Heb.width(text, large, 400)))), gap = 8, D = rows[0].values.length;
  const fitted = (text) => (Heb.width(text, large, 400) < left - 10 ? text : fitted(`${[...text].slice(0, -2).join("")}…`));
  const cw = (width - left) / D, ch = Math.min(58, height / rows.length - gap);
  const parts = rows.map(({ name, values, small }, i) => {
    const y = i * (ch + gap);
    return [
      Heb.svg("text", { x: left - 10, y: y + ch / 2 + (small && ch > 30 ? -3 : 5), "text-anchor": "end" }, fitted(name)),
      small && ch > 30 ? Heb.svg("text", { x: left - 10, y: y + ch / 2 + 15, "text-anchor": "end", class: "soft" }, small) : [],
      Heb.svg("rect", { x: left, y, width: width - left, height: ch, fill: "#f4f2ed" }),
      [...values].map((v, d) => Heb.svg("rect", { x: left + d * cw, y, width: cw - 0.8, height: ch, fill: Heb.tint(v, top) })),
    ].flat(2);
  });
  figure.replaceChildren(Heb.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, parts.flat()));
};

Heb.PANELS.numbers.draw = (panel, state) => {
  const r = state.reading;
  const states = r.states.after[state.t], taus = r.settings.timescales;
  const figure = Heb.el("div", { class: "figure" });
  panel.replaceChildren(figure, Heb.el("div", { class: "words" },
    Heb.el("span", { class: "big" }, `${states.length} × ${states[0].length} numbers`),
    Heb.el("span", {}, `are all that the memory holds. Every word has a code of ${states[0].length} numbers; a trace is the fading sum of the codes. Blue is above zero, orange below.`)));
  // Each strip is as dark as the others, however small the numbers of a slow trace are.
  const rows = states.map((row, s) => { const top = Math.max(...row.map(Math.abs)) || 1; return { name: `timescale ${taus[s]}`, values: row.map((v) => v / top) }; });
  Heb.strips(figure, rows, 1, `After “${r.words[state.t]}”: the ${states[0].length} numbers of each trace as a strip of colours, blue above zero and orange below`);
};

// One word: how it gets into a trace, what becomes of it, and how it is subtracted again.
Heb.PANELS.follow.draw = (panel, state, act) => {
  const r = state.reading, t = state.t;
  const taus = r.settings.timescales;
  const f = (state.follow ||= { s: 0, j: 0, poured: 0 });
  f.s = Math.min(f.s, taus.length - 1);
  f.j = Math.min(f.j, t);
  const tau = taus[f.s], alpha = 1 / tau, keep = 1 - alpha;
  // What a link has subtracted stays so; at another word, or in another reading, it begins anew.
  const same = (f.t ?? t) === t && (f.id ?? r.id) === r.id;
  Object.assign(f, { t, id: r.id, poured: same && keep ? Math.min(f.poured, r.cancellation[t].length) : 0 });
  const exact = Heb.traces(r.words, r.states, taus);
  const figure = Heb.el("div", { class: "figure" });
  const choose = (name, options, value, then) => Heb.el("select", { "aria-label": name, onchange: (e) => { then(Number(e.target.value)); act.redraw(); } },
    options.map((text, i) => Heb.el("option", { value: i, selected: i === value }, text)));
  const can = keep > 0 && f.poured < r.cancellation[t].length;
  const press = (id, text, then, on = true) => Heb.el("button", { type: "button", id, disabled: !on, onclick: () => { then(); act.redraw(); const same = Heb.$(id); if (same && !same.disabled) same.focus({ preventScroll: true }); } }, text);
  const words = [Heb.el("span", { class: "pick" }, choose("Word", r.words.slice(0, t + 1), f.j, (j) => { f.j = j; f.poured = 0; }), " in ",
    choose("Trace", taus.map((x) => `timescale ${x}`), f.s, (s) => { f.s = s; f.poured = 0; }))];
  let rows, label, top;
  if (!f.poured) {
    const code = r.states.codes[r.words[f.j]], past = f.j ? exact[f.j - 1][f.s] : r.states.before[f.s];
    rows = [
      { name: `code of “${r.words[f.j]}”`, small: "64 random numbers", values: code },
      { name: `× α = 1/${tau}`, small: "what gets in", values: code.map((x) => alpha * x) },
      { name: `+ before × (1 − α)`, small: `what stays, ${Heb.percent(keep)} of it`, values: past.map((x) => keep * x) },
      { name: `= trace after “${r.words[f.j]}”`, values: exact[f.j][f.s] },
    ];
    top = Math.max(...code.map(Math.abs));
    const chain = Array.from({ length: t - f.j + 1 }, (_, k) => Heb.percent(Heb.share(tau, k), Heb.share(tau, k) < 0.0995 ? 1 : 0));
    words.push(Heb.el("span", {}, "Its share: ", Heb.el("b", {}, Heb.whole(chain.length > 7 ? `${chain.slice(0, 3).join(" → ")} → … → ${chain.at(-1)}` : chain.join(" → ")))),
      Heb.el("span", {}, Heb.whole(chain.length > 1 ? `Each later word leaves ${Heb.percent(keep)} of it.` : "It is the newest word.")));
    label = `How “${r.words[f.j]}” gets into the trace: its code, times ${Heb.percent(alpha)}, plus ${Heb.percent(keep)} of what was there`;
  } else {
    const read = r.cancellation[t].slice(0, f.poured);
    let held = r.states.after[t][f.s], last = held;
    for (const word of read) { last = held; held = held.map((h, d) => (h - alpha * r.states.codes[word][d]) / keep); }
    const place = t - f.poured;
    const truth = place >= 0 ? exact[place][f.s] : r.states.before[f.s];
    const off = Heb.apart(truth, held);
    top = 3 * Heb.rms(truth);
    rows = [
      { name: "trace as it is held", small: f.poured > 1 ? `${f.poured - 1} ${f.poured > 2 ? "words" : "word"} subtracted` : `after “${r.words[t]}”`, values: last },
      { name: `− α × “${read.at(-1)}”`, small: "the word found in it", values: r.states.codes[read.at(-1)].map((x) => alpha * x) },
      { name: "÷ (1 − α)", small: "what is left, enlarged", values: held },
      { name: place >= 0 ? `truth: after “${r.words[place]}”` : "truth: before the first", values: truth },
    ];
    words.push(Heb.el("span", {}, "Subtracted: ", read.map((word, k) => Heb.el("b", { class: `poured ${word === r.words[t - k] ? "right" : "wrong"}` }, `${word === r.words[t - k] ? "✓" : "✗"} ${word}`))),
      Heb.el("span", {}, "Error in what is left: ", Heb.el("b", {}, off < 0.0005 ? "none to be seen" : Heb.percent(off, off < 0.1 ? 1 : 0))),
      Heb.el("div", { class: "meter" }, Heb.el("i", { style: { width: `${Math.min(100, 100 * off)}%` } })),
      Heb.el("small", {}, off > 1 ? "The error is larger than what is left: this trace has lost the words before." : `Each word subtracted makes it ${(1 / keep).toPrecision(3)} times larger.`));
    label = `${f.poured} words subtracted from the trace, error ${Heb.percent(off)}`;
  }
  words.push(Heb.el("span", { class: "buttons" }, press("pour", f.poured ? "Subtract the next" : "Subtract the last word", () => { f.poured += 1; }, can),
    f.poured ? press("unpour", "Undo", () => { f.poured -= 1; }) : null));
  panel.replaceChildren(figure, Heb.el("div", { class: "words" }, words));
  Heb.strips(figure, rows, top, label);
};

// The two words of a sentence that change places: subject and object where they are known, and no
// word with itself.
Heb.swapped = (r) => {
  const roles = (r.roles || []).at(-1) || [];
  const first = roles.findIndex((role) => ["SUBJ", "AGENT"].includes(role));
  const second = roles.findLastIndex((role, j) => ["OBJ", "THEME", "IOBJ", "OBL"].includes(role) && r.words[j] !== r.words[first]);
  const last = r.words.findLastIndex((word) => /[\p{L}\p{N}]/u.test(word) && word !== r.words[0]);
  const [a, b] = first >= 0 && second > first ? [first, second] : [0, last];
  if (b < 1) return {};
  const words = [...r.words];
  [words[a], words[b]] = [words[b], words[a]];
  return { words, places: [a, b] };
};

Heb.PANELS.swap.draw = (panel, state, act) => {
  const r = state.reading;
  const taus = r.settings.timescales;
  const { words, places } = Heb.swapped(r);
  const short = "the sailor chased the captain .";
  const other = Heb.el("button", { type: "button", class: "quiet", title: short, onclick: () => act.read(short) }, "Try a short sentence");
  if (!words) return panel.replaceChildren(Heb.el("p", { class: "swap" }, "To swap takes two different words.", other));
  const text = words.join(" ");
  if (!state.aside || state.aside.text !== text) {
    state.aside = { text, roles: null };
    act.aside(text);
  }
  const line = (list, roles) => Heb.el("div", { class: "line-of-words" }, list.map((word, j) =>
    Heb.el("span", { class: places.includes(j) ? "swapped" : "" }, Heb.el("b", { dir: "auto" }, word), places.includes(j) && roles && roles[j] ? Heb.role(roles[j], { cls: r.known[r.words.indexOf(word)] ? "" : "guess" }) : null)));
  const [one, two] = [r.words, words].map((list) => Heb.traces(list, r.states, taus).at(-1));
  const bag = (list) => list.reduce((sum, word) => sum.map((x, d) => x + r.states.codes[word][d]), new Float32Array(64));
  const [bagOne, bagTwo] = [bag(r.words), bag(words)];
  const box = (values, name) => {
    const figure = Heb.el("div", { class: "strip" });
    const top = 2.5 * Heb.rms(values);
    figure.append(Heb.svg("svg", { viewBox: "0 0 64 1", preserveAspectRatio: "none", role: "img", "aria-label": name }, [...values].map((v, d) => Heb.svg("rect", { x: d, y: 0, width: 0.9, height: 1, fill: Heb.tint(v, top) }))));
    return figure;
  };
  const row = (name, a, b) => {
    const off = Heb.apart(a, b);
    return [Heb.el("span", {}, name), box(a, `${name}, as it was`), box(b, `${name}, swapped`), Heb.el("b", { class: off < 1e-5 ? "same" : "" }, off < 1e-5 ? "the same" : `${Heb.percent(off, off < 0.01 ? 1 : 0)} apart`)];
  };
  panel.replaceChildren(Heb.el("div", { class: "swap" },
    Heb.el("span", {}, "sentence"), line(r.words, (r.roles || []).at(-1)), line(words, state.aside.roles),
    Heb.el("span", {}, r.words.join(" ") === short ? null : other),
    row("bag of words", bagOne, bagTwo), taus.map((tau, s) => row(`timescale ${tau}`, one[s], two[s])).flat(),
    Heb.el("small", { class: "whole" }, "A bag adds up the codes and cannot tell who did what. In a trace the later word is stronger, most of all in a fast one.")));
};

// What a gated memory holds beside the fixed traces: each row the last word that it chose.
Heb.PANELS.selection.draw = (panel, state) => {
  const r = state.reading, t = state.t;
  if (!r.places) return panel.replaceChildren(Heb.el("p", {}, "Learning roles with these timescales …"));
  if (r.roleless) return panel.replaceChildren(Heb.el("p", {}, r.note));
  const fixed = r.cancellation[t];
  const lines = r.slots.map((role, slot) => {
    const place = r.places[t][slot];
    const found = r.kept[t][slot];
    const mark = (right, word) => Heb.el("b", { class: `poured ${right ? "right" : "wrong"}` }, `${right ? "✓" : "✗"} ${word}`);
    return place < 0 ? [Heb.role(role), Heb.el("span", { class: "whole3" }, "nothing yet")]
      : [Heb.role(role), Heb.el("span", { dir: "auto" }, `“${r.words[place]}”, ${t - place}`), mark(found === r.words[place], found),
        fixed[t - place] === undefined ? Heb.el("span", {}, "not read") : mark(fixed[t - place] === r.words[place], fixed[t - place])];
  });
  const heads = ["row for", "took, words ago", "read back", "by fixed traces"].map((text) => Heb.el("small", {}, text));
  panel.replaceChildren(Heb.el("div", { class: "slots" }, heads, lines.flat()), Heb.el("div", { class: "words" },
    Heb.el("span", {}, "A fixed trace takes every word with the same α = 1/τ. The gated one has ", Heb.el("b", {}, "α = 1 for a word of its role, and 0 for any other"), ": as many numbers, the same noise."),
    Heb.el("small", {}, "Here the learned role opens the gate. A model has to learn that.")));
};
