"use strict";
// Rows that wait for the server while something is dragged.
const SERVED = ["roles", "linear", "cancellation", "kept", "gated"];
// The score: a column for each word, a row for each thing that happens to it. Built once for a
// reading; `show(t)` then changes only what word t changes.
Heb.Score = class {
  constructor(root, box, onPick, onFollow, onZoom) {
    Object.assign(this, { root, box, onPick, onFollow, onZoom, cells: [], t: -1 });
    box.addEventListener("scroll", () => this.sayHidden(), { passive: true });
  }

  build(reading, rows, narrow) {
    this.reading = reading;
    this.shown = null;
    this.t = -1;
    const n = reading.words.length;
    const taus = reading.settings.timescales;
    // As large as fits: every column as wide as its word, or its role, needs.
    const large = Heb.large();
    const head = narrow ? 0 : large ? 166 : 136;
    // What was before the sentence has a column where there are bars.
    const traced = rows.includes("traces");
    const first = traced ? (large ? 62 : 58) : 0;
    const room = this.box.clientWidth - head - first - 8;
    // A bar and its number need more than a short word.
    const least = traced ? (large ? 62 : 54) : 48;
    // Rows of readers mark what is right before the word.
    const readers = ["linear", "cancellation", "kept"].some((row) => rows.includes(row));
    const needs = (size, chip) => reading.words.map((word, j) => {
      const roles = [reading.gold && reading.gold[j], reading.roles && reading.roles[n - 1][j], reading.bigru && reading.bigru[n - 1][j]];
      const role = Math.max(...roles.map((name) => (name ? Heb.width(name, chip) : 0)));
      const marked = !reading.known[j] || (reading.gold && roles[1] && roles[1] !== roles[0]);
      const read = readers ? Heb.width(word, chip) + 22 : 0;
      return Math.ceil(Math.min(190, Math.max(least, Heb.width(word, size) + 10, read, role + (marked ? 36 : 20)))) + (narrow ? 4 : 0);
    });
    const sizes = narrow ? [[19, 15]] : [...(large ? [[28, 20], [24, 18]] : []), [21, 16], [19, 15], [17, 14], [16, 13.5], [15, 13]];
    const [size, chip] = sizes.find((pair) => needs(...pair).reduce((a, b) => a + b, 0) <= room) || sizes.at(-1);
    const widths = needs(size, chip);
    const spare = Math.max(0, room - widths.reduce((a, b) => a + b, 0)) / (n + traced);
    const columns = widths.map((width) => `${Math.floor(width + spare)}px`).join(" ");
    const rtl = /^[^A-Za-z]*[\u0590-\u08ff\ufb1d-\ufefc]/.test(reading.words.join(" "));
    const { root } = this;
    root.dir = rtl ? "rtl" : "ltr";
    root.style.setProperty("--word", `${size}px`);
    root.style.setProperty("--chip", `${chip}px`);
    const shown = rows.filter((row) => (row === "gold" ? reading.gold : row === "bigru" ? reading.bigru : true));
    // Room behind the last word, so that the first column in sight is never a half. It is a column,
    // so that what stays in sight while words are scrolled has room as well.
    const behind = spare ? "" : `${Math.max(...widths) + 30}px`;
    root.style.gridTemplateColumns = `${narrow ? "" : `${head}px`} ${first && Math.floor(first + spare)}px ${columns} ${behind}`;
    root.replaceChildren();
    this.box.scrollLeft = 0;
    this.cells = [];
    this.rows = {};
    const label = (text, small, two) => Heb.el("div", { class: `label${two ? " two" : ""}`, role: "rowheader" }, text, small ? Heb.el("small", {}, small) : null);
    const add = (key, head, first, make) => {
      const row = Heb.el("div", { class: "row", role: "row" }, narrow && key === "words" ? null : head, first || Heb.el("div", { class: "cell", role: "cell" }));
      row.lastChild.classList.add("first");
      if (first && !first.hasAttribute("role")) first.setAttribute("role", key === "words" ? "columnheader" : "cell");
      this.rows[key] = reading.words.map((word, j) => {
        const cell = make(word, j);
        cell.dataset.column = j;
        cell.setAttribute("role", key === "words" ? "columnheader" : "cell");
        if (SERVED.includes(key)) cell.classList.add("served");
        this.cells.push(cell);
        row.append(cell);
        return cell;
      });
      root.append(row);
    };
    this.more = Heb.el("small", { class: "more" });
    const words = label("words");
    words.append(this.more);
    add("words", words, Heb.el("div", { class: "cell earlier" }, traced ? "before" : ""), (word, j) =>
      Heb.el("div", { class: `cell word${reading.known[j] ? "" : " unknown"}` },
        Heb.el("button", { type: "button", dir: "auto", tabindex: "-1",
          title: reading.known[j] ? word : `${word}: a word that the learner has never seen`,
          onclick: () => this.onPick(j) }, word)));
    const blank = (cls) => () => Heb.el("div", { class: `cell ${cls}` });
    const parts = {
      roles: () => add("roles", label("role", "learned"), null, blank("")),
      gold: () => add("gold", label("role", "textbook"), null, (word, j) =>
        Heb.el("div", { class: "cell" }, Heb.role(reading.gold[j], { cls: "thin" }))),
      bigru: () => add("bigru", label("role", "BiGRU"), null, blank("")),
      traces: () => {
        this.bars = new Heb.Bars(this, root);
        const colours = Heb.traceColours(taus);
        taus.forEach((tau, s) => add(`trace${s}`, label(Heb.tauName(tau), `timescale ${tau}`, true), Heb.Bars.cell(), (word, j) => {
          const cell = Heb.Bars.cell();
          cell.style.setProperty("--trace", colours[s]);
          cell.style.cursor = "pointer";
          cell.addEventListener("click", () => this.onFollow(s, j));
          return cell;
        }));
      },
      gated: () => add("gated", label("gated trace", "α by the word", true), Heb.Bars.cell(), () => Heb.Bars.cell()),
      linear: () => add("linear", label("simple reader"), null, blank("back")),
      cancellation: () => add("cancellation", label("clever reader"), null, blank("back")),
      kept: () => add("kept", label("selected"), null, blank("back")),
    };
    let group = "";
    this.bars = null;
    for (const key of shown) {
      const kind = key === "traces" || key === "gated" ? "t" : ["roles", "gold", "bigru"].includes(key) ? "r" : "c";
      if (kind !== group) root.append(Heb.el("div", { class: "rule", "aria-hidden": "true" }));
      group = kind;
      parts[key]();
    }
    if (this.bars) this.bars.fit(narrow);
  }

  // What is wider than its column is made narrower; it is never cut. Columns are as wide as words
  // and their last roles, and readers and roles on the way may say something longer.
  narrow(rows) {
    const spans = rows.flat().filter((cell) => cell && cell.lastElementChild).map((cell) => ({ cell, span: cell.lastElementChild }));
    const sizes = spans.map(({ cell, span }) => [cell.clientWidth - 5 - (cell.classList.contains("right") ? 17 : 0), span.offsetWidth]);
    spans.forEach(({ span }, i) => {
      const [room, width] = sizes[i];
      if (width > room) Object.assign(span.style, { transform: `scaleX(${room / width})`, margin: `0 ${(room - width) / 2}px` });
    });
  }

  // What settings that are still being dragged would do to the bars, which the page can tell.
  preview(settings) {
    if (!this.bars || settings.timescales.length !== this.reading.settings.timescales.length) return;
    this.shown = settings;
    this.bars.draw(settings);
    const colours = Heb.traceColours(settings.timescales);
    this.bars.rows.forEach((cells, s) => {
      const tau = settings.timescales[s];
      for (const cell of cells) cell.style.setProperty("--trace", colours[s]);
      const label = cells[0].parentElement.firstChild;
      if (label.classList.contains("label")) label.replaceChildren(Heb.tauName(tau), Heb.el("small", {}, `timescale ${tau}`));
    });
  }

  show(t) {
    const r = this.reading;
    if (!r) return;
    const before = this.t;
    this.t = t;
    for (const cell of this.cells) cell.classList.toggle("now", Number(cell.dataset.column) === t);
    this.rows.words.forEach((cell, j) => cell.classList.toggle("future", j > t));
    const fill = (cell, node) => (node ? cell.replaceChildren(node) : cell.replaceChildren());
    if (this.rows.roles && r.roles) {
      this.rows.roles.forEach((cell, j) => {
        const role = j <= t ? r.roles[t][j] : null;
        if (!role) return fill(cell, null);
        const node = r.known[j] ? Heb.role(role) : Heb.role(role, { cls: "guess", title: `a guess: the learner has never seen “${r.words[j]}”` });
        if (r.gold && r.gold[j] !== role) node.classList.add("wrong");
        if (before >= 0 && j <= before && r.roles[before][j] !== role) node.classList.add("changed");
        fill(cell, node);
      });
    }
    if (this.rows.bigru) {
      this.rows.bigru.forEach((cell, j) => {
        const role = j <= t ? r.bigru[t][j] : null;
        const node = role && Heb.role(role, { cls: "thin" });
        if (node && r.gold && r.gold[j] !== role) node.classList.add("wrong");
        fill(cell, node);
      });
    }
    if (this.bars) {
      this.bars.draw(this.shown || r.settings);
      if (t === before + 1) this.bars.pour(t);
    }
    for (const key of ["linear", "cancellation"]) {
      if (!this.rows[key]) continue;
      this.rows[key].forEach((cell, j) => {
        const word = j <= t ? r[key][t][t - j] : undefined;
        cell.className = `cell back${j === t ? " now" : ""}`;
        if (word === undefined) return fill(cell, null);
        cell.classList.add(word === r.words[j] ? "right" : "wrong");
        fill(cell, Heb.el("span", { dir: "auto", title: word }, word));
      });
    }
    if (this.rows.kept && r.places) {
      const places = r.places[t];
      this.rows.kept.forEach((cell, j) => {
        const slot = places.indexOf(j);
        cell.className = `cell back${j === t ? " now" : ""}`;
        if (j > t) return fill(cell, null);
        if (slot < 0) { cell.classList.add("none"); return fill(cell, Heb.el("span", { title: "not kept" }, "–")); }
        const word = r.kept[t][slot];
        cell.classList.add(word === r.words[j] ? "right" : "wrong");
        fill(cell, Heb.el("span", { dir: "auto", title: `kept as ${r.slots[slot]}` }, word));
      });
    }
    this.narrow(["roles", "gold", "bigru", "linear", "cancellation", "kept"].map((key) => this.rows[key] || []));
    this.follow(t);
  }

  // How many words are out of sight on either side, in whole or in part.
  hidden() {
    const outer = this.box.getBoundingClientRect();
    const label = this.rows.words[0].parentElement.querySelector(".label");
    const rtl = this.root.dir === "rtl", edge = label && label.getBoundingClientRect();
    const left = edge && !rtl ? edge.right : outer.left, right = edge && rtl ? edge.left : outer.right;
    const boxes = this.rows.words.map((word) => word.getBoundingClientRect());
    return [boxes.filter((box) => box.left < left - 2).length, boxes.filter((box) => box.right > right + 2).length];
  }

  // Nobody misses a word without knowing that it is there.
  sayHidden() {
    if (!this.reading) return;
    const [left, right] = this.hidden();
    this.box.classList.toggle("more-left", left > 0);
    this.box.classList.toggle("more-right", right > 0);
    this.more.textContent = [left ? `← ${left}` : "", right ? `${right} →` : ""].join(" ");
    this.more.title = `words out of sight: ${left} to the left, ${right} to the right`;
  }

  // Scroll the box, not the page, so that word t can be seen.
  follow(t) {
    const cell = this.rows.words[t];
    const [outer, inner] = [this.box.getBoundingClientRect(), cell.getBoundingClientRect()];
    const left = outer.left + 200 * (outer.width > 700), right = outer.right - 20;
    if (inner.left < left) this.box.scrollLeft -= left - inner.left + 20;
    else if (inner.right > right) this.box.scrollLeft += inner.right - right + 8;
    // No column is cut by the labels.
    const first = this.rows.words[0].parentElement.firstChild;
    const edge = first.classList.contains("label") ? first.getBoundingClientRect().right : outer.left;
    const columns = [this.rows.words[0].previousSibling, ...this.rows.words];
    const cut = columns.map((word) => word.getBoundingClientRect()).find((box) => box.left < edge - 1 && box.right > edge + 1);
    if (cut && this.root.dir === "ltr") this.box.scrollLeft += cut.right - edge;
    this.sayHidden();
  }
};
