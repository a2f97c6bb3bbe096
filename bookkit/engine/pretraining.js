// Training in the page: a model that knows nothing learns the stories of a world, of which there is no end, or the
// reader's own texts; or one that knows stories learns examples. The twin of fmkit/recipes.

import { collateExamples, packed, PackedLoader, pieces } from "./batches.js";
import { trainTokenizer } from "./bpe.js";
import { assignWeights, makeModel, readCheckpoint, readConfig } from "./checkpoint.js";
import { generate } from "./generation.js";
import { createRandom } from "./random.js";
import { Tokenizer } from "./tokenizer.js";
import { trainConfig, Trainer } from "./trainer.js";
import { verdict } from "./verdict.js";
import { Grammar } from "./world.js";

const HELD_OUT = 32; // rows that a run is validated on
const TURN = 40; // milliseconds of training between two looks at the messages that have come
const STORY = 1000; // milliseconds between two stories, at least

/**
 * A run that is ready to start.
 * @param {object} options
 *   config: of the model, and its tokenizer; what it learns: world, a compiled grammar; or texts, the reader's own,
 *   from which a vocabulary is learned; or examples, and heldOut ones (see collateExamples);
 *   training: see trainConfig; seed; weights: a checkpoint to start from, else random ones; temperature: of the
 *   stories that it writes on the way
 */
export function prepare({ config: given, tokenizer: data, training, seed, weights, temperature, ...texts }, kernels) {
  const vocabulary = data ?? trainTokenizer(texts.texts, given.vocab_size), tokenizer = new Tokenizer(vocabulary);
  const config = readConfig({ ...given, vocab_size: tokenizer.size }), setting = trainConfig(training);
  const random = createRandom(seed), grammar = texts.world ? new Grammar(texts.world) : null;
  const shape = { batchSize: setting.batch_size, context: config.max_position_embeddings, padId: tokenizer.id("<|pad|>") };
  const source = open({ ...texts, grammar, tokenizer, shape, random, steps: setting.steps });
  const model = makeModel(config, kernels, { rows: source.rows, trained: true });
  if (weights) assignWeights(model, readCheckpoint(weights).tensors);
  else model.initialize(normal(createRandom(seed)));
  const trainer = new Trainer(model, source.batch, setting);
  return { model, vocabulary, tokenizer, grammar, random, temperature, trainer, ...source };
}

/** What a run learns: batches, those it is validated on, every how many steps, and the largest number of rows. */
function open({ examples, heldOut, texts, grammar, tokenizer, shape, random, steps }) {
  if (examples) return fromExamples(examples, heldOut, shape, random);
  const { batchSize, context } = shape;
  const { next, heldOut: others } = grammar ? fromWorld(grammar, tokenizer, context, random) : fromTexts(texts, tokenizer, context, random);
  const loader = new PackedLoader(next, { ...shape, random });
  const validation = packed(others, shape).slice(0, Math.ceil(HELD_OUT / batchSize));
  return { batch: () => loader.batch(), validation, every: Math.max(1, Math.floor(steps / 10)), rows: batchSize * context, writes: true };
}

/** Examples, each once an epoch, in a new order each epoch; validated after each. */
function fromExamples(examples, heldOut, { batchSize, padId }, random) {
  const longest = Math.max(...[...examples, ...heldOut].map(({ ids }) => ids.length - 1)), next = shuffled(examples, random);
  const groups = Array.from({ length: Math.ceil(heldOut.length / batchSize) }, (_, i) => heldOut.slice(i * batchSize, (i + 1) * batchSize));
  return {
    batch: () => collateExamples(Array.from({ length: batchSize }, next), padId),
    validation: groups.map((group) => collateExamples(group, padId)),
    every: Math.max(1, Math.floor(examples.length / batchSize)), rows: batchSize * longest, writes: false,
  };
}

/** A function that gives the items in random order, again and again. */
function shuffled(items, random) {
  let left = [];
  return () => {
    if (!left.length) left = [...items];
    const chosen = Math.floor(random() * left.length);
    [left[chosen], left[left.length - 1]] = [left.at(-1), left[chosen]];
    return left.pop();
  };
}

/** Pieces of new stories, each of which the model sees once, and of some that it never sees. */
function fromWorld(grammar, tokenizer, context, random) {
  const more = () => pieces(grammar.sample(random).text, tokenizer, context), left = [];
  const heldOut = Array.from({ length: 2 * HELD_OUT }, more).flat();
  const next = () => {
    while (!left.length) left.push(...more());
    return left.pop();
  };
  return { next, heldOut };
}

/** Pieces of the reader's texts in random order, again and again; the last tenth is held out. */
function fromTexts(texts, tokenizer, context, random) {
  const all = texts.flatMap((text) => pieces(text, tokenizer, context));
  const known = all.slice(0, Math.floor(0.9 * all.length)), heldOut = all.slice(known.length);
  if (known.reduce((sum, piece) => sum + piece.length - 1, 0) < context) {
    throw new Error(`The text is too short: a model of this size needs ${2 * context} tokens or more, some to learn and some to be tested on.`);
  }
  return { next: shuffled(known, random), heldOut };
}

/** Numbers of the standard normal distribution (Box and Muller 1958). */
function normal(random) {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * Train to the end, a turn at a time; between turns the caller may look for messages, or stop.
 * @yields {object | null} what is new, at most every `interval` milliseconds: points of the training loss, the
 *   validation loss (at first, each tenth of the run or epoch, and at last), and each second a story
 */
export function* follow({ trainer, validation, every, writes, ...run }, interval) {
  const { steps } = trainer.config;
  let points = [], told = -Infinity, written = performance.now();
  yield { check: check(trainer, validation), ...(writes && { story: write(run) }) };
  while (trainer.step < steps) {
    const started = performance.now(), event = {};
    while (trainer.step < steps && performance.now() - started < TURN) {
      points.push(trainer.trainStep());
      if (trainer.step % every === 0 || trainer.step === steps) event.check = check(trainer, validation);
      if (event.check) break;
    }
    const now = performance.now(), last = trainer.step === steps;
    if (writes && (last || now - written > STORY)) {
      event.story = write(run);
      written = performance.now();
    }
    if (!event.check && !event.story && now - told < interval) yield null;
    else {
      yield { ...event, points };
      points = [];
      told = now;
    }
  }
}

function check(trainer, validation) {
  return { step: trainer.step, tokens: trainer.tokens, loss: trainer.evaluate(validation) };
}

/** A text by the model as it is now, and what the world says about it. */
function write({ model, tokenizer, grammar, random, temperature }) {
  const options = { maxNewTokens: Infinity, temperature, endId: tokenizer.id("<|eos|>") }, ids = [];
  model.rewind(0);
  for (const { id } of generate(model, [tokenizer.id("<|bos|>")], options, random)) ids.push(id);
  const text = tokenizer.decode(ids);
  return grammar ? { text, ...verdict(grammar, text) } : { text };
}
