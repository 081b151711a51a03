"use strict";
// The page as a whole: what it shows now, the clock that plays, and where readings come from,
// a Bokeh server (live) or this very file (recorded).
(() => {
  const { $, el } = Heb;
  const data = JSON.parse($("data").textContent);
  const DEFAULTS = { timescales: [2, 8, 32], precision: "float32", noise: 0, rule: "delta", eta: 0.01, fresh: false, live: false };
  // What readers find stands above the panel that measures them; otherwise the traces have its room.
  const rowsOf = (tab) => ({
    survival: ["roles", "gold", "bigru", "traces", "linear", "cancellation"], selection: ["roles", "traces", "gated", "kept"],
    weights: ["roles", "traces"], follow: ["roles", "traces"], swap: ["roles", "traces"],
  })[tab] || ["roles", "gold", "bigru", "traces"];
  const SPEEDS = [2400, 1600, 1000, 600, 320];
  const state = {
    hello: null, reading: null, survival: null, learning: { running: false, done: false, curve: [] },
    settings: { ...DEFAULTS }, request: { example: 0 }, t: 0, playing: false, speed: 2,
    rows: rowsOf("survival"), tab: "survival", asked: 0, at: "end", pending: { reading: true, survival: true }, recorded: data.recorded || null,
  };
  const { narrow } = Heb;

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
  const source = data.mode === "live" ? live : new Heb.Recording(data.recorded, receive);

  function lost() {
    $("banner").textContent = "The program on this computer has stopped. Start “hebbsim demo” again, and this page goes on where it was.";
    $("banner").hidden = false;
    save();
    const again = () => fetch("alive", { cache: "no-store" }).then((r) => r.ok && location.reload(), () => {}).finally(() => setTimeout(again, 1500));
    setTimeout(again, 800);
  }

  // Asking and being answered --------------------------------------------------------------
  function ask(at = "keep", quick = false) {
    if (state.reading) state.fell = "";
    state.asked += 1;
    state.at = at;
    state.pending = { reading: true, survival: true };
    document.body.classList.add("busy", "measuring");
    source.send({ do: "read", id: state.asked, ...state.request, settings: { ...state.settings }, ...(quick ? { quick } : {}) });
    save();
  }

  // What survives by the live learner changes as it learns, and is measured for who looks at it.
  function askAnew() {
    if (state.settings.live && state.tab === "survival" && state.reading) ask();
  }

  // While something is dragged, at most one question is on its way.
  let dragged = 0;
  function askSoon() {
    if (!dragged) dragged = setTimeout(() => { dragged = 0; ask("keep", true); }, 120);
  }

  const receivers = {
    hello(m) {
      state.hello = m;
      if (m.ballot) showBallot(m.ballot);
      if (lesson.number >= 0) { actions.ballot(lesson.step.question.options.length); lesson.draw(); }
      $("example").replaceChildren(el("option", { value: "" }, "Choose a sentence …"), ...m.examples.map((text, i) => el("option", { value: i }, text)));
      showRequest();
    },
    wait(m) { $("cover-text").textContent = m.text; },
    broken(m) { $("cover").hidden = false; $("cover-text").textContent = `Something broke: ${m.text}. Reload the page to go on.`; },
    busy(m) { if (m.id === state.asked) note(m.text); },
    error(m) {
      document.body.classList.remove("busy", "measuring");
      state.pending = { reading: false, survival: false };
      $("cover").hidden = true;
      // A link to what cannot be shown: the page opens as it starts, and says so.
      if (!state.reading && !state.fell) {
        state.fell = `${m.text} Here is the first sentence instead.`;
        state.settings = { ...DEFAULTS };
        state.request = { example: 0 };
        showRequest();
        return ask("start");
      }
      note(m.text, true);
    },
    reading(m) {
      if (m.id !== null && m.id !== state.asked) return;
      if (m.id !== null) state.pending.reading = false;
      const first = !state.reading, before = state.reading;
      state.waiting = !m.roles;
      state.aside = null;
      if (typeof m.states === "string") m.states = unpack(m);
      const same = state.reading && state.reading.words.join(" ") === m.words.join(" ");
      state.reading = m;
      // Until roles come, those of other timescales stand there, pale.
      if (!m.roles && same) for (const part of ["roles", "winners", "prototypes", "slots", "places", "kept"]) m[part] = before[part];
      document.body.classList.toggle("busy", state.waiting);
      $("cover").hidden = true;
      note(...notes(m));
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
    // Roles that took longer than the rest, or that the live learner has changed.
    roles(m) {
      if (m.id !== state.asked || !state.reading) return;
      const { kind, id, serial, ...parts } = m;
      Object.assign(state.reading, parts);
      state.waiting = false;
      document.body.classList.remove("busy");
      note(...notes(state.reading));
      build();
      lesson.draw();
    },
    survival(m) {
      if (m.id !== null && m.id !== state.asked) return;
      state.pending.survival = false;
      document.body.classList.remove("measuring");
      state.survival = m; if (state.tab === "survival") drawPanel(); lesson.draw(); },
    tally(m) { state.tally = m.counts; state.addresses = m.addresses; lesson.draw(); countVotes(); },
    aside(m) { if (state.aside && m.text === state.aside.text) state.aside = m; if (state.tab === "swap") drawPanel(); },
    learning(m) {
      state.learning = m;
      if (state.tab === "learning") drawPanel();
      lesson.draw();
      if (!state.pending.survival) askAnew();
    },
    bigru(m) {
      if (!state.reading || m.id !== state.asked) return;
      state.reading.bigru = m.bigru;
      build();
    },
  };
  // The ballot's address, as large as a class needs it.
  const bare = (url) => url.replace("http://", "");
  function showBallot({ url, code }) {
    $("vote-code").replaceChildren(Heb.qr(code, `QR code of ${bare(url)}`));
    $("vote-url").textContent = bare(url);
    for (const node of document.querySelectorAll(".for-votes")) node.hidden = false;
  }
  const votes = () => (state.tally || []).reduce((a, b) => a + b, 0);
  // A phone that deletes its cookies can vote again; the number of addresses shows it.
  const fewer = () => (votes() > state.addresses ? `from ${state.addresses} network ${state.addresses === 1 ? "address" : "addresses"}` : "");
  function countVotes() {
    const n = votes(), from = fewer();
    $("vote-count").textContent = lesson.number < 0 ? "Phones get the question when a lesson asks one." : `${n} ${n === 1 ? "vote" : "votes"} so far${from && `, ${from}`}`;
  }

  // What the server packed for the way.
  function unpack(m) {
    const [S, D] = [m.settings.timescales.length, 64];
    const rows = (flat) => Array.from({ length: flat.length / D }, (_, i) => flat.subarray(i * D, (i + 1) * D));
    const states = rows(Heb.floats(m.states)), codes = rows(Heb.floats(m.codes));
    return {
      after: Array.from({ length: states.length / S }, (_, t) => states.slice(t * S, (t + 1) * S)),
      before: rows(Heb.floats(m.before)),
      codes: Object.fromEntries(m.coded.map((word, i) => [word, codes[i]])),
    };
  }

  // What a class must know of a sentence before it believes what it sees.
  function notes(m) {
    const unknown = m.known.filter((known) => !known).length;
    const words = `${unknown} of ${m.known.length} words unknown`;
    return [[state.fell, m.note, unknown && !m.roleless ? `${words}: the learner has never seen them, and guesses their roles (marked with ?).` : null,
      state.waiting ? "Learning roles with these timescales …" : null].filter(Boolean).join(" "), false];
  }

  function receive(message) { receivers[message.kind] && receivers[message.kind](message); }

  function note(text, bad = false) {
    $("note").hidden = !text;
    $("note").textContent = text || "";
    $("note").classList.toggle("bad", bad);
  }

  // Drawing --------------------------------------------------------------------------------
  const score = new Heb.Score($("score"), $("score-box"), (t) => { play(false); go(t); }, (s, j) => { play(false); state.follow = { s, j, poured: 0 }; setTab("follow"); if (narrow()) $("panels").scrollIntoView({ block: "nearest" }); save(); }, () => save());
  const memory = new Heb.Memory($("memory"), state, (changes, tab) => {
    Object.assign(state.settings, changes);
    // A recording has noise in one number format alone: the other slider makes room.
    if (state.recorded && changes.noise) state.settings.precision = "float32";
    if (state.recorded && changes.precision && changes.precision !== "float32") state.settings.noise = 0;
    memory.draw();
    if (tab) setTab(tab);
    clearTimeout(dragged);
    dragged = 0;
    ask();
  }, (changes) => {
    Object.assign(state.settings, changes);
    memory.draw();
    score.preview({ ...state.settings });
    if (!state.recorded) askSoon();
  });

  function build() {
    score.panel = state.tab;
    score.build(state.reading, state.rows, narrow());
    const key = actions.roleKey();
    $("role-key").replaceChildren(...(key && key.firstChild ? [el("h2", {}, "Roles"), key] : []));
    go(state.t, true);
  }

  function go(t, anew = false) {
    const r = state.reading;
    if (!r) return;
    state.t = Math.max(0, Math.min(t, r.words.length - 1));
    score.show(state.t);
    const at = $("at");
    at.max = r.words.length;
    at.value = state.t + 1;
    at.setAttribute("aria-valuetext", `word ${state.t + 1} of ${r.words.length}: ${r.words[state.t]}`);
    $("where").textContent = `word ${state.t + 1} of ${r.words.length}`;
    $("now").textContent = state.playing ? "" : `${r.words[state.t]}, role ${(r.roles && r.roles[state.t][state.t]) || "none yet"}`;
    $("back").disabled = state.t === 0;
    $("forth").disabled = state.t === r.words.length - 1;
    if (anew || Heb.PANELS[state.tab].moves) drawPanel();
    save();
  }

  function drawPanel() {
    if (state.reading) Heb.PANELS[state.tab].draw($("panel"), state, actions);
  }

  const actions = {
    learn(what) { source.send({ do: "learn", what }); },
    live(on) { state.settings.live = on; ask(); },
    facts: () => Heb.facts(state),
    roleKey: () => (state.reading && !state.pending.reading && ["roles", "gold"].some((row) => state.rows.includes(row)) ? Heb.roleKey(state.reading) : null),
    waiting: () => state.pending.reading || state.pending.survival,
    speak: (text) => { $("said").textContent = text; },
    // Phones vote until the answer is shown.
    ballot(options) {
      if (!state.hello || !state.hello.ballot) return;
      if (options) Object.assign(state, { tally: new Array(options).fill(0), addresses: 0 });
      countVotes();
      source.send({ do: "ballot", ...(options ? { options } : {}) });
    },
    tally: () => state.hello && state.hello.ballot && state.tally,
    suspicion: () => (fewer() ? `${votes()} votes ${fewer()}` : ""),
    showBallot() { countVotes(); $("vote").showModal(); },
    redraw() { drawPanel(); save(); },
    aside: (text) => source.send({ do: "aside", text, settings: { ...state.settings } }),
    read(text) { state.request = { text }; showRequest(); ask("end"); },
    open: (number, at) => open(number, at),
    stage(stage) {
      stopShow();
      if (stage.settings) state.settings = { ...DEFAULTS, ...stage.settings };
      if (stage.text !== undefined) state.request = { text: stage.text };
      if (stage.rows) state.rows = stage.rows;
      Heb.Bars.zoom = stage.zoom || 1;
      if (state.tab === "survival") drawPanel();
      if (stage.tab) setTab(stage.tab);
      play(false);
      if (stage.settings || stage.text !== undefined) ask(stage.at ?? "end");
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
    if (lesson && lesson.number < 0) state.rows = rowsOf(name);
    // The panel takes what room it needs, and the traces have the rest.
    if (state.reading && (name !== score.panel || lesson.number < 0)) build();
    else drawPanel();
    askAnew();
  }

  // Explore is -1, lessons count from 0.
  function open(number, at = 0) {
    [...$("views").children].forEach((button, i) => button.setAttribute("aria-current", i === number + 1 ? "page" : "false"));
    const explore = number < 0;
    document.body.classList.toggle("explore", explore);
    $("lesson").hidden = explore;
    for (const id of ["memory", "role-key"]) $(id).hidden = !explore;
    $("side").scrollTop = 0;
    // What lessons do to sentence and sliders stays with them: Explore is found as it was left.
    if (!explore && lesson.number < 0) explored = { settings: { ...state.settings }, request: state.request, tab: state.tab, zoom: Heb.Bars.zoom };
    const back = explore && lesson.number >= 0;
    if (explore) lesson.number = -1;
    if (back) {
      actions.ballot(0);
      explorer(explored);
    }
    if (!explore) lesson.open(number, at);
    save();
  }

  const START = { settings: DEFAULTS, request: { example: 0 }, tab: "survival", zoom: 1 };
  let explored = START;
  function explorer({ settings, request, tab, zoom }, at = "end") {
    play(false);
    state.settings = { ...settings };
    state.request = request;
    Heb.Bars.zoom = zoom;
    showRequest();
    setTab(tab);
    memory.draw();
    ask(at);
  }

  function reset() {
    stopShow();
    if (lesson.number >= 0) lesson.go(lesson.at);
    else {
      actions.learn("reset");
      explorer(START, "start");
    }
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
    if (state.t >= state.reading.words.length - 1) return showing ? nextShow() : play(false);
    go(state.t + 1);
    timer = setTimeout(tick, SPEEDS[state.speed]);
  }
  // Before anyone has touched it the page plays one sentence after another.
  let showing = false;
  function stopShow() { showing = false; }
  function nextShow() {
    timer = setTimeout(() => {
      if (!showing) return play(false);
      state.request = { example: ((state.request.example ?? -1) + 1) % state.hello.examples.length };
      if (state.recorded) state.request.example %= state.recorded.hello.examples.length;
      showRequest();
      ask("play");
    }, 2500);
  }
  for (const kind of ["pointerdown", "keydown", "wheel"]) window.addEventListener(kind, () => stopShow(), { capture: true, passive: true });

  // On a phone the sentence may be out of sight when it moves.
  function see() {
    if (!narrow()) return;
    const box = $("score-box").getBoundingClientRect();
    if (box.top < 0 || box.bottom > window.innerHeight - 70) $("score-box").scrollIntoView({ block: "start" });
  }

  function toggle() {
    see();
    if (!state.playing && state.reading && state.t >= state.reading.words.length - 1) go(0);
    play(!state.playing);
  }

  // The address holds what the page shows: a reload finds it again, and so does a link.
  let saving = 0;
  function save(now = false) {
    clearTimeout(saving);
    if (!now) { saving = setTimeout(save, 200, true); return; }
    const kept = { ...state.settings, ...state.request, tab: state.tab, at: state.t, zoom: Heb.Bars.zoom, speed: state.speed,
      ...(state.tab === "follow" && state.follow ? { follow: ["s", "j", "poured"].map((part) => state.follow[part]) } : {}),
      ...(lesson.number >= 0 ? { lesson: lesson.number + 1, step: lesson.at + 1 } : {}) };
    const address = new URLSearchParams(kept).toString();
    try { history.replaceState(null, "", `#${address}`); } catch { /* the page is in a frame of another */ }
  }

  function restore() {
    const kept = new URLSearchParams(location.hash.slice(1));
    if (![...kept].length) return null;
    const number = (name, otherwise) => (kept.has(name) && Number.isFinite(Number(kept.get(name))) ? Number(kept.get(name)) : otherwise);
    const taus = (kept.get("timescales") || "2,8,32").split(",").map(Number).sort((a, b) => a - b);
    const settings = { ...DEFAULTS, timescales: taus, noise: number("noise", 0), eta: number("eta", DEFAULTS.eta), fresh: kept.get("fresh") === "true" };
    for (const name of ["precision", "rule"]) if (kept.has(name)) settings[name] = kept.get(name);
    const [s, j, poured] = [0, 1, 2].map((i) => Math.max(0, Math.floor((kept.get("follow") || "").split(",")[i])) || 0);
    const tab = Object.hasOwn(Heb.PANELS, kept.get("tab")) ? kept.get("tab") : "survival";
    return {
      settings, tab, follow: { s, j, poured }, t: number("at", 0), speed: Math.min(4, Math.max(0, Math.round(number("speed", 2)))),
      zoom: Heb.Bars.ZOOMS.includes(number("zoom", 1)) ? number("zoom", 1) : 1,
      request: kept.has("text") ? { text: kept.get("text") } : { example: number("example", 0) },
      lesson: number("lesson", 0) - 1, step: number("step", 1) - 1,
    };
  }

  // Putting it together --------------------------------------------------------------------
  $("restart").append(Heb.icon("restart"));
  $("back").append(Heb.icon("back"));
  $("forth").append(Heb.icon("forth"));
  play(false);
  ["Explore", ...data.lessons.map((l) => l.title)].forEach((name, i) =>
    $("views").append(el("button", { type: "button", "aria-label": i ? `Lesson ${i}: ${name}` : name, onclick: () => open(i - 1) },
      i ? `${i} ` : name, i ? el("span", { class: "name" }, name) : null)));
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
  $("restart").onclick = () => { see(); play(false); go(0); };
  $("back").onclick = () => { see(); play(false); go(state.t - 1); };
  $("forth").onclick = () => { see(); play(false); go(state.t + 1); };
  $("reset").onclick = reset;
  $("copy").onclick = async () => {
    save(true);
    try {
      await navigator.clipboard.writeText(location.href);
      note("Copied: the link opens the page as it stands now.");
    } catch { note(`The link is ${location.href}`); }
  };
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
  $("help-open").onclick = () => $("help").showModal();
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
    const target = e.target;
    if (target.matches("input[type=text], select, textarea")) return;
    const slider = target.matches("input");
    const button = target.matches("button, summary, [role=tab]");
    const acts = {
      ArrowRight: () => !slider && $("forth").click(), ArrowLeft: () => !slider && $("back").click(),
      Home: () => !slider && (play(false), go(0)), End: () => !slider && (play(false), go(1e9)),
      " ": () => !button && !target.matches("input[type=checkbox], input[type=radio]") && toggle(),
      x: () => reset(),
      n: () => lesson.number >= 0 && lesson.next(), p: () => lesson.number >= 0 && lesson.previous(), r: () => lesson.number >= 0 && lesson.reveal(),
      v: () => state.hello && state.hello.ballot && actions.showBallot(),
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
  if (kept) {
    state.speed = kept.speed;
    // A step of a lesson sets its own stage.
    if (!data.lessons[kept.lesson]) {
      Object.assign(state, { settings: kept.settings, request: kept.request, tab: kept.tab, t: kept.t, follow: kept.follow });
      Heb.Bars.zoom = kept.zoom;
    }
    $("speed").value = state.speed;
  }
  // Opened by a name that the program does not know, the page would wait for ever.
  if (data.hosts && !data.hosts.includes(location.host)) {
    $("cover-text").textContent = `This page is open as ${location.host}, and the program does not answer to that name. If it is behind a proxy, start it by: hebbsim demo --allow-host ${location.host}`;
    return;
  }
  open(-1);
  setTab(state.tab);
  source.start();
  if (kept && data.lessons[kept.lesson]) {
    open(kept.lesson, Math.max(0, Math.min(kept.step, data.lessons[kept.lesson].steps.length - 1)));
  } else {
    memory.draw();
    showing = !kept && !Heb.still();
    ask(kept ? "keep" : showing ? "play" : "start");
  }
  Heb.link($("score"), $("panel"), state);
  window.addEventListener("hashchange", () => location.reload());
  window.hebbsim = { state, go, play, score };
})();
