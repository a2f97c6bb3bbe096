// Rules methods out by the reader's answers, and names the first that is left, which is the cheapest method. All words but those of the
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
  const after = (rung) => rung !== prompt && rung !== adapter;
  const low = ({ dataset: { name } }) => name[0].toLowerCase() + name.slice(1);

  /** The question whose answer rules a method out, or "". */
  function ruledOut(rung, { need, prompted, source }) {
    if (rung === prompt) return prompted === "yes" ? "prompted" : "";
    if (need && !has(rung.dataset.needs, need)) return "need";
    return source && !has(rung.dataset.sources, source) ? "source" : "";
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
    const adapts = best && "trains" in best.dataset && left.includes(adapter);
    const small = adapts && answers.memory === "part";
    for (const rung of rungs) rung.classList.toggle(FITS, rung === best || Boolean(small && rung === adapter));
    const chosen = questions.map((question) => question.value).join(" ");
    for (const one of cases) one.setAttribute("aria-pressed", one.dataset.answers === chosen);
    const done = questions.every((question) => question.value);
    const next = best === prompt && answers.need && left.find(after);
    status.replaceChildren(...(best ? name(best, { adapts, small, done, next }) : lack(answers)));
  }

  function name(best, { adapts, small, done, next }) {
    const words = best.dataset.exam + (small ? `; ${adapter.dataset.exam}` : "");
    let more = "";
    if (next) more = ` If it is not enough: ${low(next)}.`;
    else if (adapts && !small) more = " An adapter trains it for less, and may be a little less good.";
    return [
      done ? "What fits: " : "What fits so far: ",
      h("b", {}, best.dataset.name, small ? ", as an adapter (LoRA)" : ""),
      `. ${best.querySelector(".fm-methods-best").textContent}${more} In the exam’s words: ${words}.`,
    ];
  }

  /** No method is left: the one that serves the need, and what it would have to learn from. */
  function lack({ need }) {
    const nothing = h("b", {}, "Nothing fits yet.");
    if (!need) return [nothing, " No method but a prompt learns from so little. Collect more, and say what is missing."];
    const wanted = rungs.find((rung) => after(rung) && has(rung.dataset.needs, need));
    const wants = wanted.querySelector("[data-out=source]").textContent.replace("Ruled out: ", "");
    return [nothing, ` The method for this need is ${low(wanted)}. ${wants} Collect that first.`];
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
