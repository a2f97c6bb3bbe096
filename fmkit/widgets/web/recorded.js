import { h } from "./dom.js";
import { BROKEN, equal } from "./runs.js";

const REPLAY = 1800; // milliseconds for a recorded run, whatever it took

/** The recorded runs of a setting, which differ in the seed only. */
function recordedRuns(record, setting, names) {
  return record.runs.filter((each) => equal(each.settings, setting, names));
}

/** The same, if they are several, and all came to their end. */
export function recordedSeeds(record, setting, names) {
  const seeds = recordedRuns(record, setting, names);
  return seeds.length > 1 && seeds.every((each) => each.validation_loss !== undefined) ? seeds : [];
}

/**
 * Who trains: nobody, recorded runs are replayed. A trainer as in jupyter.js; it can train only what is recorded.
 * @param {{names: string[], axis: string, open: (facts) => object}} options `names` of the settings, in the order in
 *   which they are chosen; `axis`, what a record has for the place of each point
 */
export function createReplay(record, { names, axis, open }) {
  let frame = 0, run = null;

  /** Sorted values of a setting, as far as runs of them are recorded with what the settings before it say. */
  function values(name, setting) {
    const before = names.slice(0, names.indexOf(name));
    const runs = record.runs.filter((each) => equal(each.settings, setting, before));
    return [...new Set(runs.map((each) => each.settings[name]))].sort((a, b) => a - b);
  }

  function start(setting) {
    const [first] = recordedRuns(record, setting, names), { command, machine } = first;
    const seeds = recordedSeeds(record, setting, names);
    run = open({ setting, seeds, command, machine, length: first.loss.length, state: "training" });
    replay(first);
  }

  /** Draw a recorded run point by point; at once for a reader who wants no motion. */
  function replay(recorded) {
    const xs = recorded[axis], points = xs.map((x, i) => [x, recorded.loss[i]]);
    const checks = recorded.checks ?? (recorded.error ? [] : [[xs.at(-1), recorded.validation_loss]]);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches, begun = performance.now();
    const tick = (now) => {
      const share = calm ? 1 : Math.min(1, Math.max(0, now - begun) / REPLAY);
      const shown = points.slice(0, Math.ceil(share * points.length)), place = shown.at(-1)?.[0] ?? 0;
      const drawn = { points: shown, checks: share < 1 ? checks.filter(([x]) => x <= place) : checks };
      if (share < 1) {
        frame = requestAnimationFrame(tick);
        run.update(drawn);
      } else if (recorded.error) run.end({ ...drawn, state: "failed", message: recorded.error });
      else run.end({ ...drawn, state: "finished" });
    };
    tick(begun);
  }

  function stop() {
    cancelAnimationFrame(frame);
    run.end({ state: "stopped" });
  }

  function origin(shown) {
    if (!shown?.command) return ["On this page, recorded runs are replayed."];
    const who = shown.letter === BROKEN ? "The run that broke" : `Run ${shown.letter}`;
    const how = `${who} is a replay. It was recorded (${shown.machine ?? record.machine}) by `;
    const words = shown.command.split(" ").flatMap((word) => [h("span", {}, word), " "]); // a line breaks between words
    return [how, h("code", {}, ...words)];
  }

  return { mode: "recorded runs", values, start, stop, origin, close: () => cancelAnimationFrame(frame) };
}
