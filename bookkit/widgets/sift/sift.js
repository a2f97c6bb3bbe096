// What methods, plan and diagnose share: the reader's answers rule rows out, each with its reason. All words but those
// of the status line are the template's.
import { button } from "./controls.js";

/** Whether a row fits an answer to a question; it fits all where the template names none, and no answer rules it out. */
export function fits({ dataset }, question, answer) {
  return !answer || !(question in dataset) || dataset[question].split(" ").includes(answer);
}

/** The first question whose answer rules a row out, or "". */
export function ruledOut(row, answers) {
  return Object.keys(answers).find((question) => !fits(row, question, answers[question])) ?? "";
}

/**
 * @param {HTMLElement} el
 * @param {(rows: HTMLElement[], answers: Record<string, string>, left: HTMLElement[], done: boolean) => (Node | string)[]} say
 *   what the status line says of the answers to the questions by name, and of the rows that they leave; `done` if none is
 *   missing
 */
export function sift(el, say) {
  const questions = [...el.querySelectorAll("select")];
  const rows = [...el.querySelectorAll(".fm-sift-rows > li")];
  const cases = [...el.querySelectorAll(".fm-sift-cases button")];
  const status = el.querySelector("[role=status]");

  function show() {
    const answers = Object.fromEntries(questions.map((question) => [question.name, question.value]));
    for (const row of rows) mark(row, ruledOut(row, answers));
    const chosen = Object.values(answers).join(" ");
    for (const one of cases) one.setAttribute("aria-pressed", one.dataset.answers === chosen);
    const left = rows.filter((row) => !ruledOut(row, answers));
    status.replaceChildren(...say(rows, answers, left, Object.values(answers).every(Boolean)));
  }

  function fill(answers) {
    questions.forEach((question, number) => (question.value = answers[number] ?? ""));
    show();
  }

  for (const question of questions) question.addEventListener("change", show);
  for (const one of cases) one.addEventListener("click", () => fill(one.dataset.answers.split(" ")));
  const again = button("Start over", () => fill([]));
  el.querySelector(".fm-sift-cases").append(again.element);
  show(); // a browser may remember the answers
}

/** Shows the reason, if there is one, in place of what the row says. */
function mark(row, reason) {
  row.classList.toggle("fm-sift-ruled-out", Boolean(reason));
  for (const one of row.querySelectorAll("[data-out]")) one.classList.toggle("now", one.dataset.out === reason);
}
