// A run of the newborn: what the engine has told of it, and what the page says about that.
import { short } from "./dom.js";
import { runningMean } from "./plot.js";

export const TRAINING = { learning_rate: 8e-3, batch_size: 4, steps: 2000, adam_beta2: 0.98, min_lr_ratio: 0 };
export const TEMPERATURE = 0.5; // of its stories: at 1, one unlikely piece of a word spoils most of them
const END = TRAINING.steps * TRAINING.batch_size * 128; // tokens that it will have read, nearly: a row has 128
const BIN = 8; // steps whose mean loss is a point of the line
const SURE = 2000; // milliseconds of training after which its speed is known
const SAID = {
  loading: "This model knows nothing yet.",
  stopped: "It has stopped, and keeps what it learned.",
  finished: "It has read its million tokens.",
  failed: "The training failed.",
};

/** A run that has not begun; `chance` is the loss of a guess. */
export function createRun(chance) {
  return {
    phase: "loading", message: "", tokens: 0, loss: chance, check: null, x: [], y: [], bin: [],
    story: null, stories: 0, best: 0, milliseconds: 0, since: null,
  };
}

/** Take in what the engine tells. */
export function take(run, { points = [], check, story }) {
  run.since ??= { time: performance.now(), tokens: run.tokens };
  run.phase = "training";
  for (const point of points) addPoint(run, point);
  if (check) run.check = check.loss;
  if (run.y.length) run.loss = smooth(run).at(-1);
  if (!story) return;
  run.story = story;
  run.stories += 1;
  run.best = Math.max(run.best, words(story.right));
}

function words(text) {
  return text.split(" ").filter(Boolean).length;
}

function addPoint(run, { tokens, loss }) {
  run.tokens = tokens;
  run.bin.push(loss);
  if (run.bin.length < BIN) return;
  run.x.push(tokens);
  run.y.push(run.bin.reduce((sum, one) => sum + one) / BIN);
  run.bin = [];
}

/** A running mean over about 1% of a whole run: its points are means already. */
function smooth(run) {
  return runningMean(run.y, TRAINING.steps / BIN / 3);
}

/** The run has come to an end, or to a stop; at its end the loss is that on stories that it never reads. */
export function end(run, phase, message = "") {
  if (phase === "finished") run.loss = run.check;
  if (run.since) run.milliseconds += performance.now() - run.since.time;
  Object.assign(run, { phase, message, since: null });
}

/** Tokens a second, once that is known. */
export function speed({ since, tokens }) {
  const passed = since ? performance.now() - since.time : 0;
  return passed > SURE ? (1000 * (tokens - since.tokens)) / passed : null;
}

export function title({ phase, loss }) {
  if (phase !== "training") return SAID[phase];
  return loss > 2 ? "It reads new stories, and learns." : "It has words now, and fits them together.";
}

export function status(run) {
  if (run.phase === "loading") return "Loading the trainer and the story world…";
  if (run.phase === "failed") return run.message;
  const rate = speed(run);
  if (run.phase === "training") {
    return rate ? `About ${lasting((END - run.tokens) / rate)} left. Read on: training continues.` : "Training…";
  }
  const [loss, last] = run.phase === "finished"
    ? [`, loss ${run.loss.toFixed(2)} on other stories`, " It learns who is who last."] : ["", ""];
  const best = `Its best story is right for ${run.best} word${run.best === 1 ? "" : "s"}.`;
  return `${short(run.tokens)} tokens in ${lasting(run.milliseconds / 1000)}${loss}. ${best}${last}`;
}

function lasting(seconds) {
  return seconds < 90 ? `${Math.max(5, 5 * Math.round(seconds / 5))} s` : `${Math.round(seconds / 60)} min`;
}

/** What the plot shows; of no run yet, the way that is ahead. */
export function scene(run, chance, floor) {
  const plain = { strong: false, faded: false, back: null, band: null, result: null };
  const guess = { label: `guess ${chance.toFixed(2)}`, color: "var(--muted)", dash: "2 4" };
  const own = { color: "var(--fm-own-run)", dash: "", strong: true };
  const read = run?.y.length ? { label: `loss ${run.loss.toFixed(2)}`, x: run.x, y: smooth(run) } : null;
  const said = read ? `It is ${run.loss.toFixed(2)} after ${short(run.tokens)}.` : "Nothing has been read yet.";
  return {
    title: `Loss over tokens read. ${said} A guess has ${chance.toFixed(2)}, the floor is ${floor.toFixed(2)}.`,
    xEnd: END, yEnd: Math.ceil(chance), xTitle: "tokens read", yTitle: "loss (nats per token)", floor, goal: null,
    hint: run ? null : "No model can get below the floor",
    lines: [
      { ...plain, ...guess, x: [0, END], y: [chance, chance] },
      ...(read ? [{ ...plain, ...own, ...read, result: run.loss, back: { x: run.x, y: run.y, label: "" } }] : []),
    ],
  };
}
