// A story with its first wrong word, and what the world expected there: the twin of fmkit/world/marking.py.

import { END } from "./world.js";

const SHOWN = 5; // expected words
const LETTER = /^[\p{L}\p{N}]/u;

/**
 * The pieces of a text to show, one after the other: what is `right`, the first `wrong` word, and the `rest`.
 *
 * `wrong` and `rest` are empty where the text is valid, or only `unfinished`: then the world expected words after it.
 * `expected` has the first few words that the world allows there, `more` says how many others there are.
 * @param {import("./world.js").Grammar} grammar
 * @param {string} text
 * @returns {{right: string, wrong: string, rest: string, expected: string[], more: number, valid: boolean,
 *   unfinished: boolean}}
 */
export function verdict(grammar, text) {
  const { valid, unfinished, brokeAt, expected } = grammar.check(text);
  if (valid || unfinished) return { right: text, wrong: "", rest: "", ...few(expected), valid, unfinished };
  const [start, end] = wordAt(text, brokeAt, expected);
  // Of the words that could be here, the verdict has those that begin in the same way.
  const begun = start < brokeAt && LETTER.test(text.slice(brokeAt, brokeAt + 2));
  const all = begun ? grammar.check(`${text.slice(0, start)}\0`).expected : expected;
  const pieces = { right: text.slice(0, start), wrong: text.slice(start, end), rest: text.slice(end) };
  return { ...pieces, ...few(all), valid, unfinished };
}

/** The word around a position; for a space, the word that lacks something before it. */
function wordAt(text, brokeAt, expected) {
  let start = text.slice(0, brokeAt).lastIndexOf(" ") + 1;
  if (text[brokeAt] === " " && expected.includes(END)) start = Math.min(brokeAt + 1, text.length - 1); // goes on
  const end = text.indexOf(" ", Math.max(brokeAt, start + 1)); // at least a character, also of two spaces
  return [start, end < 0 ? text.length : end];
}

function few(expected) {
  const words = expected.slice(0, SHOWN).map((word) => word.trim());
  return { expected: words, more: expected.length - words.length };
}
