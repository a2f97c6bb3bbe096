import { h, short } from "./dom.js";
import { button, slider } from "./controls.js";
import { createPlot, runningMean } from "./plot.js";

const LIVE = {
  learning_rate: [1e-4, 2e-4, 3e-4, 5e-4, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1, 10, 100],
  batch_size: [1, 2, 4, 8, 16, 32, 64],
  steps: [25, 50, 100, 200, 400, 800],
};
const KNOBS = [
  { name: "learning_rate", label: "Learning rate", unit: "" },
  { name: "batch_size", label: "Batch size", unit: "sequences" },
  { name: "steps", label: "Steps", unit: "" },
];
const LETTERS = "ABCDEF"; // so many runs are kept; a letter has its dash
const DASHES = {
  live: ["", "9 5", "14 4 2 4", "4 4", "20 5", "9 4 2 4 2 4"],
  recorded: ["0.1 4.5", "7 5 0.1 5", "0.1 8", "14 5 0.1 5", "7 5 0.1 4 0.1 5", "0.1 4 0.1 10"], // dots in each
};
const REPLAY = 1800; // milliseconds for a recorded run, whatever it took

/** Everything that the lab shows; the drawing functions below only read it. */
function createState(model) {
  const record = model.get("recorded") ?? null; // set by the loader of a page without a kernel
  const setting = Object.fromEntries(KNOBS.map(({ name }) => [name, model.get(name)]));
  const sizes = { context: model.get("context_length"), guessing: Math.log(model.get("vocab_size")) };
  return { setting, record, ...sizes, live: false, floor: record?.floor ?? null, runs: [], looked: null };
}

const busy = (run) => run.state === "preparing" || run.state === "training";
const current = (state) => state.runs.find(busy);

function matches(run, setting) {
  return KNOBS.every(({ name }) => run.settings[name] === setting[name]);
}

/** The recorded run of a setting, and the others that differ from it in the seed only. */
function lookUp(record, setting) {
  const [first, ...others] = record.runs.filter((run) => matches(run, setting));
  const whole = [first, ...others].every((run) => run.validation_loss !== undefined);
  return { first, seeds: others.length && whole ? [first, ...others] : [] };
}

/** Sorted values of a slider, as far as runs of them are recorded. */
function recordedValues(record, name) {
  return [...new Set(record.runs.map((run) => run.settings[name]))].sort((a, b) => a - b);
}

/** Add a run under a free letter; when all are taken, the oldest makes room. */
function keep(state, run) {
  if (state.runs.length === LETTERS.length) state.runs.shift();
  const letter = [...LETTERS].find((each) => state.runs.every((other) => other.letter !== each));
  state.runs.push({ letter, points: [], state: "preparing", validation: null, message: "", ...run });
  state.looked = null;
  return state.runs.at(-1);
}

/** One sentence on the state of a run; the same that a screen reader reads out at its end. */
function sentence(run, floor) {
  const name = `Run ${run.letter}`, seen = run.points.length;
  if (run.state === "preparing") return `${name}: preparing the texts and their tokenizer, once …`;
  if (run.state === "training") return `${name}: step ${seen} of ${run.setting.steps}, loss ${lossNow(run)}`;
  if (run.state === "failed") return `${name} failed. ${explain(run)}`;
  if (run.validation === null) return `${name}: stopped after ${seen} of ${run.setting.steps} steps.`;
  const end = `${name}: loss ${run.points[0]?.[1].toFixed(2)} → ${run.validation.toFixed(2)}`;
  const above = floor === null ? "" : `, ${(run.validation - floor).toFixed(2)} above the floor`;
  return `${end} after ${seen}${run.state === "stopped" ? ` of ${run.setting.steps}` : ""} steps${above}.`;
}

function explain(run) {
  const [, step] = /^step (\d+): loss .* not finite/.exec(run.message) ?? [];
  return step ? `At step ${step} the loss or gradient was no longer finite: try a lower learning rate.` : run.message;
}

function lossNow(run) {
  const loss = runningMean(run.points.map((point) => point[1]), run.setting.steps).at(-1);
  return loss === undefined ? "–" : loss.toFixed(2);
}

// --- what is drawn ---

function scene(state) {
  const { batch_size: batch, steps } = state.setting, { context } = state, goal = batch * steps * context;
  const last = state.runs.at(-1), looked = state.runs.find((run) => run.letter === state.looked) ?? last;
  const ends = state.runs.map((run) => run.setting.batch_size * run.setting.steps * context);
  const results = state.runs.filter((run) => !busy(run)).map((run) => sentence(run, state.floor));
  const floor = state.floor === null ? "" : ` The floor is at ${state.floor.toFixed(2)}.`;
  return {
    title: `Loss over tokens seen. ${results.join(" ") || "No run yet."}${floor}`,
    xEnd: Math.max(goal, ...ends), yEnd: Math.ceil(state.guessing), xTitle: "tokens seen", yTitle: "loss (nats per token)",
    floor: state.floor,
    goal: { x: goal, text: `${steps} × ${batch} × ${context} = ${short(goal)} tokens` },
    hint: state.runs.length ? null : "Choose, predict, then press Train",
    lines: state.runs.map((run) => line(run, run === looked, state.looked !== null && run !== looked)),
  };
}

function line(run, strong, faded) {
  const losses = run.points.map((point) => point[1]);
  const bands = strong && losses.length && run.seeds?.length ? seedBand(run, losses.length) : null;
  const result = run.state === "failed" ? "✕" : run.validation?.toFixed(2) ?? "";
  return {
    label: `${run.letter} ${result}`, color: color(run, strong), dash: dash(run), strong, faded,
    x: run.points.map((point) => point[0]), y: runningMean(losses, run.setting.steps),
    raw: strong ? losses : null, band: bands, result: run.validation,
  };
}

/** The lowest and the highest of the seeds' running means at each point. */
function seedBand(run, length) {
  const means = run.seeds.map((seed) => runningMean(seed.loss).slice(0, length));
  return [Math.min, Math.max].map((pick) => means[0].map((_, i) => pick(...means.map((mean) => mean[i]))));
}

const dash = (run) => DASHES[run.recorded ? "recorded" : "live"][LETTERS.indexOf(run.letter)];
const color = (run, strong) => `var(--${run.recorded ? "recorded" : "own"}${strong ? "" : "-quiet"})`;

function row(run, state, act) {
  const { learning_rate: rate, batch_size: batch, steps } = run.setting;
  const look = (letter) => () => act.look(letter);
  const swatch = h("svg:svg", { width: 34, height: 10, "aria-hidden": "true" }, h("svg:line", {
    x1: 2, x2: 32, y1: 5, y2: 5, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-dasharray": dash(run) || null,
    style: `stroke: ${color(run, true)}` }));
  const seeds = run.seeds?.map((seed) => seed.validation_loss) ?? [];
  const range = seeds.length && run.state === "finished"
    ? h("small", {}, `${Math.min(...seeds).toFixed(2)}–${Math.max(...seeds).toFixed(2)}`,
      h("span", {}, ` in ${seeds.length} seeds`)) : null;
  const result = busy(run) ? "…" : run.state === "failed" ? "not finite" : run.validation?.toFixed(2) ?? "stopped";
  const remove = h("button", { type: "button", class: "fm-remove", "aria-label": `Remove run ${run.letter}`,
    onclick: () => act.remove(run) }, "×");
  return h("tr", { onmouseenter: look(run.letter), onmouseleave: look(null), onfocusin: look(run.letter),
    onfocusout: look(null) },
  h("th", { scope: "row" }, swatch, ` ${run.letter}`), h("td", {}, rate), h("td", {}, batch), h("td", {}, steps),
  h("td", {}, result, range), h("td", {}, busy(run) ? "" : remove));
}

function table(state, act) {
  if (!state.runs.length) return h("p", { class: "fm-empty" }, "Runs are kept here, to be compared.");
  const head = ["run", "rate", "batch", "steps", "loss"].map((name) => h("th", { scope: "col" }, name));
  return h("table", {}, h("thead", {}, h("tr", {}, ...head, h("td"))),
    h("tbody", {}, ...state.runs.map((run) => row(run, state, act))));
}

function origin(state) {
  const run = state.runs.find((each) => each.letter === state.looked) ?? state.runs.at(-1);
  if (state.live || !state.record) return state.live ? ["Runs are trained by this notebook's kernel."] : [""];
  if (!run) return ["This page has no kernel: recorded runs are replayed."];
  const how = `Run ${run.letter} is a replay. It was recorded (${state.record.machine}) by `;
  const words = run.command.split(" ").flatMap((word) => [h("span", {}, word), " "]); // a line breaks between words
  return [how, h("code", {}, ...words)];
}

// --- the widget ---

function render({ model, el }) {
  const state = createState(model);
  const status = h("p", { class: "fm-status" }), spoken = h("p", { class: "fm-spoken", "aria-live": "polite" });
  const mode = h("span", { class: "fm-mode" }), runs = h("div", { class: "fm-runs" }), made = h("p", { class: "fm-made" });
  const picture = h("div", { class: "fm-plot" }), plot = createPlot(picture);
  const knobs = KNOBS.map((knob) => ({ ...knob, ...slider({ ...knob, onchange: (value) => turn(knob.name, value) }) }));
  const train = button("Train", start, "fm-primary"), stop = button("Stop", end);
  let frame = 0, rows = "";

  function turn(name, value) {
    state.setting[name] = value;
    model.set(name, value);
    model.save_changes();
    show();
  }

  /** Bring everything on the screen up to date. */
  function show() {
    const run = current(state), ready = state.live || state.record;
    train.enable(ready && !run);
    stop.enable(Boolean(run));
    mode.textContent = state.live ? "live" : state.record ? "recorded runs" : "no kernel";
    const idle = ready ? "Ready." : "Run this cell to train: no kernel has answered.";
    const shown = run ?? state.runs.at(-1);
    status.textContent = shown ? sentence(shown, state.floor) : idle;
    status.classList.toggle("fm-failed", shown?.state === "failed");
    plot.draw(scene(state));
    // The table has buttons that would lose the focus: it is made again only when it would read differently.
    const now = JSON.stringify(state.runs.map((each) => [each.letter, each.state, each.validation]));
    if (now !== rows) runs.replaceChildren(table(state, { look, remove }));
    rows = now;
    made.replaceChildren(...origin(state));
  }

  function look(letter) {
    state.looked = letter;
    show();
  }

  function offer() {
    for (const knob of knobs) {
      knob.offer(state.live ? LIVE[knob.name] : recordedValues(state.record, knob.name), state.setting[knob.name]);
      state.setting[knob.name] = knob.value();
    }
  }

  function start() {
    if (state.live) return model.send({ type: "train", setting: { ...state.setting } });
    const { first, seeds } = lookUp(state.record, state.setting);
    const facts = { setting: { ...state.setting }, recorded: true, seeds, command: first.command };
    const run = keep(state, { ...facts, state: "training" });
    replay(run, first);
  }

  function end() {
    if (state.live) return model.send({ type: "stop" });
    cancelAnimationFrame(frame);
    finish(current(state), { state: "stopped" });
  }

  /** Draw a recorded run point by point; at once for a reader who wants no motion. */
  function replay(run, recorded) {
    const points = recorded.tokens.map((tokens, i) => [tokens, recorded.loss[i]]);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, begun = performance.now();
    const tick = (now) => {
      const share = calm ? 1 : Math.min(1, Math.max(0, now - begun) / REPLAY);
      run.points = points.slice(0, Math.ceil(share * points.length));
      if (share < 1) {
        frame = requestAnimationFrame(tick);
        show();
      } else if (recorded.error) finish(run, { state: "failed", message: recorded.error });
      else finish(run, { state: "finished", validation: recorded.validation_loss });
    };
    tick(begun);
  }

  function finish(run, outcome) {
    Object.assign(run, outcome);
    spoken.textContent = sentence(run, state.floor);
    show();
  }

  function remove(run) {
    state.runs = state.runs.filter((other) => other !== run);
    state.looked = null;
    if (state.live) model.send({ type: "remove", number: run.number });
    show();
    (runs.querySelector("button") ?? train.element).focus();
  }

  // --- what the kernel says ---

  const heard = {
    pong({ runs: before, floor }) {
      Object.assign(state, { live: true, floor: floor ?? state.floor, runs: [] });
      before.slice(-LETTERS.length).forEach((run) => heard.run(run));
      before.forEach((run) => heard.points({ ...run, start: 0 }));
      offer();
    },
    floor: ({ floor }) => (state.floor = floor),
    run({ number, setting, state: now, validation_loss: validation, message }) {
      const run = state.runs.find((each) => each.number === number) ?? keep(state, { number, setting });
      const ended = busy(run) && !["preparing", "training"].includes(now);
      Object.assign(run, { state: now, validation, message });
      if (ended) spoken.textContent = sentence(run, state.floor);
    },
    points({ number, start, points }) {
      const run = state.runs.find((each) => each.number === number);
      run?.points.splice(start, Infinity, ...points);
    },
  };
  const listen = (message) => (heard[message.type](message), show());

  if (state.record) offer();
  el.replaceChildren(h("section", { class: "fm-widget fm-lab", "aria-label": model.get("description") },
    h("div", { class: "fm-head" }, h("strong", {}, "Training lab"), mode),
    h("div", { class: "fm-knobs" }, ...knobs.map((knob) => knob.element)),
    h("div", { class: "fm-actions" }, train.element, stop.element, status), spoken,
    picture, runs, made));
  show();
  model.on("msg:custom", listen);
  model.send({ type: "ping" });
  return () => (cancelAnimationFrame(frame), plot.close(), model.off("msg:custom", listen));
}

export default { render };
