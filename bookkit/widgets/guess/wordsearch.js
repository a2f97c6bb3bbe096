// Which words a model expects next, and how likely another one is: the twin of `record` in __init__.py, for a model
// that the page has opened.
//
// A word may be put together from several tokens: its probability is the product of theirs, times that of all tokens
// that begin something new after it.

const BRANCHES = 40; // tokens after which a beginning is followed
const GOES_ON = /^[\p{L}']/u;
const LETTERS = /^\p{L}+$/u;
const END = "(end of text)";

/**
 * The `count` likeliest words after a prompt. The likeliest beginnings are followed first, so the words that are found
 * first are the likeliest.
 * @returns {Promise<{word: string, p: number}[]>} likeliest first
 */
export async function likeliestWords(model, prompt, count) {
  const { tokenizer } = model, start = idsOf(prompt, tokenizer), { pieces, goesOn } = vocabulary(model);
  const found = new Map(); // a word that can be put together in two ways has both probabilities
  const agenda = [{ p: 1, ids: [], whole: false }];
  while (agenda.length && found.size < count) {
    const { p, ids, whole } = takeLikeliest(agenda);
    if (whole) {
      const word = tokenizer.decode(ids).trim() || END;
      found.set(word, (found.get(word) ?? 0) + p);
      continue;
    }
    const after = await model.predict([...start, ...ids]);
    if (ids.length) agenda.push({ p: p * ending(after, goesOn), ids, whole: true });
    const next = [...after.keys()].filter((id) => goesOn[id] === ids.length > 0);
    next.sort((one, other) => after[other] - after[one]);
    for (const id of next.slice(0, BRANCHES)) {
      const ended = !LETTERS.test(pieces[id].trim()); // a sign or the end of the text is whole by itself
      agenda.push({ p: p * after[id], ids: [...ids, id], whole: ended });
    }
  }
  return [...found].map(([word, p]) => ({ word, p })).sort((one, other) => other.p - one.p);
}

/**
 * The probability of a word after a prompt, as the factors that it is the product of: one for each of its tokens, and
 * one, with an empty `piece`, for what begins after a word.
 * @returns {Promise<{piece: string, p: number}[]>}
 */
export async function factorsOf(model, prompt, word) {
  const { tokenizer } = model, start = idsOf(prompt, tokenizer), { pieces, goesOn } = vocabulary(model);
  const ids = tokenizer.encode(/^[\p{L}\p{N}]/u.test(word) ? ` ${word}` : word);
  const factors = [];
  for (const [place, id] of ids.entries()) {
    const after = await model.predict([...start, ...ids.slice(0, place)]);
    factors.push({ piece: pieces[id], p: after[id] });
  }
  if (LETTERS.test(pieces[ids.at(-1)].trim())) {
    factors.push({ piece: "", p: ending(await model.predict([...start, ...ids]), goesOn) });
  }
  return factors;
}

function idsOf(prompt, tokenizer) {
  return [tokenizer.id("<|bos|>"), ...tokenizer.encode(prompt)];
}

/** The text of each token, and whether it goes on with the word before it. */
function vocabulary({ tokenizer, config }) {
  const pieces = Array.from({ length: config.vocab_size }, (_, id) => tokenizer.decode([id]));
  return { pieces, goesOn: pieces.map((piece) => GOES_ON.test(piece)) };
}

/** The probability that something new begins. */
function ending(after, goesOn) {
  return after.reduce((sum, p, id) => (goesOn[id] ? sum : sum + p), 0);
}

function takeLikeliest(agenda) {
  const best = agenda.reduce((most, { p }, place) => (p > agenda[most].p ? place : most), 0);
  return agenda.splice(best, 1)[0];
}
