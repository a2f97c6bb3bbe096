// What an exam says at its end: a result, by domain, by objective, and question by question.
//
//   resultOf(questions, used, limit, guide)   the elements; times in milliseconds, `limit` null without a clock; each
//                                             question is graded, and has `objective`, `flagged` and `element`
//   table(caption, heads, lines)
//   many(count, word)                         "1 question", "2 questions"
//
// and `guide` is {weights, titles, objectives, asked, taught}: Maps from a domain to its weight in percent and its title,
// a Map from every objective of the guide to its title, how many of them the book asks about, and a function from an
// objective that the bank asks about to an element with links to the pages that teach it.

import { h } from "./dom.js";
import * as rules from "./exam-rules.js";

const MINUTE = 60_000;

export const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
export const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join(""));

const rights = (questions) => questions.filter((one) => one.result === "right").length;
const ofDomain = (name, items) => items.filter((one) => rules.domain(one) === name);

export function table(caption, heads, lines) {
  const head = h("tr", {}, ...heads.map((one) => h("th", { scope: "col" }, one)));
  const whole = h("table", { class: "fm-exam-table" }, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...lines));
  return h("div", { class: "pst-scrollable-table-container" }, whole); // the theme lets it scroll by itself
}

/** The number of objectives that the guide has for each domain. */
function sizes({ weights, objectives }) {
  const all = [...objectives.keys()].map((objective) => ({ objective }));
  return new Map([...weights.keys()].map((name) => [name, ofDomain(name, all).length]));
}

/** Whether so many right of so many say something on the exam's own scale. */
export const isScaled = (questions, guide) => !rules.gaps(questions, guide.weights, sizes(guide)).length;

export function resultOf(questions, used, limit, guide) {
  const [right, of] = [rights(questions), questions.length];
  const total = Math.max(0, Math.round(used / 1000));
  const took = `${Math.floor(total / 60)} min ${total % 60} s${limit ? ` of ${Math.round(limit / MINUTE)} min` : ""}`;
  const [lead, meaning] = isScaled(questions, guide) ? estimate(right, of) : share(questions, guide);
  return [
    h("p", { class: "fm-exam-score" }, h("b", {}, `${right} of ${of} right`), ` in ${took}${lead[0]}`, ...lead.slice(1)),
    h("p", {}, meaning),
    h("h3", {}, "By domain"), byDomain(questions, guide),
    h("h3", {}, "By objective"), ...byObjective(questions, guide),
  ];
}

function estimate(right, of) {
  const score = rules.score(right, of);
  const [low, high] = rules.interval(right, of).map((part) => rules.score(part, 1));
  const sure = low <= rules.PASS && rules.PASS <= high ?
    `That includes ${rules.PASS}, so this exam cannot tell a pass from a fail.` :
    `All of that is ${low > rules.PASS ? "above" : "below"} ${rules.PASS}.`;
  return [
    [". ", h("b", {}, `Estimate: ${score}`), ` of 1000; the real exam requires ${rules.PASS}.`],
    `The estimate is linear, 100 + 900 × ${right} / ${of} = ${score}, because AWS does not publish how it scales. ` +
      `${many(of, "question")} are a small sample: your level could be anywhere ` +
      `from ${low} to ${high} (95% Wilson interval). ${sure}`,
  ];
}

function share(questions, guide) {
  const short = rules.gaps(questions, guide.weights, sizes(guide));
  return [
    [`, on the objectives that this book teaches: ${guide.asked} of the exam’s ${guide.objectives.size}.`],
    "This is not on the exam’s scale of 100 to 1000, and says nothing about passing. An estimate needs as many " +
      "questions on each domain as its weight gives it, on three quarters of its objectives; this exam had too few on " +
      `${short.length === 1 ? "domain" : "domains"} ${listed(short)}.`,
  ];
}

function byDomain(questions, guide) {
  const all = sizes(guide);
  const lines = [...guide.weights].map(([domain, weight]) => {
    const some = ofDomain(domain, questions);
    const objectives = new Set(some.map((one) => one.objective)).size;
    return h("tr", {}, h("th", { scope: "row" }, `${domain} · ${guide.titles.get(domain)}`), h("td", {}, `${weight}%`),
      h("td", {}, `${objectives} of ${all.get(domain)}`),
      h("td", {}, some.length ? `${rights(some)} of ${some.length}` : "not asked"));
  });
  return table("Right answers by domain", ["Domain", "Real exam", "Objectives", "Right"], lines);
}

function byObjective(questions, { objectives, taught }) {
  const rows = [...objectives].map(([number, title]) => (
    { number, title, some: questions.filter((one) => one.objective === number) })).filter(({ some }) => some.length);
  const line = ({ number, title, some }) => h("li", {}, h("b", {}, number), ` ${title}: `,
    h("b", {}, `${rights(some)} of ${some.length} right`), ...readAgain(some), ...teaching(taught(number)));
  const list = (some) => h("ul", { class: "fm-exam-objectives" }, ...some.map(line));
  const isWhole = ({ some }) => rights(some) === some.length;
  const [whole, partly] = [rows.filter(isWhole), rows.filter((row) => !isWhole(row))];
  return [...(partly.length ? [list(partly)] : []),
    ...(whole.length ? [fold(`Perfect: ${many(whole.length, "objective")}`, list(whole))] : [])];
}

/** Where the book says what was wrong. */
function readAgain(questions) {
  const wrong = questions.filter((one) => one.result === "wrong").map(({ again }) => again.querySelector("a"));
  const links = [...new Map(wrong.map((link) => [link.getAttribute("href"), link.cloneNode(true)])).values()];
  const parts = links.flatMap((link, place) => (place ? [", ", link] : [link]));
  return links.length ? [h("span", {}, "Read again: ", ...parts)] : [];
}

function teaching(links) {
  return links.childNodes.length ? [h("span", {}, "Taught in: ", ...[...links.childNodes].map((node) => node.cloneNode(true)))] : [];
}

export function fold(title, content, open = false) {
  return h("details", { class: "fm-exam-fold", open }, h("summary", {}, title), content);
}

/** The questions in groups: the wrong ones in sight, the right ones folded. */
export function review(questions) {
  questions.forEach((one, number) => {
    const words = `Question ${number + 1} of ${questions.length}${one.flagged ? " · ⚑ flagged" : ""}`;
    one.element.querySelector(".fm-quiz-place").textContent = words;
    one.form.querySelector("fieldset").removeAttribute("tabindex");
  });
  const group = (name, isIn, open) => {
    const some = questions.filter(isIn);
    const list = h("ol", { class: "fm-quiz-items" }, ...some.map((one) => one.element));
    return some.length ? [fold(`${name}: ${many(some.length, "question")}`, list, open)] : [];
  };
  return [
    ...group("Wrong or blank", ({ result }) => result === "wrong", true),
    ...group("Right, but flagged", ({ result, flagged }) => result === "right" && flagged),
    ...group("Right", ({ result, flagged }) => result === "right" && !flagged),
  ];
}
