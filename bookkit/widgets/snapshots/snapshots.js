// Shows one checkpoint of those that the page holds, and one of its stories. Everything is written by the template.
import { slider } from "./controls.js";
import { short } from "./dom.js";

function render({ el }) {
  const tokens = [...el.querySelectorAll(".fm-checkpoint")].map((one) => Number(one.dataset.tokens));
  const series = [".fm-checkpoint", ".fm-plane-loss .fm-dot", ".fm-plane-rate .fm-dot", ".fm-cursor"]
    .map((part) => [...el.querySelectorAll(part)]);
  const spoken = el.querySelector(".fm-spoken");
  const choices = [...el.querySelectorAll("input[type=radio]")];

  function show(count) {
    const now = tokens.indexOf(count);
    for (const parts of series) parts.forEach((part, number) => part.classList.toggle("now", number === now));
  }

  function choose(story) {
    for (const checkpoint of series[0])
      checkpoint.querySelectorAll(".fm-story").forEach((one, number) => one.classList.toggle("shown", number === story));
  }

  /** What changed, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    const shown = el.querySelector(".fm-checkpoint.now .fm-story.shown");
    const wrong = shown.querySelector(".fm-wrong");
    spoken.textContent = wrong
      ? `First wrong word: ${wrong.textContent}, ${shown.querySelector(".fm-expected").textContent}.`
      : "True to the end.";
  }

  const reading = slider({ label: "Tokens read", unit: "", format: short, onchange: show });
  const start = Number(el.querySelector(".fm-checkpoint.now").dataset.tokens);
  reading.offer(tokens, start);
  reading.element.addEventListener("change", speak);
  el.querySelector(".fm-snapshots-slider").append(reading.element);
  choices.forEach((choice, story) => choice.addEventListener("change", () => {
    choose(story);
    speak();
  }));
  choose(Math.max(0, choices.findIndex((choice) => choice.checked))); // a browser may remember the choice
}

export default { render };
