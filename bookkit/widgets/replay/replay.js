// Shows one share of replay of those that the page holds. Everything is written by the template.
import { slider } from "./controls.js";

function render({ el }) {
  const shares = el.dataset.shares.split(" ").map(Number);
  const readouts = [...el.querySelectorAll(".fm-replay-readout")];
  const cursors = [...el.querySelectorAll(".fm-replay-cursor")];
  const spoken = el.querySelector(".fm-spoken");

  function show(share) {
    for (const parts of [readouts, cursors])
      parts.forEach((one, number) => one.classList.toggle("now", shares[number] === share));
  }

  /** The losses, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    spoken.textContent = el.querySelector(".fm-replay-readout.now .fm-replay-losses").textContent;
  }

  const control = slider({
    label: "Share of replay",
    unit: "",
    format: (share) => `${Math.round(100 * share)}%`,
    onchange: show,
  });
  control.offer(shares, shares[readouts.findIndex((one) => one.matches(".now"))]);
  control.element.addEventListener("change", speak);
  el.querySelector(".fm-replay-slider").append(control.element);
}

export default { render };
