// Shows one of the places that the page holds, at one temperature. Everything is written by the template.
import { slider } from "./controls.js";

function render({ el }) {
  const places = [...el.querySelectorAll(".fm-soften-place")];
  const choices = [...el.querySelectorAll("input[type=radio]")];
  const spoken = el.querySelector(".fm-spoken");
  const head = [...places[0].querySelectorAll("thead th + th")];
  const temperatures = head.map((one) => Number(one.textContent.split(" ").pop()));

  function show(temperature) {
    const now = temperatures.indexOf(temperature);
    for (const place of places)
      for (const row of [...place.querySelectorAll("tr"), place.querySelector(".fm-soften-readouts")])
        row.querySelectorAll(":scope > :is(th + th, td, p)").forEach((one, number) => one.classList.toggle("now", number === now));
  }

  function choose(chosen) {
    places.forEach((place, number) => place.classList.toggle("shown", number === chosen));
  }

  /** What changed, in words: when the slider rests, not at every step of a drag. */
  function speak() {
    spoken.textContent = el.querySelector(".fm-soften-place.shown .fm-soften-readouts .now").textContent;
  }

  const temperature = slider({ label: "Temperature", unit: "", onchange: show });
  temperature.offer(temperatures, temperatures[head.findIndex((one) => one.matches(".now"))]);
  temperature.element.addEventListener("change", speak);
  el.querySelector(".fm-soften-slider").append(temperature.element);
  choices.forEach((choice, number) => choice.addEventListener("change", () => {
    choose(number);
    speak();
  }));
  choose(Math.max(0, choices.findIndex((choice) => choice.checked))); // a browser may remember the choice
}

export default { render };
