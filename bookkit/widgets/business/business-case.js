// The business case of the reader's own. What is typed only ever becomes text and numbers.
import { draw, evaluate, middle, NAMES, percentiles, POSITIVE, SHARES, swings, turningPoint } from "./business.js";
import { button } from "./controls.js";
import { h } from "./dom.js";

const SURE = 0.9; // as in __init__.py
const ROWS = 6; // of the tornado chart
const MOST = 1e9;
const QUOTED = 20; // characters of what cannot be read

const byName = (make) => Object.fromEntries(NAMES.map((name) => [name, make(name)]));

/** Cents below a hundred, and three digits above it, as a range deserves no more. */
export function money(value) {
  const size = Math.abs(value);
  return `${value < 0 ? "−" : ""}$${size < 99.995 ? size.toFixed(2) : rounded(size)}`;
}

/** Three digits, with commas, or as many as a number below a hundred has. */
const rounded = (value) => Number(value.toPrecision(3)).toLocaleString("en-US");

/** A number as people write it, or NaN: 1,500, $20, 7.5 and 40% are fine. */
export function parse(text) {
  const plain = text.trim().replace(/^\$|%$/g, "").trim().replace(/,(?=\d{3}(?!\d))/g, "");
  return /^[-−+]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain.replace("−", "-")) : NaN;
}

/** What is wrong with the ends of a range, as typed, or "". */
export function fault(field, texts) {
  for (const text of texts) {
    const value = parse(text), least = POSITIVE.includes(field.name) ? 1 / 30 : 0;
    const most = SHARES.includes(field.name) ? 100 : MOST;
    const typed = text.trim().length > QUOTED ? `${text.trim().slice(0, QUOTED)}…` : text.trim();
    if (!typed) return "no number yet. Write one.";
    if (Number.isNaN(value)) return `“${typed}” is not a number. Write one like 7.5.`;
    if (value < 0) return `${typed} is negative. Write 0 or more.`;
    if (value < least) return `${typed} is too small. Write more than 0.`;
    if (value > most) return `${typed} is too large. Write ${most === 100 ? "100 or less" : "less than a billion"}.`;
  }
  const [low, high] = texts.map(parse);
  return low > high ? `the first number, ${low}, is above the second, ${high}. Swap them.` : "";
}

/** A value of an input, in words. */
function told({ name, unit, scale }, value) {
  if (SHARES.includes(name)) return `${Number((100 * value).toPrecision(2))}%`;
  return unit === "$" ? money(value).replace(".00", "") : rounded(value / scale);
}

/** The verdict: how often it pays, and what would turn it. */
export function verdict(ranges, drawn, fields) {
  const ahead = drawn.net.filter((value) => value > 0).length / drawn.net.length;
  const said = ahead >= SURE ? "It pays" : ahead <= 1 - SURE ? "It loses money" : "It may pay, or not";
  const months = told(fields.months, middle(ranges).months);
  const often = `${said}: after ${months} months it is ahead in ${Math.round(100 * ahead)} of 100 draws.`;
  const gains = evaluate(middle(ranges)).net > 0;
  const limits = [...new Set([swings(ranges)[0][0], "errors"])].flatMap((name) => {
    const { value, rises } = turningPoint(ranges, name), side = rises === gains ? "under" : "over";
    return value === null ? [] : fields[name].limit.replace("{}", `${side} ${told(fields[name], value)}`);
  });
  if (!limits.length) return `${often} Neither wrong answers nor what moves it most could change that alone.`;
  const rest = "With everything else in the middle of its range, it";
  return `${often} ${rest} ${gains ? "stops paying if" : "loses money unless"} ${limits.join(", or ")}.`;
}

function paidBack([soon, , late]) {
  if (soon === Infinity) return "never";
  return `${soon.toFixed(1)} ${late === Infinity ? "months or never" : `to ${late.toFixed(1)} months`}`;
}

const span = ([low, , high], write = money) => `${write(low)} to ${write(high)}`;

/** Name and value of each result, as ranges. */
function results(drawn, ranges, fields) {
  const found = Object.fromEntries(Object.entries(drawn).map(([name, values]) => [name, percentiles(values)]));
  const percent = (value) => `${value < 0 ? "−" : ""}${rounded(100 * Math.abs(value))}%`;
  const day = (value) => (value === Infinity ? "never" : rounded(value / fields.volume.scale));
  const daily = (three) => (three[0] === Infinity ? "no number is enough" : span(three, day));
  return [
    ["By people, a letter costs", span(found.by_person)],
    ["With the assistant, a letter costs", span(found.per_interaction)],
    ["It saves in a month", span(found.saving)],
    ["It pays back its building cost after", paidBack(found.break_even_month)],
    [`It gains in ${told(fields.months, middle(ranges).months)} months`, span(found.net)],
    ["Return on investment", span(found.roi, percent)],
    ["Letters a day to break even", daily(found.break_even_volume)],
  ];
}

/** Text in which no amount is broken over two lines. */
function amounts(text) {
  const [first, ...more] = text.split(" to ").map((part) => h("span", {}, part));
  return [first, ...more.flatMap((part) => [" to ", part])];
}

/** The rows of the tornado chart: a bar from the net at one end of an input to that at the other. */
function tornado(ranges, fields) {
  const rows = swings(ranges).filter(([, low, high]) => low !== high).slice(0, ROWS);
  const center = evaluate(middle(ranges)).net;
  const ends = [0, center, ...rows.flatMap(([, low, high]) => [low, high])];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const at = (value) => (100 * (value - least)) / (most - least || 1);
  function bar(kind, end) {
    const [left, right] = [at(end), at(center)].sort((one, other) => one - other);
    return h("i", { class: `fm-business-${kind}`, style: `left: ${left}%; width: ${right - left}%` });
  }
  const drawn = rows.map(([name, low, high]) => {
    const [from, to] = ranges[name].map((end) => told(fields[name], end));
    return h("tr", {},
      h("th", { scope: "row" }, `${fields[name].label} `, h("small", {}, `${from} to ${to}`)),
      h("td", { class: "fm-business-track" }, h("b", { style: `left: ${at(0)}%` }), bar("low", low), bar("high", high)),
      h("td", {}, ...amounts(`${money(low)} to ${money(high)}`)));
  });
  return drawn.length ? drawn : [h("tr", {}, h("td", { colspan: 3 }, "No input is a range."))];
}

function render({ el }) {
  const part = (name) => el.querySelector(`.fm-business-${name}`);
  const fields = JSON.parse(el.dataset.fields), cases = JSON.parse(el.dataset.cases);
  const inputs = byName((name) => [...el.querySelectorAll(`[data-name="${name}"] input`)]);
  const [faults, found, says, numbers, chart, copied, spoken] =
    ["faults", "found", "verdict", "numbers", "chart", "copied", "spoken"].map(part);
  const presets = Object.entries(cases).map(([, { title, ranges }]) => button(title, () => {
    fill(ranges);
    speak();
  }));
  part("cases").append(...presets.map((preset) => preset.element));
  part("moves").append(button("Copy as text", copy).element, button("Print this page", () => window.print()).element);
  let wrong = []; // the inputs that cannot be, and why

  /** Both ends of an input as they are typed; one that has a single field has it twice. */
  function texts(name) {
    const [low, high = low] = inputs[name];
    return [low.value, high.value];
  }

  /** Both ends of an input as the fields have those of a case. */
  const typed = (ranges, name) => ranges[name].map((end) => String(Number((end / fields[name].scale).toPrecision(6))));

  function fill(ranges) {
    for (const name of NAMES) inputs[name].forEach((input, k) => { input.value = typed(ranges, name)[k]; });
    show();
  }

  function show() {
    wrong = NAMES.map((name) => ({ name, says: fault(fields[name], texts(name)) })).filter((one) => one.says);
    for (const name of NAMES) {
      const invalid = wrong.some((one) => one.name === name);
      for (const input of inputs[name]) input.setAttribute("aria-invalid", String(invalid));
    }
    faults.replaceChildren(...wrong.map((one) => h("li", {}, h("b", {}, fields[one.name].label), `: ${one.says}`)));
    el.classList.toggle("fm-business-faulty", wrong.length > 0);
    copied.replaceChildren();
    if (wrong.length) return;
    const ranges = byName((name) => texts(name).map((text) => parse(text) * fields[name].scale));
    const drawn = draw(ranges);
    says.textContent = verdict(ranges, drawn, fields);
    numbers.replaceChildren(...results(drawn, ranges, fields).map(([name, value]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, ...amounts(value)))));
    chart.replaceChildren(...tornado(ranges, fields));
    Object.values(cases).forEach((one, k) => {
      const chosen = NAMES.every((name) => String(typed(one.ranges, name)) === String(typed(ranges, name)));
      presets[k].element.setAttribute("aria-pressed", String(chosen));
    });
  }

  function speak() {
    spoken.textContent = wrong.length ? [...faults.children].map((one) => one.textContent).join(" ") : says.textContent;
  }

  /** The whole case in lines of text. */
  function written() {
    const given = NAMES.map((name) => {
      const ends = [...new Set(texts(name))].join(" to ");
      return `${fields[name].label}: ${ends} ${fields[name].unit}`.trim();
    });
    const rows = [...numbers.rows, ...chart.rows].map((row) =>
      [...row.cells].map((cell) => cell.textContent.trim()).filter(Boolean).join(": "));
    return ["My business case", "", ...given, "", says.textContent, "", ...rows].join("\n");
  }

  async function copy() {
    const text = wrong.length ? "" : written();
    if (!text) return copied.replaceChildren("Fix the fields first.");
    try {
      await navigator.clipboard.writeText(text);
      copied.replaceChildren("Copied.");
    } catch { // no clipboard, as on a page opened as a file in some browsers
      const box = h("textarea", { readonly: true, rows: 8, "aria-label": "Your case as text" });
      box.value = text;
      copied.replaceChildren("Copy this text:", box);
      box.select();
    }
  }

  /** Arrow keys step, as in a number field. */
  function step(event, name) {
    const way = { ArrowUp: 1, ArrowDown: -1 }[event.key], value = parse(event.target.value);
    if (!way || Number.isNaN(value)) return;
    event.preventDefault();
    const most = SHARES.includes(name) ? 100 : MOST;
    event.target.value = String(Number(Math.min(Math.max(value + way * fields[name].step, 0), most).toPrecision(9)));
    show();
  }

  for (const name of NAMES)
    for (const input of inputs[name]) {
      input.addEventListener("input", show);
      input.addEventListener("change", speak);
      input.addEventListener("keydown", (event) => step(event, name));
    }
  show(); // a browser may remember what was typed
}

export default { render };
