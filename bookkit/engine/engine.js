// The engine as a widget sees it: a model of the book that answers, or one that is trained, each in a worker of its own.
// Its scripts are loaded when they are first asked for. The site's loader has them; a notebook in a kernel has not.

import { Tokenizer } from "./tokenizer.js";

const INTERVAL = 100; // milliseconds between two reports of a run, at least

/**
 * Open a model of the book.
 * @param {string | File} model the name of a folder in assets/models, or a file that `python -m bookkit.engine` wrote
 * @throws {Error} with a message for the reader
 */
export async function openModel(model) {
  const source = typeof model === "string"
    ? { base64: await fmkit.load(`models/${model}`) }
    : { file: await model.arrayBuffer() };
  const bytes = source.file?.byteLength ?? Math.floor(source.base64.length * 0.75);
  const worker = await startWorker();
  try {
    const { config, tokenizer, parameters } = await worker.ask("open", source);
    return { config, tokenizer: new Tokenizer(tokenizer), parameters, bytes, ...answers(worker) };
  } catch (error) {
    worker.close();
    throw error;
  }
}

/** What can be asked of a model. */
function answers(worker) {
  return {
    /** Continue `ids`; returns the new ones. `ontoken` gets { id, p, top } for each; `signal` ends it early. */
    generate: (ids, { ontoken, signal, ...options }) => worker.ask("generate", { ids, ...options }, { onevent: ontoken, signal }),
    /** The probabilities (V,) of the token after `ids`. */
    predict: (ids) => worker.ask("predict", { ids }),
    /** Attention weights (layers, heads, T, T) of a text, and the probabilities (V,) of the next token. */
    attention: (ids) => worker.ask("attention", { ids }),
    /** What the story world says about a text: see `verdict` in verdict.js. */
    judge: async (text) => worker.ask("judge", { text, world: await fmkit.load("worlds/stories") }),
    close: () => worker.close(),
  };
}

/**
 * Train a new model: on a world's stories, whose floor is known, or on the reader's own `texts`, whose vocabulary is
 * learned first.
 * @param {{config?: object, texts?: string[], training: object, seed: number, temperature?: number,
 *   onevent: Function, signal: AbortSignal}} options
 *   `training` has fmkit's names (learning_rate, batch_size, steps); `onevent` gets { points, check, story } as they
 *   come, the stories at this temperature
 * @returns the model that was trained, when it is; `stopped` says that the reader ended it, and
 *   `resume({ onevent, signal })` then trains on
 */
export async function trainModel({ config, texts, ...options }) {
  const lab = await fmkit.load("labs/stories"), world = texts ? null : await fmkit.load("worlds/stories");
  const size = { ...lab.config, head_dim: null, ...config }; // whose heads divide its own width
  return train({ config: size, tokenizer: texts ? null : lab.tokenizer, world, texts, ...options });
}

/** Train the book's story model on the answers of a shop; the options and the result are those of `trainModel`. */
export async function tuneModel(options) {
  return train({ ...await fmkit.load("labs/shop"), ...options });
}

async function train({ onevent, signal, ...options }) {
  const worker = await startWorker();
  try {
    const { stopped, tokenizer } = await worker.ask("train", { ...options, interval: INTERVAL }, { onevent, signal });
    const resume = (again) => worker.ask("resume", { interval: INTERVAL }, again);
    return { stopped, resume, tokenizer: new Tokenizer(tokenizer), ...answers(worker) };
  } catch (error) {
    worker.close();
    throw error;
  }
}

/** A worker that answers requests, one after the other. */
async function startWorker() {
  const source = await fmkit.load("engine-worker");
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address), waiting = new Map();
  URL.revokeObjectURL(address);
  let number = 0;
  worker.onmessage = ({ data: { id, event, done, failed } }) => {
    const request = waiting.get(id);
    if (event) return request?.onevent?.(event);
    waiting.delete(id);
    if (failed === undefined) request?.resolve(done);
    else request?.reject(new Error(failed));
  };
  const fail = () => {
    for (const { reject } of waiting.values()) reject(new Error("The engine stopped: reload the page to try again."));
    waiting.clear();
  };
  worker.onerror = fail;
  function ask(method, options, { onevent, signal } = {}) {
    const id = number++, stop = () => worker.postMessage({ id, stop: true });
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject, onevent });
      worker.postMessage({ id, method, ...options });
    });
  }
  const close = () => {
    worker.terminate();
    fail();
  };
  return { ask, close };
}
