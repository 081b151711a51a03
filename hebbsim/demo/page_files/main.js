"use strict";
// The page as a whole: what it shows now, the clock that plays, and where readings come from,
// a Bokeh server (live) or this very file (recorded).
(() => {
  const { $, el } = Heb;
  const data = JSON.parse($("data").textContent);
  const ALL_ROWS = ["roles", "gold", "bigru", "traces", "linear", "cancellation", "kept"];
  const DEFAULTS = { timescales: [2, 8, 32], precision: "float32", noise: 0, rule: "delta", eta: 0.1, fresh: false, live: false };
  const SPEEDS = [2400, 1600, 1000, 600, 320];
  const state = {
    hello: null, reading: null, survival: null, learning: { running: false, done: false, curve: [] },
    settings: { ...DEFAULTS }, request: { example: 0 }, t: 0, playing: false, speed: 2,
    rows: ALL_ROWS, tab: "survival", asked: 0, at: "end", pending: { reading: true, survival: true }, recorded: data.recorded || null,
  };
  const narrow = () => window.matchMedia("(max-width: 999px)").matches;

  // Where readings come from ---------------------------------------------------------------
  let wire = null;
  const outbox = [];
  const live = {
    start() {
      const found = window.Bokeh && Bokeh.documents[0] && Bokeh.documents[0].get_model_by_name("wire");
      if (!found) return setTimeout(live.start, 40);
      wire = found;
      wire.properties.answer.change.connect(() => receive(JSON.parse(wire.answer)));
      Bokeh.documents[0].on_event("connection_lost", lost);
      outbox.splice(0).forEach(live.send);
    },
    send(message) {
      if (!wire) return outbox.push(message);
      wire.setv({ ask: JSON.stringify({ ...message, count: ++live.count }) });
    },
    count: 0,
  };
  const recorded = {
    start() { receive({ kind: "hello", ...data.recorded.hello }); },
    timer: 0,
    send(message) {
      if (message.do === "read") {
        const key = Heb.recordKey(message);
        const base = data.recorded.readings[key];
        if (!base) return receive({ kind: "error", id: message.id, text: "This choice is not in the recording." });
        receive({ kind: "reading", id: message.id, note: null, ...Heb.unpack(base, data.recorded.shared) });
        receive({ kind: "survival", id: message.id, ...data.recorded.survival[Heb.survivalKey(message.settings)] });
      } else if (message.do === "learn") {
        clearInterval(recorded.timer);
        const whole = data.recorded.curve;
        if (message.what === "reset") return receive({ kind: "learning", running: false, done: false, curve: [] });
        const step = () => {
          const n = Math.min(whole.length, state.learning.curve.length + 1);
          const done = n === whole.length;
          if (done) clearInterval(recorded.timer);
          receive({ kind: "learning", running: !done, done, curve: whole.slice(0, n) });
        };
        if (message.what === "pause") return receive({ ...state.learning, kind: "learning", running: false });
        recorded.timer = setInterval(step, 400);
        step();
      }
    },
  };
  const source = data.mode === "live" ? live : recorded;

  function lost() {
    $("banner").textContent = "The program on this computer has stopped. Start “hebbsim demo” again, and this page goes on where it was.";
    $("banner").hidden = false;
    save();
    const again = () => fetch("alive", { cache: "no-store" }).then((r) => r.ok && location.reload(), () => {}).finally(() => setTimeout(again, 1500));
    setTimeout(again, 800);
  }

  // Asking and being answered --------------------------------------------------------------
  function ask(at = "keep") {
    state.asked += 1;
    state.at = at;
    state.pending = { reading: true, survival: true };
    document.body.classList.add("busy");
    source.send({ do: "read", id: state.asked, ...state.request, settings: state.settings });
    save();
  }

  const receivers = {
    hello(m) {
      state.hello = m;
      $("example").replaceChildren(el("option", { value: "" }, "Choose a sentence …"), ...m.examples.map((text, i) => el("option", { value: i }, text)));
      showRequest();
    },
    wait(m) { $("cover-text").textContent = m.text; },
    broken(m) { $("cover").hidden = false; $("cover-text").textContent = `Something broke: ${m.text}. Reload the page to go on.`; },
    busy(m) { if (m.id === state.asked) note(m.text); },
    error(m) {
      document.body.classList.remove("busy");
      state.pending = { reading: false, survival: false };
      note(m.text, true);
      $("cover").hidden = true;
    },
    reading(m) {
      if (m.id !== null && m.id !== state.asked) return;
      if (m.id !== null) state.pending.reading = false;
      const first = !state.reading;
      const same = state.reading && state.reading.words.join(" ") === m.words.join(" ");
      state.reading = m;
      document.body.classList.remove("busy");
      $("cover").hidden = true;
      note(m.note);
      const last = m.words.length - 1;
      if (m.id !== null) {
        if (state.at === "start") state.t = 0;
        else if (typeof state.at === "number") state.t = state.at;
        else if (state.at === "end" || (!same && !first)) state.t = last;
        if (state.at === "play") { state.t = 0; play(true); }
        state.at = "keep";
      }
      state.t = Math.min(state.t, last);
      build();
      memory.draw();
      lesson.draw();
    },
    survival(m) {
      if (m.id !== null && m.id !== state.asked) return;
      state.pending.survival = false;
      state.survival = m; if (state.tab === "survival") drawPanel(); lesson.draw(); },
    learning(m) { state.learning = m; if (state.tab === "learning") drawPanel(); lesson.draw(); },
    bigru(m) {
      if (!state.reading || state.reading.words.join(" ") !== m.words.join(" ")) return;
      state.reading.bigru = m.bigru;
      build();
    },
  };
  function receive(message) { receivers[message.kind] && receivers[message.kind](message); }

  function note(text, bad = false) {
    $("note").hidden = !text;
    $("note").textContent = text || "";
    $("note").classList.toggle("bad", bad);
  }

  // Drawing --------------------------------------------------------------------------------
  const score = new Heb.Score($("score"), $("score-box"), (t) => { play(false); go(t); });
  const memory = new Heb.Memory($("memory"), state, (changes, tab) => {
    Object.assign(state.settings, changes);
    // A recording has noise in one number format alone: the other slider makes room.
    if (state.recorded && changes.noise) state.settings.precision = "float32";
    if (state.recorded && changes.precision && changes.precision !== "float32") state.settings.noise = 0;
    memory.draw();
    if (tab) setTab(tab);
    ask();
  }, (changes) => score.preview({ ...state.settings, ...changes }));

  function build() {
    score.build(state.reading, state.rows, narrow());
    go(state.t);
  }

  function go(t) {
    const r = state.reading;
    if (!r) return;
    state.t = Math.max(0, Math.min(t, r.words.length - 1));
    score.show(state.t);
    const at = $("at");
    at.max = r.words.length;
    at.value = state.t + 1;
    at.setAttribute("aria-valuetext", `word ${state.t + 1} of ${r.words.length}: ${r.words[state.t]}`);
    $("where").textContent = `word ${state.t + 1} of ${r.words.length}`;
    $("now").textContent = state.playing ? "" : `${r.words[state.t]}, role ${r.roles[state.t][state.t] || "none yet"}`;
    $("back").disabled = state.t === 0;
    $("forth").disabled = state.t === r.words.length - 1;
    if (["prototypes", "weights", "numbers"].includes(state.tab) || !$("panel").firstChild) drawPanel();
    save();
  }

  function drawPanel() {
    if (state.reading) Heb.PANELS[state.tab].draw($("panel"), state, actions);
  }

  const actions = {
    learn(what) { source.send({ do: "learn", what }); },
    live(on) { state.settings.live = on; ask(); },
    facts: () => Heb.facts(state),
    waiting: () => state.pending.reading || state.pending.survival,
    open: (number, at) => open(number, at),
    stage(stage) {
      if (stage.settings) state.settings = { ...DEFAULTS, ...stage.settings };
      if (stage.text !== undefined) state.request = { text: stage.text };
      if (stage.rows) state.rows = stage.rows;
      Heb.Bars.zoom = stage.zoom || 1;
      if (state.tab === "survival") drawPanel();
      if (stage.tab) setTab(stage.tab);
      play(false);
      if (stage.settings || stage.text !== undefined) ask(stage.at || "end");
      else if (state.pending.reading) state.at = stage.at ?? state.at;
      else if (state.reading) {
        if (stage.at === "start" || stage.at === "play") state.t = 0;
        if (typeof stage.at === "number") state.t = stage.at;
        if (stage.at === "end") state.t = state.reading.words.length - 1;
        build();
        if (stage.at === "play") play(true);
      }
      if (stage.learn) stage.learn.forEach((what) => actions.learn(what));
      showRequest();
      memory.draw();
    },
  };
  const lesson = new Heb.Lesson($("lesson"), data.lessons, actions);

  function showRequest() {
    $("example").value = state.request.example ?? "";
    $("text").value = state.request.text ?? "";
  }

  function setTab(name) {
    state.tab = name;
    for (const tab of $("tabs").children) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", on);
      tab.tabIndex = on ? 0 : -1;
    }
    $("panel").setAttribute("aria-labelledby", `tab-${name}`);
    drawPanel();
  }

  // Explore is -1, lessons count from 0.
  function open(number, at = 0) {
    [...$("views").children].forEach((button, i) => button.setAttribute("aria-current", i === number + 1 ? "page" : "false"));
    const explore = number < 0;
    document.body.classList.toggle("explore", explore);
    $("lesson").hidden = explore;
    $("memory").hidden = !explore;
    if (explore) {
      lesson.number = -1;
      state.rows = ALL_ROWS;
      // A recording has other sliders for the sentences to choose from than for those of lessons.
      if (data.mode === "recorded" && state.request.text !== undefined) {
        state.request = { example: 0 };
        state.settings = { ...DEFAULTS };
        showRequest();
        memory.draw();
        ask("end");
      } else if (state.reading) build();
    } else lesson.open(number, at);
    save();
  }

  // Playing --------------------------------------------------------------------------------
  let timer = 0;
  function play(on) {
    clearTimeout(timer);
    state.playing = on;
    const button = $("toggle");
    button.replaceChildren(Heb.icon(on ? "pause" : "play"), el("span", {}, on ? "Pause" : "Play"));
    button.setAttribute("aria-label", on ? "Pause" : "Play");
    if (on) timer = setTimeout(tick, SPEEDS[state.speed]);
  }
  function tick() {
    if (!state.reading) return;
    if (state.t >= state.reading.words.length - 1) return play(false);
    go(state.t + 1);
    timer = setTimeout(tick, SPEEDS[state.speed]);
  }
  function toggle() {
    if (!state.playing && state.reading && state.t >= state.reading.words.length - 1) go(0);
    play(!state.playing);
  }

  // What a reload finds again --------------------------------------------------------------
  function save() {
    const kept = { settings: state.settings, request: state.request, t: state.t, rows: state.rows, tab: state.tab, speed: state.speed, lesson: lesson ? lesson.number : -1, step: lesson ? lesson.at : 0 };
    try { sessionStorage.setItem("hebbsim", JSON.stringify(kept)); } catch { /* private windows may forbid it */ }
  }
  function restore() {
    try { return JSON.parse(sessionStorage.getItem("hebbsim")) || {}; } catch { return {}; }
  }

  // Putting it together --------------------------------------------------------------------
  $("restart").append(Heb.icon("restart"));
  $("back").append(Heb.icon("back"));
  $("forth").append(Heb.icon("forth"));
  play(false);
  ["Explore", ...data.lessons.map((l, i) => `${i + 1}  ${l.title}`)].forEach((name, i) =>
    $("views").append(el("button", { type: "button", onclick: () => open(i - 1) }, name)));
  Object.entries(Heb.PANELS).forEach(([key, panel]) =>
    $("tabs").append(el("button", { type: "button", role: "tab", id: `tab-${key}`, "data-tab": key, "aria-controls": "panel", onclick: () => { setTab(key); save(); } }, panel.name)));
  $("tabs").addEventListener("keydown", (e) => {
    const names = Object.keys(Heb.PANELS);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    e.stopPropagation();
    setTab(names[(names.indexOf(state.tab) + step + names.length) % names.length]);
    $(`tab-${state.tab}`).focus();
  });
  $("toggle").onclick = toggle;
  $("restart").onclick = () => { play(false); go(0); };
  $("back").onclick = () => { play(false); go(state.t - 1); };
  $("forth").onclick = () => { play(false); go(state.t + 1); };
  $("at").oninput = (e) => { play(false); go(Number(e.target.value) - 1); };
  $("speed").oninput = (e) => { state.speed = Number(e.target.value); save(); };
  $("example").onchange = (e) => {
    if (e.target.value === "") return;
    state.request = { example: Number(e.target.value) };
    $("text").value = "";
    ask("play");
  };
  $("sentence").onsubmit = (e) => {
    e.preventDefault();
    state.request = { text: $("text").value };
    $("example").value = "";
    ask("play");
  };
  if (data.mode === "recorded") {
    $("text-field").hidden = true;
    $("read").hidden = true;
    $("text").disabled = true;
  }
  $("help-open").onclick = () => $("help").showModal();
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || $("help").open) return;
    const target = e.target;
    if (target.matches("input[type=text], select, textarea")) return;
    const slider = target.matches("input");
    const button = target.matches("button, summary, [role=tab]");
    const acts = {
      ArrowRight: () => !slider && $("forth").click(), ArrowLeft: () => !slider && $("back").click(),
      Home: () => !slider && (play(false), go(0)), End: () => !slider && (play(false), go(1e9)),
      " ": () => !button && !target.matches("input[type=checkbox], input[type=radio]") && toggle(),
      n: () => lesson.number >= 0 && lesson.next(), p: () => lesson.number >= 0 && lesson.previous(), r: () => lesson.number >= 0 && lesson.reveal(),
      "?": () => $("help").showModal(),
    };
    const act = /^[0-9]$/.test(e.key) && Number(e.key) <= data.lessons.length ? () => open(Number(e.key) - 1) : acts[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (act && act() !== false) e.preventDefault();
  });
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (state.reading && (width !== window.innerWidth || !narrow())) build();
    width = window.innerWidth;
    drawPanel();
  });

  const kept = restore();
  if (kept.request) {
    Object.assign(state, { settings: { ...DEFAULTS, ...kept.settings, live: false }, request: kept.request, rows: kept.rows, tab: kept.tab, speed: kept.speed, t: kept.t, at: "keep" });
    $("speed").value = state.speed;
  }
  setTab(state.tab);
  source.start();
  if (kept.request && kept.lesson >= 0) {
    open(kept.lesson, kept.step);
  } else {
    open(-1);
    memory.draw();
    ask(kept.request ? "keep" : "start");
  }
  window.hebbsim = { state, go, play };
})();
