// A story with the verdict of the world: its first wrong word marked, and what the world expected there. What a model
// writes only ever becomes text.
import { h } from "./dom.js";

const SHOWN = 420; // characters of a story, more than most have; what is right is always shown
const BEFORE = 60, AFTER = 40; // characters of an excerpt around the first wrong word

/** The nodes of a story; `prompt` characters at its beginning are the reader's own. */
export function marked({ right, wrong, rest, expected, more }, prompt = 0) {
  const left = Math.max(60, SHOWN - right.length - wrong.length);
  return [...own(right, prompt), ...mark(wrong, expected, more), after(rest, left)];
}

/** A story around its first wrong word, with one of the words that the world expected. */
export function excerpt({ right, wrong, rest, expected, more }) {
  if (!wrong) return [ending(right, BEFORE + AFTER), h("b", {}, " ✓ nothing wrong so far")];
  const others = more + expected.length - 1;
  return [ending(right, BEFORE), ...mark(shorten(wrong, AFTER), expected.slice(0, 1), others), after(rest, AFTER)];
}

/** The reader's part in another color than the model's. */
function own(text, prompt) {
  return [h("span", { class: "fm-prompt" }, visible(text.slice(0, prompt))), visible(text.slice(prompt))];
}

function mark(wrong, expected, more) {
  if (!wrong) return [];
  const others = more ? ` or ${more} other${more > 1 ? "s" : ""}` : "";
  return [h("mark", { class: "fm-wrong" }, visible(wrong)), " ",
    h("span", { class: "fm-expected" }, `the world expected: ${expected.join(", ")}${others}`)];
}

function after(rest, length) {
  return h("span", { class: "fm-after" }, shorten(rest, length));
}

function ending(text, length) {
  const letters = [...visible(text)];
  return letters.length > length ? `…${letters.slice(-length).join("")}` : letters.join("");
}

function shorten(text, length) {
  const letters = [...visible(text)];
  return letters.length > length ? `${letters.slice(0, length).join("")}…` : letters.join("");
}

/** Bytes that are no letter, which a model writes before it knows better, as dots. */
function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\uFFFD]/gu, "·");
}
