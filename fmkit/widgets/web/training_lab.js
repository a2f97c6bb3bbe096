import { h, short } from "./dom.js";
import { button, choice, slider } from "./controls.js";
import { createKernel } from "./jupyter.js";
import { createText } from "./own_text.js";
import { createPage, finetuning, hasEngine, pretraining } from "./page.js";
import { createPlot, runningMean } from "./plot.js";
import { createReplay, recordedSeeds } from "./recorded.js";
import { BROKEN, busy, current, explain, fault, give, keep, looked, lossNow, refusal, stroke, table } from "./runs.js";
import { marked } from "./story.js";

const LIVE = {
  learning_rate: [1e-4, 2e-4, 3e-4, 5e-4, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1, 10, 100],
  batch_size: [1, 2, 4, 8, 16, 32, 64],
  steps: [25, 50, 100, 200, 400, 800, 1600, 3200],
  epochs: [1, 2, 3, 5, 7, 10, 15, 20, 30],
};

/** How the length of a run is chosen and drawn: of texts in steps and tokens, of examples in epochs. */
function lengthOf(model) {
  const context = model.get("context_length"), examples = model.get("examples");
  if (!examples) {
    return {
      knob: { name: "steps", label: "Steps", unit: "" }, batchUnit: "sequences",
      axis: "tokens", axisTitle: "tokens seen", lossTitle: "loss (nats per token)",
      steps: (setting) => setting.steps,
      end: (setting) => setting.steps * setting.batch_size * context,
      sum: ({ steps, batch_size: size }) => `${steps} × ${size} × ${context} = ${short(steps * size * context)} tokens`,
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
  const record = ofSize(model.get("recorded") ?? null); // set by the loader of a page without a kernel
  const length = lengthOf(model), sizes = model.get("sizes") ?? [];
  const parameters = (width) => short(sizes.find((size) => size.hidden_size === width).parameters);
  const knobs = [
    ...(sizes.length > 1 ? [{ name: "hidden_size", label: "Parameters", unit: "", format: parameters }] : []),
    { name: "learning_rate", label: "Learning rate", unit: "" },
    { name: "batch_size", label: "Batch size", unit: length.batchUnit },
    length.knob,
  ];
  const setting = Object.fromEntries(knobs.map(({ name }) => [name, model.get(name)]));
  const wanted = { ...setting }; // what the reader chose last, also where no such run is recorded
  const guessing = Math.log(model.get("vocab_size"));
  // `looked` is the run that the reader points at, `notice` an answer to a press that started no run.
  // `text` is a text of the reader's own, to be learned instead of the lab's.
  const shown = { runs: [], looked: null, notice: "", text: null };
  return { record, length, sizes, parameters, knobs, setting, wanted, guessing, trainer: null, floor: record?.floor ?? null, ...shown };
}

const names = (state) => [...state.knobs.map((knob) => knob.name), "text"];

/** A record with the size of its model among the settings of its runs. */
function ofSize(record) {
  const size = record?.model?.hidden_size;
  return size ? { ...record, runs: record.runs.map((run) => ({ ...run, settings: { hidden_size: size, ...run.settings } })) } : record;
}

const result = (run) => (["finished", "stopped"].includes(run.state) ? run.checks.at(-1)?.[1] ?? null : null);
const lowest = (run) => run.checks.reduce((best, check) => (check[1] < best[1] ? check : best));

/** One sentence on the state of a run; the same that a screen reader reads out at its end. */
function sentence(run, { floor: known, length }) {
  const floor = run.setting.text ? null : known;
  const name = run.letter === BROKEN ? "This run" : `Run ${run.letter}`, end = result(run);
  if (run.state === "preparing") return `${name}: preparing the texts and their tokens, once…`;
  if (run.state === "training") return `${name}: ${at(run, length)}, loss ${lossNow(run)}${rest(run)}`;
  if (run.state === "failed") return `${name} failed. ${explain(run)}`;
  if (end === null) return `${name}: stopped at ${at(run, length)}, training loss ${lossNow(run)}.`;
  const above = floor === null ? "" : `, ${(end - floor).toFixed(2)} above the floor`;
  const after = run.state === "stopped" ? `${at(run, length)}, stopped` : length.span(run.setting);
  const begin = run.points[0]?.[1].toFixed(2);
  const unknown = run.setting.text ? ". The floor of your text is unknown" : "";
  if (length.axis === "tokens") return `${name}: loss ${begin} → ${end.toFixed(2)} after ${after}${above}${unknown}.`;
  const [place, best] = lowest(run), turned = end - best > 0.02;
  const turn = turned ? ` It was lowest, ${best.toFixed(2)}, after ${Math.round(place)}.` : "";
  return `${name}: validation ${end.toFixed(2)} after ${after}${above}; training ${lossNow(run)}.${turn}`;
}

/** Where a run is; a recorded curve has fewer points than the run had steps. */
function at(run, length) {
  return `step ${stepsOf(run, length)} of ${length.steps(run.setting)}`;
}

const stepsOf = (run, length) => Math.round((run.points.length / run.length) * length.steps(run.setting));

/** How long a run will take, if that is long. */
function rest({ secondsLeft = 0 }) {
  return secondsLeft > 60 ? `, about ${Math.round(secondsLeft / 60)} min left` : "";
}

// --- what is drawn ---

function scene(state) {
  const { length, setting } = state, goal = length.end(setting), strong = looked(state);
  const results = state.runs.filter((run) => !busy(run)).map((run) => sentence(run, state));
  const floor = state.floor === null || state.text ? "" : ` The floor is at ${state.floor.toFixed(2)}.`;
  return {
    title: `Loss over ${length.axisTitle}. ${results.join(" ") || "No run yet."}${floor}`,
    xEnd: Math.max(goal, ...state.runs.map((run) => endOf(run, length))), yEnd: top(state),
    xTitle: length.axisTitle, yTitle: length.lossTitle, floor: state.text ? null : state.floor,
    goal: { x: goal, text: length.sum(setting) },
    hint: state.runs.length ? null : "Choose, predict, then press Train",
    lines: state.runs.map((run) => line(run, state, run === strong, state.looked !== null && run !== strong)),
  };
}

/** Where a run ends, or has ended. */
function endOf(run, length) {
  return ["stopped", "failed"].includes(run.state) ? run.points.at(-1)?.[0] ?? 0 : length.end(run.setting);
}

/** Where the vertical axis ends: at the loss of guessing; of examples, above the ends of runs that did not explode. */
function top({ guessing, runs, length }) {
  const ends = runs.map(result).filter((loss) => loss !== null && loss < 1.5 * guessing);
  if (length.axis === "tokens" || !ends.length) return Math.ceil(guessing);
  return Math.max(1.5, Math.ceil(2.5 * Math.max(...ends)) / 2);
}

/** Of texts the running mean of the training loss; of examples the validation loss, and that mean behind it. */
function line(run, state, strong, faded) {
  const losses = run.points.map((point) => point[1]), mean = runningMean(losses, run.length);
  const x = run.points.map((point) => point[0]), byEpochs = state.length.axis === "epochs" && run.state !== "failed";
  const checked = { x: run.checks.map((check) => check[0]), y: run.checks.map((check) => check[1]) };
  const main = byEpochs ? checked : { x, y: mean };
  const end = result(run);
  const gone = run.state === "failed" && Math.max(...mean) > top(state) ? "off the scale" : "";
  return {
    ...main, label: `${run.letter} ${end?.toFixed(2) ?? gone}`, ...stroke(run), strong, faded,
    back: strong ? { x, y: byEpochs ? mean : losses, label: byEpochs ? "training" : "" } : null,
    band: run.seeds.length ? seedBand(run.seeds, state.length.axis === "epochs") : null, result: end,
  };
}

/** The lowest and the highest of recorded curves that differ in the seed only. */
function seedBand(seeds, byEpochs) {
  const curves = seeds.map((seed) => (byEpochs ? seed.checks.map((check) => check[1]) : runningMean(seed.loss)));
  const x = byEpochs ? seeds[0].checks.map((check) => check[0]) : seeds[0].tokens;
  const [low, high] = [Math.min, Math.max].map((pick) => x.map((_, i) => pick(...curves.map((curve) => curve[i]))));
  return { x, low, high, label: "recorded" };
}

/** What the table says of a run, beside its letter. */
function cells(run, state) {
  const seeds = run.seeds.map((seed) => seed.validation_loss);
  const [low, high] = [Math.min(...seeds), Math.max(...seeds)], whose = run.command ? "" : h("span", {}, "recorded ");
  const range = seeds.length && run.state === "finished"
    ? h("small", {}, whose, `${low.toFixed(2)}–${high.toFixed(2)}`, h("span", {}, ` in ${seeds.length} seeds`)) : "";
  const outcome = busy(run) ? "…" : run.state === "failed" ? fault(run) : result(run)?.toFixed(2) ?? "stopped";
  const setting = state.knobs.map(({ name, format = String }) => [format(run.setting[name])]);
  if (run.setting.text) setting[0].push(h("small", {}, `your text ${run.setting.text}`));
  if (run.command && state.sizes.length) setting[0].push(h("small", {}, "recorded"));
  if (run.state === "stopped") setting.at(-1).push(h("small", {}, `stopped at ${stepsOf(run, state.length)}`));
  return [...setting, [outcome, range]];
}

// --- the widget ---

function render({ model, el }) {
  const state = createState(model);
  const status = h("p", { class: "fm-status" }), spoken = h("p", { class: "fm-spoken", "aria-live": "polite" });
  const mode = h("span", { class: "fm-mode" }), made = h("p", { class: "fm-made" });
  const runs = h("div", { class: "fm-runs" }), story = h("div", { class: "fm-story fm-marked" });
  const picture = h("div", { class: "fm-plot" }), plot = createPlot(picture);
  const knobs = state.knobs.map((knob) => (
    { ...knob, ...slider({ ...knob, onchange: (value) => turn(knob.name, value) }) }));
  const train = button("Train", start, "fm-primary"), stop = button("Stop", () => state.trainer.stop());
  const who = choice({ label: "Runs are", format: (name) => ({ page: "trained here", replay: "recorded" })[name], onchange: ask });
  const own = createText((text) => (Object.assign(state, { text, notice: "" }), show()));
  let rows = "", told = null;

  function turn(name, value) {
    choose(name, value);
    state.wanted[name] = value;
    offer(names(state).indexOf(name) + 1);
    const { knob } = state.length, had = state.setting[knob.name], want = state.wanted[knob.name];
    state.notice = had === want ? "" : `No recorded run of ${want} ${knob.name} has this batch size: using ${had}.`;
    show();
  }

  function choose(name, value) {
    state.setting[name] = value;
    model.set(name, value);
    model.save_changes();
  }

  /** Bring everything on the screen up to date. */
  function show() {
    const run = current(state), { trainer } = state;
    train.enable(trainer && !run);
    stop.enable(Boolean(run));
    mode.textContent = trainer?.mode ?? "no kernel";
    own.element.hidden = !page || trainer !== page || !state.sizes.length;
    who.element.hidden = !(page && replay) || trainer === kernel;
    const idle = trainer ? "Ready." : "Run this cell to train: no kernel has answered.";
    const shown = run ?? looked(state);
    status.textContent = state.notice || (shown ? sentence(shown, state) : idle);
    status.classList.toggle("fm-failed", !state.notice && shown?.state === "failed");
    plot.draw(scene(state));
    // The table has buttons that would lose the focus: it is made again only when it would read differently.
    const now = JSON.stringify(state.runs.map((each) => [each.letter, each.state, each.setting, result(each)]));
    if (now !== rows) runs.replaceChildren(table(state, { head, cells, look, remove }));
    rows = now;
    made.replaceChildren(...((looked(state)?.trainer ?? trainer)?.origin(looked(state)) ?? []));
    story.hidden = trainer === replay;
    tell(shown?.story ?? null);
  }

  /** Show what a run wrote last: with the verdict of the world, if that knows such texts. */
  function tell(latest) {
    if (latest === told && story.hasChildNodes()) return;
    told = latest;
    const unjudged = { right: latest?.text ?? "", wrong: "", rest: "", expected: [], more: 0 };
    const text = latest ? marked({ ...unjudged, ...latest }) : ["Nothing yet: a model writes here as it learns."];
    story.replaceChildren(h("b", {}, "What it writes now"), ...text);
    story.classList.toggle("fm-quiet", !latest);
  }

  /** Let the page train, or the recorded runs be replayed; runs of both are compared. */
  function ask(name) {
    current(state) && state.trainer.stop();
    state.trainer = name === "page" ? page : replay;
    if (state.trainer === replay) state.text = null;
    offer();
    show();
  }

  function look(run) {
    state.looked = run;
    show();
  }

  /** Offer the values of the sliders from the `first` on: all, or those for which the trainer has something to show. */
  function offer(first = 0) {
    const live = { ...LIVE, hidden_size: state.sizes.map((size) => size.hidden_size) };
    for (const knob of knobs.slice(first)) {
      knob.offer(state.trainer.values?.(knob.name, state.setting) ?? live[knob.name], state.wanted[knob.name]);
      choose(knob.name, knob.value());
    }
  }

  function start() {
    const setting = { ...state.setting, ...(state.text && { text: state.text.number }) };
    state.notice = refusal(state, setting, names(state), sentence);
    if (state.notice) {
      spoken.textContent = state.notice;
      return show();
    }
    state.trainer.start(setting);
  }

  function remove(run) {
    state.runs = state.runs.filter((other) => other !== run);
    Object.assign(state, { looked: null, notice: "" });
    state.trainer.forget?.(run);
    show();
    (runs.querySelector("button") ?? train.element).focus();
  }

  // --- who trains, and what they tell (see jupyter.js) ---

  function open(facts) {
    const run = keep(state, { length: state.length.steps(facts.setting), ...facts });
    show();
    return {
      update: (changes) => (Object.assign(run, changes), show()),
      end(outcome) {
        Object.assign(run, outcome);
        if (run.state === "failed") give(state, run);
        spoken.textContent = sentence(run, state);
        show();
      },
    };
  }

  function onlive() {
    Object.assign(state, { trainer: kernel, runs: [] });
    offer();
    show();
  }

  const title = model.get("description").split(":")[0];
  const head = [...(state.sizes.length > 1 ? ["size"] : []), "rate", "batch", state.length.knob.name, "loss"];
  el.replaceChildren(h("section", { class: "fm-widget fm-lab", "aria-label": model.get("description") },
    h("div", { class: "fm-head" }, h("strong", {}, title), mode),
    h("div", { class: "fm-knobs" }, who.element, ...knobs.map((knob) => knob.element)), own.element,
    h("div", { class: "fm-actions" }, train.element, stop.element, status), spoken,
    picture, ...(state.sizes.length ? [story] : []), runs, made));
  const replay = state.record && createReplay(state.record, { names: names(state), axis: state.length.axis, open });
  const seeds = (setting) => recordedSeeds(state.record, setting, names(state));
  const texts = () => state.text?.texts;
  const job = state.sizes.length ? pretraining(state.sizes, texts) : finetuning(model.get("examples"));
  const differs = state.sizes.length ? "with other stories and other weights" : "on the same answers in another order";
  const page = replay && hasEngine() ? createPage({ job, differs, seeds, open }) : null;
  const onfloor = (floor) => (state.floor = floor ?? state.floor, show());
  const kernel = createKernel(model, { open, onlive, onfloor });
  state.trainer = page ?? replay;
  who.offer(["page", "replay"], "page");
  if (state.trainer) offer();
  show();
  return () => (page?.close(), replay?.close(), kernel.close(), plot.close());
}

export default { render };
