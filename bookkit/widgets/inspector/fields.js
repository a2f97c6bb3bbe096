// The fields that change what a record or a turn means: fmkit's data/fields.py in the page.
import { Numeral, Problem, short, strip } from "./problems.js";

/** The lists of data/fields.py, by their names there in small letters: pairs of a name and its meaning. */
export const KNOWN = {};

const NUMBER = /^[-+]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})([eE][-+]?[0-9]{1,3})?$/;
const REMEDY = "write what matters into the text, or remove the field";

export function isBlank(value) {
  if (typeof value === "string") return ["", "[]", "{}"].includes(strip(value));
  if (value instanceof Map) return value.size === 0;
  return (value ?? null) === null || value === false || (Array.isArray(value) && value.length === 0);
}

/** @throws {Problem} for a part of the question that is neither read nor in what is asked */
export function refuseQuestion(record, read, asked) {
  for (const [name, meaning] of KNOWN.question) {
    const value = record.get(name);
    if (!read.includes(name) && !isBlank(value) && !isIn(value, asked))
      throw new Problem(name, `not read here: ${meaning}`, REMEDY);
  }
}

/** @throws {Problem} where the answer is not simply right */
export function refuseJudged(record, read) {
  for (const [name, meaning] of KNOWN.pair)
    if (!read.includes(name) && !isBlank(record.get(name)))
      throw new Problem(name, `not read here: ${meaning}`, "write prompt, chosen and rejected");
  for (const name of KNOWN.verdicts)
    if (!read.includes(name) && isVerdict(record.get(name)))
      throw new Problem(
        name, "good and bad answers, all of which would be learned",
        "leave out the bad answers and this column, or write prompt, chosen and rejected",
      );
  for (const name of KNOWN.weights) {
    const value = record.get(name) ?? "";
    if (value !== "" && numberOf(value) !== 1)
      throw new Problem(name, "not read: how much the record counts", "leave out what counts little, and this field");
  }
  for (const name of KNOWN.learned) {
    const value = record.get(name);
    if (numberOf(value) === 0 || (typeof value === "string" && value.toLowerCase() === "false"))
      throw new Problem(name, "not read: that the record is not learned", "leave the record out");
  }
}

/** @throws {Problem} where the answer that was rejected has the higher score */
export function refuseContradiction(record) {
  for (const names of KNOWN.scores) {
    const [chosen, rejected] = names.map((name) => numberOf(record.get(name)));
    if (chosen !== null && rejected !== null && chosen < rejected)
      throw new Problem(names[1], `above ${names[0]}`, "swap the answers, or leave the record out");
  }
}

/** @throws {Problem} for a field that changes what a turn means */
export function refuseTurn(turn, place) {
  for (const [name, meaning] of KNOWN.turn)
    if (!isBlank(turn.get(name))) throw new Problem(`${place}.${name}`, `not read: ${meaning}`, REMEDY);
  if (numberOf(turn.get("end_turn")) === 0)
    throw new Problem(`${place}.end_turn`, "not read: that the turn goes on", "write its parts as one turn");
}

/** Whether a turn's flags leave it to be learned. @throws {Problem} where they are not 0 or 1 */
export function isLearned(turn, role, place) {
  const said = new Map();
  for (const name of KNOWN.learned) {
    const value = turn.get(name) ?? null;
    if (value === null) continue;
    const flag = typeof value === "string" ? null : numberOf(value);
    if (flag !== 0 && flag !== 1)
      throw new Problem(`${place}.${name}`, `${short(value)}, not 0 or 1`, "write 1 if the turn is learned, else 0");
    if (flag && role !== "assistant")
      throw new Problem(`${place}.${name}`, `the ${role}'s turn is not learned`, "remove it, or write 0");
    said.set(name, flag);
  }
  const [first, second] = said.keys();
  if (new Set(said.values()).size > 1)
    throw new Problem(`${place}.${first}`, `contradicts ${second}`, "keep one of them");
  return [...said.values()].every(Boolean);
}

function isVerdict(value) {
  if (value instanceof Numeral) return value.whole && ["0", "1"].includes(String(BigInt(value.text)));
  return ["true", "false", "0", "1"].includes(String(value).toLowerCase());
}

/** Whether a field says, in whole words, what is in the text. */
function isIn(value, text) {
  if (typeof value !== "string") return false;
  const words = strip(value).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}_])${words}(?![\\p{L}\\p{N}_])`, "u").test(text);
}

/** The value as a number, or null; a table may hold it as text. */
function numberOf(value) {
  if (value instanceof Numeral) return Number(value.text);
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : null;
}
