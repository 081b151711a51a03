"use strict";
// Guided lessons: each step says something, sets the stage, asks, lets the class predict, and
// reveals. Numbers in what it says are filled in from what the page has just measured.
Heb.facts = (state) => {
  const facts = {};
  const r = state.pending.reading ? null : state.reading, s = state.pending.survival ? null : state.survival, h = state.hello, l = state.learning;
  if (r) {
    const t = r.words.length - 1;
    const right = (key) => r[key][t].filter((word, k) => word === r.words[t - k]).length;
    Object.assign(facts, {
      n_words: r.words.length, linear_right: right("linear"), clever_right: right("cancellation"),
      n_numbers: r.settings.timescales.length * 64,
    });
    if (r.roles) Object.assign(facts, {
      kept_right: r.places[t].filter((place, slot) => place >= 0 && r.kept[t][slot] === r.words[place]).length,
      n_slots: r.slots.length, slot_roles: r.slots.join(", "),
      kept_words: r.places[t].filter((p) => p >= 0).sort((a, b) => a - b).map((p) => r.words[p]).join(", "),
      roles_list: r.words.map((w, j) => `${w} ${r.roles[t][j] || "–"}`).join(", "),
    });
  }
  if (s) {
    if (s.roles !== null) Object.assign(facts, { roles_pct: Heb.percent(s.roles, 1), args_pct: Heb.percent(s.arguments) });
    s.linear.forEach((v, k) => { facts[`linear_${k}`] = Heb.percent(v); facts[`clever_${k}`] = Heb.percent(s.cancellation[k]); });
  }
  if (h) Object.assign(facts, { n_sentences: h.n_sentences.toLocaleString("en"), n_clusters: h.n_clusters, n_corpus: h.n_words.toLocaleString("en"), lookup_pct: Heb.percent(h.references.lookup, 1), majority_pct: Heb.percent(h.references.majority), lookup_args: Heb.percent(h.references.lookup_arguments), word_pct: Heb.percent(h.references.word), live_clusters: h.live_clusters, args: Heb.listed(h.argument_roles.map(Heb.plural)) });
  if (l && l.curve.length) {
    const [first, last] = [l.curve[0], l.curve.at(-1)];
    Object.assign(facts, { live_first_words: first[0].toLocaleString("en"), live_first: Heb.percent(first[1]), live_words: last[0].toLocaleString("en"), live_pct: Heb.percent(last[1]) });
  }
  return facts;
};

// Bold between asterisks, numbers between braces; anything not measured yet shows as dots.
Heb.say = (text, facts) =>
  text.split(/(\*[^*]+\*)/).map((part) => {
    const bold = part.startsWith("*");
    const filled = (bold ? part.slice(1, -1) : part).replace(/\{(\w+)\}/g, (_, name) => facts[name] ?? "…");
    return bold ? Heb.el("strong", {}, Heb.whole(filled)) : Heb.whole(filled);
  }).flat();

Heb.Lesson = class {
  constructor(root, lessons, act) {
    Object.assign(this, { root, lessons, act, number: -1, at: 0, chosen: null, revealed: false, was: {} });
  }

  get lesson() { return this.lessons[this.number]; }
  get step() { return this.lesson && this.lesson.steps[this.at]; }

  open(number, at = 0) {
    this.number = number;
    this.go(at);
  }

  go(at) {
    this.at = Math.max(0, Math.min(at, this.lesson.steps.length - 1));
    this.chosen = null;
    this.revealed = false;
    this.was = {};
    this.spoken = "";
    this.act.stage(this.step.stage || {});
    this.act.ballot(this.step.question.options.length);
    this.draw();
    this.act.speak(`Step ${this.at + 1}: ${this.step.title}. ${this.step.question.text}`);
    this.root.scrollIntoView({ block: "nearest" });
    if (this.root.parentElement) this.root.parentElement.scrollTop = 0;
  }

  // As large as fits beside the stage; what is still too long is scrolled, its buttons are not. What
  // the roles mean stands there where there is room. A phone has type of one size, and little space.
  fit() {
    const side = this.root.parentElement, key = this.root.querySelector(".role-key");
    for (const [scale, tight] of Heb.narrow() ? [[1, true]] : [[1, false], [0.96, false], [0.92, false], [0.92, true], [0.88, true], [0.85, true]]) {
      this.root.style.setProperty("--fit", scale);
      this.root.classList.toggle("tight", tight);
      if (key && side.scrollHeight > side.clientHeight) key.remove();
      if (side.scrollHeight <= side.clientHeight) return;
    }
  }

  next() { if (this.at < this.lesson.steps.length - 1) this.go(this.at + 1); else if (this.number < this.lessons.length - 1) this.act.open(this.number + 1); }
  previous() { if (this.at > 0) this.go(this.at - 1); }

  reveal() {
    const q = this.step && this.step.question;
    if (!q || this.revealed || this.act.waiting()) return;
    this.asked = this.act.facts();
    this.was = Object.fromEntries(Object.entries(this.asked).map(([k, v]) => [`was_${k}`, v]));
    this.revealed = true;
    this.act.ballot(0);
    this.draw();
    if (q.then) this.act.stage(q.then);
    const found = this.root.querySelector(".reveal");
    if (found) found.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const { lesson, step } = this;
    if (!step) return;
    const active = document.activeElement;
    const focus = active && this.root.contains(active) ? active.dataset.key : null;
    const facts = { ...this.act.facts(), ...this.was };
    const tally = this.act.tally();
    // What was asked stays as it was asked, whatever the reveal measures.
    const asked = this.revealed ? this.asked : facts;
    const nodes = [
      Heb.el("div", { class: "dots" }, lesson.steps.map((_, i) => Heb.el("i", { class: i === this.at ? "here" : i < this.at ? "done" : "" })),
        Heb.el("span", {}, `step ${this.at + 1} of ${lesson.steps.length}${tally ? "" : `, ${lesson.minutes} minutes in all`}`),
        tally ? Heb.el("button", { type: "button", class: "ballot", "data-key": "ballot", "aria-haspopup": "dialog", title: "Show the code by which phones vote (V)", onclick: () => this.act.showBallot() }, "Vote by phone") : null),
      Heb.el("h2", {}, step.title),
      ...step.text.map((text) => Heb.el("p", {}, Heb.say(text, asked))),
    ];
    if (step.task) nodes.push(Heb.el("p", { class: "task" }, Heb.say(step.task, asked)));
    const q = step.question;
    const votes = (i) => (tally && tally[i] !== undefined ? Heb.el("em", { class: "votes", "aria-label": `${tally[i]} votes` }, String(tally[i])) : null);
    if (q) {
      nodes.push(Heb.el("div", { class: "question" }, Heb.el("p", {}, Heb.say(q.text, asked)),
        Heb.el("div", { class: `options${!this.revealed && q.options.every((text) => text.length <= 11) ? " short" : ""}`, role: "group", "aria-label": "What does the class say?" }, q.options.map((text, i) =>
          this.revealed && i !== q.answer && i !== this.chosen ? null : Heb.el("button", { type: "button", "data-key": `option${i}`, "aria-pressed": String(this.chosen === i), class: this.revealed ? (i === q.answer ? "answer" : "missed") : "",
            onclick: () => { if (!this.revealed) { this.chosen = i; this.draw(); } } },
            Heb.el("b", {}, "ABCD"[i]), Heb.el("span", {}, Heb.say(text, asked)), votes(i), this.revealed && i === q.answer ? " ✓" : null))),
        tally && this.revealed ? Heb.el("div", { class: "tally", role: "group", "aria-label": "What phones said" }, tally.map((count, i) =>
          Heb.el("span", { class: i === q.answer ? "right" : "" }, Heb.el("b", {}, "ABCD"[i]), ` ${count}`))) : null,
        tally && this.act.suspicion() ? Heb.el("small", { class: "from" }, this.act.suspicion()) : null,
        this.revealed ? Heb.el("div", { class: "reveal" }, q.reveal.map((text) => Heb.el("p", {}, Heb.say(text, facts)))) : null));
    }
    const last = this.at === lesson.steps.length - 1;
    const onwards = `next${!q || this.revealed ? " main" : ""}`;
    const following = this.lessons[this.number + 1];
    const key = Heb.narrow() ? null : this.act.roleKey();
    if (key) nodes.push(key);
    nodes.push(Heb.el("div", { class: "steps" },
      Heb.el("button", { type: "button", "data-key": "previous", disabled: this.at === 0, onclick: () => this.previous() }, "Back"),
      !q || this.revealed ? null : Heb.el("button", { type: "button", class: "main", "data-key": "reveal", disabled: this.act.waiting(), onclick: () => this.reveal() }, this.chosen === null ? "Reveal" : `Class: ${"ABCD"[this.chosen]}. Reveal`),
      last ? (following ? Heb.el("button", { type: "button", class: onwards, "data-key": "next", onclick: () => this.next() }, `Lesson ${this.number + 2}`)
        : Heb.el("button", { type: "button", class: onwards, "data-key": "next", onclick: () => this.act.open(-1) }, "Explore"))
        : Heb.el("button", { type: "button", class: onwards, "data-key": "next", onclick: () => this.next() }, "Next")));
    const text = nodes.map((node) => node.outerHTML).join("");
    if (text === this.drawn && this.root.firstChild) return;
    this.drawn = text;
    this.root.replaceChildren(...nodes);
    this.fit();
    const found = this.root.querySelector(".reveal");
    if (found && !found.innerText.includes("…") && found.innerText !== this.spoken) {
      this.spoken = found.innerText;
      this.act.speak(found.innerText);
    }
    if (focus) {
      const same = this.root.querySelector(`[data-key="${focus}"]`) || this.root.querySelector('[data-key="next"]');
      if (same && !same.disabled) same.focus({ preventScroll: true });
      else this.root.querySelector('[data-key="next"]').focus({ preventScroll: true });
    }
  }
};
