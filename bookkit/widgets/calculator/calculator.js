// What training takes, as ranges: with numbers, from sliders or from a published run; and without, from three answers.
import { digits, say } from "./amounts.js";
import { choice, slider } from "./controls.js";
import { h } from "./dom.js";
import { carbonKg, energyKwh, gpuHours, job, product, trainingFlops } from "./footprint.js";

const STEPS = [1, 1.5, 2, 3, 5, 7];
const MFU = 1.25; // how far the share of the peak may be from the slider's
const ROWS = { // their names, and the powers of ten at both ends of their bars
  hours: ["GPU-hours", 0, 9],
  days: ["Days of training", -2, 4],
  kwh: ["Energy", 0, 9],
  carbon_kg: ["Carbon", 0, 9],
  embodied_kg: ["Making the chips", -2, 7],
  water_liters: ["Water", 0, 9],
  dollars: ["Cost", 0, 10],
};
const OWN = { name: "your own numbers" };

/** Powers of ten and steps between them, with the values of the published runs among them. */
function logarithmic(first, last, more) {
  const values = new Set(more);
  for (let power = first; power <= last; power++) for (const step of STEPS) values.add(step * 10 ** power);
  return [...values].sort((a, b) => a - b);
}

function render({ el }) {
  const facts = JSON.parse(el.dataset.facts);
  const panels = [...el.querySelectorAll(".fm-calculator-panel")];
  const modes = [...el.querySelectorAll("input[name=fm-calculator-mode]")];
  const show = () => panels.forEach((panel, number) => panel.classList.toggle("shown", modes[number].checked));
  modes.forEach((mode) => mode.addEventListener("change", show));
  show();
  withNumbers(panels[0], facts, el.querySelector(".fm-spoken"));
  withoutNumbers(panels[1], facts, el.querySelector(".fm-spoken"));
}

function withNumbers(panel, facts, spoken) {
  const { runs, chips, constants, feel } = facts;
  const counted = [
    { name: "the chips alone", server: [1, 1] },
    { name: "the whole server", server: constants.server },
  ];
  const named = ({ name }) => name;
  const asInRun = (kind, value) => ({ name: `${value}, as in the run`, [kind]: [value, value] });
  const change = () => { run.offer([OWN, ...runs], OWN); draw(); };

  const run = choice({ label: "Start from", format: named, onchange: (chosen) => { preset(chosen); draw(); } });
  const parameters = slider({ label: "Size", unit: "parameters", format: count, onchange: change });
  const tokens = slider({ label: "Text", unit: "tokens", format: count, onchange: change });
  const chip = choice({ label: "Chip", format: named, onchange: change });
  const number = slider({ label: "Chips at a time", unit: "", format: (n) => n.toLocaleString("en-US"), onchange: draw });
  const mfu = slider({ label: "Share of peak (MFU)", unit: "", format: percent, onchange: draw });
  const server = choice({ label: "Power of", format: named, onchange: draw });
  const site = choice({ label: "Data center (PUE)", format: named, onchange: draw });
  const grid = choice({ label: "Grid", format: named, onchange: draw });
  const water = choice({ label: "Cooling water", format: named, onchange: draw });
  const place = (name, ...controls) => panel.querySelector(name).append(...controls.map((one) => one.element));
  place(".fm-calculator-first", run, parameters, tokens, chip);
  place(".fm-calculator-more", number, mfu, server, site, grid, water);

  const rows = Object.fromEntries(Object.entries(ROWS).map(([kind, [name]]) => [kind, row(name)]));
  panel.querySelector(".fm-calculator-rows").append(...Object.values(rows).map((one) => one.element));
  panel.addEventListener("change", () => (spoken.textContent = `${spokenRow("kwh")} ${spokenRow("carbon_kg")}`));

  /** The inputs of a published run, or those that there were. */
  function preset(chosen) {
    if (chosen === OWN) return;
    parameters.offer(parameterValues, chosen.parameters);
    tokens.offer(tokenValues, chosen.tokens);
    chip.offer(chips, chips.find(({ name }) => name === chosen.chip));
    number.offer(chipValues, chosen.chips ?? 1024);
    mfu.offer(shares, 0.4);
    server.offer(counted, counted[0]);
    const [built, fed] = [asInRun("pue", chosen.pue), asInRun("grid", chosen.grid)];
    site.offer([built, ...facts.sites], built);
    grid.offer([fed, ...facts.grids], fed);
  }

  function draw() {
    const chosen = run.value();
    const { peak, watts, price } = chip.value();
    const flops = trainingFlops(parameters.value(), tokens.value());
    const board = chosen.watts ?? watts;
    const taken = job({
      hours: [gpuHours(flops, peak, mfu.value() * MFU), gpuHours(flops, peak, mfu.value() / MFU)],
      watts: product(board, server.value().server),
      chips: number.value(),
      pue: site.value().pue,
      grid: grid.value().grid,
      site: water.value().site,
      source: constants.source,
      embodied: constants.embodied,
      price,
    });
    const known = chosen === OWN ? {} : {
      hours: chosen.hours,
      kwh: chosen.mwh && 1000 * chosen.mwh,
      carbon_kg: 1000 * chosen.tons,
    };
    for (const [kind, one] of Object.entries(rows)) one.show(taken[kind], kind, known[kind]);
    rows.kwh.feel(`${say(product(taken.kwh, 1 / feel.kettle_kwh), "count")} kettles boiled`);
    rows.carbon_kg.feel(`${say(product(taken.carbon_kg, 1 / feel.car_kg_per_km), "count")} km by car`);
    rows.water_liters.feel(`${say(product(taken.water_liters, 1 / feel.bath_liters), "count")} bathtubs`);
    compare(panel.querySelector(".fm-calculator-published"), chosen);
  }

  function spokenRow(kind) {
    return `${ROWS[kind][0]}: ${rows[kind].element.querySelector("output").textContent}.`;
  }

  const parameterValues = logarithmic(6, 12, runs.map((one) => one.parameters));
  const tokenValues = logarithmic(6, 13, runs.map((one) => one.tokens));
  const powers = Array.from({ length: 16 }, (_, power) => 2 ** power);
  const chipValues = [...new Set([...powers, ...runs.flatMap((one) => one.chips ?? [])])].sort((a, b) => a - b);
  const shares = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6];
  const first = runs.find(({ name }) => name === facts.start);
  run.offer([OWN, ...runs], first);
  water.offer(facts.water, facts.water[0]);
  preset(first);
  draw();
}

/** What the publication says, and what its own hours, watts, PUE and grid give by formula. */
function compare(place, chosen) {
  if (chosen === OWN) {
    place.replaceChildren(h("p", {}, "Your own numbers: nothing was published to compare with."));
    return;
  }
  const kwh = energyKwh(chosen.hours, chosen.watts, chosen.pue);
  const lines = [
    ["", "computed", "published"],
    ["energy, MWh", digits(kwh / 1000, 3), chosen.mwh ? digits(chosen.mwh, 3) : "–"],
    ["carbon, t", digits(carbonKg(kwh, chosen.grid) / 1000, 3), digits(chosen.tons, 3)],
  ];
  const cells = (name, line) => line.map((text, at) => h(at ? name : "th", at ? {} : { scope: "row" }, text));
  const body = lines.slice(1).map((line) => h("tr", {}, ...cells("td", line)));
  const head = h("tr", {}, ...lines[0].map((text) => (text ? h("th", { scope: "col" }, text) : h("td"))));
  place.replaceChildren(
    h("p", {}, `${chosen.name}, from its ${digits(chosen.hours / 1e6, 3)} million GPU-hours`),
    h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)),
  );
}

/** A row of results: a name, a range, a bar on a scale of powers of ten, and something that can be felt. */
function row(name) {
  const value = h("output", {});
  const bar = h("i", { class: "fm-calculator-range" });
  const mark = h("i", { class: "fm-calculator-mark" });
  const felt = h("small", {});
  const scale = h("span", { class: "fm-calculator-scale", "aria-hidden": "true" }, bar, mark);
  const element = h("div", { class: "fm-calculator-row" }, h("b", {}, name), value, scale, felt);
  return {
    element,
    feel: (text) => felt.replaceChildren(text),
    show([low, high], kind, known) {
      const [, first, last] = ROWS[kind];
      const place = (amount) => Math.min(100, Math.max(0, (100 * (Math.log10(amount) - first)) / (last - first)));
      value.textContent = say([low, high], kind);
      scale.style.setProperty("--powers", last - first);
      bar.style.left = `${place(low)}%`;
      bar.style.width = `${Math.max(1.2, place(high) - place(low))}%`;
      mark.hidden = !known;
      if (known) mark.style.left = `${place(known)}%`;
    },
  };
}

function withoutNumbers(panel, { answers, rates, places, words, advice, feel }, spoken) {
  const chosen = (name) => panel.querySelector(`input[name=fm-calculator-${name}]:checked`).value;
  const said = panel.querySelector(".fm-calculator-said");
  function tell() {
    const [size, rate, place] = ["size", "rate", "place"].map(chosen);
    const kwh = product(answers[size], rates[rate], 365 / 1000);
    const kg = product(kwh, places[place]);
    const km = product(kg, 1 / feel.car_kg_per_km);
    const word = words.find(([most]) => km[1] <= most)[1];
    const kettles = say(product(kwh, 1 / feel.kettle_kwh), "count");
    said.querySelector("b").textContent = word;
    said.querySelector("span").textContent =
      `In a year: ${say(kwh, "kwh")}, which boils ${kettles} kettles; ` +
      `${say(kg, "carbon_kg")} of CO₂e, as much as ${say(km, "count")} km by car.`;
    const three = [advice.size[size], advice.rate[rate], advice.place[place]];
    said.querySelector("ol").replaceChildren(...three.map((text) => h("li", {}, text)));
  }
  panel.addEventListener("change", () => {
    tell();
    spoken.textContent = said.textContent;
  });
  tell();
}

const count = (number) => {
  const [size, unit] = [[1e12, "trillion"], [1e9, "billion"], [1e6, "million"]].find(([least]) => number >= least);
  return `${digits(number / size, 3)} ${unit}`;
};
const percent = (share) => `${Math.round((100 * share) / MFU)}–${Math.round(100 * share * MFU)}%`;

export default { render };
