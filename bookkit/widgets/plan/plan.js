// Says the ways to evaluate that the answers leave as a plan.
import { h } from "./dom.js";
import { sift } from "./sift.js";

function render({ el }) {
  sift(el, (ways, answers, kept, done) => {
    if (!Object.values(answers).some(Boolean)) return ["Choose a case, or answer the questions for one of your own."];
    if (!kept.length) return [h("b", {}, "Nothing fits yet."), " Write right answers for a sample first, to have something to count."];
    const parts = [...byWhen(kept)].map(([when, those]) => `${when}: ${those.map((way) => way.dataset.name).join("; ")}.`);
    return [h("b", {}, done ? "The plan. " : "The plan so far. "), parts.join(" ")];
  });
}

/** Ways by when they are used, in the order of the list. */
function byWhen(ways) {
  const groups = new Map();
  for (const way of ways) groups.set(way.dataset.when, [...(groups.get(way.dataset.when) ?? []), way]);
  return groups;
}

export default { render };
