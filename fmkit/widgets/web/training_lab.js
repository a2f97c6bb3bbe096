import { h, short } from "./dom.js";
import { button, slider } from "./controls.js";
import { createPlot, runningMean } from "./plot.js";

const LIVE = {
  learning_rate: [1e-4, 2e-4, 3e-4, 5e-4, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1, 10, 100],
  batch_size: [1, 2, 4, 8, 16, 32, 64],
  steps: [25, 50, 100, 200, 400, 800, 1600, 3200],
  epochs: [1, 2, 3, 5, 7, 10, 15, 20, 30],
};
const LETTERS = "ABCDEF"; // so many runs are kept; a letter has its color and its dash
const DASHES = ["", "9 5", "14 4 2 4", "4 4", "20 5", "9 4 2 4 2 4"];
const BROKEN = "✕"; // in place of a letter
const REPLAY = 1800; // milliseconds for a recorded run, whatever it took

/** How the length of a run is chosen and drawn: of texts in steps and tokens, of examples in epochs. */
function lengthOf(model) {
  const context = model.get("context_length"), examples = model.get("examples");
  if (!examples) {
    return {
      knob: { name: "steps", label: "Steps", unit: "" }, batchUnit: "sequences",
      axis: "tokens", axisTitle: "tokens seen", lossTitle: "loss (nats per token)",
      steps: (setting) => setting.steps,
      end: (setting) => setting.steps * setting.batch_size * context,
      sum: ({ steps, batch_size: batch }) => `${steps} × ${batch} × ${context} = ${short(steps * batch * context)} tokens`,
      span: (setting) => `${setting.steps} steps`,
    };
  }
  const steps = ({ epochs, batch_size: batch }) => Math.floor((epochs * examples) / batch);
  const whole = ({ epochs, batch_size: batch }) => (epochs * examples) / batch; // with a part of a batch, left out
  return {
    knob: { name: "epochs", label: "Epochs", unit: "" }, batchUnit: "examples",
    axis: "epochs", axisTitle: "epochs", lossTitle: "loss (nats per token); strong: validation",
    steps, end: (setting) => setting.epochs,
    sum: (setting) => {
      const exact = whole(setting), rest = exact === steps(setting) ? "" : `${Math.round(10 * exact) / 10}, so `;
      return `${setting.epochs} × ${examples} / ${setting.batch_size} = ${rest}${steps(setting)} steps`;
    },
    span: (setting) => `${setting.epochs} epochs, ${steps(setting)} steps`,
  };
}

/** Everything that the lab shows; the drawing functions below only read it. */
function createState(model) {
  const record = model.get("recorded") ?? null; // set by the loader of a page without a kernel
  const length = lengthOf(model);
  const knobs = [
    { name: "learning_rate", label: "Learning rate", unit: "" },
    { name: "batch_size", label: "Batch size", unit: length.batchUnit },
    length.knob,
  ];
  const setting = Object.fromEntries(knobs.map(({ name }) => [name, model.get(name)]));
  const wanted = { ...setting }; // what the reader chose last, also where no such run is recorded
  const guessing = Math.log(model.get("vocab_size"));
  // `looked` is the run that the reader points at, `notice` an answer to a press that started no run.
  const shown = { runs: [], looked: null, notice: "" };
  return { record, length, knobs, setting, wanted, guessing, live: false, floor: record?.floor ?? null, ...shown };
}

const busy = (run) => run.state === "preparing" || run.state === "training";
const current = (state) => state.runs.find(busy);
const equal = (one, other, names) => names.every((name) => one[name] === other[name]);
const names = (state) => state.knobs.map((knob) => knob.name);

/** The recorded run of a setting, and the others that differ from it in the seed only. */
function lookUp(state) {
  const [first, ...others] = state.record.runs.filter((run) => equal(run.settings, state.setting, names(state)));
  const whole = [first, ...others].every((run) => run.validation_loss !== undefined);
  return { first, seeds: others.length && whole ? [first, ...others] : [] };
}

/** Sorted values of a slider, as far as runs of them are recorded with what the sliders before it say. */
function recordedValues(state, name) {
  const before = names(state).slice(0, names(state).indexOf(name));
  const runs = state.record.runs.filter((run) => equal(run.settings, state.setting, before));
  return [...new Set(runs.map((run) => run.settings[name]))].sort((a, b) => a - b);
}

/** The letter that the next run gets, if one is free. */
const freeLetter = (state) => [...LETTERS].find((each) => state.runs.every((run) => run.letter !== each));

function keep(state, run) {
  const empty = { letter: freeLetter(state), state: "preparing", message: "", points: [], checks: [], seeds: [] };
  state.runs.push({ ...empty, length: state.length.steps(run.setting), ...run });
  state.looked = null;
  return state.runs.at(-1);
}

/** A run that broke gives its letter back, and the row of the one that broke before it. */
function give(state, run) {
  run.letter = BROKEN;
  state.runs = state.runs.filter((other) => other === run || other.state !== "failed");
}

const result = (run) => (["finished", "stopped"].includes(run.state) ? run.checks.at(-1)?.[1] ?? null : null);
const lowest = (run) => run.checks.reduce((best, check) => (check[1] < best[1] ? check : best));

/** One sentence on the state of a run; the same that a screen reader reads out at its end. */
function sentence(run, { floor, length }) {
  const name = run.letter === BROKEN ? "This run" : `Run ${run.letter}`, end = result(run);
  if (run.state === "preparing") return `${name}: preparing the texts and their tokens, once …`;
  if (run.state === "training") return `${name}: ${at(run, length)}, loss ${lossNow(run)}`;
  if (run.state === "failed") return `${name} failed. ${explain(run)}`;
  if (end === null) return `${name}: stopped at ${at(run, length)}.`;
  const above = floor === null ? "" : `, ${(end - floor).toFixed(2)} above the floor`;
  const after = run.state === "stopped" ? `${at(run, length)}, stopped` : length.span(run.setting);
  if (length.axis === "tokens") return `${name}: loss ${run.points[0]?.[1].toFixed(2)} → ${end.toFixed(2)} after ${after}${above}.`;
  const [place, best] = lowest(run), turned = end - best > 0.02;
  const turn = turned ? ` It was lowest, ${best.toFixed(2)}, after ${Math.round(place)}.` : "";
  return `${name}: validation ${end.toFixed(2)} after ${after}${above}; training ${lossNow(run)}.${turn}`;
}

/** Where a run is; a recorded curve has fewer points than the run had steps. */
function at(run, length) {
  const steps = length.steps(run.setting);
  return `step ${Math.round((run.points.length / run.length) * steps)} of ${steps}`;
}

const fault = (run) => (run.message.includes("not finite") ? "not finite" : "failed");

function explain(run) {
  const [, step] = /^step (\d+): loss .* not finite/.exec(run.message) ?? [];
  return step ? `At step ${step} the loss or gradient was no longer finite: try a lower learning rate.` : run.message;
}

function lossNow(run) {
  const loss = runningMean(run.points.map((point) => point[1]), run.length).at(-1);
  return loss === undefined ? "–" : loss.toFixed(2);
}

// --- what is drawn ---

const pick = (state) => (state.looked && state.runs.includes(state.looked) ? state.looked : state.runs.at(-1));

function scene(state) {
  const { length, setting } = state, goal = length.end(setting), looked = pick(state);
  const results = state.runs.filter((run) => !busy(run)).map((run) => sentence(run, state));
  const floor = state.floor === null ? "" : ` The floor is at ${state.floor.toFixed(2)}.`;
  return {
    title: `Loss over ${length.axisTitle}. ${results.join(" ") || "No run yet."}${floor}`,
    xEnd: Math.max(goal, ...state.runs.map((run) => length.end(run.setting))), yEnd: top(state),
    xTitle: length.axisTitle, yTitle: length.lossTitle, floor: state.floor,
    goal: { x: goal, text: length.sum(setting) },
    hint: state.runs.length ? null : "Choose, predict, then press Train",
    lines: state.runs.map((run) => line(run, state, run === looked, state.looked !== null && run !== looked)),
  };
}

/** Where the vertical axis ends: at the loss of guessing, or of examples above the ends of runs that did not explode. */
function top({ guessing, runs, length }) {
  const ends = runs.map(result).filter((loss) => loss !== null && loss < 1.5 * guessing);
  if (length.axis === "tokens" || !ends.length) return Math.ceil(guessing);
  return Math.max(1.5, Math.ceil(2.5 * Math.max(...ends)) / 2);
}

/** Of texts the running mean of the training loss; of examples the validation loss, and that mean behind it. */
function line(run, state, strong, faded) {
  const losses = run.points.map((point) => point[1]), mean = runningMean(losses, run.length);
  const x = run.points.map((point) => point[0]), byEpochs = state.length.axis === "epochs" && run.state !== "failed";
  const main = byEpochs ? { x: run.checks.map((check) => check[0]), y: run.checks.map((check) => check[1]) } : { x, y: mean };
  const end = result(run);
  const gone = run.state === "failed" && Math.max(...mean) > top(state) ? "off the scale" : "";
  return {
    ...main, label: `${run.letter} ${end?.toFixed(2) ?? gone}`, color: color(run), dash: dash(run), strong, faded,
    back: strong ? { x, y: byEpochs ? mean : losses, label: byEpochs ? "training" : "" } : null,
    band: run.seeds.length ? seedBand(run, main, byEpochs) : null, result: end,
  };
}

/** The lowest and the highest of the seeds' curves at each point of a line. */
function seedBand(run, main, byEpochs) {
  const curves = run.seeds.map((seed) => (byEpochs ? seed.checks.map((check) => check[1]) : runningMean(seed.loss)));
  return [Math.min, Math.max].map((pick) => main.y.map((_, i) => pick(...curves.map((curve) => curve[i]))));
}

const dash = (run) => DASHES[LETTERS.indexOf(run.letter)] ?? "2 3";
const color = (run) => (run.letter === BROKEN ? "var(--broken)" : `var(--run-${run.letter})`);

function row(run, state, act) {
  const look = (which) => () => act.look(which), end = result(run);
  const swatch = h("svg:svg", { width: 34, height: 10, "aria-hidden": "true" }, h("svg:line", {
    x1: 2, x2: 32, y1: 5, y2: 5, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-dasharray": dash(run) || null,
    style: `stroke: ${color(run)}` }));
  const seeds = run.seeds.map((seed) => seed.validation_loss);
  const range = seeds.length && run.state === "finished"
    ? h("small", {}, `${Math.min(...seeds).toFixed(2)}–${Math.max(...seeds).toFixed(2)}`,
      h("span", {}, ` in ${seeds.length} seeds`)) : null;
  const outcome = busy(run) ? "…" : run.state === "failed" ? fault(run) : end?.toFixed(2) ?? "stopped";
  const remove = h("button", { type: "button", class: "fm-remove", onclick: () => act.remove(run),
    "aria-label": run.letter === BROKEN ? "Remove the run that broke" : `Remove run ${run.letter}` }, "×");
  return h("tr", { onmouseenter: look(run), onmouseleave: look(null), onfocusin: look(run), onfocusout: look(null) },
    h("th", { scope: "row" }, swatch, ` ${run.letter}`), ...names(state).map((name) => h("td", {}, run.setting[name])),
    h("td", {}, outcome, range), h("td", {}, busy(run) ? "" : remove));
}

function table(state, act) {
  if (!state.runs.length) return h("p", { class: "fm-empty" }, "Runs are kept here, to be compared.");
  const head = ["run", "rate", "batch", state.length.knob.name, "loss"].map((name) => h("th", { scope: "col" }, name));
  return h("table", {}, h("thead", {}, h("tr", {}, ...head, h("td"))),
    h("tbody", {}, ...state.runs.map((run) => row(run, state, act))));
}

function origin(state) {
  const run = pick(state);
  if (state.live || !state.record) return state.live ? ["Runs are trained by this notebook's kernel."] : [""];
  if (!run) return ["On this page, recorded runs are replayed."];
  const who = run.letter === BROKEN ? "The run that broke" : `Run ${run.letter}`;
  const how = `${who} is a replay. It was recorded (${run.machine ?? state.record.machine}) by `;
  const words = run.command.split(" ").flatMap((word) => [h("span", {}, word), " "]); // a line breaks between words
  return [how, h("code", {}, ...words)];
}

// --- the widget ---

function render({ model, el }) {
  const state = createState(model);
  const status = h("p", { class: "fm-status" }), spoken = h("p", { class: "fm-spoken", "aria-live": "polite" });
  const mode = h("span", { class: "fm-mode" }), runs = h("div", { class: "fm-runs" }), made = h("p", { class: "fm-made" });
  const picture = h("div", { class: "fm-plot" }), plot = createPlot(picture);
  const knobs = state.knobs.map((knob) => ({ ...knob, ...slider({ ...knob, onchange: (value) => turn(knob.name, value) }) }));
  const train = button("Train", start, "fm-primary"), stop = button("Stop", end);
  let frame = 0, rows = "";

  function turn(name, value) {
    choose(name, value);
    state.wanted[name] = value;
    offer(names(state).indexOf(name) + 1);
    const { knob } = state.length, had = state.setting[knob.name], want = state.wanted[knob.name];
    state.notice = had === want ? "" : `Of this batch size, no run of ${want} ${knob.name} is recorded: here ${had}.`;
    show();
  }

  function choose(name, value) {
    state.setting[name] = value;
    model.set(name, value);
    model.save_changes();
  }

  /** Bring everything on the screen up to date. */
  function show() {
    const run = current(state), ready = state.live || state.record;
    train.enable(ready && !run);
    stop.enable(Boolean(run));
    mode.textContent = state.live ? "live" : state.record ? "recorded runs" : "no kernel";
    const idle = ready ? "Ready." : "Run this cell to train: no kernel has answered.";
    const shown = run ?? pick(state);
    status.textContent = state.notice || (shown ? sentence(shown, state) : idle);
    status.classList.toggle("fm-failed", !state.notice && shown?.state === "failed");
    plot.draw(scene(state));
    // The table has buttons that would lose the focus: it is made again only when it would read differently.
    const now = JSON.stringify(state.runs.map((each) => [each.letter, each.state, each.setting, result(each)]));
    if (now !== rows) runs.replaceChildren(table(state, { look, remove }));
    rows = now;
    made.replaceChildren(...origin(state));
  }

  function look(run) {
    state.looked = run;
    show();
  }

  /** Offer the values of the sliders from the `first` on; of recorded runs, what exists with those before it. */
  function offer(first = 0) {
    for (const knob of knobs.slice(first)) {
      knob.offer(state.live ? LIVE[knob.name] : recordedValues(state, knob.name), state.wanted[knob.name]);
      choose(knob.name, knob.value());
    }
  }

  /** The same settings give the same run again, and no run is pushed out by another: then the reader is told. */
  function refusal() {
    const same = state.runs.find((run) => !busy(run) && run.state !== "stopped" && equal(run.setting, state.setting, names(state)));
    if (same) return `These settings are here already. ${sentence(same, state)}`;
    return freeLetter(state) ? "" : `${LETTERS.length} runs are kept: remove one to train another.`;
  }

  function start() {
    state.notice = refusal();
    if (state.notice) {
      spoken.textContent = state.notice;
      return show();
    }
    // A run that was stopped makes room for the same run as a whole.
    state.runs = state.runs.filter((run) => !equal(run.setting, state.setting, names(state)));
    if (state.live) return model.send({ type: "train", setting: { ...state.setting } });
    const { first, seeds } = lookUp(state), { command, machine } = first;
    const facts = { setting: { ...state.setting }, seeds, command, machine, length: first.loss.length };
    replay(keep(state, { ...facts, state: "training" }), first);
  }

  function end() {
    if (state.live) return model.send({ type: "stop" });
    cancelAnimationFrame(frame);
    finish(current(state), { state: "stopped" });
  }

  /** Draw a recorded run point by point; at once for a reader who wants no motion. */
  function replay(run, recorded) {
    const xs = recorded[state.length.axis], points = xs.map((x, i) => [x, recorded.loss[i]]);
    const checks = recorded.checks ?? (recorded.error ? [] : [[xs.at(-1), recorded.validation_loss]]);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, begun = performance.now();
    const tick = (now) => {
      const share = calm ? 1 : Math.min(1, Math.max(0, now - begun) / REPLAY);
      run.points = points.slice(0, Math.ceil(share * points.length));
      run.checks = share < 1 ? checks.filter(([x]) => x <= (run.points.at(-1)?.[0] ?? 0)) : checks;
      if (share < 1) {
        frame = requestAnimationFrame(tick);
        show();
      } else if (recorded.error) finish(run, { state: "failed", message: recorded.error });
      else finish(run, { state: "finished" });
    };
    tick(begun);
  }

  function finish(run, outcome) {
    Object.assign(run, outcome);
    if (run.state === "failed") give(state, run);
    spoken.textContent = sentence(run, state);
    show();
  }

  function remove(run) {
    state.runs = state.runs.filter((other) => other !== run);
    Object.assign(state, { looked: null, notice: "" });
    if (state.live) model.send({ type: "remove", number: run.number });
    show();
    (runs.querySelector("button") ?? train.element).focus();
  }

  // --- what the kernel says ---

  const heard = {
    pong({ runs: before, floor }) {
      Object.assign(state, { live: true, floor: floor ?? state.floor, runs: [] });
      before.slice(-LETTERS.length).forEach((run) => (heard.run(run), heard.points({ ...run, start: 0 })));
      offer();
    },
    floor: ({ floor }) => (state.floor = floor),
    run({ number, setting, state: now, checks, message }) {
      const run = state.runs.find((each) => each.number === number) ?? keep(state, { number, setting });
      const ended = busy(run) && !["preparing", "training"].includes(now);
      Object.assign(run, { state: now, checks, message });
      if (ended) finish(run, {});
    },
    points({ number, start, points, checks }) {
      const run = state.runs.find((each) => each.number === number);
      run?.points.splice(start, Infinity, ...points);
      if (run) run.checks = checks;
    },
  };
  const listen = (message) => (heard[message.type](message), show());

  if (state.record) offer();
  const title = model.get("description").split(":")[0];
  el.replaceChildren(h("section", { class: "fm-widget fm-lab", "aria-label": model.get("description") },
    h("div", { class: "fm-head" }, h("strong", {}, title), mode),
    h("div", { class: "fm-knobs" }, ...knobs.map((knob) => knob.element)),
    h("div", { class: "fm-actions" }, train.element, stop.element, status), spoken,
    picture, runs, made));
  show();
  model.on("msg:custom", listen);
  model.send({ type: "ping" });
  return () => (cancelAnimationFrame(frame), plot.close(), model.off("msg:custom", listen));
}

export default { render };
