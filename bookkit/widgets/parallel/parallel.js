// Shows what each way of sharing a model's training takes, and draws a step of one of them, by the page's numbers.
import { slider } from "./controls.js";

const LANE = 10, GAP = 2, WIDTH = 1000; // of the drawing, in its own units
const ROUNDS = 12; // sums of slices that are drawn; there are hundreds

function render({ el }) {
  const { start, memory, models, micro: counts } = JSON.parse(el.dataset.plans);
  const rows = [...el.querySelectorAll("tbody tr")], find = (name) => el.querySelector(`.fm-parallel-${name}`);
  const options = { unit: "", onchange: change };
  const model = slider({ ...options, label: "Model", format: (billions) => `${billions}B` });
  const devices = slider({ ...options, label: "Devices" });
  const micro = slider({ ...options, label: "Micro-batches" });
  const chosen = (name) => el.querySelector(`[name=fm-parallel-${name}]:checked`).value;

  /** What a way takes: gigabytes held and sent, seconds, and the share of them without computing. */
  function plan(way) {
    const { computing, ways } = models[`${model.value()}B`][devices.value()];
    const [always, held, sent] = ways[way][way === "pipeline" ? counts.indexOf(micro.value()) : 0];
    const sending = sent / Number(chosen("link")), stages = way === "pipeline" ? devices.value() : 1;
    const passing = (computing * (micro.value() + stages - 1)) / micro.value();
    const seconds = way === "tensor" ? computing + sending : Math.max(passing, sending);
    return { always, held, sent, computing, sending, seconds, idle: 1 - computing / seconds };
  }

  function change() {
    for (const row of rows) {
      const { held, sent, seconds, idle } = plan(row.dataset.way);
      [whole(held), whole(sent), seconds.toFixed(1), percent(idle)].forEach((text, column) => {
        row.cells[column + 1].textContent = text;
      });
      row.classList.toggle("now", row.dataset.way === chosen("way"));
    }
    find("model").textContent = `${model.value()}B`;
    find("devices").textContent = count(devices.value(), "device");
    find("micro").textContent = count(micro.value(), "micro-batch", "micro-batches");
    draw(chosen("way"));
  }

  function draw(way) {
    const now = plan(way);
    const rule = rows.find((row) => row.dataset.way === way).querySelector("small").textContent;
    find("drawn").querySelector("figcaption").replaceChildren(name(way), `: ${rule}.`);
    const most = 2 * memory, bar = find("memory").style; // what does not fit goes on to the end
    bar.setProperty("--always", Math.min(now.always, most) / most);
    bar.setProperty("--held", Math.min(now.held, most) / most);
    const svg = find("lanes").querySelector("svg"), lanes = devices.value();
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${lanes * LANE}`);
    const { works, sends } = spans(way, now, lanes, micro.value());
    svg.querySelector(".works").setAttribute("d", works.map(block).join(""));
    svg.querySelector(".sends").setAttribute("d", sends.map(block).join(""));
    find("readout").textContent = tell(way, now);
  }

  function tell(way, { held, seconds, computing, sending, idle }) {
    const fits = `${whole(held)} GB per device ${held > memory ? "does not fit" : "fits"} in ${memory}`;
    return `${fits}. A step takes ${seconds.toFixed(1)} s: ${computing.toFixed(1)} of computing, with ` +
      `${sending.toFixed(1)} of sending ${way === "tensor" ? "on top" : "meanwhile"}. ` +
      `A device waits for ${percent(idle)} of the step.`;
  }

  /** What changed, in words: when a control rests, not at every step of a drag. */
  function speak() {
    el.querySelector(".fm-spoken").textContent = `${chosen("way")}: ${find("readout").textContent}`;
  }

  model.offer([1, 7, 70], Number.parseInt(start.model, 10));
  devices.offer(Object.keys(models["1B"]).map(Number), start.devices);
  micro.offer(counts, start.micro);
  const controls = [model, devices, micro].map(({ element }) => element);
  find("sliders").append(...controls);
  controls.forEach((control) => control.addEventListener("change", speak));
  el.querySelectorAll("input[type=radio]").forEach((radio) => radio.addEventListener("change", () => { change(); speak(); }));
  change();
}

/** When each lane computes and sends: [lane, from, to, upper or lower half or all of it], in shares of the step. */
function spans(way, { seconds, computing, sending }, lanes, micro) {
  const works = [], sends = [], at = (time) => time / seconds;
  for (let lane = 0; lane < lanes; lane++) {
    if (way === "pipeline") {
      const one = computing / micro / 3; // forward; backward takes twice as long
      for (let batch = 0; batch < micro; batch++) {
        works.push([lane, at((lane + batch) * one), at((lane + batch + 1) * one), "whole"]);
        const back = (micro + lanes - 1) * one + (lanes - 1 - lane + batch) * 2 * one;
        works.push([lane, at(back), at(back + 2 * one), "whole"]);
      }
    } else if (way === "tensor") {
      for (let round = 0; round < ROUNDS; round++) {
        const from = round / ROUNDS, turn = from + at(computing) / ROUNDS;
        works.push([lane, from, turn, "whole"]);
        if (sending) sends.push([lane, turn, from + 1 / ROUNDS, "whole"]);
      }
    } else {
      works.push([lane, 0, at(computing), "upper"]);
      if (sending) sends.push([lane, 0, at(sending), "lower"]);
    }
  }
  return { works, sends };
}

/** A block of a lane as a path. */
function block([lane, from, to, part]) {
  const inside = LANE - GAP, top = lane * LANE + GAP / 2 + (part === "lower" ? 0.7 * inside : 0);
  const height = inside * { whole: 1, upper: 0.7, lower: 0.3 }[part];
  return `M${(from * WIDTH).toFixed(1)} ${top}H${(to * WIDTH).toFixed(1)}V${top + height}H${(from * WIDTH).toFixed(1)}Z`;
}

const whole = (number) => number.toLocaleString("en", { maximumFractionDigits: 0 });
const percent = (share) => `${Math.round(100 * share)}%`;
const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

function name(way) {
  const bold = document.createElement("b");
  bold.textContent = way[0].toUpperCase() + way.slice(1);
  return bold;
}

export default { render };
