// Twelve pairs of endings, rated one at a time; then a reward model of the answers, beside the world's rule.
import { button } from "./controls.js";
import { h } from "./dom.js";

const RIDGE = 0.25, STEPS = 1000; // as in __init__.py, whose `fit` this is

const dot = (one, other) => one.reduce((sum, value, i) => sum + value * other[i], 0);
const words = (text) => text.split(" ").length;
const percent = (share) => `${Math.round(100 * share)}%`;

/** Weights of a Bradley-Terry model, linear in the features, by gradient descent. Answers are 1, -1 and 0. */
export function fit(pairs, answers) {
  const rows = pairs.map((pair, i) => ({ x: pair.x, sign: answers[i] })).filter((row) => row.sign);
  const rate = 1 / (rows.reduce((sum, { x }) => sum + dot(x, x), 0) / 4 + RIDGE);
  let weights = rows[0].x.map(() => 0);
  for (let step = 0; step < STEPS; step++) {
    const slope = weights.map((weight) => RIDGE * weight);
    for (const { x, sign } of rows) {
      const wrong = sign / (1 + Math.exp(sign * dot(weights, x)));
      x.forEach((value, i) => { slope[i] -= wrong * value; });
    }
    weights = weights.map((weight, i) => weight - rate * slope[i]);
  }
  return weights;
}

/** A coin that falls the same way each time the page is opened, and another way each time it is asked. */
function coin(seed) {
  let state = seed * 2654435761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) & 1 ? 1 : -1;
  };
}

function render({ el, data }) {
  const part = (name) => el.querySelector(`.fm-rater-${name}`);
  const pairs = [...el.querySelectorAll(".fm-rater-pair")];
  const [place, dots, status, result] = ["place", "dots", "status", "result"].map(part);
  const answers = pairs.map(() => null); // 1, -1, 0 for a pair that was skipped, null for one to come
  const fits = new Map(); // the models so far, by the name of their rater
  let now = 0, tosses = 0;

  const endings = pairs.map((pair, number) => [...pair.querySelectorAll(".fm-rater-ending")].map((ending, side) => {
    const choice = h("button", { type: "button", class: ending.className, onclick: () => choose(number, side ? -1 : 1) });
    choice.append(...ending.childNodes);
    ending.replaceWith(choice);
    return choice;
  }));
  const back = button("Back", () => go(now - 1));
  const skip = button("Skip", () => choose(now, 0));
  const again = button("Rate again", restart, "fm-rater-again");
  const raters = {
    length: ["by length", (pair) => (words(pair.first) > words(pair.second) ? 1 : -1)],
    coin: ["at random", null],
    rule: ["by the true rule", (pair) => Math.sign(pair.lead)],
  };
  const presets = Object.entries(raters).map(([name, [label, rate]]) => button(label, () => {
    const toss = coin(++tosses);
    finish(name, data.rated.map(rate ?? toss));
  }));
  part("moves").append(back.element, skip.element,
    h("p", {}, "Keys, after a click or Tab: ← and → go to an ending, Enter chooses it; 1 and 2 choose at once."));
  part("presets").append(...presets.map((preset) => preset.element), again.element);

  if (!data) {
    el.classList.add("fm-rater-broken");
    status.textContent = "The numbers of these pairs did not load. Reload the page to rate them.";
    for (const one of [back, skip, again, ...presets]) one.enable(false);
    endings.flat().forEach((choice) => { choice.disabled = true; });
    return;
  }

  function go(number, focus = true) {
    now = number;
    pairs.forEach((pair, other) => pair.classList.toggle("now", other === now));
    [...dots.children].forEach((one, other) => {
      one.className = other === now ? "now" : answers[other] ? "done" : answers[other] === 0 ? "skipped" : "";
    });
    endings.forEach((both, other) => both.forEach((choice, side) =>
      choice.setAttribute("aria-pressed", String(answers[other] === (side ? -1 : 1)))));
    place.textContent = `Pair ${now + 1} of ${pairs.length}.`;
    back.enable(now > 0);
    if (focus) pairs[now].focus({ preventScroll: true });
  }

  function choose(number, answer) {
    status.textContent = "";
    answers[number] = answer;
    if (number + 1 < pairs.length) return go(number + 1);
    if (answers.some(Boolean)) return finish("you", [...answers], true);
    go(0);
    status.textContent = "You skipped all twelve pairs, so there is nothing to fit.";
  }

  function restart() {
    answers.fill(null);
    el.classList.remove("finished");
    result.replaceChildren();
    status.textContent = "";
    go(0);
    toTop();
  }

  /** What is shown begins at the widget's top, which may be above the screen. */
  function toTop() {
    if (el.getBoundingClientRect().top < 0) el.scrollIntoView({ block: "start" });
  }

  function finish(name, given, focus = false) {
    el.classList.add("finished");
    el.setAttribute("aria-busy", "true");
    status.textContent = `Fitting a reward model to ${given.filter(Boolean).length} answers…`;
    setTimeout(() => { // after the page has said so
      fits.delete(name);
      fits.set(name, judge(name, given, data));
      const found = fits.get(name);
      result.replaceChildren(...draw(found, [...fits.values()], data));
      status.textContent = summary(found, data);
      el.removeAttribute("aria-busy");
      if (focus) {
        status.focus({ preventScroll: true });
        toTop();
      }
    });
  }

  part("rate").addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const side = { 1: 0, 2: 1, ArrowLeft: 0, ArrowRight: 1 }[event.key];
    if (side === undefined) return;
    event.preventDefault();
    if (event.key.startsWith("Arrow")) endings[now][side].focus({ preventScroll: true });
    else endings[now][side].click();
  });
  go(0, false);
}

/** Fits a model to the answers of a rater, and compares both with the rule. */
function judge(name, answers, { rated, heldOut, properties }) {
  const weights = fit(rated, answers);
  const scores = heldOut.map((pair) => dot(weights, pair.x));
  const given = answers.filter(Boolean).length;
  const same = (values, others) => values.filter((value, i) => value * others[i] > 0).length;
  const leads = heldOut.map((pair) => pair.lead);
  const wrong = heldOut.map((pair, i) => ({ pair, score: scores[i] })).filter(({ pair, score }) => score * pair.lead <= 0);
  wrong.sort((one, other) => Math.abs(other.score) - Math.abs(one.score));
  return {
    name, given,
    own: same(rated.map((pair) => dot(weights, pair.x)), answers),
    followed: same(answers, rated.map((pair) => pair.lead)),
    right: same(scores, leads),
    wrong: wrong[0],
    properties: properties.map((label, k) => {
      const signs = heldOut.map((pair) => pair.has[k]);
      const of = signs.filter(Boolean).length;
      return { label, of, model: same(scores, signs) / of, rule: same(leads, signs) / of };
    }),
  };
}

const OWNERS = { you: "Your model", length: "Length’s model", coin: "The coin’s model", rule: "The rule’s model" };
const owner = (name) => (name === "you" ? "your model" : "this model");

function summary({ name, given, own, followed, right }, { heldOut }) {
  const lead = {
    you: `You chose as the world’s rule does in ${followed} of ${given} pairs.`,
    length: `The longer ending is the better one, by the world’s rule, in ${followed} of ${given} pairs.`,
    coin: `The coin chose as the world’s rule does in ${followed} of ${given} pairs.`,
    rule: `The world’s rule gave all ${given} answers.`,
  }[name];
  return `${lead} A model fitted to these answers agrees with ${own} of them, and with the rule on ${right} of `
    + `${heldOut.length} pairs that it has not seen.`;
}

function draw(found, fits, data) {
  return [bars(found, fits, data), learned(found), mistake(found)];
}

function bars(found, fits, { heldOut, judged, careless }) {
  const all = heldOut.length, right = (of) => heldOut.filter((pair) => of(pair) * pair.lead > 0).length;
  const rows = [
    ...fits.map(({ name, given, right: count }) => [name === found.name ? "own" : "earlier", OWNERS[name], `${given} answers`, count]),
    ["model", "The book’s reward model", `${judged.toLocaleString("en-US")} answers`, right((pair) => pair.score)],
    ["judge", "Its noisy judge", "no model", right((pair) => pair.judge)],
    ["judge", "A careless rater", "slips 1 in 4, one draw", careless],
  ];
  const drawn = rows.map(([kind, label, about, count]) => h("tr", { class: `fm-rater-${kind}` },
    h("th", { scope: "row" }, label, " ", h("small", {}, about)),
    h("td", { class: "fm-rater-track" }, h("i", { class: "fm-rater-bar", style: `width: ${(100 * count) / all}%` })),
    h("td", {}, String(count))));
  return h("table", { class: "fm-rater-bars" },
    h("caption", {}, h("b", {}, `Pairs ranked as the rule ranks them, of ${all}.`), " The dashed line is a coin’s 50."),
    h("thead", { class: "fm-spoken" }, h("tr", {}, ...["ranked by", "share", "pairs"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...drawn));
}

function learned(found) {
  const rows = found.properties.map(({ label, of, model, rule }) => h("tr", {},
    h("th", { scope: "row" }, label, " ", h("small", {}, `${of} pairs`)),
    h("td", { class: "fm-rater-track" },
      h("i", { class: "fm-rater-bar", style: `left: ${100 * Math.min(model, 0.5)}%; width: ${100 * Math.abs(model - 0.5)}%` }),
      h("i", { class: "fm-rater-tick", style: `left: ${100 * rule}%` })),
    h("td", {}, percent(model)), h("td", {}, percent(rule))));
  return h("table", { class: "fm-rater-learned" },
    h("caption", {}, h("b", {}, `What ${owner(found.name)} rewards.`), ` ${diagnosis(found)} The dashed line is a coin’s 50%.`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Where one ending has"), h("th", { scope: "col" }, "it is preferred"),
      h("th", { scope: "col" }, "model"), h("th", { scope: "col" }, h("i", { class: "fm-rater-tick" }), "rule"))),
    h("tbody", {}, ...rows));
}

/** What the model rewards most, and where it is furthest from the rule, in two sentences. */
function diagnosis({ properties }) {
  const first = (size) => [...properties].sort((one, other) => size(other) - size(one))[0];
  const most = first(({ model }) => Math.abs(model - 0.5)), far = first(({ model, rule }) => Math.abs(model - rule));
  const against = most.model < 0.5, share = (of) => percent(against ? 1 - of : of);
  return `Its strongest taste is ${against ? "against" : "for"} ${most.label}: where the endings differ in it, the model prefers the `
    + `${against ? "other one" : "one with more"} in ${share(most.model)} of the pairs, and the rule in ${share(most.rule)}. `
    + (far === most ? "This is also where it differs most from the rule."
      : `It differs most from the rule on ${far.label}, which it prefers in ${percent(far.model)} and the rule in ${percent(far.rule)}.`);
}

function mistake({ name, wrong, right }) {
  if (!wrong) return h("p", { class: "fm-rater-wrong" }, `${OWNERS[name]} ranks all ${right} pairs as the rule does: there is no mistake to show.`);
  const { pair, score } = wrong, prefers = score > 0 ? 0 : 1;
  const ending = (text, side) => h("div", { class: `fm-rater-ending ${side === prefers ? "fm-rater-taken" : ""}` },
    h("span", {}, text),
    h("small", {}, `${side === prefers ? `preferred, ${percent(1 / (1 + Math.exp(-Math.abs(score))))} sure` : "rejected"} · true reward ${signed(pair.rewards[side])}`));
  return h("div", { class: "fm-rater-wrong" },
    h("p", {}, h("b", {}, `The pair that ${owner(name)} is surest of, and gets wrong.`), ` ${pair.prompt}`),
    h("div", { class: "fm-rater-endings" }, ending(pair.first, 0), ending(pair.second, 1)));
}

const signed = (number) => (number > 0 ? `+${number}` : `−${Math.abs(number)}`);

export default { render };
