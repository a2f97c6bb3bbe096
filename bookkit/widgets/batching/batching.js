// Draws the plans of static and continuous batches that the page holds, up to a step.
import { slider } from "./controls.js";

const PACE = 10; // steps between two places of the slider

function render({ el }) {
  const { start, lengths, plans } = JSON.parse(el.dataset.plans);
  const ways = [...el.querySelectorAll(".fm-batching-way")], rows = [...el.querySelectorAll("tbody tr")];
  const spoken = el.querySelector(".fm-spoken");
  const values = (index) => [...new Set(Object.keys(plans).map((key) => Number(key.split(" ")[index])))];
  const requests = slider({ label: "Requests", unit: "", onchange: change });
  const places = slider({ label: "Places", unit: "", onchange: change });
  const step = slider({ label: "Step", unit: "", onchange: drawStep });

  const planOf = (way, count = places.value()) => plans[`${requests.value()} ${count}`][way];

  /** Other requests or places: another plan, on the axis of the slower way. */
  function change() {
    const end = planOf("static").end;
    for (const figure of ways) drawPlan(figure, planOf(figure.dataset.way), end);
    for (const row of rows) {
      row.classList.toggle("now", Number(row.dataset.places) === places.value());
      ways.forEach(({ dataset: { way } }, column) => { row.cells[column + 1].textContent = planOf(way, row.dataset.places).end; });
    }
    el.querySelector(".fm-batching-count").textContent = requests.value();
    step.offer(Array.from({ length: end / PACE + 1 }, (_, index) => index * PACE), Math.min(step.value(), end));
    drawStep();
  }

  function drawPlan(figure, { spans, end, says }, steps) {
    const set = (element, settings) => {
      for (const [name, value] of Object.entries(settings)) element.style.setProperty(`--${name}`, value);
    };
    set(figure, { steps, end, places: places.value() });
    figure.querySelectorAll(".fm-batching-lane").forEach((lane, place) => { lane.hidden = place >= places.value(); });
    figure.querySelectorAll(".fm-batching-answer").forEach((answer, number) => {
      answer.hidden = number >= spans.length;
      if (!answer.hidden) set(answer, { place: spans[number][0], start: spans[number][1] });
    });
    figure.querySelector(".fm-batching-says").textContent = says;
  }

  function drawStep() {
    const now = step.value();
    for (const figure of ways) {
      const { spans, end } = planOf(figure.dataset.way), waiting = [];
      let written = 0;
      figure.style.setProperty("--step", now);
      figure.querySelectorAll(".fm-batching-answer").forEach((answer, number) => {
        if (answer.hidden) return;
        const waits = spans[number][1] > now, done = spans[number][1] + lengths[number] <= now;
        answer.classList.toggle("waits", waits);
        answer.classList.toggle("done", done);
        if (waits) waiting.push(number + 1);
        else if (!done) written++;
      });
      figure.querySelector(".fm-batching-now").textContent = now < end ? tell(now, written, waiting) : `Step ${now}: none wait.`;
    }
  }

  function tell(now, written, waiting) {
    const idle = places.value() - written;
    const wait = waiting.length ? `; ${waiting.length === 1 ? "request" : "requests"} ${list(waiting)} ${waiting.length === 1 ? "waits" : "wait"}` : "; none wait";
    return `Step ${now}: ${written} of ${places.value()} places at work, ${idle} idle${wait}.`;
  }

  /** What both ways do at this step, in words: when a slider rests, not at every step of a drag. */
  function speak() {
    spoken.textContent = ways.map((figure) => `${figure.dataset.way}: ${figure.querySelector(".fm-batching-readout").textContent}`).join(" ");
  }

  requests.offer(values(0), start.requests);
  places.offer(values(1), start.places);
  step.offer([start.step], start.step);
  const controls = [requests, places, step].map(({ element }) => element);
  controls.forEach((control) => control.addEventListener("change", speak));
  el.querySelector(".fm-batching-sliders").append(...controls);
  change();
}

/** Numbers in words: the first and the last of a row of them. */
function list(numbers) {
  const [first, last] = [numbers[0], numbers.at(-1)];
  return numbers.length > 2 && last - first === numbers.length - 1 ? `${first} to ${last}` : numbers.join(", ");
}

export default { render };
