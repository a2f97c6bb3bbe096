// What a budget buys by a rule for the best size: size, text and loss, what the run takes, and the rules in a figure.
import { digits, say } from "./amounts.js";
import { choice, slider } from "./controls.js";
import { h } from "./dom.js";
import { gpuHours, job, product, trainingFlops } from "./footprint.js";
import { spread } from "./plot.js";

const STEPS = [1, 2, 5];
const RANGE = 1.25; // how far the share of the peak may be from the middle
const CHIPS = 1024; // that work at a time
const OVER = [1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100];
const X = [20, 26], Y = [-2, 4]; // powers of ten at the ends of the axes
const LOOKS = [ // of the rules, in their order
  ["var(--fm-pretraining)", ""], ["var(--fm-adaptation)", "7 4"],
  ["var(--fm-alignment)", "2 4"], ["var(--fm-distillation)", "9 3 2 3"],
];
const ABOVE = ["Chinchilla", "Llama 3.1 70B", "Llama 3.1 405B"]; // where a line is on the left

/** The parameters and tokens of the best model for a budget, its ratio then raised `over` times. */
export function advise(rule, flops, over = 1) {
  const parameters = (rule.factor * flops ** rule.power) / Math.sqrt(over);
  return { parameters, tokens: flops / 6 / parameters };
}

/** L(N, D), as in fmkit.scaling. */
export function lossOf(law, { parameters, tokens }) {
  return law.E + law.A / parameters ** law.alpha + law.B / tokens ** law.beta;
}

/** The FLOPs with which the law's best size has this loss: above E, the loss of the best sizes is a power law. */
export function flopsFor({ E, A, alpha, B, beta }, loss) {
  const power = beta / (alpha + beta);
  const factor = ((alpha * A) / (beta * B)) ** (1 / (alpha + beta)) / 6 ** power;
  const { parameters, tokens } = advise({ factor, power }, 1);
  return ((A / parameters ** alpha + B / tokens ** beta) / (loss - E)) ** (1 / (alpha * power));
}

/** The FLOPs that a budget buys on a chip: `kind` is flops, dollars or hours. */
export function flopsOf(kind, amount, chip, mfu) {
  if (kind === "flops") return amount;
  const hours = kind === "hours" ? amount : amount / Math.sqrt(chip.price[0] * chip.price[1]);
  return hours * chip.peak * mfu * 3600;
}

/** The other way: what a budget of so many FLOPs is, in this kind. */
const amountOf = (kind, flops, chip, mfu) => flops / flopsOf(kind, 1, chip, mfu);

/** What the run takes, each a range. */
export function taken(flops, chip, { mfu, server, pue, grid }) {
  const hours = [gpuHours(flops, chip.peak, mfu * RANGE), gpuHours(flops, chip.peak, mfu / RANGE)];
  const none = [0, 0];
  return job({ hours, watts: product(chip.watts, server), chips: CHIPS, pue, grid, price: chip.price,
    site: none, source: none, embodied: none });
}

const KINDS = {
  flops: { name: "FLOPs", label: "Budget, FLOPs", powers: X, format: scientific },
  dollars: { name: "dollars", label: "Budget, dollars", powers: [3, 8], format: count },
  hours: { name: "hours of the chip", label: "Budget, chip-hours", powers: [2, 8], format: count },
};

function render({ el }) {
  const { chips, grids, pue, server, rules, law, points, start, mfu } = JSON.parse(el.dataset.facts);
  const part = (name) => el.querySelector(`.fm-scaling-${name}`);
  const [says, host, spoken] = [part("verdict"), part("plot"), el.querySelector(".fm-spoken")];
  const body = part("parts").querySelector("tbody");
  const named = ({ name }) => name;

  const rule = choice({ label: "Rule for the best size", format: named, onchange: draw });
  const kind = choice({ label: "Budget in", format: (key) => KINDS[key].name, onchange: exchange });
  const budgets = Object.fromEntries(Object.entries(KINDS).map(([key, { label, format }]) =>
    [key, slider({ label, unit: "", format, onchange: draw })]));
  const over = slider({ label: "Smaller, and trained longer", unit: "", format: times, onchange: draw });
  const chip = choice({ label: "Chip", format: named, onchange: draw });
  const grid = choice({ label: "Grid", format: named, onchange: draw });
  part("inputs").append(...[kind, ...Object.values(budgets), rule, over, chip, grid].map((one) => one.element));

  let flops = start;
  const own = { draw: () => figure(host, rules, points, chosen()) };
  new ResizeObserver(own.draw).observe(host);

  function chosen() {
    return { flops, rule: rules.indexOf(rule.value()), ...advise(rule.value(), flops, over.value()) };
  }

  /** The same budget in another currency. */
  function exchange() {
    for (const [key, one] of Object.entries(budgets)) one.element.hidden = key !== kind.value();
    const { powers } = KINDS[kind.value()];
    budgets[kind.value()].offer(logarithmic(...powers), amountOf(kind.value(), flops, chip.value(), mfu));
    draw();
  }

  function draw() {
    flops = flopsOf(kind.value(), budgets[kind.value()].value(), chip.value(), mfu);
    const found = chosen(), loss = lossOf(law, found), share = flopsFor(law, loss) / flops;
    const run = taken(flops, chip.value(), { mfu, server, pue, grid: grid.value().grid });
    says.textContent = `${scientific(flops)} FLOPs: ${count(found.parameters)} parameters and ` +
      `${count(found.tokens)} tokens, ${ratio(found)} for each parameter.`;
    const rows = [
      ["Predicted loss", `${loss.toFixed(2)} nats per token`, waste(share)],
      [`Hours of one ${chip.value().name}`, say(run.hours, "hours"), ""],
      [`Time on ${CHIPS.toLocaleString("en-US")} of them`, say(run.days, "days"), ""],
      ["Cost", say(run.dollars, "dollars"), ""],
      ["Energy", say(run.kwh, "kwh"), ""],
      ["Carbon", `${say(run.carbon_kg, "carbon_kg")} of CO₂e`, ""],
    ];
    body.replaceChildren(...rows.map(([name, value, remark]) =>
      h("tr", {}, h("th", { scope: "row" }, name, remark ? h("small", {}, remark) : null), h("td", {}, value))));
    own.draw();
  }

  el.addEventListener("change", () => { spoken.textContent = says.textContent; });
  rule.offer(rules, rules[0]);
  kind.offer(Object.keys(KINDS), "flops");
  over.offer(OVER, 1);
  chip.offer(chips, chips.find(({ name }) => name === "H100"));
  grid.offer(grids, grids[0]);
  exchange();
}

/** What the chosen size costs beyond the best one, by the law of the loss. */
function waste(share) {
  if (share > 0.985) return "the best size for this budget, or nearly so";
  return `the best size has the same loss with ${digits(100 * share)}% of the FLOPs`;
}

// --- the figure: tokens per parameter against FLOPs, both in powers of ten ---------------------------------

function figure(host, rules, points, { flops, parameters, tokens, rule }) {
  const width = host.clientWidth, height = host.clientHeight;
  if (!width || !height) return;
  const left = 52, right = width - 62, top = 26, bottom = height - 40;
  const x = (value) => left + ((Math.log10(value) - X[0]) / (X[1] - X[0])) * (right - left);
  const y = (value) => bottom - ((Math.log10(value) - Y[0]) / (Y[1] - Y[0])) * (bottom - top);
  const text = (content, at, high, more = {}) => h("svg:text", { x: at, y: high, ...more }, content);
  const across = whole(...Y).flatMap((power) => [
    h("svg:line", { class: "fm-grid", x1: left, x2: right, y1: y(10 ** power), y2: y(10 ** power) }),
    text((10 ** power).toLocaleString("en-US"), left - 8, y(10 ** power) + 4, { "text-anchor": "end" }),
  ]);
  const up = whole(...X).flatMap((power) => [
    h("svg:line", { class: "fm-axis", x1: x(10 ** power), x2: x(10 ** power), y1: bottom, y2: bottom + 4 }),
    h("svg:text", { x: x(10 ** power), y: bottom + 17, "text-anchor": "middle" }, "10", raised(power)),
  ]);
  const [from, to] = X.map((power) => 10 ** power);
  const lines = rules.map((one, at) => h("svg:line", {
    x1: x(from), x2: x(to), y1: y(perParameter(one, from)), y2: y(perParameter(one, to)), stroke: LOOKS[at][0],
    "stroke-dasharray": LOOKS[at][1] || null, "stroke-width": at === rule ? 3 : 1.6,
  }));
  const names = rules.map((one, at) => ({ at, label: one.label, y: y(perParameter(one, to)) + 4 }));
  spread(names, bottom);
  const ends = names.map((name) => text(name.label, right + 6, name.y,
    { class: `fm-end ${name.at === rule ? "fm-strong" : ""}`, style: `fill: ${LOOKS[name.at][0]}` }));
  const made = points.flatMap(({ name, parameters: N, tokens: D }) => {
    const [at, high] = [x(trainingFlops(N, D)), y(D / N)];
    const [dx, dy, anchor] = ABOVE.includes(name) ? [0, -9, "middle"] : [-8, 4, "end"];
    return [
      h("svg:circle", { cx: at, cy: high, r: 4, fill: "var(--recorded)" }),
      text(name, at + dx, high + dy, { class: "fm-quiet", "text-anchor": anchor }),
    ];
  });
  const within = (value, low, high) => Math.min(high, Math.max(low, value));
  const [atX, atY] = [within(x(flops), left, right), within(y(tokens / parameters), top, bottom)];
  const you = [
    h("svg:path", { d: `M${atX} ${atY - 8}l8 8l-8 8l-8 -8z`, fill: "var(--fm-own-run)", stroke: "var(--ground)" }),
    text("yours", atX + 6, atY + 20, { class: "fm-end fm-strong", style: "fill: var(--fm-own-run)" }),
  ];
  const title = `Tokens per parameter against FLOPs, on logarithmic axes: four rules, ${points.length} published ` +
    `runs, and yours at ${scientific(flops)} FLOPs with ${ratio({ parameters, tokens })} tokens per parameter.`;
  const frame = { role: "img", "aria-label": title, width, height, viewBox: `0 0 ${width} ${height}` };
  const below = text("FLOPs of training", right, bottom + 34, { "text-anchor": "end" });
  const axes = [...across, ...up, text("tokens per parameter", 0, 12), below];
  host.replaceChildren(h("svg:svg", frame, ...axes, ...lines, ...ends, ...made, ...you));
}

function perParameter(rule, flops) {
  const { parameters, tokens } = advise(rule, flops);
  return tokens / parameters;
}

const raised = (power) => h("svg:tspan", { dy: -5, "font-size": 9 }, power);
const whole = (first, last) => Array.from({ length: last - first + 1 }, (_, k) => first + k);
const logarithmic = (first, last) =>
  whole(first, last - 1).flatMap((power) => STEPS.map((step) => step * 10 ** power)).concat(10 ** last);

// --- numbers in words --------------------------------------------------------------------------------------

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** "5 × 10²³" */
function scientific(number) {
  const [factor, exponent] = Number(number.toPrecision(2)).toExponential().split("e+");
  const power = `10${[...exponent].map((digit) => SUPERSCRIPTS[digit]).join("")}`;
  return factor === "1" ? power : `${factor} × ${power}`;
}

function count(number) {
  return say([number, number], "count");
}

const ratio = ({ parameters, tokens }) => digits(tokens / parameters);
const times = (value) => (value === 1 ? "no" : `${value} ×`);

export default { render };
