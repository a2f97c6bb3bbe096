// Twelve answers that the reader rates; then how the ratings agree with the world's and with two other annotators'.
import { button, slider } from "./controls.js";
import { h } from "./dom.js";

const LABELS = ["right", "partly", "wrong"];
const VOTES = [10, 20, 50, 100, 200, 500, 1000];
const RESAMPLES = 1000;

/** Cohen's κ of two lists of labels; null where both gave everything the same label. */
export function kappa(first, second) {
  const share = (labels, label) => labels.filter((one) => one === label).length / labels.length;
  const observed = first.filter((label, i) => label === second[i]).length / first.length;
  const expected = LABELS.reduce((sum, label) => sum + share(first, label) * share(second, label), 0);
  return expected === 1 ? null : (observed - expected) / (1 - expected);
}

/** Krippendorff's α, nominal, of lists of labels without gaps; null where all labels are the same. */
export function alpha(raters) {
  const labels = raters.flat();
  const total = labels.length, count = (list, label) => list.filter((one) => one === label).length;
  const pairs = (list) => LABELS.reduce((sum, label) => sum + count(list, label) * (list.length - count(list, label)), 0);
  const items = raters[0].map((_, i) => raters.map((rater) => rater[i]));
  const observed = items.reduce((sum, item) => sum + pairs(item) / (item.length - 1), 0) / total;
  const expected = pairs(labels) / (total * (total - 1));
  return expected ? 1 - observed / expected : null;
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
function random(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The 95% bootstrap interval of a win rate: `wins` of `votes`, drawn again many times. */
export function interval(wins, votes, seed = 1) {
  const draw = random(seed);
  const rates = Array.from({ length: RESAMPLES }, () => {
    let found = 0;
    for (let i = 0; i < votes; i++) found += draw() < wins / votes;
    return found / votes;
  }).sort((one, other) => one - other);
  return [rates[Math.floor(0.025 * RESAMPLES)], rates[Math.ceil(0.975 * RESAMPLES) - 1]];
}

function render({ el }) {
  const { truth, careful, hasty } = JSON.parse(el.dataset.ratings);
  const items = [...el.querySelectorAll(".fm-annotate-items > li")];
  const [status, result] = ["status", "result"].map((name) => el.querySelector(`.fm-annotate-${name}`));
  const radios = items.map((item) => [...item.querySelectorAll("input")]);
  const rating = (number) => radios[number].find((radio) => radio.checked)?.value ?? null;
  const again = button("Rate again", restart);

  function rate() {
    const yours = items.map((_, number) => rating(number));
    const left = yours.filter((label) => label === null).length;
    el.classList.toggle("rated", !left);
    if (left) status.textContent = `${items.length - left} of ${items.length} rated.`;
    else show(yours);
  }

  function show(yours) {
    const same = yours.filter((label, i) => label === truth[i]).length;
    const divided = items.map((_, i) => i).filter((i) => new Set([yours[i], careful[i], hasty[i]]).size > 1);
    status.textContent = `You agree with the world on ${same} of ${items.length} answers. `
      + `The three annotators differ on ${divided.length}: ${divided.map((i) => i + 1).join(", ") || "none"}.`;
    items.forEach((item, i) => item.classList.toggle("divided", divided.includes(i)));
    const raters = { you: yours, Ada: careful, Bo: hasty };
    result.replaceChildren(agreements(raters), confusion(yours), winRate(), again.element);
  }

  function agreements({ you, Ada, Bo }) {
    const rows = [["you and the world", kappa(you, truth)], ["you and Ada", kappa(you, Ada)], ["you and Bo", kappa(you, Bo)],
      ["Ada and Bo", kappa(Ada, Bo)]];
    const shown = (value) => (value === null ? "–" : value.toFixed(2));
    return table("Agreement beyond chance", ["", "κ"], [...rows.map(([name, value]) => [name, shown(value)]),
      ["you, Ada, and Bo: α", shown(alpha([you, Ada, Bo]))]]);
  }

  function confusion(yours) {
    const count = (world, said) => truth.filter((label, i) => label === world && yours[i] === said).length;
    const rows = LABELS.map((world) => [`world: ${world}`, ...LABELS.map((said) => String(count(world, said)))]);
    return table("Your ratings", ["", ...LABELS.map((label) => `you: ${label}`)], rows);
  }

  function restart() {
    radios.flat().forEach((radio) => { radio.checked = false; });
    items.forEach((item) => item.classList.remove("divided"));
    result.replaceChildren();
    rate();
    radios[0][0].focus();
  }

  radios.flat().forEach((radio) => {
    radio.checked = false; // a browser may remember the choice
    radio.addEventListener("change", rate);
  });
  rate();
}

/** How sure a win rate is: a slider over the number of votes, and the interval as a bar. */
function winRate() {
  const [bar, said] = [h("i"), h("p", { role: "status" })];
  function show(votes) {
    const wins = Math.round(0.6 * votes);
    const [low, high] = interval(wins, votes).map((share) => Math.round(100 * share));
    bar.style.left = `${low}%`;
    bar.style.width = `${high - low}%`;
    said.textContent = `The new version wins ${wins} of ${votes} comparisons. 95% interval: ${low} to ${high}%. `
      + (low > 50 ? "It is very likely better than the old one." : "It may be no better than the old one.");
  }
  const ends = h("div", { class: "fm-annotate-ends", "aria-hidden": "true" },
    ...["0%", "50% won: no better", "100%"].map((text) => h("span", {}, text)));
  const votes = slider({ label: "How many ratings are enough?", unit: "comparisons", onchange: show });
  votes.offer(VOTES, 50);
  show(50);
  return h("div", { class: "fm-annotate-votes" }, votes.element,
    h("div", { class: "fm-annotate-bar", "aria-hidden": "true" }, bar), ends, said);
}

function table(caption, head, rows) {
  const cell = (name, text, attributes = {}) => h(name, attributes, text);
  return h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, h("td"), ...head.slice(1).map((text) => cell("th", text, { scope: "col" })))),
    h("tbody", {}, ...rows.map(([name, ...values]) =>
      h("tr", {}, cell("th", name, { scope: "row" }), ...values.map((value) => cell("td", value))))));
}

export default { render };
