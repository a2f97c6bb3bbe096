// A text as a tokenizer cuts it, with any number of its merges: each place between two bytes of a word is closed by
// one merge, or by none (see `join` in tokenizer.js), and everything here is read off from that.

export const SHOWN = 600; // bytes of a text whose tokens are shown; all are counted
const SLICE = 8; // milliseconds of work, after which the page answers the reader
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TREE = 24; // bytes of a word that is drawn as a whole

/**
 * Cut a text, with pauses in which the page answers the reader.
 * @param {string} text
 * @param {() => boolean} wanted whether the reader still waits for it
 * @returns {Promise<{bytes: number, words: number, lengths: number[], shown: object[]} | null>} `lengths` has the
 *   number of tokens with 0, 1, 2, … merges; null if it isn't wanted anymore
 */
export async function cut(text, tokenizer, wanted) {
  const words = tokenizer.words(text), known = new Map(), shown = [];
  let bytes = 0, until = performance.now() + SLICE;
  for (const text of words) {
    if (performance.now() > until) {
      await new Promise((done) => setTimeout(done));
      if (!wanted()) return null;
      until = performance.now() + SLICE;
    }
    if (!known.has(text)) known.set(text, read(text, tokenizer));
    const word = known.get(text);
    word.times++;
    if (bytes < SHOWN) shown.push({ ...word, place: bytes });
    bytes += word.bytes.length;
  }
  return { bytes, words: words.length, lengths: lengthsOf(bytes, known.values(), tokenizer), shown };
}

function read(word, tokenizer) {
  const bytes = new TextEncoder().encode(word);
  return { bytes, seams: tokenizer.join(bytes).seams, times: 0 };
}

function lengthsOf(bytes, words, tokenizer) {
  const joined = new Array(tokenizer.ranks.size).fill(0); // places that each merge closes
  for (const { seams, times } of words) for (const rank of seams) if (rank < Infinity) joined[rank] += times;
  const lengths = [bytes];
  for (const count of joined) lengths.push(lengths.at(-1) - count);
  return lengths;
}

/** The tokens in sight with the first `used` merges: { word, start, end }, the bytes of a word that each has. */
export function tokensOf({ shown }, used) {
  const tokens = [];
  for (const word of shown) {
    for (const [start, end] of runs(word.seams, used)) {
      if (word.place + start >= SHOWN) return tokens;
      tokens.push({ word, start, end });
    }
  }
  return tokens;
}

/** Where a word is cut: [start, end] of each token with the first `used` merges. */
function* runs(seams, used) {
  let start = 0;
  for (let end = 1; end <= seams.length; end++) {
    if (seams[end - 1] < used) continue;
    yield [start, end];
    start = end;
  }
  yield [start, seams.length + 1];
}

/**
 * How a word was made, as boxes over its bytes: { start, end, rank, bottom, top }. A box is made by the merge `rank`, a
 * single byte by none (-1). It stands in the row `bottom`, over those that it is made of, and reaches up to the row
 * `top`, under the one that it becomes a part of. Of a long word, only the token at byte `at` is drawn.
 */
export function boxesOf({ seams }, at) {
  const boxes = [];
  const build = (start, end) => {
    const box = { start, end, rank: -1, bottom: 0 };
    if (end - start > 1) {
      box.rank = Math.max(...seams.slice(start, end - 1)); // what was joined last
      const middle = seams.indexOf(box.rank, start) + 1;
      const parts = [build(start, middle), build(middle, end)];
      box.bottom = 1 + Math.max(...parts.map((part) => part.bottom));
      for (const part of parts) part.top = box.bottom - 1;
    }
    boxes.push(box);
    return box;
  };
  for (const [start, end] of runs(seams, Infinity)) {
    if (seams.length >= TREE && (at < start || at >= end)) continue;
    const whole = build(start, end);
    whole.top = whole.bottom;
  }
  return boxes;
}

/** Bytes in hexadecimal: "F0 9F". */
export function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(" ");
}

/** The text of a token; null where it is no whole character, or has one that can't be seen or turns the line around. */
export function textOf(bytes) {
  try {
    const text = DECODER.decode(bytes);
    return /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u.test(text) ? null : text;
  } catch {
    return null;
  }
}
