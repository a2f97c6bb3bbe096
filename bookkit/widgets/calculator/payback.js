// A model that is trained once and served day and night, or tokens of a hosted one: both bills, and where they meet.
import { digits, say } from "./amounts.js";
import { button, choice, slider } from "./controls.js";
import { h } from "./dom.js";
import { carbonKg, energyKwh, gpuHours, product, trainingFlops } from "./footprint.js";
import { createPlot } from "./plot.js";

const HOURS = 730; // of a month
const STEPS = [1, 1.2, 1.5, 2, 3, 4, 5, 6, 8];
const POINTS = 200; // of a line
const MOST = 1e9; // dollars in a field
const TIMES = [[1, "seconds"], [60, "minutes"], [3600, "hours"], [86400, "days"], [86400 * 365, "years"]];

/** What follows from one value for each input: the names and formulas are those of payback.py. */
export function costs(c) {
  const flops = trainingFlops(c.parameters, c.tokens), hours = gpuHours(flops, c.train, 1);
  const training = hours * c.hour_price, once = (training + c.people) / c.months;
  const machine = HOURS * c.hour_price;
  const capacity = (HOURS * 3600 * c.serve) / (2 * c.parameters * (c.own_read + c.written));
  const hosted = (c.hosted_read * c.price_read + c.written * c.price_written) / 1e6;
  const own = (requests) => once + machine * Math.max(1, Math.ceil(requests / capacity));
  const gain = hosted * capacity - machine; // of a machine that is always busy
  const needed = Math.max(1, Math.ceil(once / gain));
  const breakEven = gain > 0 ? (once + needed * machine) / hosted : Infinity;
  return { flops, hours, training, once, machine, capacity, hosted, own, breakEven };
}

/** Dollars with two digits below 1, cents below 100, and three digits above. */
export function money(value) {
  if (value >= 1e6) return `$${count(value)}`;
  if (value >= 1) return `$${value < 100 ? value.toFixed(2) : digits(value, 3)}`;
  return value && value < 1e-4 ? "under $0.0001" : `$${digits(value)}`;
}

function duration(hours) {
  const seconds = 3600 * hours;
  if (seconds < 1) return "less than a second";
  const [size, unit] = TIMES.filter(([least]) => seconds >= 2 * least).at(-1) ?? TIMES[0];
  return `${digits(seconds / size)} ${unit}`;
}

/** 6.9 × 10¹¹ */
function power(number) {
  const [factor, exponent] = number.toExponential(1).split("e+");
  return [`${factor} × 10`, h("sup", {}, exponent)];
}

/** 13,400 and 1.5 million */
const count = (number) => (number < 1e6 ? digits(number, 3) : say([number, number], "count"));

/** Round numbers, nine for each power of ten, from the first power to the last. */
function logarithmic(first, last) {
  const powers = Array.from({ length: last - first + 1 }, (_, k) => 10 ** (first + k));
  return powers.flatMap((ten) => STEPS.map((step) => Math.round(step * ten)));
}

/** A price that the reader types; `value()` is NaN where it is none. */
function price({ label, step, onchange }) {
  const input = h("input", { type: "number", min: 0, max: MOST, step, inputmode: "decimal", required: true,
    autocomplete: "off", oninput: onchange });
  const element = h("label", { class: "fm-payback-price" }, h("span", {}, label), input);
  const value = () => (input.valueAsNumber >= 0 && input.valueAsNumber <= MOST ? input.valueAsNumber : NaN);
  const offer = (wanted) => { input.value = wanted; };
  const mark = () => input.setAttribute("aria-invalid", String(Number.isNaN(value())));
  return { element, label, value, offer, mark };
}

function verdict(found, requests) {
  const [own, hosted] = [found.own(requests), found.hosted * requests].map(money);
  const now = `At ${count(requests)} requests a month, your own costs ${own} a month, and the hosted one ${hosted}.`;
  return found.breakEven === Infinity
    ? `Your own model never becomes cheaper: a machine costs more than the tokens that it can replace. ${now}`
    : `Your own model becomes cheaper at ${count(found.breakEven)} requests a month. ${now}`;
}

/** Name, value and a remark of each part of both bills. */
function parts(c, found, { watts, pue, grid }) {
  const range = (at) => [at(0), at(1)];
  const kwh = range((i) => energyKwh(found.hours, watts[i], pue[i]));
  const carbon = range((i) => carbonKg(kwh[i], grid[i]));
  const tokens = c.own_read + c.written, monthly = found.own(c.requests);
  return [
    ["Training, once", `${duration(found.hours)}, ${money(found.training)}`,
      ["6 × ", count(c.parameters), " × ", count(c.tokens), " = ", ...power(found.flops), " FLOPs on one machine; ",
        emitted(kwh, carbon)]],
    [`That and people’s work, over ${c.months} months`, `${money(found.once)} a month`, []],
    ["One machine, day and night", `${money(found.machine)} a month`,
      [`it can answer ${count(found.capacity)} requests a month`]],
    ["A million tokens on your own", money((1e6 * monthly) / (c.requests * tokens)),
      [`for the machine alone ${money((1e6 * found.machine) / (found.capacity * tokens))}, if it is always busy`]],
    ["A request on your own", money(monthly / c.requests), []],
    ["A request to the hosted model", money(found.hosted), []],
  ];
}

/** Energy and carbon of the training, if there is enough of them to say. */
function emitted(kwh, carbon) {
  return kwh[1] < 0.001 ? "less than 1\u00a0Wh" : `${say(kwh, "kwh")}, ${say(carbon, "carbon_kg")} of CO₂e`;
}

function scene(c, found, title) {
  const end = 2 * Math.max(c.requests, found.breakEven === Infinity ? found.capacity : found.breakEven);
  const x = Array.from({ length: POINTS + 1 }, (_, k) => Math.max(1, (k * end) / POINTS));
  const own = x.map(found.own), hosted = x.map((n) => n * found.hosted);
  const lines = [
    { label: "your own", color: "var(--fm-own-run)", strong: true, x, y: own, result: null },
    { label: "hosted", color: "var(--fm-evaluation)", dash: "7 4", strong: true, x, y: hosted, result: null },
  ];
  if (found.breakEven !== Infinity) {
    const y = found.breakEven * found.hosted;
    lines.push({ label: "", color: "var(--text)", x: [found.breakEven], y: [y], result: y });
  }
  return {
    title, lines, xEnd: end, yEnd: 1.05 * Math.max(own.at(-1), hosted.at(-1)), floor: null,
    xTitle: "requests a month", yTitle: "dollars a month", goal: { x: c.requests, text: "yours" },
  };
}

function render({ el }) {
  const { cases, machines, hosted, pue, grid } = JSON.parse(el.dataset.facts);
  const part = (name) => el.querySelector(`.fm-payback-${name}`);
  const [fault, says, spoken] = [part("fault"), part("verdict"), el.querySelector(".fm-spoken")];
  const body = part("parts").querySelector("tbody"), plot = createPlot(el.querySelector(".fm-plot"));
  const named = ({ name }) => name, onchange = draw;
  const sized = (label) => slider({ label, unit: "", format: count, onchange });
  const sliders = {
    parameters: sized("Parameters"),
    tokens: sized("Training tokens"),
    months: slider({ label: "In use for", unit: "months", onchange }),
    own_read: sized("Tokens read for a request"),
    written: sized("Tokens written, by either"),
    hosted_read: sized("Tokens read, with instructions"),
    requests: sized("Your requests a month"),
  };
  const prices = {
    people: price({ label: "People’s work, once,\u00a0$", step: 10, onchange }),
    hour_price: price({ label: "An hour of it,\u00a0$", step: 0.01, onchange }),
    price_read: price({ label: "A million tokens read,\u00a0$", step: 0.01, onchange }),
    price_written: price({ label: "A million written,\u00a0$", step: 0.01, onchange }),
  };
  const machine = choice({ label: "Machine", format: named, onchange: (one) => { prices.hour_price.offer(one.price); draw(); } });
  const controls = { ...sliders, ...prices, machine };
  const offered = {
    parameters: logarithmic(4, 11), tokens: logarithmic(5, 13), requests: logarithmic(1, 8),
    own_read: logarithmic(1, 4), written: logarithmic(1, 3), hosted_read: logarithmic(1, 5),
    months: Array.from({ length: 60 }, (_, k) => k + 1),
  };
  const places = {
    once: ["parameters", "tokens", "people", "months"],
    serve: ["machine", "hour_price", "own_read", "written"],
    rent: ["hosted_read", "price_read", "price_written"],
    volume: ["requests"],
  };
  for (const [place, names] of Object.entries(places)) part(place).append(...names.map((name) => controls[name].element));
  const presets = cases.map((one) => button(one.title, () => { fill(one); speak(); }));
  part("cases").append(...presets.map(({ element }) => element));

  function fill(one) {
    const inputs = { ...hosted, ...one };
    for (const name of Object.keys(sliders)) sliders[name].offer(offered[name], inputs[name]);
    const chosen = machines.find(({ name }) => name === one.machine);
    machine.offer(machines, chosen);
    for (const [name, field] of Object.entries(prices)) field.offer(name === "hour_price" ? chosen.price : inputs[name]);
    draw();
  }

  const read = (given) => Object.fromEntries(Object.entries(given).map(([name, one]) => [name, one.value()]));

  function draw() {
    const on = machine.value(), c = { ...on, ...read(sliders), ...read(prices) };
    const wrong = Object.values(prices).filter((field) => Number.isNaN(field.value()));
    Object.values(prices).forEach((field) => field.mark());
    fault.textContent = wrong.length ? `${wrong[0].label.replace(",\u00a0$", "")}: write dollars from 0 to a billion.` : "";
    el.classList.toggle("fm-payback-faulty", wrong.length > 0);
    presets.forEach(({ element }, k) => element.setAttribute("aria-pressed", String(chosen(cases[k], c, on))));
    if (wrong.length) return;
    const found = costs(c);
    says.textContent = verdict(found, c.requests);
    body.replaceChildren(...parts(c, found, { watts: on.watts, pue, grid }).map(([name, value, remark]) =>
      h("tr", {}, h("th", { scope: "row" }, name, remark.length ? h("small", {}, ...remark) : null), h("td", {}, value))));
    plot.draw(scene(c, found, says.textContent));
  }

  const chosen = (one, c, on) => on.name === one.machine && c.hour_price === on.price
    && [...Object.keys(sliders), "people", "price_read", "price_written"].every((name) => c[name] === { ...hosted, ...one }[name]);

  function speak() {
    spoken.textContent = fault.textContent || says.textContent;
  }

  el.addEventListener("change", speak);
  fill(cases[0]);
}

export default { render };
