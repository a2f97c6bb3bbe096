// Generation: the model's predictions, fed back to it one token at a time. The twin of fmkit/generation.py; its random
// numbers are others.

/**
 * Read a prompt and make tokens, one at each step, until `endId` comes or there is no room.
 * @param {{maxNewTokens: number, temperature?: number, topK?: number, topP?: number, endId?: number}} options
 * @param {() => number} random uniform numbers in [0, 1)
 * @yields {{id: number, p: number, top: [number, number][]}} the token, its probability, and the ten likeliest ones
 */
export function* generate(model, prompt, { maxNewTokens, endId, ...options }, random) {
  const room = model.config.max_position_embeddings - prompt.length;
  let logits = model.read(unread(model, prompt));
  for (let made = 0; made < Math.min(maxNewTokens, room); made++) {
    if (!logits.every(Number.isFinite)) throw new Error("The model's predictions are not finite numbers: its training has failed.");
    const probabilities = softmax(logits);
    const id = pick(logits, options, random);
    if (id === endId) return;
    yield { id, p: probabilities[id], top: likeliest(probabilities, 10) };
    model.seen.push(id);
    if (made + 1 < Math.min(maxNewTokens, room)) logits = model.read([id]);
  }
}

/** What of a text is not in the KV cache yet: at least its last token, whose prediction is wanted. */
export function unread(model, ids) {
  const seen = (model.seen ?? []).slice(0, model.length);
  let same = 0;
  while (same < Math.min(seen.length, ids.length - 1) && seen[same] === ids[same]) same++;
  model.rewind(same);
  model.seen = [...ids];
  return ids.slice(same);
}

/** Choose a token: the likeliest at temperature 0, else by chance; of `topK` tokens, or of the fewest whose
 * probabilities reach `topP` (Holtzman et al. 2019, arXiv:1904.09751). */
export function pick(logits, { temperature = 1, topK = Infinity, topP = 1 }, random) {
  if (temperature < 1e-30) return logits.indexOf(logits.reduce((most, x) => Math.max(most, x), -Infinity));
  const probabilities = softmax(logits, temperature);
  const order = topK < logits.length || topP < 1 ? likeliest(probabilities, topK) : [...probabilities.entries()];
  let reached = 0;
  const kept = order.filter(([, p]) => (reached += p) - p < topP);
  let draw = random() * kept.reduce((sum, [, p]) => sum + p, 0);
  return (kept.find(([, p]) => (draw -= p) < 0) ?? kept.at(-1))[0];
}

/** The probabilities of tokens. */
export function softmax(logits, temperature = 1) {
  const most = logits.reduce((one, other) => Math.max(one, other), -Infinity);
  const scaled = logits.map((x) => Math.exp((x - most) / temperature)), total = scaled.reduce((sum, x) => sum + x, 0);
  return scaled.map((x) => x / total);
}

/** The likeliest tokens with their probabilities, likeliest first. */
export function likeliest(probabilities, count) {
  return [...probabilities.entries()].sort(([, one], [, other]) => other - one).slice(0, count);
}
