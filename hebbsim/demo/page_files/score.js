"use strict";
// The score: a column for each word, a row for each thing that happens to it. Built once for a
// reading; `show(t)` then changes only what word t changes.
Heb.Score = class {
  constructor(root, box, onPick) {
    Object.assign(this, { root, box, onPick, cells: [], t: -1 });
  }

  build(reading, rows, narrow) {
    this.reading = reading;
    this.t = -1;
    const n = reading.words.length;
    const taus = reading.settings.timescales;
    // As large as fits: every column as wide as its word, or its role, needs.
    const large = window.innerWidth >= 1500;
    const head = narrow ? 0 : large ? 182 : 142;
    const room = this.box.clientWidth - head - 68;
    const needs = (size, chip) => reading.words.map((word, j) => {
      const roles = [reading.gold && reading.gold[j], reading.roles[n - 1][j], reading.bigru && reading.bigru[n - 1][j]];
      const role = Math.max(...roles.map((name) => (name ? name.length : 0)));
      return Math.round(Math.min(150, Math.max(66, [...word].length * size * 0.66 + 16, [...word].length * chip * 0.58 + 28, role * chip * 0.7 + 22)));
    });
    const sizes = narrow ? [[19, 15]] : [...(large ? [[28, 20], [24, 18]] : []), [21, 16], [19, 15], [17, 14], [16, 13.5]];
    const [size, chip] = sizes.find((pair) => needs(...pair).reduce((a, b) => a + b, 0) <= room) || sizes.at(-1);
    const widths = needs(size, chip);
    const spare = Math.max(0, room - widths.reduce((a, b) => a + b, 0)) / n;
    const columns = widths.map((width) => `${Math.floor(Math.min(width + spare, 170))}px`).join(" ");
    const rtl = /^[^A-Za-z]*[\u0590-\u08ff\ufb1d-\ufefc]/.test(reading.words.join(" "));
    const { root } = this;
    root.dir = rtl ? "rtl" : "ltr";
    root.style.setProperty("--word", `${size}px`);
    root.style.setProperty("--chip", `${chip}px`);
    const shown = rows.filter((row) => (row === "gold" ? reading.gold : row === "bigru" ? reading.bigru : true));
    root.style.gridTemplateColumns = `${narrow ? "" : `${head}px`} 58px ${columns}`;
    root.replaceChildren();
    this.cells = [];
    this.rows = {};
    const label = (text, small, two) => Heb.el("div", { class: `label${two ? " two" : ""}` }, text, small ? Heb.el("small", {}, small) : null);
    const add = (key, head, first, make) => {
      if (!(narrow && key === "words")) root.append(head);
      root.append(first || Heb.el("div", { class: "cell" }));
      this.rows[key] = reading.words.map((word, j) => {
        const cell = make(word, j);
        cell.dataset.column = j;
        this.cells.push(cell);
        root.append(cell);
        return cell;
      });
    };
    add("words", label("words"), Heb.el("div", { class: "cell earlier" }, "before"), (word, j) =>
      Heb.el("div", { class: `cell word${reading.known[j] ? "" : " unknown"}` },
        Heb.el("button", { type: "button", dir: "auto", tabindex: "-1",
          title: reading.known[j] ? word : `${word}: a word that the learner has never seen`,
          onclick: () => this.onPick(j) }, word)));
    const blank = (cls) => () => Heb.el("div", { class: `cell ${cls}` });
    const parts = {
      roles: () => add("roles", label("role", "learned"), null, blank("")),
      gold: () => add("gold", label("role", "by the book"), null, (word, j) =>
        Heb.el("div", { class: "cell" }, Heb.role(reading.gold[j], { cls: "thin" }))),
      bigru: () => add("bigru", label("role", "BiGRU"), null, blank("")),
      traces: () => {
        this.bars = new Heb.Bars(this, root);
        taus.forEach((tau, s) => add(`trace${s}`, label(Heb.tauName(tau), `timescale ${tau}`, true), Heb.Bars.cell(), () => {
          const cell = Heb.Bars.cell();
          cell.style.setProperty("--trace", Heb.TRACES[s]);
          return cell;
        }));
      },
      linear: () => add("linear", label("simple reader"), null, blank("back")),
      cancellation: () => add("cancellation", label("clever reader"), null, blank("back")),
      kept: () => add("kept", label("selected"), null, blank("back")),
    };
    let group = "";
    this.bars = null;
    for (const key of shown) {
      const kind = key === "traces" ? "t" : ["roles", "gold", "bigru"].includes(key) ? "r" : "c";
      if (kind !== group) root.append(Heb.el("div", { class: "rule" }));
      group = kind;
      parts[key]();
    }
    if (this.bars) this.bars.fit(narrow);
  }

  // What settings that are still being dragged would do to the bars, which the page can tell.
  preview(settings) {
    if (this.bars) this.bars.draw(settings);
  }

  show(t) {
    const r = this.reading;
    if (!r) return;
    const before = this.t;
    this.t = t;
    for (const cell of this.cells) cell.classList.toggle("now", Number(cell.dataset.column) === t);
    this.rows.words.forEach((cell, j) => cell.classList.toggle("future", j > t));
    const fill = (cell, node) => (node ? cell.replaceChildren(node) : cell.replaceChildren());
    if (this.rows.roles) {
      this.rows.roles.forEach((cell, j) => {
        const role = j <= t ? r.roles[t][j] : null;
        if (!role) return fill(cell, null);
        const node = Heb.role(role);
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
    if (this.bars) this.bars.draw(r.settings);
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
    if (this.rows.kept) {
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
    this.follow(t);
  }

  // Scroll the box, not the page, so that word t can be seen.
  follow(t) {
    const cell = this.rows.words[t];
    const [outer, inner] = [this.box.getBoundingClientRect(), cell.getBoundingClientRect()];
    const left = outer.left + 200 * (outer.width > 700), right = outer.right - 20;
    if (inner.left < left) this.box.scrollLeft -= left - inner.left + 20;
    else if (inner.right > right) this.box.scrollLeft += inner.right - right + 40;
  }
};
