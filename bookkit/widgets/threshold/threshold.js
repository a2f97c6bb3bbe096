// Counts what a threshold makes of the reviews that the page holds, and shows those that are misread.
import { slider } from "./controls.js";

function render({ el }) {
  const sorters = [...el.querySelectorAll(".fm-threshold-sorter")].map((element) => ({
    element,
    marks: {
      1: [...element.querySelectorAll(".fm-threshold-complaint")],
      0: [...element.querySelectorAll(".fm-threshold-praise")],
    },
    reviews: [...element.querySelectorAll("li")].map((line) => ({
      line,
      p: Number(line.dataset.p),
      complaint: line.dataset.complaint === "1",
    })),
  }));
  const choices = [...el.querySelectorAll("input[type=radio]")];
  const spoken = el.querySelector(".fm-spoken");
  const thresholds = JSON.parse(el.dataset.thresholds);

  function show(threshold) {
    for (const { element, marks, reviews } of sorters) {
      const counts = { hit: 0, miss: 0, alarm: 0, rest: 0 };
      const next = { 0: 0, 1: 0 };
      for (const { line, p, complaint } of reviews) {
        const called = p >= threshold;
        counts[complaint ? (called ? "hit" : "miss") : called ? "alarm" : "rest"] += 1;
        line.classList.toggle("misread", called !== complaint);
        marks[Number(complaint)][next[Number(complaint)]++].classList.toggle("misread", called !== complaint);
      }
      const far = reviews.map(({ line, p }) => ({ line, distance: Math.abs(place(p) - place(threshold)) }));
      far.sort((a, b) => b.distance - a.distance);
      element.querySelector("ul").append(...far.map(({ line }) => line));
      element.querySelector(".fm-threshold-list p b").textContent =
        `${counts.miss + counts.alarm} misread, the farthest from the threshold first`;
      for (const [name, count] of Object.entries(counts))
        element.querySelector(`[data-count="${name}"]`).textContent = count;
      for (const [name, value] of Object.entries(measures(counts)))
        element.querySelector(`[data-score="${name}"]`).textContent = value.toFixed(2);
      element.querySelector(".fm-threshold-cursor").style.left = `${place(threshold)}%`;
    }
  }

  function choose(chosen) {
    sorters.forEach(({ element }, number) => element.classList.toggle("shown", number === chosen));
  }

  /** What changed, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    const shown = el.querySelector(".fm-threshold-sorter.shown");
    const counts = [...shown.querySelectorAll(".fm-threshold-matrix tbody td")].map((cell) => cell.textContent.trim());
    const scores = [...shown.querySelectorAll("dl > div")].map((one) => [...one.children].map((part) => part.textContent).join(" "));
    spoken.textContent = `${[...counts, ...scores].join(", ")}.`;
  }

  const threshold = slider({ label: "Threshold", unit: "", onchange: show });
  const start = Number(el.dataset.start);
  threshold.offer(thresholds, start);
  threshold.element.addEventListener("change", speak);
  el.querySelector(".fm-threshold-slider").append(threshold.element);
  choices.forEach((choice, number) => choice.addEventListener("change", () => {
    choose(number);
    speak();
  }));
  choose(Math.max(0, choices.findIndex((choice) => choice.checked))); // a browser may remember the choice
  show(start);
}

function measures({ hit, miss, alarm, rest }) {
  return {
    accuracy: (hit + rest) / (hit + miss + alarm + rest),
    precision: hit + alarm ? hit / (hit + alarm) : 0,
    recall: hit / (hit + miss),
    F1: (2 * hit) / (2 * hit + alarm + miss),
  };
}

/** The place of a probability on the axis of log-odds, in percent, as the template has those of the marks. */
function place(p) {
  const near = Math.min(Math.max(p, 0.0005), 0.9995);
  return 50 * (1 + Math.log(near / (1 - near)) / 8);
}

export default { render };
