// The worker: a model in a thread of its own, which answers and trains on request. engine.js talks to it.
//
// A request is { id, method, ... }; it gets { id, done: result } or { id, failed: message }, and before that, while it
// runs, any number of { id, event }. One request runs at a time; { id, stop: true } ends the one with this id early.
// The build puts the modules of the engine and `KERNELS`, the compiled kernels.ts in base64, in front of this one.

import { assignWeights, makeModel, readCheckpoint } from "./checkpoint.js";
import { generate, softmax, unread } from "./generation.js";
import { follow, prepare } from "./pretraining.js";
import { createRandom } from "./random.js";
import { Tokenizer } from "./tokenizer.js";
import { verdict } from "./verdict.js";
import { Grammar } from "./world.js";

const PAUSE = 40; // milliseconds of work between two looks at the messages that have come

const kernels = fromBase64(KERNELS);
const methods = { open, generate: write, predict, attention, judge, train, resume };
const stopped = new Set(); // ids of requests that should end
let model, tokenizer, grammar, run, queue = Promise.resolve();

self.onmessage = ({ data: { id, method, stop, ...options } }) => {
  if (stop) return void stopped.add(id);
  queue = queue.then(async () => {
    try {
      const post = (event) => self.postMessage({ id, event });
      self.postMessage({ id, done: await methods[method](options, post, () => stopped.has(id)) });
    } catch (error) {
      self.postMessage({ id, failed: error.message });
    }
    stopped.delete(id);
  });
};

/** Let messages in: a timer would be slowed down to 4 ms, and in a hidden tab to a second. */
function messages() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => (port1.close(), resolve());
    port2.postMessage(null);
  });
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Open a checkpoint, given as base64 or as a file's bytes. */
function open({ base64, file, simd = true }) {
  const { config, tokenizer: data, tensors } = readCheckpoint(file ?? fromBase64(base64).buffer);
  tokenizer = new Tokenizer(data);
  if (tokenizer.size > config.vocab_size) throw new Error("The tokenizer has more tokens than the model.");
  model = makeModel(config, simd ? kernels : null);
  assignWeights(model, tensors);
  const parameters = [...model.namedParameters().values()].reduce((sum, { value }) => sum + value.length, 0);
  return { config, tokenizer: data, parameters, simd: model.space.simd };
}

function requirePrompt(ids) {
  const { max_position_embeddings: context, is_causal: causal } = model.config;
  if (!causal) throw new Error("This model was trained on masked tokens and cannot predict what comes next.");
  if (!ids.length) throw new Error("The prompt is empty.");
  if (ids.length >= context) throw new Error(`The prompt has ${ids.length.toLocaleString("en-US")} tokens, and the model can read ${context - 1}: shorten it.`);
}

/** Continue a prompt; an event for each token. */
async function write({ ids, maxNewTokens, temperature, topK, topP, seed }, post, ended) {
  requirePrompt(ids);
  const options = { maxNewTokens, temperature, topK, topP, endId: tokenizer.id("<|eos|>") }, made = [];
  let looked = performance.now();
  for (const token of generate(model, ids, options, createRandom(seed))) {
    made.push(token.id);
    post(token);
    if (performance.now() - looked > PAUSE) {
      await messages();
      looked = performance.now();
    }
    if (ended()) break;
  }
  return made;
}

/** The probabilities of the next token. */
function predict({ ids }) {
  requirePrompt(ids);
  return softmax(model.read(unread(model, ids)));
}

/** How much each token of a text looks at each earlier one: (layers, heads, T, T), and what it predicts next. */
function attention({ ids }) {
  requirePrompt(ids);
  model.rewind(0);
  const predicted = softmax(model.read(ids));
  model.seen = [...ids];
  const { layers } = model.model, { H, S, rows } = layers[0].self_attn, T = ids.length;
  const weights = new Float32Array(layers.length * H * T * T);
  layers.forEach(({ self_attn: { weights: all } }, layer) => {
    for (let head = 0; head < H; head++) {
      for (let row = 0; row < T; row++) {
        const from = (head * rows + row) * S;
        weights.set(all.subarray(from, from + row + 1), ((layer * H + head) * T + row) * T);
      }
    }
  });
  return { weights, shape: [layers.length, H, T, T], predicted };
}

/** What the world says about a text: its first wrong word, if there is one, and what was expected there. */
function judge({ text, world }) {
  grammar ??= new Grammar(world);
  return verdict(grammar, text);
}

/** Train a new model, which then answers like one that was opened. */
async function train(options, post, ended) {
  const weights = options.weights && fromBase64(options.weights).buffer;
  run = prepare({ ...options, weights }, options.simd === false ? null : kernels);
  ({ model, tokenizer } = run);
  return { ...await resume(options, post, ended), tokenizer: run.vocabulary };
}

/** Train on, to the end of the run, unless it is stopped again. */
async function resume({ interval }, post, ended) {
  for (const event of follow(run, interval)) {
    if (event) post(event);
    await messages();
    if (ended()) break;
  }
  model.rewind(0); // what was read with earlier weights is out of date
  return { stopped: run.trainer.step < run.trainer.config.steps };
}
