// What the tokenizer explorer draws: the tokens of a text, how one of them was made, and tokens against merges.
import { boxesOf, hexOf, textOf } from "./cuts.js";
import { h } from "./dom.js";
import { spread } from "./plot.js";

const MARKS = { " ": "·", "\n": "↵", "\t": "⇥" };
const NAMES = { " ": "space ", "\n": "line end ", "\t": "tab " };
const BLANK = /([ \n\t])/;
const DASHES = { base: "6 4", medical: "2 3" }; // of the curves that are compared

const NUMBERS = new Intl.NumberFormat("en-US");

export const number = (value) => NUMBERS.format(value);
export const many = (count, name) => `${number(count)} ${name}${count === 1 ? "" : "s"}`;
export const bytesOf = ({ word, start, end }) => word.bytes.slice(start, end);

/** A token's text, its blanks as faint marks, or its bytes where it has no text to see. In `lines` its lines end. */
export function letters(bytes, lines = false) {
  const text = textOf(bytes)?.replace(/^(?=\p{M})/u, "\u25cc"); // an accent alone needs something to sit on
  if (text === undefined) return [h("span", { class: "fm-hex" }, hexOf(bytes))];
  const parts = text.split(BLANK).filter(Boolean);
  return parts.flatMap((one, at) => [
    lines && parts[at - 1] === "\n" ? "\n" : "", // not after the last: a token doesn't reach into the next line
    one in MARKS ? h("i", {}, MARKS[one]) : one,
  ]);
}

/** The same for a screen reader. */
function spoken(bytes) {
  const text = textOf(bytes);
  if (text === null) return `${bytes.length > 1 ? "bytes" : "byte"} ${hexOf(bytes)}`;
  return text.split(BLANK).map((one) => NAMES[one] ?? one).join("").trim();
}

/** The tokens of a text as one list; those that the last of the `used` merges made are marked. */
export function drawView({ name, corpus, merges, idOf }, count, tokens, used) {
  const made = merges[used - 1]?.[2];
  const pieces = tokens.flatMap((token, index) => {
    const bytes = bytesOf(token), id = idOf(bytes);
    const piece = h("span", {
      class: id === made ? "fm-piece fm-made" : "fm-piece", role: "option", tabindex: -1, "data-index": index,
      "aria-selected": "false", "aria-label": `${spoken(bytes)}, token ${id}`,
    }, ...letters(bytes, true));
    const text = textOf(bytes) ?? " "; // lines end where those of the text do, and before blanks and bytes
    return [/^\s/.test(text) ? h("wbr") : "", piece, text.endsWith("\n") ? h("br") : ""];
  });
  const list = { role: "listbox", "aria-label": `Tokens: ${corpus}`, "aria-orientation": "horizontal" };
  return h("div", { class: "fm-tokens-view", "data-name": name },
    h("p", {}, h("b", {}, corpus), h("span", {}, ` ${many(count, "token")}`)),
    h("div", { class: "fm-tokens-pieces", ...(pieces.length ? list : {}) }, ...pieces));
}

/** A token's number and bytes, and the merges that made its word. */
export function drawDetail({ merges, idOf, corpus }, token, used) {
  const bytes = bytesOf(token), text = textOf(bytes), boxes = boxesOf(token.word, token.start);
  const own = boxes.find((box) => box.start === token.start && box.end === token.end);
  const facts = [
    ["number", idOf(bytes)],
    [bytes.length > 1 ? "bytes" : "byte", hexOf(bytes)],
    ["characters", text === null ? "none to see" : [...text].length],
    ["made by", own.rank < 0 ? "no merge" : `merge ${number(own.rank + 1)} of ${number(merges.length)}`],
  ];
  return [
    h("dl", {}, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value))))),
    drawBoxes(token, boxes, used),
    h("p", { class: "fm-tokens-caption" }, captionOf(token, boxes, used, corpus)),
  ];
}

/** The boxes of a word: its bytes at the bottom, and over them what each merge made. */
function drawBoxes({ word, start, end }, boxes, used) {
  const first = Math.min(...boxes.map((box) => box.start)), rows = Math.max(...boxes.map((box) => box.top)) + 1;
  const drawn = boxes.map((box) => {
    const kinds = {
      "fm-chosen": box.start === start && box.end === end, "fm-later": box.rank >= used, "fm-byte": box.rank < 0,
    };
    return h("div", {
      class: ["fm-tokens-box", ...Object.keys(kinds).filter((kind) => kinds[kind])].join(" "),
      style: `grid-row: ${rows - box.top} / ${rows - box.bottom + 1};
        grid-column: ${box.start - first + 1} / ${box.end - first + 1}`,
    }, h("span", {}, ...letters(word.bytes.slice(box.start, box.end))),
      box.rank < 0 ? null : h("small", {}, `merge ${number(box.rank + 1)}`));
  });
  return h("div", { class: "fm-tokens-tree", tabindex: 0, role: "img", "aria-label": orderOf(word, boxes, used) },
    h("div", { style: `grid-template-rows: repeat(${rows}, auto)` }, ...drawn));
}

/** The merges of a word in their order, in words. */
function orderOf(word, boxes, used) {
  const merged = boxes.filter((box) => box.rank >= 0).sort((one, other) => one.rank - other.rank);
  const said = merged.map(({ start, end, rank }) => {
    const made = `merge ${number(rank + 1)} makes “${spoken(word.bytes.slice(start, end))}”`;
    return rank < used ? made : `${made}, not used yet`;
  });
  return said.length ? `${said.join("; ")}.` : "No merge joins these bytes.";
}

function captionOf({ word, start, end }, boxes, used, corpus) {
  const whole = boxes.some((box) => box.end === word.bytes.length) && boxes.some((box) => box.start === 0);
  const merged = boxes.filter((box) => box.rank >= 0), later = merged.filter((box) => box.rank >= used).length;
  const what = whole ? "the word" : `this token of a word of ${number(word.bytes.length)} bytes`;
  const dashed = later ? ` Dashed: ${many(later, "merge")} that ${later > 1 ? "aren’t" : "isn’t"} used yet.` : "";
  if (!merged.length) return `No merge of the ${corpus} joins the bytes of ${what}.`;
  return `How ${what} was made, from below: the merge with the lowest number came first.${dashed}`;
}

/** Tokens against merges: a curve for each tokenizer, and the present number of merges. */
export function drawCurve(host, vocabularies, { cuts, from, used }) {
  const { bytes, words, lengths } = cuts.get(from);
  host.setAttribute("aria-label", describeCurve(vocabularies, cuts));
  if (!bytes) return void host.replaceChildren();
  const end = lengths.length - 1, height = host.clientHeight;
  const across = (value) => `${(100 * value) / end}%`, down = (count) => height * (1 - count / bytes);
  const lines = vocabularies.map(({ name }) => h("svg:polyline", {
    class: name === from ? "fm-chosen" : null, "stroke-dasharray": DASHES[name] ?? null,
    points: cuts.get(name).lengths.map((count, at) => `${at},${bytes - count}`).join(" "),
  }));
  const ends = vocabularies.map(({ name, corpus }) => {
    const count = cuts.get(name).lengths.at(-1);
    return { y: down(count), chosen: name === from, text: `${corpus} ${number(count)}` };
  });
  spread(ends, height);
  host.replaceChildren(
    h("svg:svg", { viewBox: `0 0 ${end} ${bytes}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      h("svg:line", { class: "fm-words", x1: 0, x2: end, y1: bytes - words, y2: bytes - words }), ...lines),
    h("span", { class: "fm-tokens-top" }, `${many(bytes, "byte")}, each a token`),
    h("span", { class: "fm-tokens-floor", style: `top: ${down(words)}px` },
      `${many(words, "word")}: never joined`),
    h("i", { class: "fm-tokens-cursor", style: `left: ${across(used)}; top: ${down(lengths[used])}px` }),
    h("i", { class: "fm-tokens-dot", style: `left: ${across(used)}; top: ${down(lengths[used])}px` }),
    ...ends.map(({ y, chosen, text }) =>
      h("span", { class: chosen ? "fm-tokens-end fm-chosen" : "fm-tokens-end", style: `top: ${y}px` }, text)));
}

function describeCurve(vocabularies, cuts) {
  const ends = vocabularies.map(({ name, corpus }) => `${number(cuts.get(name).lengths.at(-1))} (${corpus})`);
  return `${many(cuts.get(vocabularies[0].name).bytes, "token")} without merges; with all of them ${ends.join(", ")}`;
}
