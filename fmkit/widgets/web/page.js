const TEMPERATURE = 0.5; // of what a model writes as it learns

/**
 * Who trains: the page itself, with the book's engine, where there is one; it is loaded at the first press. A trainer
 * as in kernel.js, which also takes texts of the reader's own.
 * @param {{sizes: object[], texts: () => string[] | undefined, seeds: (setting) => object[], open: (facts) => object}} options
 *   `sizes` are configurations of models, by their hidden_size; `seeds` gives the recorded runs of a setting
 */
export function createPage({ sizes, texts, seeds, open }) {
  let controller = null;

  async function start(setting) {
    const run = open({ setting, seeds: seeds(setting), length: setting.steps }), points = [], checks = [];
    let begun = null; // when the first step was told
    const { parameters, ...config } = sizes.find((size) => size.hidden_size === setting.hidden_size);
    const { learning_rate, batch_size, steps } = setting;
    controller = new AbortController();

    function onevent({ points: more = [], check, story }) {
      points.push(...more.map(({ tokens, loss }) => [tokens, loss]));
      begun ??= { time: performance.now(), steps: points.length };
      if (check) checks.push([check.tokens, check.loss]);
      run.update({ state: "training", points, checks, secondsLeft: left(), ...(story && { story }) });
    }

    /** Seconds to the end of the run, at the pace so far. */
    function left() {
      const made = points.length - begun.steps, seconds = (performance.now() - begun.time) / 1000;
      return made ? ((setting.steps - points.length) * seconds) / made : 0;
    }

    try {
      const { trainModel } = await fmkit.load("engine");
      const training = { learning_rate, batch_size, steps }, story = { seed: 0, temperature: TEMPERATURE };
      const model = await trainModel({ config, texts: texts(), training, ...story, onevent, signal: controller.signal });
      model.close();
      run.end(model.stopped ? { state: "stopped", checks: [] } : { state: "finished" }); // the last check was before
    } catch (error) {
      run.end({ state: "failed", message: error.message });
    }
  }

  return {
    mode: "trains in this page",
    start,
    stop: () => controller.abort(),
    origin: (run) => [run?.setting.text ? "This page trains in your browser, on your text, which stays here."
      : "This page trains in your browser, on new stories and from other weights than the recorded runs."],
    close: () => controller?.abort(),
  };
}

/** Whether this page has the book's engine: a notebook in a kernel has not. */
export const hasEngine = () => typeof globalThis.fmkit?.load === "function";
