// Rules methods out by the reader's answers, and names the cheapest that is left. All words but those of the
// verdict are the template's.
import { button } from "./controls.js";
import { h } from "./dom.js";

const OUT = "fm-methods-ruled-out";
const FITS = "fm-methods-fits";

function render({ el }) {
  const questions = [...el.querySelectorAll("select")];
  const rungs = [...el.querySelectorAll(".fm-methods-ladder > li")];
  const cases = [...el.querySelectorAll(".fm-methods-cases button")];
  const status = el.querySelector("[role=status]");
  const prompt = rungs[0];
  const adapter = rungs.find((rung) => "adapter" in rung.dataset);
  const has = (list, one) => list.split(" ").includes(one);

  /** The question whose answer rules a method out, or "". */
  function ruledOut(rung, { need, prompted, source, memory }) {
    if (rung === prompt) return prompted === "yes" ? "prompted" : "";
    if (need && !has(rung.dataset.needs, need)) return "need";
    if (source && !has(rung.dataset.sources, source)) return "source";
    return rung === adapter && memory === "all" ? "memory" : "";
  }

  function show() {
    const answers = Object.fromEntries(questions.map((question) => [question.name, question.value]));
    const left = rungs.filter((rung) => {
      const reason = ruledOut(rung, answers);
      rung.querySelectorAll("[data-out]").forEach((one) => one.classList.toggle("now", one.dataset.out === reason));
      rung.classList.toggle(OUT, Boolean(reason));
      return !reason;
    });
    const best = left.find((rung) => rung !== adapter);
    const cheaper = best && "trains" in best.dataset && left.includes(adapter) && answers.memory === "part";
    for (const rung of rungs) rung.classList.toggle(FITS, rung === best || Boolean(cheaper && rung === adapter));
    const chosen = questions.map((question) => question.value).join(" ");
    for (const one of cases) one.setAttribute("aria-pressed", one.dataset.answers === chosen);
    const done = questions.every((question) => question.value);
    status.replaceChildren(...(best ? name(best, cheaper, done) : lack(answers)));
  }

  function name(best, cheaper, done) {
    const words = best.dataset.exam + (cheaper ? `; ${adapter.dataset.exam}` : "");
    return [
      done ? "The cheapest that fits: " : "Cheapest so far: ",
      h("b", {}, best.dataset.name, cheaper ? ", as an adapter (LoRA)" : ""),
      `. ${best.querySelector(".fm-methods-best").textContent} In the exam’s words: ${words}.`,
    ];
  }

  /** No method is left: the one that serves the need, and what it would have to learn from. */
  function lack({ need }) {
    const wanted = rungs.find((rung) => rung !== prompt && rung !== adapter && has(rung.dataset.needs, need));
    const wants = wanted.querySelector("[data-out=source]").textContent.replace("Ruled out: ", "");
    return [h("b", {}, "Nothing fits yet."), ` The method for this need is ${wanted.dataset.name.toLowerCase()}. ${wants} Collect that first.`];
  }

  questions.forEach((question) => question.addEventListener("change", show));
  for (const one of cases)
    one.addEventListener("click", () => {
      one.dataset.answers.split(" ").forEach((answer, number) => (questions[number].value = answer));
      show();
    });
  const again = button("Start over", () => {
    questions.forEach((question) => (question.value = ""));
    show();
  });
  el.querySelector(".fm-methods-cases").append(again.element);
  show(); // a browser may remember the answers
}

export default { render };
