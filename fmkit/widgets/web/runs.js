import { h } from "./dom.js";
import { runningMean } from "./plot.js";

export const LETTERS = "ABCDEF"; // so many runs are kept; a letter has its color and its dash
const DASHES = ["", "9 5", "14 4 2 4", "4 4", "20 5", "9 4 2 4 2 4"];
export const BROKEN = "✕"; // in place of a letter

/* The runs of a widget are in its `state.runs`; `state.looked` is the one that the reader points at.
 * A run is {letter, setting, state, message, length, points, checks, …}: its state is preparing, training, finished,
 * stopped or failed, its `length` the number of points of the whole run. */

export const busy = (run) => run.state === "preparing" || run.state === "training";
export const current = (state) => state.runs.find(busy);
export const looked = (state) => (state.looked && state.runs.includes(state.looked) ? state.looked : state.runs.at(-1));
export const equal = (one, other, names) => names.every((name) => one[name] === other[name]);

/** The letter that the next run gets, if one is free. */
const freeLetter = (state) => [...LETTERS].find((each) => state.runs.every((run) => run.letter !== each));

/** Drop the oldest run, if no letter is free for the next. */
export function makeRoom(state) {
  if (!freeLetter(state)) state.runs.splice(state.runs.findIndex((run) => !busy(run)), 1);
}

export function keep(state, run) {
  const empty = { letter: freeLetter(state), state: "preparing", message: "", points: [], checks: [], seeds: [] };
  empty.trainer = state.trainer;
  state.runs.push({ ...empty, ...run });
  state.looked = null;
  return state.runs.at(-1);
}

/** A run that broke gives its letter back, and the row of the one that broke before it. */
export function give(state, run) {
  run.letter = BROKEN;
  state.runs = state.runs.filter((other) => other === run || other.state !== "failed");
}

/**
 * Why no run of a setting can be started, or "". The same trainer would give the same run again, and no run
 * is pushed out by another; but one that was stopped makes room for the same run as a whole.
 */
export function refusal(state, setting, names, sentence) {
  const same = state.runs.find((run) => run.trainer === state.trainer && equal(run.setting, setting, names));
  if (same?.state === "stopped") state.runs = state.runs.filter((run) => run !== same);
  else if (same && !busy(same)) return `These settings have already run. ${sentence(same, state)}`;
  return freeLetter(state) ? "" : `${LETTERS.length} runs are kept: remove one to train another.`;
}

/** In one or two words, and in a sentence: why a run failed. */
export const fault = (run) => (/not (a )?finite/.test(run.message) ? "not finite" : "failed");
export function explain(run) {
  const [, step] = /^step (\d+): loss .* not finite/.exec(run.message) ?? [];
  return step ? `At step ${step} the loss or gradient was no longer finite: try a lower learning rate.` : run.message;
}

export function lossNow(run) {
  const loss = runningMean(run.points.map((point) => point[1]), run.length).at(-1);
  return loss === undefined ? "–" : loss.toFixed(2);
}

/** How the line of a run is drawn. */
export const stroke = ({ letter }) => ({
  color: letter === BROKEN ? "var(--broken)" : `var(--run-${letter})`, dash: DASHES[LETTERS.indexOf(letter)] ?? "2 3",
});

/**
 * The table of the kept runs: to point at a row is to look at its run.
 * @param {{head: string[], cells: (run, state) => (string|Element)[][],
 *   look: (run) => void, remove: (run) => void}} options
 *   `cells` has the children of each cell between a run's letter and the button that removes it
 */
export function table(state, { head, cells, look, remove }) {
  if (!state.runs.length) return h("p", { class: "fm-empty" }, "Runs are kept here, to be compared.");
  const titles = ["run", ...head].map((name) => h("th", { scope: "col" }, name));
  const rows = state.runs.map((run) => {
    const { color, dash } = stroke(run);
    const swatch = h("svg:svg", { width: 34, height: 10, "aria-hidden": "true" }, h("svg:line", {
      x1: 2, x2: 32, y1: 5, y2: 5, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-dasharray": dash || null,
      style: `stroke: ${color}` }));
    const end = h("button", { type: "button", class: "fm-remove", onclick: () => remove(run),
      "aria-label": run.letter === BROKEN ? "Remove the run that broke" : `Remove run ${run.letter}` }, "×");
    const [point, leave] = [() => look(run), () => look(null)];
    return h("tr", { onmouseenter: point, onmouseleave: leave, onfocusin: point, onfocusout: leave },
      h("th", { scope: "row" }, swatch, ` ${run.letter}`),
      ...cells(run, state).map((content) => h("td", {}, ...content)), h("td", {}, busy(run) ? "" : end));
  });
  return h("table", {}, h("thead", {}, h("tr", {}, ...titles, h("td"))), h("tbody", {}, ...rows));
}
