// Training a byte-pair encoding in the page (Sennrich et al. 2016, arXiv:1508.07909): the same merges as fmkit's
// `train_tokenizer`, so that a text of the reader's own gets a vocabulary of its own.

import { WORD } from "./tokenizer.js";

const SPECIAL_TOKENS = ["<|bos|>", "<|eos|>", "<|pad|>", "<|mask|>"];
const SHIFT = 2 ** 20; // a pair of ids is one number, left * SHIFT + right: pairs in order are numbers in order
const MIN_FREQUENCY = 2; // a pair that came once is not merged

/**
 * The data of a Tokenizer (tokenizer.js), learned from texts.
 * @param {string[]} texts
 * @param {number} vocabSize at most; a short text allows fewer
 */
export function trainTokenizer(texts, vocabSize) {
  const bytes = alphabet(), ids = new Map(bytes.map((id, byte) => [String.fromCharCode(byte), id])), merges = [];
  const words = countWords(texts, bytes), pairs = countPairs(words);
  const contents = new Map(bytes.map((id, byte) => [id, String.fromCharCode(byte)])); // as binary strings
  while (contents.size + SPECIAL_TOKENS.length < vocabSize) {
    const pair = mostFrequent(pairs);
    if (pair === null) break;
    const left = Math.floor(pair / SHIFT), right = pair % SHIFT, content = contents.get(left) + contents.get(right);
    const id = ids.get(content) ?? contents.size + SPECIAL_TOKENS.length; // two ways may lead to one token
    ids.set(content, id);
    contents.set(id, content);
    merges.push([left, right, id]);
    mergeWords(pairs, pair, left, right, id);
  }
  return { bytes, merges, special: Object.fromEntries(SPECIAL_TOKENS.map((token, id) => [token, id])) };
}

/** The id of each byte: after the special tokens, in the order of the letters that a vocabulary writes for them. */
function alphabet() {
  const seen = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const order = [...all.filter(seen), ...all.filter((byte) => !seen(byte))], ids = [];
  order.forEach((byte, k) => (ids[byte] = k + SPECIAL_TOKENS.length));
  return ids;
}

/** The different words of the texts: their ids, and how often they come. */
function countWords(texts, bytes) {
  const counts = new Map();
  for (const text of texts) for (const [word] of text.matchAll(WORD)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const encoder = new TextEncoder();
  return [...counts].map(([word, count]) => ({ ids: Array.from(encoder.encode(word), (byte) => bytes[byte]), count }));
}

/** How often each pair of neighbors comes, and in which words. */
function countPairs(words) {
  const pairs = new Map();
  for (const word of words) add(pairs, word, 1);
  return pairs;
}

/** Add a word's pairs, or take them away (sign −1). */
function add(pairs, word, sign) {
  for (let at = 1; at < word.ids.length; at++) {
    const pair = word.ids[at - 1] * SHIFT + word.ids[at];
    if (!pairs.has(pair)) pairs.set(pair, { count: 0, words: new Set() });
    const found = pairs.get(pair);
    found.count += sign * word.count;
    if (sign > 0) found.words.add(word);
    else found.words.delete(word);
    if (!found.count) pairs.delete(pair);
  }
}

/** The pair that comes most often; of several, the first in order. */
function mostFrequent(pairs) {
  let best = null, most = MIN_FREQUENCY;
  for (const [pair, { count }] of pairs) {
    if (count > most || (count === most && (best === null || pair < best))) [best, most] = [pair, count];
  }
  return best;
}

/** Put a token in place of a pair, in all words that have it. */
function mergeWords(pairs, pair, left, right, id) {
  for (const word of [...pairs.get(pair).words]) {
    add(pairs, word, -1);
    const merged = [];
    for (let at = 0; at < word.ids.length; at++) {
      const both = word.ids[at] === left && word.ids[at + 1] === right;
      merged.push(both ? id : word.ids[at]);
      if (both) at++;
    }
    word.ids = merged;
    add(pairs, word, 1);
  }
}
