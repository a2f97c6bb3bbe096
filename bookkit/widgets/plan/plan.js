// Leaves the ways to evaluate that fit the reader's answers, and says them as a plan. All words but those of the status
// line are the template's.
import { button } from "./controls.js";
import { h } from "./dom.js";

const STAKES = ["annoying", "expensive", "harmful"]; // in the order of a way's data-least

function render({ el }) {
  const questions = [...el.querySelectorAll("select")];
  const ways = [...el.querySelectorAll(".fm-plan-ways > li")];
  const cases = [...el.querySelectorAll(".fm-plan-cases button")];
  const status = el.querySelector("[role=status]");

  /** The question whose answer leaves a way out, or "". */
  function leftOut({ dataset }, { judged, reference, stakes }) {
    if (judged && !dataset.judged.split(" ").includes(judged)) return "judged";
    if (reference === "no" && dataset.reference === "yes") return "reference";
    return stakes && STAKES.indexOf(stakes) < Number(dataset.least) ? "stakes" : "";
  }

  function show() {
    const answers = Object.fromEntries(questions.map((question) => [question.name, question.value]));
    const kept = ways.filter((way) => {
      const reason = leftOut(way, answers);
      way.querySelectorAll("[data-out]").forEach((one) => one.classList.toggle("now", one.dataset.out === reason));
      way.classList.toggle("fm-plan-left", Boolean(reason));
      return !reason;
    });
    const chosen = questions.map((question) => question.value).join(" ");
    for (const one of cases) one.setAttribute("aria-pressed", one.dataset.answers === chosen);
    status.replaceChildren(...say(kept, Object.values(answers)));
  }

  function say(kept, answers) {
    if (!answers.some(Boolean)) return ["Choose a case, or answer the questions for one of your own."];
    if (!kept.length) return [h("b", {}, "Nothing fits yet."), " Write right answers for a sample first, to have something to count."];
    const parts = [...byWhen(kept)].map(([when, those]) => `${when}: ${those.map((way) => way.dataset.name).join("; ")}.`);
    return [h("b", {}, answers.every(Boolean) ? "The plan. " : "The plan so far. "), parts.join(" ")];
  }

  for (const question of questions) question.addEventListener("change", show);
  for (const one of cases)
    one.addEventListener("click", () => {
      one.dataset.answers.split(" ").forEach((answer, number) => (questions[number].value = answer));
      show();
    });
  const again = button("Start over", () => {
    for (const question of questions) question.value = "";
    show();
  });
  el.querySelector(".fm-plan-cases").append(again.element);
  show(); // a browser may remember the answers
}

/** Ways by when they are used, in the order of the list. */
function byWhen(ways) {
  const groups = new Map();
  for (const way of ways) groups.set(way.dataset.when, [...(groups.get(way.dataset.when) ?? []), way]);
  return groups;
}

export default { render };
