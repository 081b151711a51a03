"use strict";
// The memory and its rule: sliders that ask for a new reading when they are let go.
Heb.PRECISIONS = [["float64", "64 bits"], ["float32", "32"], ["bfloat16", "16"], ["int8", "8"]];
Heb.NOISES = [0, 0.1, 1, 3, 10, 30, 100];
Heb.ETAS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
Heb.Memory = class {
  constructor(root, state, change, preview) {
    Object.assign(this, { root, state, change, preview });
  }

  // What has the focus keeps it, although the sliders are drawn anew.
  draw() {
    const focus = document.activeElement && this.root.contains(document.activeElement) ? document.activeElement.id : "";
    const s = this.state.settings;
    const fixed = this.state.recorded;
    const nodes = [Heb.el("h2", {}, "The memory")];
    nodes.push(fixed ? this.presets(fixed) : this.taus(s));
    nodes.push(Heb.el("h3", { id: "bits-name" }, "Precision of each number"), this.choices("bits", Heb.PRECISIONS, s.precision, (v) => this.change({ precision: v })));
    const noises = fixed ? fixed.noises : Heb.NOISES;
    const noise = this.slider("noise", "Noise in the traces", noises, s.noise, (v) => (v ? `${v} % of their size` : "none"), (v) => this.change({ noise: v }));
    nodes.push(...noise);
    if (!fixed) {
      nodes.push(Heb.el("h2", { style: { "margin-top": "16px" } }, "The rule of the weights"));
      const rules = this.state.hello ? this.state.hello.rules : [{ name: s.rule, source: "", equation: "" }];
      const select = Heb.el("select", { id: "rule", "aria-label": "Learning rule", onchange: (e) => this.change({ rule: e.target.value }, "weights") },
        rules.map(({ name, source }) => {
          // A rule of the class's own may give no paper.
          const paper = /^([^,]+),.*?\((\d{4})\)/.exec(source);
          return Heb.el("option", { value: name, selected: name === s.rule, title: source }, `${name.replaceAll("_", " ")}${paper ? ` (${paper[1]} ${paper[2]})` : ""}`);
        }));
      nodes.push(select);
      const known = rules.find(({ name }) => name === s.rule);
      if (known) nodes.push(Heb.el("p", { class: "equation" }, known.equation));
      nodes.push(...this.slider("eta", "Learning rate", Heb.ETAS, s.eta, (v) => String(v), (v) => this.change({ eta: v }, "weights")));
      const fresh = Heb.el("input", { type: "checkbox", id: "fresh", onchange: (e) => this.change({ fresh: e.target.checked }, "weights") });
      fresh.checked = s.fresh;
      nodes.push(Heb.el("label", { class: "line" }, fresh, "Weights start from nothing"));
    } else {
      nodes.push(Heb.el("p", { style: { "margin-top": "14px", color: "var(--soft)" } },
        "This is a recording. With Python, “hebbsim demo” lets you type sentences, move every slider and learn live."));
    }
    this.root.replaceChildren(...nodes.flat());
    if (focus && Heb.$(focus)) Heb.$(focus).focus();
  }

  taus(s) {
    const list = s.timescales;
    const rows = list.map((tau, i) => {
      const name = Heb.el("span", {}, `timescale ${tau}`);
      const range = Heb.el("input", { type: "range", min: 1, max: 64, step: 1, value: tau, id: `tau${i}`, "aria-label": `Timescale of trace ${i + 1}, in words`,
        oninput: (e) => { name.textContent = `timescale ${e.target.value}`; },
        onchange: (e) => this.setTau(i, Number(e.target.value)) });
      range.style.accentColor = Heb.TRACES[i];
      return Heb.el("div", { class: "tau" }, name, range,
        Heb.el("button", { type: "button", "aria-label": `Remove timescale ${tau}`, id: `drop${i}`, disabled: list.length === 1,
          onclick: () => this.change({ timescales: list.filter((_, j) => j !== i) }) }, "×"));
    });
    const free = [4, 16, 64, 1, 8, 2, 32, 12].find((tau) => !list.includes(tau));
    return [Heb.el("h3", {}, "Traces", Heb.el("output", {}, "timescale in words")), ...rows,
      list.length < 6 ? Heb.el("button", { type: "button", class: "add", id: "add-tau", onclick: () => this.change({ timescales: [...list, free].sort((a, b) => a - b) }) }, "Add a trace") : null].filter(Boolean);
  }

  setTau(i, value) {
    const others = this.state.settings.timescales.filter((_, j) => j !== i);
    // No two traces alike: the next free timescale.
    while (others.includes(value)) value = value < 64 ? value + 1 : value - 1;
    this.change({ timescales: [...others, value].sort((a, b) => a - b) });
  }

  presets(fixed) {
    const now = this.state.settings.timescales.join(",");
    return [Heb.el("h3", {}, "Traces", Heb.el("output", {}, "timescales in words")),
      Heb.el("select", { id: "presets", "aria-label": "Timescales", onchange: (e) => this.change({ timescales: e.target.value.split(",").map(Number) }) },
        fixed.timescales.map((list) => Heb.el("option", { value: list.join(","), selected: list.join(",") === now }, list.join(", "))))];
  }

  choices(name, options, value, then) {
    return Heb.el("div", { class: "choices", role: "radiogroup", "aria-labelledby": `${name}-name` }, options.map(([key, text]) => {
      const input = Heb.el("input", { type: "radio", name, value: key, id: `${name}-${key}`, "aria-label": key, onchange: () => then(key) });
      input.checked = key === value;
      return Heb.el("label", {}, input, text);
    }));
  }

  slider(id, title, values, value, say, then) {
    const nearest = values.reduce((best, v, i) => (Math.abs(v - value) < Math.abs(values[best] - value) ? i : best), 0);
    const out = Heb.el("output", { for: id }, say(values[nearest]));
    const range = Heb.el("input", { id, type: "range", min: 0, max: values.length - 1, step: 1, value: nearest, "aria-label": title, "aria-valuetext": say(values[nearest]),
      oninput: (e) => { const v = values[e.target.value]; out.textContent = say(v); e.target.setAttribute("aria-valuetext", say(v)); },
      onchange: (e) => then(values[e.target.value]) });
    return [Heb.el("h3", {}, title, out), range];
  }
};
