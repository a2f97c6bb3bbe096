// Shows one of the gaps that the page holds. Everything is written by the template.
import { slider } from "./controls.js";

function render({ el }) {
  const gaps = [...el.querySelectorAll(".fm-gaps-gap")];
  const spoken = el.querySelector(".fm-spoken");
  const numbers = gaps.map((_, index) => index + 1);
  const show = (number) => gaps.forEach((gap, index) => gap.classList.toggle("shown", index === number - 1));

  /** What the gap says, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    spoken.textContent = el.querySelector(".fm-gaps-gap.shown .fm-gaps-readout").textContent;
  }

  const gap = slider({ label: "Gap", unit: "", format: (number) => `${number} of ${gaps.length}`, onchange: show });
  gap.offer(numbers, Number(el.dataset.start));
  gap.element.addEventListener("change", speak);
  el.querySelector(".fm-gaps-slider").append(gap.element);
}

export default { render };
