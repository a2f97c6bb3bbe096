// What a reader has done, kept in this browser and nowhere else. The only script that touches the storage;
// quizzes, the progress page and the practice exam import it:
//
//   item(quiz, id)       what is known of a question, or null:
//                          version  of the question when it was last answered; an answer to another does not count
//                          answer   the last one, or null if it was taken back; its form depends on the
//                                   type (quiz.js): an array of whole numbers, or a text
//                          history  [{at, right}, …]: every attempt, oldest first; `at` in milliseconds as Date.now();
//                                   `right` is null where there was no key, as in the students' edition
//                          result   "right" or "wrong", of the last attempt; null if there was none, or no key
//   fits(entry, version) whether what is known is an answer to this version of the question; one from the students'
//                        edition has only the beginning of the version, which says nothing of the key
//   items()              all of them, a Map by "quiz/id"
//   answer(quiz, id, version, answer, right)    an attempt, now
//   takeBack(quiz, id)   forgets the answer, not the attempts
//   pages()              Map from a page, such as "chapters/intro", to when it was marked as read
//   markRead(page, yes)
//   due(entry)           the day on which a question comes back; days are whole numbers of the reader's calendar:
//   today(), day(at)     the present one, that of a time; date(day) is "2026-11-21"
//   note(name), keepNote(name, value)   anything else that must survive a reload, such as a running exam: a value of
//                        JSON, null to forget it. What `note` gives back may have been tampered with: check it.
//   notes(prefix)        the values of all notes whose names begin so: for what is to be merged, a note for each
//   save()               all of it as the text of a file
//   load(text)           merges such a text, the newest wins; {items, pages, notes, damaged}, how many came in and how
//                        many were left out; an Error with one line for the reader if nothing could be taken
//   forget()             everything
//   keeps()              false where the browser keeps nothing: then all of it lasts until the page is left
//   watch(changed)       calls it when another tab has changed something, and when the reader comes back to the page
//
// Every question, page and note has an entry of its own in localStorage, under "fmkit/1/", so that a damaged or
// foreign one is ignored and the others stay. 1 is the version of the schema.

const ROOT = "fmkit/1/";
const OLD = "fmkit/quiz/"; // before there was a schema: {version, chosen: [true, …]} under "fmkit/quiz/<quiz>/<id>"
const INTERVALS = [1, 3, 7, 14, 30]; // days
const DAY = 86_400_000;
const FORMAT = "fmkit-progress";
const WORDING = 8; // characters of a version without its key
const NAMES = {
  item: /^[a-z0-9]+(-[a-z0-9]+)*\/[a-z0-9]+(-[a-z0-9]+)*$/,
  page: /^[\w-]+(\/[\w-]+)*$/,
  note: /^[a-z0-9]+(-[a-z0-9]+)*$/,
};
const memory = new Map(); // what the browser would not keep

// --- the storage: texts by their keys ---

function get(key) {
  if (memory.has(key)) return memory.get(key);
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function put(key, text) {
  try {
    localStorage.setItem(key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text);
  }
}

function drop(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
}

function keys(prefix) {
  let kept = [];
  try {
    kept = Object.keys(localStorage);
  } catch {
    // nothing was kept
  }
  return [...new Set([...kept, ...memory.keys()])].filter((key) => key.startsWith(prefix)).sort();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// --- what a valid entry is; anything else is left out ---

const whole = (value) => Number.isSafeInteger(value) && value >= 0;
const time = (value) => whole(value) && value < 4e12; // the year 2096
const short = (value, length) => typeof value === "string" && value.length <= length;

function checkedItem(value) {
  const attempt = (one) => time(one?.at) && (typeof one.right === "boolean" || one.right === null);
  const answer = value?.answer;
  const fits = short(value?.version, 40) && Array.isArray(value.history) && value.history.every(attempt) &&
    (answer === null || short(answer, 100) || (Array.isArray(answer) && answer.length < 20 && answer.every(whole)));
  if (!fits) return null;
  const history = value.history.map(({ at, right }) => ({ at, right })).sort((one, other) => one.at - other.at);
  return { version: value.version, answer, history };
}

const CHECKED = {
  item: checkedItem,
  page: (value) => (time(value?.at) ? { at: value.at } : null),
  note: (value) => (time(value?.at) && value.value !== undefined ? { at: value.at, value: value.value } : null),
};
const newest = (entry) => entry?.at ?? entry?.history.at(-1)?.at ?? 0;

function entry(kind, name) {
  return NAMES[kind].test(name) ? CHECKED[kind](parse(get(`${ROOT}${kind}/${name}`))) : null;
}

function entries(kind) {
  const prefix = `${ROOT}${kind}/`;
  const all = keys(prefix).map((key) => key.slice(prefix.length)).map((name) => [name, entry(kind, name)]);
  return new Map(all.filter(([, value]) => value));
}

function write(kind, name, value) {
  put(`${ROOT}${kind}/${name}`, JSON.stringify(value));
}

// --- questions, pages, notes ---

function withResult(kept) {
  const right = kept.history.at(-1)?.right ?? null;
  return { ...kept, result: right === null ? null : right ? "right" : "wrong" };
}

export function item(quiz, id) {
  const kept = entry("item", `${quiz}/${id}`);
  return kept && withResult(kept);
}

export function items() {
  return new Map([...entries("item")].map(([name, kept]) => [name, withResult(kept)]));
}

export function fits(kept, version) {
  return kept?.version === version || (kept?.version.length === WORDING && version.startsWith(kept.version));
}

export function answer(quiz, id, version, given, right) {
  const before = entry("item", `${quiz}/${id}`);
  const history = before?.version === version ? before.history : []; // it was another question
  write("item", `${quiz}/${id}`, { version, answer: given, history: [...history, { at: Date.now(), right }] });
}

export function takeBack(quiz, id) {
  const before = entry("item", `${quiz}/${id}`);
  if (before) write("item", `${quiz}/${id}`, { ...before, answer: null });
}

export function pages() {
  return new Map([...entries("page")].map(([page, { at }]) => [page, at]));
}

export function markRead(page, yes) {
  if (yes) write("page", page, { at: Date.now() });
  else drop(`${ROOT}page/${page}`);
}

export function note(name) {
  return entry("note", name)?.value ?? null;
}

export function notes(prefix) {
  return [...entries("note")].filter(([name]) => name.startsWith(prefix)).map(([, kept]) => kept.value);
}

export function keepNote(name, value) {
  if (value === null) drop(`${ROOT}note/${name}`);
  else write("note", name, { at: Date.now(), value });
}

// --- spaced review ---

export function day(at) {
  const local = new Date(at);
  return Date.UTC(local.getFullYear(), local.getMonth(), local.getDate()) / DAY;
}

export const today = () => day(Date.now());
export const date = (number) => new Date(number * DAY).toISOString().slice(0, 10);

// A right answer on the day it is due, or later, leads to the next interval; a wrong one to the first; a right one
// before its day changes nothing.
export function due({ history }) {
  let step = 0, next = -Infinity;
  for (const { at, right } of history) {
    if (right && day(at) < next) continue;
    if (!right) step = 0;
    next = day(at) + INTERVALS[step];
    step = Math.min(step + 1, INTERVALS.length - 1);
  }
  return next;
}

// --- to a file and back ---

export function save() {
  const all = (kind) => Object.fromEntries(entries(kind));
  const saved = { format: FORMAT, schema: 1, saved: new Date().toISOString() };
  return `${JSON.stringify({ ...saved, items: all("item"), pages: all("page"), notes: all("note") }, null, 1)}\n`;
}

function merged(kind, old, fresh) {
  const [latest, other] = newest(fresh) > newest(old) ? [fresh, old] : [old ?? fresh, fresh];
  if (kind !== "item" || latest.version !== other?.version) return latest;
  const attempts = new Map([...other.history, ...latest.history].map((one) => [one.at, one])); // one at a time
  return { ...latest, history: [...attempts.values()].sort((one, two) => one.at - two.at) };
}

export function load(text) {
  const file = parse(text);
  if (file?.format !== FORMAT) throw Error("This file was not saved by a progress page.");
  if (file.schema !== 1) throw Error("This file comes from a newer edition of the book.");
  const report = { items: 0, pages: 0, notes: 0, damaged: 0 };
  const changes = new Map();
  for (const kind of ["item", "page", "note"]) {
    const found = file[`${kind}s`];
    const usable = typeof found === "object" && found !== null && !Array.isArray(found);
    if (!usable && found !== undefined) report.damaged += 1;
    for (const [name, value] of Object.entries(usable ? found : {})) {
      const fresh = NAMES[kind].test(name) ? CHECKED[kind](value) : null;
      if (!fresh || newest(fresh) > Date.now() + DAY) { // a clock that is set ahead would always win
        report.damaged += 1;
        continue;
      }
      report[`${kind}s`] += 1;
      changes.set(`${ROOT}${kind}/${name}`, JSON.stringify(merged(kind, entry(kind, name), fresh)));
    }
  }
  putAll(changes);
  return report;
}

// All or nothing: half an import would be worse than none.
function putAll(changes) {
  if (!keeps()) {
    changes.forEach((text, key) => memory.set(key, text));
    return;
  }
  const before = new Map([...changes.keys()].map((key) => [key, get(key)]));
  try {
    changes.forEach((text, key) => localStorage.setItem(key, text));
  } catch {
    changes.forEach((_, key) => drop(key)); // first make room, then put back
    before.forEach((text, key) => { if (text !== null) put(key, text); });
    throw Error("This browser does not have room for all of it.");
  }
}

export function forget() {
  [...keys(ROOT), ...keys(OLD)].forEach(drop);
}

export function keeps() {
  try {
    localStorage.setItem(`${ROOT}try`, "");
    localStorage.removeItem(`${ROOT}try`);
    return true;
  } catch {
    return false;
  }
}

// A page that the browser held in memory has not heard of other tabs meanwhile.
export function watch(changed) {
  addEventListener("storage", changed);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) changed(); });
}

// An answer from before the schema has no history: whoever shows the question, and so can grade it, answers anew.
function migrate() {
  for (const key of keys(OLD)) {
    const name = key.slice(OLD.length);
    const kept = parse(get(key));
    const fits = NAMES.item.test(name) && short(kept?.version, 40) && Array.isArray(kept.chosen) &&
      kept.chosen.length < 20 && kept.chosen.every((one) => typeof one === "boolean");
    if (!fits) continue;
    const chosen = kept.chosen.flatMap((one, number) => (one ? [number] : []));
    if (!entry("item", name)) write("item", name, { version: kept.version, answer: chosen, history: [] });
    drop(key);
  }
}

// What another tab could keep is newer than what this one could not; a storage that was cleared has no key.
addEventListener("storage", ({ key }) => (key === null ? memory.clear() : memory.delete(key)));
migrate();
