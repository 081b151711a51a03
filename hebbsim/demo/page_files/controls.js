"use strict";
// The memory and its rule. What can be told without the server follows the pointer (`preview`);
// a new reading is asked for as well, and once more when a slider is let go (`change`).
Heb.PRECISIONS = [["float64", "64 bits"], ["float32", "32"], ["bfloat16", "16"], ["int8", "8"]];
Heb.NOISES = [0, 0.1, 1, 3, 10, 30, 100];
Heb.ETAS = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
Heb.Memory = class {
  constructor(root, state, change, preview) {
    Object.assign(this, { root, state, change, preview, built: "" });
  }

  // Built anew only if there are other sliders: what is being dragged must stay where it is.
  draw() {
    const s = this.state.settings;
    const kind = [s.timescales.length, Boolean(this.state.hello), this.state.recorded ? "recorded" : "live"].join();
    if (kind !== this.built) this.build();
    this.built = kind;
    for (const update of this.updates) update(s);
  }

  build() {
    const active = document.activeElement;
    const focus = active && this.root.contains(active) ? active.id : "";
    const fixed = this.state.recorded;
    this.updates = [];
    const nodes = [Heb.el("h2", {}, "The memory"), fixed ? this.presets(fixed) : this.taus(),
      Heb.el("h3", { id: "bits-name" }, "Precision of each number"), this.choices("bits", Heb.PRECISIONS, "precision"),
      this.slider("noise", "Noise in the traces", () => (fixed ? fixed.noises : Heb.NOISES), "noise", (v) => (v ? `${v} % of their size` : "none"))];
    const all = this.state.hello ? this.state.hello.rules : [];
    // A recording learns by those rules that it knows itself.
    const [rules, others] = [true, false].map((own) => all.filter(({ name }) => (!fixed || name in Heb.RULES) === own));
    nodes.push(...this.rule(rules));
    if (fixed) {
      nodes.push(Heb.el("p", { class: "recorded" },
        `This is a recording. It has only these settings of the traces, noise only with 32 bits, and a replay of “Learn live”. It lacks the rules whose units do not stand for groups of words: ${Heb.listed(others.map(({ name }) => name.replaceAll("_", " ")))}. “hebbsim demo” has everything.`));
    }
    this.root.replaceChildren(...nodes.flat());
    if (focus && Heb.$(focus)) Heb.$(focus).focus();
  }

  taus() {
    const list = () => this.state.settings.timescales;
    const rows = list().map((_, i) => {
      const name = Heb.el("span", {});
      // A trace moves between its neighbours: none is passed, and no two are alike.
      const kept = (e) => {
        const now = list();
        const value = Math.min((now[i + 1] || 65) - 1, Math.max((now[i - 1] || 0) + 1, Number(e.target.value)));
        return { timescales: now.map((tau, j) => (j === i ? value : tau)) };
      };
      const range = Heb.el("input", { type: "range", min: 1, max: 64, step: 1, id: `tau${i}`, "aria-label": `Timescale of trace ${i + 1}, in words`,
        oninput: (e) => this.preview(kept(e)), onchange: (e) => this.change(kept(e)) });
      const drop = Heb.el("button", { type: "button", id: `drop${i}`, onclick: () => this.change({ timescales: list().filter((_, j) => j !== i) }) }, "×");
      this.updates.push((s) => {
        const tau = s.timescales[i];
        name.textContent = `timescale ${tau}`;
        range.value = tau;
        range.style.accentColor = Heb.traceColours(s.timescales)[i];
        drop.setAttribute("aria-label", `Remove timescale ${tau}`);
        drop.disabled = s.timescales.length === 1;
      });
      return Heb.el("div", { class: "tau" }, name, range, drop);
    });
    const add = () => {
      const free = [4, 16, 64, 1, 8, 2, 32, 12].find((tau) => !list().includes(tau));
      this.change({ timescales: [...list(), free].sort((a, b) => a - b) });
    };
    return [Heb.el("h3", {}, "Traces", Heb.el("output", {}, "timescale in words")), ...rows,
      rows.length < 6 ? Heb.el("button", { type: "button", class: "add", id: "add-tau", onclick: add }, "Add a trace") : null].filter(Boolean);
  }

  presets(fixed) {
    const select = Heb.el("select", { id: "presets", "aria-label": "Timescales", onchange: (e) => this.change({ timescales: e.target.value.split(",").map(Number) }) },
      fixed.timescales.map((list) => Heb.el("option", { value: list.join(",") }, list.join(", "))));
    this.updates.push((s) => { select.value = s.timescales.join(","); });
    return [Heb.el("h3", {}, "Traces", Heb.el("output", {}, "timescales in words")), select];
  }

  rule(rules) {
    const select = Heb.el("select", { id: "rule", "aria-label": "Learning rule",
      // Each rule starts at the rate that it is known to be stable at.
      onchange: (e) => this.change({ rule: e.target.value, eta: rules.find(({ name }) => name === e.target.value).eta }, "weights") },
      rules.map(({ name, source }) => {
        // A rule of the class's own may give no paper.
        const paper = /^([^,]+),.*?\((\d{4})\)/.exec(source);
        return Heb.el("option", { value: name, title: source }, `${name.replaceAll("_", " ")}${paper ? ` (${paper[1]} ${paper[2]})` : ""}`);
      }));
    const equation = Heb.el("p", { class: "equation" });
    const fresh = Heb.el("input", { type: "checkbox", id: "fresh", onchange: (e) => this.change({ fresh: e.target.checked }, "weights") });
    this.updates.push((s) => {
      select.value = s.rule;
      equation.textContent = (rules.find(({ name }) => name === s.rule) || { equation: "" }).equation;
      fresh.checked = s.fresh;
    });
    const etas = () => [...new Set([...Heb.ETAS, ...rules.map(({ eta }) => eta)])].sort((a, b) => a - b);
    return [Heb.el("h2", { style: { "margin-top": "16px" } }, "The rule of the weights"), select, equation,
      ...this.slider("eta", "Learning rate", etas, "eta", String, "weights"),
      Heb.el("label", { class: "line" }, fresh, "Weights start from nothing")];
  }

  choices(name, options, field) {
    return Heb.el("div", { class: "choices", role: "radiogroup", "aria-labelledby": `${name}-name` }, options.map(([key, text]) => {
      const input = Heb.el("input", { type: "radio", name, value: key, id: `${name}-${key}`, "aria-label": key, onchange: () => this.change({ [field]: key }) });
      this.updates.push((s) => { input.checked = key === s[field]; });
      return Heb.el("label", {}, input, text);
    }));
  }

  slider(id, title, list, field, say, tab) {
    const values = list();
    const out = Heb.el("output", { for: id });
    const told = (e) => ({ [field]: values[e.target.value] });
    const range = Heb.el("input", { id, type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": title,
      oninput: (e) => this.preview(told(e)), onchange: (e) => this.change(told(e), tab) });
    this.updates.push((s) => {
      // A link may hold a value between two of these: it is said as it is.
      range.value = values.reduce((best, v, i) => (Math.abs(v - s[field]) < Math.abs(values[best] - s[field]) ? i : best), 0);
      out.textContent = say(s[field]);
      range.setAttribute("aria-valuetext", say(s[field]));
    });
    return [Heb.el("h3", {}, title, out), range];
  }
};
