// Shows one of the tasks that the page holds, and one rank in all of them. Everything is written by the template.
import { slider } from "./controls.js";

const ALL = 32; // the slider's last place, right of rank 16

function render({ el }) {
  const tasks = [...el.querySelectorAll(".fm-rank-task")];
  const choices = [...el.querySelectorAll("input[type=radio]")];
  const spoken = el.querySelector(".fm-spoken");
  const ranks = [1, 2, 4, 8, 16, ALL];

  function show(rank) {
    const now = ranks.indexOf(rank);
    for (const task of tasks)
      for (const part of [".fm-rank-readout", ".fm-rank-cursor"])
        task.querySelectorAll(part).forEach((one, number) => one.classList.toggle("now", number === now));
  }

  function choose(chosen) {
    tasks.forEach((task, number) => task.classList.toggle("shown", number === chosen));
  }

  /** What changed, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    const shown = el.querySelector(".fm-rank-task.shown .fm-rank-readout.now");
    spoken.textContent = [...shown.querySelectorAll("p")].map((line) => line.textContent.trim()).join(" ");
  }

  const rank = slider({ label: "Rank", unit: "", format: (r) => (r === ALL ? "all weights" : `${r}`), onchange: show });
  rank.offer(ranks, ranks[[...tasks[0].querySelectorAll(".fm-rank-readout")].findIndex((one) => one.matches(".now"))]);
  rank.element.addEventListener("change", speak);
  el.querySelector(".fm-rank-slider").append(rank.element);
  choices.forEach((choice, number) => choice.addEventListener("change", () => {
    choose(number);
    speak();
  }));
  choose(Math.max(0, choices.findIndex((choice) => choice.checked))); // a browser may remember the choice
}

export default { render };
