// Names the first method that the answers leave, which is the cheapest.
import { h } from "./dom.js";
import { fits, sift } from "./sift.js";

function render({ el }) {
  sift(el, (rungs, answers, left, done) => {
    const [prompt] = rungs;
    const adapter = rungs.find((rung) => "adapter" in rung.dataset);
    const after = (rung) => rung !== prompt && rung !== adapter;
    const best = left.find((rung) => rung !== adapter);
    const adapts = best && "trains" in best.dataset && left.includes(adapter);
    const small = adapts && answers.memory === "part" && adapter;
    for (const rung of rungs) rung.classList.toggle("fm-methods-fits", rung === best || rung === small);
    const next = best === prompt && answers.need && left.find(after);
    return best ? name(best, { adapts, small, done, next }) : lack(rungs.filter(after), answers.need);
  });
}

function name(best, { adapts, small, done, next }) {
  const words = best.dataset.exam + (small ? `; ${small.dataset.exam}` : "");
  let more = "";
  if (next) more = ` If it is not enough: ${low(next)}.`;
  else if (adapts && !small) more = " An adapter trains it for less, but may be slightly worse.";
  return [
    done ? "What fits: " : "What fits so far: ",
    h("b", {}, best.dataset.name, small ? ", as an adapter (LoRA)" : ""),
    `. ${best.querySelector(".fm-sift-says").textContent}${more} In the exam’s words: ${words}.`,
  ];
}

/** No method is left: the one that serves the need, and what it would have to learn from. */
function lack(methods, need) {
  const nothing = h("b", {}, "Nothing fits yet.");
  if (!need) return [nothing, " No method but a prompt learns from so little. Collect more, and say what is missing."];
  const wanted = methods.find((method) => fits(method, "need", need));
  const wants = wanted.querySelector("[data-out=source]").textContent.replace("Ruled out: ", "");
  return [nothing, ` The method for this need is ${low(wanted)}. ${wants} Collect that first.`];
}

const low = ({ dataset: { name } }) => name[0].toLowerCase() + name.slice(1);

export default { render };
