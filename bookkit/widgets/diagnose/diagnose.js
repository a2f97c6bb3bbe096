// Names the first approach that the answers leave, which is the cheapest, and finds which one other answer would lead
// to another.
import { h } from "./dom.js";
import { fits, ruledOut, sift } from "./sift.js";

function render({ el }) {
  const questions = [...el.querySelectorAll("select")];

  sift(el, (approaches, answers, left, done) => {
    const [best] = left;
    const near = done ? oneAway(questions, approaches, answers, best) : new Map();
    for (const approach of approaches) {
      approach.classList.toggle("fm-diagnose-fits", done && approach === best);
      const others = near.get(approach) ?? [];
      approach.querySelector(".fm-diagnose-near").textContent = others.length ? `Would fit with ${others.join(" or ")}.` : "";
    }
    const said = best ? name(best, done) : closest(approaches, answers);
    return near.size ? [...said, ` One answer away: ${[...near.keys()].map(low).join(", ")}.`] : said;
  });
}

/** The other approaches that are the cheapest with one other answer, each with these answers. */
function oneAway(questions, approaches, answers, best) {
  const near = new Map();
  for (const { name, options } of questions)
    for (const { value, text } of options) {
      const other = { ...answers, [name]: value };
      const found = value && approaches.find((approach) => !ruledOut(approach, other));
      if (found && found !== best) near.set(found, [...(near.get(found) ?? []), `“${text}”`]);
    }
  return near;
}

function name(best, done) {
  return [
    done ? "What fits: " : "The cheapest that is left: ",
    h("b", {}, best.dataset.name),
    `. ${best.querySelector(".fm-sift-says").textContent} In the exam’s words: ${best.dataset.exam}.`,
  ];
}

/** No approach is left: the first that gives what is missing, and what rules it out. */
function closest(approaches, answers) {
  const wanted = approaches.find((approach) => fits(approach, "lack", answers.lack));
  const reason = wanted.querySelector(`[data-out=${ruledOut(wanted, answers)}]`).textContent.replace("Ruled out: ", "");
  return [h("b", {}, "Nothing fits yet."), ` The closest is ${low(wanted)}, but ${reason}`];
}

const low = ({ dataset: { name } }) => name[0].toLowerCase() + name.slice(1);

export default { render };
