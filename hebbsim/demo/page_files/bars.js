"use strict";
// What each word makes up of each trace: bars on one scale for all rows, with what drowns them,
// noise and the steps of the number format. All of it is arithmetic of the page's own.
Heb.share = (tau, ago) => (1 - 1 / tau) ** ago / tau;

// The size of a trace of many different words, where that of a single word's code is 1.
Heb.traceSize = (tau) => Math.sqrt(1 / (2 * tau - 1));

Heb.Bars = class {
  static ZOOMS = [1, 10, 100];
  static zoom = 1;
  // The room of a number, in its own size.
  static DIGITS = 2.9;

  static cell() {
    return Heb.el("div", { class: "cell bar" }, Heb.el("i"), Heb.el("b"));
  }

  constructor(score, root) {
    this.score = score;
    this.said = Heb.el("span", { class: "scale-words" });
    this.buttons = Heb.Bars.ZOOMS.map((zoom) => Heb.el("button", { type: "button", "data-zoom": zoom, "aria-label": `Enlarge bars ${zoom} times`,
      onclick: () => { Heb.Bars.zoom = zoom; this.draw(this.settings); this.score.onZoom(); } }, `×${zoom}`));
    root.append(Heb.el("div", { class: "row", role: "row" }, Heb.el("div", { class: "scale", role: "cell" },
      Heb.el("span", { class: "zoom", role: "group", "aria-label": "Scale of the bars" }, this.buttons), this.said)));
  }

  get rows() { return this.score.reading.settings.timescales.map((_, s) => this.score.rows[`trace${s}`]); }

  // As high as the window has room for: never so low that a half and a third look alike.
  fit(narrow) {
    const { root, box } = this.score;
    const stage = box.parentElement;
    const [least, most] = narrow ? [64, 110] : [50, Heb.PANELS[this.score.panel].most || Infinity];
    root.style.setProperty("--bar", `${least}px`);
    // Numbers, then bars, take what the narrowest column has room for. All bars are as wide: areas
    // are shares, too.
    const bars = this.rows.flatMap((cells) => [cells[0].previousSibling, ...cells]);
    const room = Math.min(...bars.map((cell) => cell.clientWidth)) - 7;
    const [small, tall] = narrow ? [13.5, 13.5] : Heb.large() ? [16, 26] : [13.5, 20];
    const size = Math.max(small, Math.min(tall, (0.75 * room) / Heb.Bars.DIGITS));
    root.style.setProperty("--number", `${size}px`);
    root.style.setProperty("--bar-width", `${Math.max(8, Math.min(48, Math.floor(room - size * Heb.Bars.DIGITS)))}px`);
    if (narrow) return root.style.setProperty("--bar", `${Math.min(most, 200 / this.rows.length)}px`);
    const used = [...stage.children].filter((child) => child.id !== "panels" && child.offsetHeight > 2);
    const gap = parseFloat(getComputedStyle(stage).rowGap) || 0;
    const panels = Math.max(158, Heb.panelNeed(this.score.panel, stage.clientHeight));
    const spare = stage.clientHeight - panels - used.reduce((sum, child) => sum + child.offsetHeight + gap, 0);
    const rows = this.rows.length + (this.score.rows.gated ? 1 : 0);
    root.style.setProperty("--bar", `${Math.floor(Math.max(least, Math.min(most, least + spare / rows)))}px`);
  }

  // The smallest share that stands out of the noise, and the step between two numbers that the
  // format can hold, of each trace and of a gated one, which holds one code, whose size is 1.
  limits({ timescales, precision, noise }) {
    const { sizes, peaks, code_peak, settings } = this.score.reading;
    const limit = (size, peak) => ({ noise: (noise / 100) * size, step: { int8: peak / 127, bfloat16: size / 256 }[precision] || 0 });
    const scale = (s) => Heb.traceSize(timescales[s]) / Heb.traceSize(settings.timescales[s]);
    return [...timescales.map((_, s) => limit(sizes[s] * scale(s), peaks[s] * scale(s))), limit(1, code_peak)];
  }

  draw(settings) {
    this.settings = settings;
    const { t, root, reading: { words }, rows: { gated } } = this.score;
    const { zoom } = Heb.Bars;
    const bar = parseFloat(getComputedStyle(root).getPropertyValue("--bar"));
    const limits = this.limits(settings);
    const set = (cell, share, name, { noise, step }) => {
      const drowned = share > 0 && (share < noise || share < step / 2);
      cell.classList.toggle("cut", share * zoom > 1);
      cell.classList.toggle("drowned", drowned);
      cell.children[0].style.height = `${Math.min(1, share * zoom) * bar}px`;
      cell.children[1].textContent = share >= 0.095 ? `${Math.round(100 * share)} %` : share >= 0.0005 ? `${(100 * share).toFixed(1)} %` : "";
      cell.title = share ? `${name}: ${(100 * share).toPrecision(2)} % of this trace${drowned ? `, less than ${share < noise ? "the noise" : "half a step"} in each number` : ""}` : "";
      cell.style.setProperty("--floor", `${Math.min(1, noise * zoom) * bar}px`);
      // Steps that are too close to be told apart are one band.
      const px = step * zoom * bar;
      cell.classList.toggle("stepped", px >= 3);
      cell.style.setProperty("--step", `${px}px`);
      cell.style.setProperty("--grain", `${px >= 3 ? 0 : Math.min(px, bar)}px`);
    };
    this.rows.forEach((cells, s) => {
      const tau = settings.timescales[s];
      cells.forEach((cell, j) => set(cell, j <= t ? Heb.share(tau, t - j) : 0, words[j], limits[s]));
      const before = cells[0].previousSibling;
      before.classList.add("rest");
      set(before, tau === 1 ? 0 : (1 - 1 / tau) ** (t + 1), "all words before", limits[s]);
    });
    if (gated) this.gate(gated, (cell, share) => set(cell, share, "", limits.at(-1)));
    this.say(settings);
  }

  // The new word drops from its column into every trace.
  pour(t) {
    if (Heb.still()) return;
    this.rows.forEach((cells, s) => {
      const drop = Heb.el("em", { class: "drop", "aria-hidden": "true", style: { "animation-delay": `${s * 90}ms` } }, this.score.reading.words[t]);
      drop.addEventListener("animationend", () => drop.remove());
      cells[t].append(drop);
    });
  }

  // A gated trace gives the word that it takes all of a row, and any other nothing.
  gate(cells, set) {
    const { t, reading: { words, places, slots } } = this.score;
    set(cells[0].previousSibling, 0);
    cells.forEach((cell, j) => {
      const slot = places ? places[t].indexOf(j) : -1;
      if (slot >= 0) cell.style.setProperty("--trace", Heb.roleColour(slots[slot]));
      set(cell, slot < 0 ? 0 : 1);
      if (slot >= 0) cell.title = `${words[j]}: all of the row of ${slots[slot]}`;
    });
  }

  say(settings) {
    const { zoom } = Heb.Bars;
    const full = zoom === 1 ? "full height 100 %" : `full height ${100 / zoom} %, enlarged ${zoom} times`;
    const bits = { int8: "8 bits", bfloat16: "16 bits" }[settings.precision];
    this.said.replaceChildren(...[
      Heb.el("span", { class: zoom > 1 ? "zoomed" : "" }, `Share of a trace, ${full}`),
      settings.noise ? Heb.el("span", { class: "legend noise" }, `noise ${settings.noise} %`) : null,
      bits ? Heb.el("span", { class: "legend steps" }, bits) : null,
    ].filter(Boolean));
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === zoom));
  }
};
