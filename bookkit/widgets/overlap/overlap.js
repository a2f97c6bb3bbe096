// Scores what the reader types against a reference, and marks what both share.
import { button } from "./controls.js";
import { h } from "./dom.js";
import { bleu, inOrder, rouge, shared, words } from "./ngrams.js";

function render({ el }) {
  const [reference, answer] = el.querySelectorAll("textarea");
  const [kinds, marks] = ["kind", "mark"].map((name) => [...el.querySelectorAll(`[name="fm-overlap-${name}"]`)]);
  const [context, truth, spoken] = ["-context", "-truth"].map((part) => el.querySelector(`.fm-overlap${part}`))
    .concat(el.querySelector(".fm-spoken"));
  const chosen = () => kinds.find((each) => each.checked).dataset;

  function show() {
    showMarks();
    showTruth();
    const scores = rouge(answer.value, reference.value);
    for (const [metric, found] of Object.entries(scores)) {
      const cells = el.querySelectorAll(`[data-metric="${metric}"] td`);
      const share = (all) => (all ? `${found.hits}/${all}` : "–");
      [share(found.wanted), share(found.said), found.f1.toFixed(2)].forEach((text, k) => (cells[k].textContent = text));
    }
    const found = bleu(answer.value, reference.value);
    const [how, value] = el.querySelectorAll(".fm-overlap-bleu td");
    const precisions = found.precisions.map(([hits, all]) => (all ? `${hits}/${all}` : "–")).join(" · ");
    how.textContent = `${precisions}, penalty ${found.penalty.toFixed(2)}`;
    value.textContent = found.score.toFixed(2);
  }

  function showMarks() {
    const n = Number(marks.find((each) => each.checked).value);
    const texts = [reference.value, answer.value];
    const lists = texts.map(words);
    const [wanted, said] = lists.map((list) => list.map(({ word }) => word));
    const found = n ? shared(wanted, said, n) : inOrder(wanted, said);
    [found.first, found.second].forEach((places, k) => {
      el.querySelectorAll(".fm-overlap-texts dd")[k].replaceChildren(...marked(texts[k], lists[k], places));
    });
  }

  /** What the world says of a ready-made answer, and that it says nothing of any other. */
  function showTruth() {
    const { reference: wanted, right, wrong } = chosen();
    const known = reference.value === wanted && [right, wrong, wanted].includes(answer.value);
    const verdict = answer.value === wrong ? "false" : "true";
    truth.textContent = known
      ? `The world says: this answer is ${verdict}.`
      : "Your own words: no score can tell whether they are true. Judge that yourself.";
    truth.dataset.verdict = known ? verdict : "";
  }

  function choose(which) {
    const one = chosen();
    context.textContent = one.context;
    reference.value = one.reference;
    answer.value = one[which];
    show();
    speak();
  }

  /** The result in words, when the reader stops typing or has chosen. */
  function speak() {
    const value = (row) => row.querySelector("td:last-child").textContent;
    const rows = [...el.querySelectorAll(".fm-overlap-scores tbody tr")];
    const said = rows.map((row) => `${row.querySelector("th").textContent} ${value(row)}`);
    spoken.textContent = `${truth.textContent} ${said.join(", ")}.`;
  }

  const press = el.querySelector(".fm-overlap-press");
  press.append(
    button("The right answer", () => choose("right")).element,
    button("The wrong answer", () => choose("wrong")).element,
  );
  kinds.forEach((each) => each.addEventListener("change", () => choose("wrong")));
  marks.forEach((each) => each.addEventListener("change", showMarks));
  for (const field of [reference, answer]) {
    field.addEventListener("input", show);
    field.addEventListener("change", speak);
  }
  kinds.forEach((each, k) => (each.checked = k === 0)); // a browser may remember another choice, or a text
  choose("wrong");
  spoken.textContent = "";
}

/** The text with some of its words marked; neighbors that are both marked share one mark. */
function marked(text, list, places) {
  const parts = [];
  let at = 0;
  for (let k = 0; k < list.length; k++) {
    if (!places.has(k)) continue;
    const start = list[k].start;
    while (places.has(k + 1)) k++;
    parts.push(text.slice(at, start), h("mark", {}, text.slice(start, list[k].end)));
    at = list[k].end;
  }
  return [...parts, text.slice(at)];
}

export default { render };
