// A model is trained in the page while the reader watches: its loss, its latest story, and what it wrote on the way.
// It goes on in a hidden tab, since it ends by itself after a minute or two.
import { button } from "./controls.js";
import { h, short } from "./dom.js";
import { createPlot } from "./plot.js";
import { TEMPERATURE, TRAINING, createRun, end, scene, speed, status, take, title } from "./newborn-run.js";
import { excerpt, marked } from "./story.js";
import { createTalk } from "./newborn-talk.js";

const PRESS = { loading: "Stop", training: "Stop", stopped: "Resume", finished: "Train another", failed: "Retry" };
const SKIPPED = "passed between two stories";

function render({ el }) {
  const part = (name) => el.querySelector(`.fm-newborn-${name}`);
  const [heading, line, story, spoken] = [part("title"), part("status"), part("story"), el.querySelector(".fm-spoken")];
  const readouts = Object.fromEntries([...el.querySelectorAll("[data-of]")].map((one) => [one.dataset.of, one]));
  const floor = Number(el.dataset.floor), chance = Number(el.dataset.chance);
  const plot = createPlot(el.querySelector(".fm-plot")), ladder = createLadder(el);
  const press = button("Train", pressed, "fm-primary"), anew = button("Start over", startAnew);
  let run = null, model = null, controller = null, seed = 0, shown = null, due = false;

  function pressed() {
    if (controller) controller.abort();
    else if (run?.phase === "stopped") goOn();
    else begin();
  }

  function startAnew() {
    begin();
    press.element.focus(); // the button that was pressed is hidden now
  }

  /** Bring everything on the screen up to date. */
  function show() {
    due = false;
    plot.draw(scene(run, chance, floor));
    if (!run) return;
    heading.textContent = title(run);
    line.textContent = status(run);
    part("actions").classList.toggle("failed", run.phase === "failed");
    press.element.textContent = PRESS[run.phase];
    anew.element.hidden = run.phase !== "stopped";
    read(run);
    if (run.story && run.story !== shown) tell(run);
  }

  function read({ loss, tokens }) {
    const choices = Math.exp(loss), rate = speed(run);
    readouts.loss.textContent = loss.toFixed(2);
    readouts.choices.textContent = `1 in ${choices.toFixed(choices < 10 ? 1 : 0)}`;
    readouts.tokens.textContent = short(tokens);
    if (rate) readouts.speed.textContent = short(rate);
  }

  function tell({ story: latest, stories, loss }) {
    shown = latest;
    story.classList.remove("fm-quiet");
    story.replaceChildren(...marked(latest));
    part("name").querySelector("small").textContent = `story ${stories}, loss ${loss.toFixed(2)}`;
  }

  function onevent(event) {
    take(run, event);
    if (event.story) spoken.textContent = ladder.climb(run) ?? spoken.textContent;
    if (!due) requestAnimationFrame(show); // at the screen's own pace, and not at all where nobody looks
    due = true;
  }

  function begin() {
    model?.close();
    [model, run, seed] = [null, createRun(chance), seed + 1];
    ladder.clear();
    follow(async (options) => {
      const { trainModel } = await fmkit.load("engine");
      model = await trainModel({ training: TRAINING, seed, temperature: TEMPERATURE, ...options });
      return model.stopped;
    });
  }

  function goOn() {
    run.phase = "training";
    follow(async (options) => (await model.resume(options)).stopped);
  }

  /** Show a run, or what is left of it, until it ends; `train` says whether it was stopped. */
  async function follow(train) {
    controller = new AbortController();
    show();
    try {
      end(run, (await train({ onevent, signal: controller.signal })) ? "stopped" : "finished");
    } catch (error) {
      end(run, "failed", error.message);
    }
    controller = null;
    show();
    spoken.textContent = `${heading.textContent} ${line.textContent}`;
  }

  anew.element.hidden = true;
  part("buttons").append(press.element, anew.element);
  show();
  createTalk(part("talk"));
}

/** Excerpts of stories, each the first after the loss got below that of its row. */
function createLadder(el) {
  const rows = [...el.querySelectorAll("[data-loss]")], empty = rows.map((row) => [...row.childNodes]);
  let next = 0;
  return {
    clear() {
      next = 0;
      rows.forEach((row, number) => row.replaceChildren(...empty[number]));
    },
    /** Fill what the run has reached; returns what to say about it, if that is new. */
    climb({ story, loss }) {
      const reached = rows.filter((row, number) => number >= next && loss < Number(row.dataset.loss));
      const last = reached.pop();
      if (!last) return null;
      next += reached.length + 1;
      for (const row of reached) row.replaceChildren(row.firstChild, " ", h("span", { class: "fm-quiet" }, SKIPPED));
      const words = h("span", { class: "fm-marked" }, ...excerpt(story));
      last.replaceChildren(h("b", {}, loss.toFixed(1)), " ", words);
      return `At a loss of ${loss.toFixed(1)} it writes: ${words.textContent}`;
    },
  };
}

export default { render };
