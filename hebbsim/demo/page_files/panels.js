"use strict";
// A closer look: what survives, prototypes, weights, live learning, and (`strips.js`) the numbers.
// `moves`: drawn anew at each word. What it needs of the stage: a `share` of its height, for a figure
// that grows with it, and a `height` in pixels, for text that does not. Bars above it are no higher
// than `most`.
Heb.PANELS = {
  survival: { name: "What survives", share: 0.31, height: 204 },
  prototypes: { name: "Prototypes", moves: true, height: 200 },
  weights: { name: "Weights", moves: true, share: 0.43, most: 130 },
  learning: { name: "Learn live", share: 0.35 },
  numbers: { name: "Numbers", moves: true, height: 158 },
  follow: { name: "One word", moves: true, height: 236 },
  swap: { name: "Swap", height: 252 },
  selection: { name: "Selection", moves: true, height: 176 },
};

Heb.panelNeed = (name, stage) => { const { share = 0, height = 0 } = Heb.PANELS[name]; return Math.max(share * stage, height * (Heb.large() ? 1.2 : 1)); };

// A line chart in `box`, drawn at the size that the box has, so that type stays as large.
Heb.chart = (box, { lines, marks = [], x, ticks, xlabel, label }) => {
  const width = Math.max(260, box.clientWidth), height = Math.max(120, box.clientHeight);
  const [left, right, top, bottom] = [Heb.large() ? 62 : 52, 12, 12, ticks.length ? 40 : 16];
  const sx = (v) => left + ((v - x[0]) / (x[1] - x[0])) * (width - left - right);
  const sy = (v) => top + (1 - v) * (height - top - bottom);
  const parts = [];
  for (const v of height < 170 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(Heb.svg("line", { x1: left, x2: width - right, y1: sy(v), y2: sy(v), stroke: v ? "#e4e1d9" : "#55606e" }));
    parts.push(Heb.svg("text", { x: left - 8, y: sy(v) + 5, "text-anchor": "end", class: "soft" }, `${100 * v} %`));
  }
  for (const v of ticks) parts.push(Heb.svg("text", { x: sx(v), y: height - 21, "text-anchor": "middle", class: "soft" }, v.toLocaleString("en")));
  if (ticks.length) parts.push(Heb.svg("text", { x: (left + width - right) / 2, y: height - 3, "text-anchor": "middle" }, xlabel));
  for (const mark of marks) {
    parts.push(Heb.svg("line", { x1: left, x2: width - right, y1: sy(mark.y), y2: sy(mark.y), stroke: mark.colour, "stroke-width": mark.width || 2, "stroke-dasharray": mark.dash || "" }));
    if (mark.name) parts.push(Heb.svg("text", { x: width - right, y: sy(mark.y) + (mark.below ? 17 : -6), "text-anchor": "end", style: `fill:${mark.ink || mark.colour}`, class: "strong" }, mark.name));
  }
  for (const line of lines) {
    const points = line.points.map(([a, b]) => [sx(a), sy(b)]);
    parts.push(Heb.svg("polyline", { points: points.map((p) => p.join(",")).join(" "), fill: "none", stroke: line.colour, "stroke-width": 3, "stroke-dasharray": line.dash || "", "stroke-linejoin": "round" }));
    for (const [a, b] of line.mark === "none" ? points.slice(-1) : points) {
      parts.push(line.mark === "s"
        ? Heb.svg("rect", { x: a - 4.5, y: b - 4.5, width: 9, height: 9, fill: line.colour })
        : Heb.svg("circle", { cx: a, cy: b, r: 5, fill: line.mark === "o" ? "#fff" : line.colour, stroke: line.colour, "stroke-width": 2.5 }));
    }
  }
  box.replaceChildren(Heb.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, parts));
};

Heb.key = (line, text) =>
  Heb.el("span", { style: { display: "flex", gap: "8px", "align-items": "center" } },
    Heb.svg("svg", { viewBox: "0 0 34 14", style: "width:34px;height:14px;flex:none", "aria-hidden": "true" },
      Heb.svg("line", { x1: 0, x2: 34, y1: 7, y2: 7, stroke: line.colour, "stroke-width": 3, "stroke-dasharray": line.dash }),
      line.mark === "s" ? Heb.svg("rect", { x: 12.5, y: 2.5, width: 9, height: 9, fill: line.colour })
        : line.mark === "o" ? Heb.svg("circle", { cx: 17, cy: 7, r: 5, fill: "#fff", stroke: line.colour, "stroke-width": 2.5 }) : []),
    Heb.el("span", {}, Heb.whole(text)));

Heb.PANELS.survival.draw = (panel, state) => {
  const s = state.survival, h = state.hello;
  if (!s || !h) return panel.replaceChildren(Heb.el("p", {}, "Measuring …"));
  const figure = Heb.el("div", { class: "figure" });
  const L = Heb.LINES;
  const ref = h.references;
  // A lesson that has not come to the readers yet does not give them away.
  const words = ["cancellation", "linear"].filter((key) => state.rows.includes(key));
  const names = Heb.listed(h.argument_roles.map((role) => Heb.plural(role)));
  const begun = s.roles !== null;
  panel.replaceChildren(figure, Heb.el("div", { class: "words" },
    begun ? Heb.key(L.roles, `who does what to whom: ${Heb.percent(s.arguments)}`) : Heb.el("span", {}, "No roles yet: this learner has not begun."),
    Heb.key(L.lookup, `the same, from the word alone: ${Heb.percent(ref.lookup_arguments)}`),
    words.length ? Heb.el("small", {}, "Words read back right, 3 and 8 words ago:") : null,
    ...words.map((key) => Heb.key(L[key], `${L[key].name}: ${Heb.percent(s[key][3])}, ${Heb.percent(s[key][8])}`)),
    words.length ? Heb.key(L.chance, `the commonest word: ${Heb.percent(ref.word)}`) : null,
    Heb.el("details", { open: Heb.narrow() || panel.clientHeight > (Heb.large() ? 310 : 260) }, Heb.el("summary", {}, "How it is measured"), Heb.el("small", {}, Heb.whole(begun ? `Roles: ${names}; of all words ${Heb.percent(s.roles, 1)}, from the word alone ${Heb.percent(ref.lookup, 1)}. Noise is in the traces: the word itself is clean, and the learner has traces to its left and right. ` : ""), `${s.n_tokens.toLocaleString("en")} words, ${s.n_states} states.`))));
  Heb.chart(figure, {
    // Roles have no lag: without readers there is nothing to count along this axis.
    x: [0, s.linear.length - 1], ticks: words.length ? [0, 2, 4, 6, 8, 10, 12, 14] : [], xlabel: "words ago",
    label: `${begun ? `Roles of ${names} right: ${Heb.percent(s.arguments)}; ` : ""}without memory: ${Heb.percent(ref.lookup_arguments)}.${words.map((key) => ` ${L[key].name}, words right by words ago: ${s[key].map((v) => Heb.percent(v)).join(", ")}.`).join("")}`,
    marks: [...(begun ? [{ ...L.roles, y: s.arguments, width: 5, name: "" }] : []), { ...L.lookup, y: ref.lookup_arguments, width: 3, name: "" }, ...(words.length ? [{ ...L.chance, y: ref.word, name: "" }] : [])],
    lines: words.map((key) => ({ ...L[key], points: s[key].map((v, k) => [k, v]) })),
  });
};

Heb.PANELS.prototypes.draw = (panel, state) => {
  const r = state.reading;
  const t = state.t;
  if (!r.winners || !r.winners[t].length) return panel.replaceChildren(Heb.el("p", {}, r.note || "No prototypes yet: this learner has not begun."));
  // A word that came here stands whole; its neighbours stand beside it where there is room.
  const side = 174, phone = panel.clientWidth < 600;
  const shown = r.winners[t].slice(0, phone || panel.clientWidth - side > 840 ? 4 : 3);
  const room = (phone ? panel.clientWidth : (panel.clientWidth - side - 50) / shown.length) - 34;
  const size = parseFloat(getComputedStyle(panel).getPropertyValue("--example"));
  const fits = (...words) => Heb.width(words.join(" "), size) <= room;
  const example = ([a, w, b]) => {
    const [left, right] = fits(a, w, b) ? [a, b] : fits(a, w) ? [a, ""] : fits(w, b) ? ["", b] : ["", ""];
    return Heb.el("li", {}, left ? `${left} ` : "", Heb.el("b", {}, w), right ? ` ${right}` : "");
  };
  const cards = shown.map(([cluster, share], rank) => {
    const p = r.prototypes[cluster];
    return Heb.el("div", { class: `proto${rank ? "" : " winner"}`, "data-cluster": cluster },
      Heb.el("div", { class: "head", title: p.share === null ? "No word of the named sentences came here" : `${Heb.percent(p.share)} of the ${p.tokens} words that came here are ${p.role}` },
        Heb.el("b", {}, rank ? `${rank + 1}.` : "Winner"), Heb.role(p.role)),
      Heb.el("div", { class: "meter", title: "how close, beside the others" }, Heb.el("i", { style: { width: `${100 * share}%` } })),
      Heb.el("ul", {}, p.examples.map(example)),
      p.share === null ? null : Heb.el("small", {}, `${p.tokens} words, ${Heb.percent(p.share)} ${p.role}`));
  });
  panel.replaceChildren(Heb.el("div", { class: "words", style: { flex: phone ? "none" : `0 0 ${side}px`, "min-width": 0 } },
    Heb.el("span", { class: "big", dir: "auto" }, `“${r.words[t]}”`),
    Heb.el("span", {}, "and its neighbours go to the closest prototype, the longest bar. Nobody said what these words have in common.")),
    Heb.el("div", { class: "protos", style: { "--cards": shown.length } }, cards));
};

Heb.PANELS.weights.draw = (panel, state) => {
  const w = state.reading.weights;
  if (w.error) return panel.replaceChildren(Heb.el("p", {}, `The weights ran away: ${w.error}.`));
  const t = state.t;
  const [old, now] = [w.values[t], w.values[t + 1]];
  const taus = state.reading.settings.timescales;
  const G = now[0][0].length, m = now.length, S = taus.length;
  const figure = Heb.el("div", { class: "figure" });
  const tied = w.guesses !== null || m === G;
  const group = w.groups[t];
  let most = 1, where = null;
  now.forEach((unit, i) => unit.forEach((row, s) => row.forEach((v, j) => {
    const d = v - old[i][s][j];
    if (Math.abs(d) > Math.abs(most)) { most = d; where = [i, s, j]; }
  })));
  const words = Heb.el("div", { class: "words", style: { "--basis": "220px" } },
    Heb.el("span", {}, Heb.el("b", { dir: "auto" }, `“${state.reading.words[t]}”`), ` is of the group “${w.names[group]}”.`),
    w.guesses && w.guesses[t] >= 0 ? Heb.el("span", {}, "Expected: ", Heb.el("b", {}, `“${w.names[w.guesses[t]]}”`), " ", Heb.el("span", { class: "whole-number" }, w.guesses[t] === group ? "✓ right" : "✗ wrong")) : null,
    where ? Heb.el("span", {}, most > 0 ? "Most strengthened" : "Most weakened", `: ${tied ? `“${w.names[where[0]]}”` : `unit ${where[0] + 1}`} after “${w.names[where[2]]}”, timescale ${taus[where[1]]}.`) : Heb.el("span", {}, "No weight changes."),
    Heb.el("small", {}, "Ringed: changed most by this word. Blue is positive, orange negative. These traces start each sentence empty."));
  panel.replaceChildren(figure, words);
  const width = Math.max(300, figure.clientWidth), band = Heb.narrow() ? 260 : Math.max(150, figure.clientHeight);
  const name = (i) => (tied ? w.names[i] : `unit ${i + 1}`);
  const largest = Heb.large() ? 17 : 13.5;
  const left = Math.min(0.3 * width, 10 + Math.max(...now.map((_, i) => Heb.width(name(i), Math.min(largest, Math.max(10, (band - 60) / m))))));
  // Timescales stand side by side; below one another where names of columns would lie on others.
  const cell = (across) => (width - left - 8 * (across - 1)) / (across * G);
  const across = cell(S) < 10 ? 1 : S, cw = cell(across), height = (band * S) / across;
  if (across < S || Heb.narrow()) figure.style.height = `${height}px`;
  const corner = (s) => [left + (s % across) * (G * cw + 8), band * Math.floor(s / across)];
  // Columns have names as rows do; the first word of each, and upright, where they are narrow.
  const fits = (texts) => texts.every((text) => Heb.width(text, largest, 400) <= cw - 6);
  const heads = fits(w.names) ? w.names : w.names.map((text) => text.split(", ")[0]);
  const upright = !fits(heads);
  const size = upright ? Math.min(largest, Math.max(9.5, cw - 1)) : largest;
  const top = 18 + (upright ? 6 + 0.66 * size * Math.max(...heads.map((text) => text.length)) : 18);
  const ch = (band - top - 2) / m;
  const parts = [];
  const colour = (v) => Heb.tint(Math.sign(v) * Math.sqrt(Math.abs(v) / 1000), 1);
  taus.forEach((tau, s) => {
    const [x0, y0] = corner(s);
    parts.push(Heb.svg("text", { x: x0 + (G * cw) / 2, y: y0 + 13, "text-anchor": "middle" }, S > 3 ? `${tau}` : `${S === 1 ? "in the trace of " : ""}timescale ${tau}`));
    heads.forEach((text, j) => {
      const [x, y] = [x0 + (j + 0.5) * cw, y0 + top - 5];
      parts.push(Heb.svg("text", { x, y, style: `font-size:${size}px`, class: "head", "data-group": j, "data-groups": j, ...(upright ? { transform: `rotate(-90 ${x} ${y})`, dy: size * 0.35 } : { "text-anchor": "middle" }) }, text));
    });
  });
  const rings = [];
  now.forEach((unit, i) => {
    const mine = tied && i === group;
    for (let s = 0; s < S; s += across) parts.push(Heb.svg("text", { x: left - 6, y: corner(s)[1] + top + (i + 0.5) * ch + 4.5, "text-anchor": "end", class: mine ? "strong" : "soft", style: `font-size:${Math.min(largest, Math.max(10, ch))}px`, ...(tied && !s ? { "data-group": i, "data-groups": i } : {}) }, name(i)));
    unit.forEach((row, s) => row.forEach((v, j) => {
      const [x, y] = [corner(s)[0] + j * cw, corner(s)[1] + top + i * ch];
      const tip = Heb.svg("title", {}, `${name(i)} after ${w.names[j]}, timescale ${taus[s]}: ${((v / 1000) * w.largest).toFixed(3)}`);
      parts.push(Heb.svg("rect", { x, y, width: cw - 1, height: ch - 1, fill: "#f4f2ed" }), Heb.svg("rect", { x, y, width: cw - 1, height: ch - 1, fill: colour(v), "data-groups": tied ? `${i},${j}` : j }, tip));
      const d = Math.abs(v - old[i][s][j]) / Math.abs(most);
      if (d > 0.3) rings.push(Heb.svg("rect", { x: x - 0.5, y: y - 0.5, width: cw, height: ch, fill: "none", stroke: "#18222f", "stroke-width": 1 + 2 * d, rx: 2 }));
    }));
  });
  figure.replaceChildren(Heb.svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Weights from groups of past words (columns) to the group of the word that comes (rows), after “${state.reading.words[t]}”. ${words.innerText}` }, parts, rings));
};

Heb.PANELS.learning.draw = (panel, state, act) => {
  const live = state.learning, hello = state.hello;
  const figure = Heb.el("div", { class: "figure" });
  const last = live.curve.at(-1), begun = last || live.words;
  const use = Heb.el("input", { type: "checkbox", id: "use-live", onchange: (e) => act.live(e.target.checked) });
  use.checked = state.settings.live;
  const button = (what, text, cls) => Heb.el("button", { type: "button", class: cls, "data-what": what, onclick: () => act.learn(what) }, text);
  panel.replaceChildren(figure, Heb.el("div", { class: "words" },
    Heb.el("span", { class: "big" }, last ? `${Heb.percent(last[1])} right` : begun ? "No prototypes yet" : "Not begun"),
    Heb.el("span", {}, last ? Heb.whole(`after ${last[0].toLocaleString("en")} words${live.done ? ", the whole corpus" : ""}. It reads each sentence once, in one pass, without a label, and sorts words into K = ${hello.live_clusters} prototypes.`) : begun ? `after ${live.words.toLocaleString("en")} words: it sorts words first` : "A learner that has read nothing: there are no roles yet."),
    Heb.el("span", { style: { display: "flex", gap: "8px", "flex-wrap": "wrap" } },
      live.running ? button("pause", "Pause", "main") : live.done ? null : button("start", begun ? "Go on" : "Start", "main"),
      begun ? button("reset", "Start anew", "") : null),
    state.recorded ? Heb.el("small", {}, "A recording replays the curve. “hebbsim demo” shows roles as they are learned, too.") : Heb.el("label", { style: { display: "flex", "align-items": "center" } }, use, "Roles above by this learner")));
  const marks = hello ? [
    { y: hello.references.lookup, below: last && last[1] > hello.references.lookup, colour: "#55606e", dash: "3 4", name: `word lookup, all labels: ${Heb.percent(hello.references.lookup)}` },
    { y: hello.references.majority, colour: "#8a8a8a", dash: "3 4", ink: "#55606e", name: `always the commonest role: ${Heb.percent(hello.references.majority)}` }] : [];
  const end = hello ? hello.live_words : 30000;
  Heb.chart(figure, {
    x: [0, end], ticks: [0, 10000, 20000, 30000].filter((v) => v <= end), xlabel: "words read",
    label: last ? `Accuracy ${Heb.percent(last[1])} after ${last[0]} words` : "Nothing learned yet", marks,
    lines: live.curve.length ? [{ ...Heb.LINES.roles, points: live.curve }] : [],
  });
};
