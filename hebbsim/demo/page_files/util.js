"use strict";
// Small things that every part of the page uses. Text goes in as text, never as markup.
const Heb = {};

Heb.el = (tag, attrs = {}, ...kids) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kids.flat().filter((kid) => kid !== null && kid !== undefined && kid !== false));
  return node;
};

Heb.svg = (tag, attrs = {}, ...kids) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attrs)) node.setAttribute(name, value);
  node.append(...kids.flat());
  return node;
};

// How wide a text is, in pixels.
Heb.width = (text, size, weight = 700) => {
  const pen = (Heb.pen ||= document.createElement("canvas").getContext("2d"));
  pen.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
};

// Type is larger in a large window, and things stand below one another in a narrow one.
Heb.large = () => window.innerWidth >= 1500;
Heb.narrow = () => window.matchMedia("(max-width: 999px)").matches;

// Whether the reader asks for things to stand still.
Heb.still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

Heb.$ = (id) => document.getElementById(id);

Heb.icon = (name) => {
  const paths = {
    play: "M6 4l11 6-11 6z", pause: "M5 4h4v12H5zm6 0h4v12h-4z",
    forth: "M5 4l8 6-8 6zm9 0h2v12h-2z", back: "M15 4l-8 6 8 6zM4 4h2v12H4z",
    restart: "M10 3a7 7 0 1 1-6.6 4.7l1.9.7A5 5 0 1 0 10 5v3L5 4l5-4z",
  };
  return Heb.svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, Heb.svg("path", { d: paths[name] }));
};

// Numbers that the server packs: float32, little-endian, in base64.
Heb.floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// A QR code from its rows of light and dark, with the margin that a camera needs.
Heb.qr = (rows, label) => {
  const size = rows.length, margin = 4;
  const dark = rows.flatMap((row, y) => [...row].map((v, x) => (v === "1" ? `M${x} ${y}h1v1h-1z` : "")));
  return Heb.svg("svg", { viewBox: [-margin, -margin, size + 2 * margin, size + 2 * margin].join(" "), role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    Heb.svg("rect", { x: -margin, y: -margin, width: size + 2 * margin, height: size + 2 * margin, fill: "#fff" }), Heb.svg("path", { d: dark.join("") }));
};

Heb.percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

// A number and its sign stay on one line.
Heb.whole = (text) => text.split(/([\d.]+ %|K = \d+)/).map((part, i) => (i % 2 ? Heb.el("span", { class: "whole-number" }, part) : part));

// Roles: the arguments of a verb have strong colours, what goes with them has quiet ones, and
// each is written out, so that nothing hangs on colour alone.
Heb.ROLES = {
  SUBJ: ["#0072b2", "#fff", "subject: who does it"], AGENT: ["#0072b2", "#fff", "agent: who does it"],
  OBJ: ["#c04e00", "#fff", "object: what it is done to"], THEME: ["#c04e00", "#fff", "theme: what it is done to"],
  IOBJ: ["#a8487f", "#fff", "indirect object: who gets it"], RECIPIENT: ["#a8487f", "#fff", "recipient: who gets it"],
  OBL: ["#e69f00", "#18222f", "oblique: where, with what, by whom"],
  NMOD: ["#f0d264", "#18222f", "noun modifier: whose, which"],
  PRED: ["#18222f", "#fff", "predicate: what is done"],
  ADV: ["#00785a", "#fff", "adverb: how, when"], MOD: ["#9bd3f5", "#18222f", "modifier: what kind"],
};
Heb.QUIET = {
  DET: "determiner: the, a, every", CASE: "preposition: to, in, by", AUX: "helping verb: is, has, will",
  CC: "conjunction: and, or", MARK: "marker: opens a clause", PUNCT: "full stop, comma", NONE: "no role",
};

// Roles in the plural, as a sentence names them.
Heb.plural = (role) => ({ SUBJ: "subjects", OBJ: "objects", IOBJ: "indirect objects", OBL: "obliques", AGENT: "agents", THEME: "themes", RECIPIENT: "recipients" })[role] || role;
Heb.listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

Heb.roleWords = (name) => (Heb.ROLES[name] || [])[2] || Heb.QUIET[name];
Heb.roleColour = (name) => (Heb.ROLES[name] || ["#e4e1d9"])[0];

Heb.role = (name, options = {}) => {
  const [fill, ink] = Heb.ROLES[name] || [Heb.roleColour(name), "#18222f"];
  const node = Heb.el("span", { class: `role ${options.cls || ""}`, title: options.title || Heb.roleWords(name) || name }, name);
  node.style.setProperty("--role", options.cls === "thin" && !Heb.ROLES[name] ? "#b9b6ae" : fill);
  node.style.setProperty("--role-ink", ink);
  return node;
};

// What the roles of a sentence mean, in the order in which they come.
Heb.roleKey = ({ gold, roles }) => {
  const names = [...new Set([...(gold || []), ...((roles || []).at(-1) || [])])].filter((name) => name && Heb.roleWords(name));
  return Heb.el("dl", { class: "role-key" }, names.map((name) => [Heb.el("dt", {}, Heb.role(name)), Heb.el("dd", {}, Heb.roleWords(name))]).flat());
};

// The kinds of curve, the same everywhere: a colour, a dash and a marker each.
Heb.LINES = {
  roles: { colour: "#0072b2", name: "roles", dash: "", mark: "none" },
  lookup: { colour: "#55606e", name: "by the word alone", dash: "9 4", mark: "none" },
  chance: { colour: "#55606e", name: "commonest word", dash: "2 5", mark: "none" },
  linear: { colour: "#c04e00", name: "simple reader", dash: "7 5", mark: "o" },
  cancellation: { colour: "#00785a", name: "clever reader", dash: "2 4", mark: "s" },
};

// Traces, and how words of a plain page say them.
Heb.speed = (tau) => (tau <= 3 ? 0 : tau <= 12 ? 1 : 2);
Heb.tauName = (tau) => ["fast trace", "medium trace", "slow trace"][Heb.speed(tau)];

// A fast, a medium and a slow trace have the same colours wherever they stand; more of a kind have others.
Heb.TRACES = ["#0072b2", "#00785a", "#a8487f", "#c04e00", "#55606e", "#7a5c00"];
Heb.traceColours = (taus) => taus.reduce((taken, tau) =>
  [...taken, [Heb.TRACES[Heb.speed(tau)], ...Heb.TRACES.slice(3), ...Heb.TRACES].find((colour) => !taken.includes(colour))], []);
