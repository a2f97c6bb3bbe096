const TEMPERATURE = 0.5; // of what a model writes as it learns

/**
 * Who trains: the page itself, with the book's engine, where there is one; it is loaded at the first press. A trainer
 * as in jupyter.js.
 * @param {{job: (setting) => object, differs: string, seeds: (setting) => object[], open: (facts) => object}} options
 *   `job` says what a setting means: { length: of the run in steps, train: (options) => the engine's model,
 *   place: (point) => number }; `differs`, in what from the recorded runs; `seeds` gives those of a setting
 */
export function createPage({ job, differs, seeds, open }) {
  let controller = null;

  async function start(setting) {
    const { length, train, place } = job(setting);
    const run = open({ setting, seeds: seeds(setting), length }), points = [], checks = [];
    let begun = null; // when the first step was told
    controller = new AbortController();

    function onevent({ points: more = [], check, story }) {
      points.push(...more.map((point) => [place(point), point.loss]));
      begun ??= { time: performance.now(), steps: points.length };
      if (check?.step) checks.push([place(check), check.loss]);
      run.update({ state: "training", points, checks, secondsLeft: left(), ...(story && { story }) });
    }

    /** Seconds to the end of the run, at the pace so far. */
    function left() {
      const made = points.length - begun.steps, seconds = (performance.now() - begun.time) / 1000;
      return made ? ((length - points.length) * seconds) / made : 0;
    }

    try {
      const model = await train({ seed: 0, onevent, signal: controller.signal });
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
      : `This page trains in your browser, ${differs} than the recorded runs.`],
    close: () => controller?.abort(),
  };
}

/**
 * A new model learns stories, or the reader's `texts`.
 * @param {object[]} sizes configurations of models, by their hidden_size
 */
export const pretraining = (sizes, texts) => ({ hidden_size, text, ...training }) => {
  const { parameters, ...config } = sizes.find((size) => size.hidden_size === hidden_size);
  return {
    length: training.steps,
    place: ({ tokens }) => tokens,
    async train(options) {
      const { trainModel } = await fmkit.load("engine");
      return trainModel({ config, texts: texts(), training, temperature: TEMPERATURE, ...options });
    },
  };
};

/** The book's model learns the answers of its shop, so many `examples`. */
export const finetuning = (examples) => ({ learning_rate, batch_size, epochs }) => {
  const steps = Math.floor((epochs * examples) / batch_size);
  return {
    length: steps,
    place: ({ step }) => Math.round((100 * step * batch_size) / examples) / 100,
    async train(options) {
      const { tuneModel } = await fmkit.load("engine");
      return tuneModel({ training: { learning_rate, batch_size, steps }, ...options });
    },
  };
};

/** Whether this page has the book's engine: a notebook in a kernel has not. */
export const hasEngine = () => typeof globalThis.fmkit?.load === "function";
