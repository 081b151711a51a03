"use strict";
// Views that belong together light up together: a word, the prototype that it fell to, the
// groups and weights that it has part in, whichever the pointer is on.
Heb.link = (score, panel, state) => {
  const clear = () => document.querySelectorAll(".lit").forEach((node) => node.classList.remove("lit"));
  const light = (test) => {
    clear();
    const r = state.reading;
    if (!r) return;
    const lit = r.words.map((_, j) => test(j, r));
    for (const node of score.querySelectorAll("[data-column]")) node.classList.toggle("lit", lit[Number(node.dataset.column)]);
    const clusters = new Set(), groups = new Set();
    lit.forEach((on, j) => {
      if (!on) return;
      if (r.winners && r.winners[j].length) clusters.add(r.winners[j][0][0]);
      if (r.weights && r.weights.groups) groups.add(r.weights.groups[j]);
    });
    for (const node of panel.querySelectorAll("[data-cluster]")) node.classList.toggle("lit", clusters.has(Number(node.dataset.cluster)));
    for (const node of panel.querySelectorAll("[data-group]")) node.classList.toggle("lit", groups.has(Number(node.dataset.group)));
  };
  score.addEventListener("mouseover", (e) => {
    const cell = e.target.closest("[data-column]");
    if (!cell) return clear();
    light((j) => j === Number(cell.dataset.column));
  });
  panel.addEventListener("mouseover", (e) => {
    const card = e.target.closest("[data-cluster]"), group = e.target.closest("[data-groups]");
    if (card) return light((j, r) => j <= state.t && r.winners[j].length > 0 && r.winners[j][0][0] === Number(card.dataset.cluster));
    if (group) { const wanted = group.dataset.groups.split(",").map(Number); return light((j, r) => wanted.includes(r.weights.groups[j])); }
    return clear();
  });
  for (const root of [score, panel]) root.addEventListener("mouseleave", clear);
};
