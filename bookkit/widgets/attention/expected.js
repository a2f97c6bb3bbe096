// What a model expects next, as ten bars; before a change and after it.
import { percent } from "./heads.js";
import { h } from "./dom.js";

const SHOWN = 10;
const MOVED = 0.01; // a probability that moves by less has hardly changed

const shown = (probability) => (probability < 0.0005 ? "<0.1%" : percent(probability, 1));

/** The ids, likeliest first. */
function rank(probabilities) {
  return [...probabilities.keys()].sort((one, other) => probabilities[other] - probabilities[one]);
}

/** The likeliest tokens with their probabilities, under a title and what is said of the text. */
export function drawExpected(title, about, probabilities, nameOf) {
  const rows = rank(probabilities).slice(0, SHOWN).map((id) => h("tr", {},
    h("th", { scope: "row" }, nameOf(id)),
    h("td", { style: `--share: ${probabilities[id]}` }, h("i", {}), h("span", {}, shown(probabilities[id])))));
  return h("table", {}, h("caption", {}, h("b", {}, title), h("span", {}, about)), h("tbody", {}, ...rows));
}

/** What a change of the text did to the prediction, in a sentence. */
export function describeChange(before, after, nameOf) {
  const moves = [...after.keys()].map((id) => ({ id, by: after[id] - before[id] }));
  moves.sort((one, other) => Math.abs(other.by) - Math.abs(one.by));
  if (Math.abs(moves[0].by) < MOVED) return "Hardly anything changes: no probability moves by a hundredth.";
  const opposite = moves.find(({ by }) => by * moves[0].by < 0); // there is one: both sums are 1
  const change = ({ id, by }) =>
    `“${nameOf(id)}” ${by > 0 ? "rises" : "falls"} from ${shown(before[id])} to ${shown(after[id])}`;
  return `${change(moves[0])}; ${change(opposite)}.`;
}

/** What the model expects, in a sentence. */
export function describeExpected(probabilities, nameOf) {
  const [first] = rank(probabilities);
  return `Next, the model expects “${nameOf(first)}”, ${shown(probabilities[first])}.`;
}

/** What one text has and another has not, as far as a caption needs it: what is between their equal ends. */
export function difference(ids, others) {
  const least = Math.min(ids.length, others.length);
  let start = 0, end = 0;
  while (start < least && ids[start] === others[start]) start++;
  while (end < least - start && ids.at(-1 - end) === others.at(-1 - end)) end++;
  return ids.slice(start, ids.length - end);
}
