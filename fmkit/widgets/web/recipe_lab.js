import { h } from "./dom.js";
import { button, choice, slider } from "./controls.js";
import { createKernel } from "./jupyter.js";
import { createPlot, runningMean } from "./plot.js";
import { BROKEN, busy, current, explain, fault, give, keep, looked, makeRoom, refusal, stroke, table } from "./runs.js";

/* Any recipe: the live loss of what a cell trains, and, where there are controls, a lab that starts runs itself.
 * A point is [step, loss, learning rate, gradient norm], a check [step, { name: what was measured }]. */

const COLUMNS = { loss: 1, learning_rate: 2, grad_norm: 3 };
const TITLES = { loss: "training loss (nats)", grad_norm: "length of the gradient", kl: "KL from the start (nats)" };
const SHORT = { learning_rate: "rate", batch_size: "batch" };
const NO_KERNEL = "This widget trains in a notebook's kernel: open the notebook in JupyterLab and run its cell.";
const DEAF = "This kernel hears a press only between cells: to stop, interrupt it (■ in the toolbar).";

const words = (name) => name.replaceAll("_", " ");
const title = (name) => TITLES[name] ?? words(name);
const said = (value) => (value === null ? "auto" : value === true ? "on" : value === false ? "off" : String(value));
function digits(value) {
  if (Math.abs(value) >= 0.1 || value === 0) return value.toFixed(2);
  return Math.abs(value) >= 0.001 ? value.toPrecision(2) : value.toExponential(1);
}

/** A duration as a person says it. */
function duration(seconds) {
  const s = Math.round(seconds), m = Math.round(s / 60);
  return s < 100 ? `${s} s` : m < 100 ? `${m} min` : `${Math.floor(m / 60)} h ${m % 60} min`;
}

function stateOf(model) {
  const controls = model.get("controls"), setting = { ...model.get("setting") };
  const state = { runs: [], looked: null, coded: null, notice: "", plotted: null, trainer: null, controls, setting };
  for (const run of model.get("saved")) {
    const kept = keep(state, run);
    if (run.state === "failed") give(state, kept);
  }
  return { ...state, floor: model.get("saved_floor") };
}

// --- a run in numbers ---

const ended = (run) => run.state === "finished" || run.state === "stopped";
const measures = (run) => run.checks.at(-1)?.[1] ?? {};
const measured = ({ runs }) => [...new Set(runs.flatMap((run) => run.checks.flatMap(([, all]) => Object.keys(all))))];

/** The curve of a quantity; of losses and gradients the running mean. */
function curve(run, name) {
  const column = COLUMNS[name];
  if (!column) {
    const checks = run.checks.filter(([, all]) => name in all);
    return { x: checks.map(([step]) => step), y: checks.map(([, all]) => all[name]) };
  }
  const x = run.points.map(([step]) => step), y = run.points.map((point) => point[column]);
  const whole = (y.length * run.steps) / (x.at(-1) ?? run.steps);
  return { x, y: name === "learning_rate" ? y : runningMean(y, whole) };
}

const loss = (run) => curve(run, "loss").y.at(-1);

/** One sentence on the state of a run; the same that a screen reader reads out at its end. */
function report(run, { floor }) {
  const name = run.letter === BROKEN ? "This run" : `Run ${run.letter}`;
  if (run.state === "preparing") return `${name}: preparing the model and its data…`;
  if (run.state === "training") return `${name}: step ${run.step ?? 0} of ${run.steps}`;
  if (run.state === "failed") return `${name} failed. ${explain(run)}`;
  if (!run.points.length) return `${name}: stopped before its first step.`;
  const after = run.state === "stopped" ? `step ${run.step} of ${run.steps}, stopped` : `${run.steps} steps`;
  const { validation_loss: checked, ...rest } = measures(run), end = checked ?? loss(run);
  const above = floor === null ? "" : `, ${(end - floor).toFixed(2)} above the floor`;
  const also = Object.entries(rest).map(([what, value]) => `, ${words(what)} ${digits(value)}`).join("");
  const validation = checked === undefined ? "" : `; validation ${digits(checked)}`;
  const from = digits(run.points[0][1]), to = digits(loss(run));
  return `${name}: loss ${from} → ${to} after ${after}${validation}${above}${also}.`;
}

// --- what is drawn ---

/** What the plot shows: as chosen, or the reward where there is one, or the loss. */
function plotted(state) {
  const names = [...Object.keys(COLUMNS), ...measured(state).filter((name) => name !== "validation_loss")];
  const usual = names.includes("reward") ? "reward" : "loss";
  return { names, name: names.includes(state.plotted) ? state.plotted : usual };
}

function picture(state) {
  const { name } = plotted(state), strong = looked(state), { controls, setting } = state;
  const lines = state.runs.map((run) => drawn(run, name, run === strong, state.looked !== null && run !== strong));
  const steps = Math.max(controls.length ? setting.steps : 1, ...state.runs.map((run) => run.steps ?? 0));
  const results = state.runs.filter((run) => !busy(run)).map((run) => report(run, state));
  const hint = controls.length ? "Choose, then press Run" : "No run yet";
  return {
    title: `${title(name)} over steps. ${results.join(" ") || "No run yet."}`, ...range(lines, name),
    xEnd: steps, xTitle: "steps", yTitle: title(name), floor: name === "loss" ? state.floor : null,
    goal: null, hint: state.runs.length ? null : hint, lines,
  };
}

/** Where the vertical axis starts and ends: it begins at 0 or below, and does not follow a loss that explodes. */
function range(lines, name) {
  const values = lines.flatMap((line) => line.y).filter(Number.isFinite), firsts = lines.map((line) => line.y[0] ?? 0);
  const limit = name === "loss" ? 2 * Math.max(...firsts, 0) || Infinity : Infinity;
  const high = Math.min(Math.max(...values, 0), limit), low = Math.min(...values, 0);
  return { yStart: 1.05 * low, yEnd: 1.05 * high || (low ? 0 : 1) };
}

function drawn(run, name, strong, faded) {
  const main = curve(run, name), checks = curve(run, "validation_loss"), end = main.y.at(-1);
  const raw = { x: main.x, y: run.points.map((point) => point[COLUMNS.loss]), label: "" };
  const back = checks.x.length ? { ...checks, label: "validation" } : raw;
  return {
    ...main, ...stroke(run), strong, faded, band: null, label: `${run.letter} ${end === undefined ? "" : digits(end)}`,
    back: strong && name === "loss" ? back : null, result: ended(run) ? end ?? null : null,
  };
}

/** The numbers of the run that the reader looks at. */
function numbers(run) {
  const step = run?.steps ? `${run.step ?? 0} / ${run.steps}` : null;
  const all = [["Step", step], ["Loss", run?.points.length ? digits(loss(run)) : null]];
  for (const [name, value] of Object.entries(run ? measures(run) : {})) {
    all.push([name === "validation_loss" ? "Validation" : words(name), digits(value)]);
  }
  const rate = run?.points.at(-1)?.[2], left = run && busy(run) ? run.left : undefined;
  all.push(["Learning rate", rate === undefined ? null : Number(rate.toPrecision(2))]);
  all.push(["Tokens/s", run?.speed?.toLocaleString("en")], ["Time left", left === undefined ? null : duration(left)]);
  return all.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "–")));
}

/** The columns of the table: what is always chosen, what differs between runs, and what came out. */
function columns(state) {
  const differs = (name) => new Set(state.runs.map((run) => run.setting[name])).size > 1;
  const chosen = Object.keys(state.runs[0]?.setting ?? {});
  const first = ["learning_rate", "batch_size", "steps"];
  return [...first, ...chosen.filter((name) => !first.includes(name) && differs(name))];
}

// --- the widget ---

function render({ model, el }) {
  const state = stateOf(model);
  const status = h("p", { class: "fm-status" }), spoken = h("p", { class: "fm-spoken", "aria-live": "polite" });
  const mode = h("span", { class: "fm-mode" }), facts = h("dl", { class: "fm-facts" });
  const host = h("div", { class: "fm-plot" }), plot = createPlot(host), runs = h("div", { class: "fm-runs" });
  const run = button("Run", start, "fm-primary"), stop = button("Stop", () => state.trainer.stop());
  const shown = choice({ label: "Plot", format: title, onchange: (name) => ((state.plotted = name), show()) });
  const program = h("code"), whose = h("span"), copy = button("Copy", copyCode);
  const source = h("pre", { tabindex: 0, "aria-label": "Code of this run" }, program);
  const code = h("div", { class: "fm-code" }, h("div", { class: "fm-head" }, whose, copy.element), source);
  let rows = "", offered = "";

  function knob({ name, help, values }) {
    const text = words(name), label = text[0].toUpperCase() + text.slice(1);
    const make = values.every((value) => value === null || typeof value === "number") ? slider : choice;
    const made = make({ label, unit: "", format: said, onchange: (value) => turn(name, value) });
    made.offer(values, state.setting[name]);
    made.element.title = help;
    return made.element;
  }

  function turn(name, value) {
    state.setting[name] = value;
    state.notice = "";
    model.set("setting", { ...state.setting });
    model.save_changes();
    show();
  }

  /** Bring everything on the screen up to date. */
  function show() {
    const now = current(state), { trainer } = state, one = now ?? looked(state);
    run.enable(trainer && !now);
    stop.enable(trainer && now);
    mode.textContent = trainer || now ? "live" : state.runs.length ? "saved runs" : "no kernel";
    const hint = trainer ? "" : now ? DEAF : state.controls.length || !one ? NO_KERNEL : "";
    const told = one ? report(one, state) : trainer ? "Ready." : "";
    status.textContent = state.notice || (hint && told ? `${told.replace(/\.?$/, ".")} ${hint}` : told || hint);
    status.classList.toggle("fm-failed", !state.notice && one?.state === "failed");
    facts.replaceChildren(...numbers(one));
    const { names, name } = plotted(state);
    // What has the reader's focus is made again only when it would read differently.
    if (offered !== `${names} ${name}`) shown.offer(names, name);
    offered = `${names} ${name}`;
    plot.draw(picture(state));
    const { runs: all } = state;
    const listed = JSON.stringify(
      all.map((each) => [each.letter, each.state, each.setting, !busy(each) && measures(each)]));
    if (rows !== listed) runs.replaceChildren(list());
    rows = listed;
    showCode();
  }

  /** The code of the run that the reader looked at last. */
  function showCode() {
    state.coded = state.looked ?? (state.runs.includes(state.coded) ? state.coded : state.runs.at(-1)) ?? null;
    code.hidden = !state.coded?.code;
    const letter = state.coded?.letter;
    whose.textContent = letter === BROKEN ? "Code of the run that broke" : `Code of run ${letter}`;
    program.textContent = state.coded?.code ?? "";
  }

  function list() {
    const names = columns(state), results = measured(state);
    const head = [...names.map((name) => SHORT[name] ?? words(name)), "loss", ...results.map((name) => words(name))];
    const cells = (each) => {
      const end = each.points.length ? digits(loss(each)) : "–";
      const outcome = busy(each) ? "…" : each.state === "failed" ? fault(each) : end, all = measures(each);
      const found = results.map((name) => (busy(each) || !(name in all) ? "" : digits(all[name])));
      const chosen = names.map((name) => [name in each.setting ? said(each.setting[name]) : ""]);
      return [...chosen, [outcome], ...found.map((text) => [text])];
    };
    return table(state, { head, cells, look, remove });
  }

  function look(which) {
    state.looked = which;
    show();
  }

  function start() {
    state.notice = refusal(state, state.setting, Object.keys(state.setting), report);
    spoken.textContent = state.notice;
    if (!state.notice) state.trainer.start({ ...state.setting });
    show();
  }

  function remove(which) {
    state.runs = state.runs.filter((other) => other !== which);
    Object.assign(state, { looked: null, notice: "" });
    state.trainer?.forget(which);
    show();
    (runs.querySelector("button") ?? stop.element).focus();
  }

  async function copyCode() {
    try {
      await navigator.clipboard.writeText(program.textContent);
      spoken.textContent = state.notice = "The code is copied.";
    } catch { // not allowed, as on a page without https
      getSelection().selectAllChildren(program);
      spoken.textContent = state.notice = "The code is selected: press Ctrl+C to copy it.";
    }
    show();
  }

  // --- what the kernel tells (see jupyter.js) ---

  function open(facts) {
    makeRoom(state);
    const kept = keep(state, facts);
    Object.assign(state, { notice: "", coded: kept });
    show();
    return {
      update: (changes) => (Object.assign(kept, changes), show()),
      end(outcome) {
        Object.assign(kept, outcome);
        if (kept.state === "failed") give(state, kept);
        spoken.textContent = report(kept, state);
        show();
      },
    };
  }

  function onlive() {
    Object.assign(state, { trainer: kernel, runs: [] });
    show();
  }

  const group = (name) => state.controls.filter((each) => each.group === name).map(knob);
  const more = h("details", {}, h("summary", {}, "More settings"), h("div", { class: "fm-knobs" }, ...group("more")));
  const choose = state.controls.length ? [h("div", { class: "fm-knobs" }, ...group("main")), more] : [];
  const presses = state.controls.length ? [run.element, stop.element] : [stop.element];
  el.replaceChildren(h("section", { class: "fm-widget fm-lab fm-recipe", "aria-label": model.get("description") },
    h("div", { class: "fm-head" }, h("strong", {}, model.get("description")), mode), ...choose,
    h("div", { class: "fm-actions" }, ...presses, status), spoken,
    h("div", { class: "fm-shown" }, shown.element, facts), host, runs, code));
  const onfloor = (floor) => (state.floor = floor ?? state.floor, show());
  const kernel = createKernel(model, { open, onlive, onfloor });
  show();
  return () => (kernel.close(), plot.close());
}

export default { render };
