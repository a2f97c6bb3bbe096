// The progress page. All that is known comes from store.js; what a file brings in only ever becomes text.
//
// A question of the book is {quiz, id, version, objective} here. Its text comes with the bank, when a review begins.

import * as quiz from "./quiz.js";
import * as store from "./store.js";
import { named } from "./read.js";

const ROUND = 10; // questions at a time
const LIMIT = 5_000_000; // bytes: more than that no browser keeps for a site
const NONE = "Nothing to review yet. Take a quiz: its questions come back here, the first time after a day.";

const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// --- what the store knows of the questions that the book has today ---

function known(bank) {
  const items = store.items();
  return bank
    .map((one) => ({ ...one, entry: items.get(`${one.quiz}/${one.id}`) }))
    .filter(({ entry, version }) => store.fits(entry, version));
}

function answered(bank) {
  return known(bank)
    .filter(({ entry }) => entry.result)
    .map((one) => ({ ...one, due: store.due(one.entry) }))
    .sort((one, other) => one.due - other.due);
}

// Answers from before attempts were kept, or from the students' edition: showing a question grades it.
async function adopt(all, name) {
  const ungraded = known(all).filter(({ entry }) => !entry.result && entry.answer !== null);
  const old = new Set(ungraded.map(({ quiz, id }) => `${quiz}/${id}`));
  if (!old.size) return;
  for (const one of await quiz.bank(name)) {
    if (!old.has(`${one.quiz}/${one.id}`)) continue;
    const { item, key } = one.make();
    quiz.question(item.querySelector("form"), key, one.quiz);
  }
}

// --- review ---

function startReview(part, bank, changed) {
  const { bank: name } = part.dataset;
  const due = part.querySelector(".fm-progress-due");
  const button = part.querySelector(".fm-progress-start");
  const list = part.querySelector(".fm-quiz-items");
  const done = part.querySelector(".fm-progress-done");
  let shown = [];

  function show() {
    const all = answered(bank);
    const now = all.filter((one) => one.due <= store.today()).length;
    due.textContent = all.length ? sentence(all, now) : NONE;
    if (!store.keeps()) due.textContent += " This browser stores nothing: your progress is lost when you leave this page.";
    const open = shown.filter((one) => !one.result).length;
    button.hidden = !now || open > 0;
    button.textContent = `Review ${now > ROUND ? `${ROUND} of them` : many(now, "question")}`;
    const right = shown.filter((one) => one.result === "right").length;
    done.textContent = shown.length ? `${shown.length - open} of ${shown.length} reviewed, ${right} right.` : "";
  }

  function sentence(all, now) {
    const later = all.filter((one) => one.due > store.today());
    const next = later.filter((one) => one.due === later[0].due).length;
    const day = later.length && (later[0].due === store.today() + 1 ? "tomorrow" : `on ${named(later[0].due)}`);
    const today = now ? `${many(now, "question")} ${now === 1 ? "is" : "are"} due today.` : "Nothing is due today.";
    return later.length ? `${today} Next: ${many(next, "question")} ${day}.` : today;
  }

  button.addEventListener("click", async () => {
    let all;
    try {
      all = await quiz.bank(name);
    } catch (error) {
      done.textContent = error.message;
      return;
    }
    const texts = new Map(all.map((one) => [`${one.quiz}/${one.id}`, one]));
    const now = answered(bank).filter((one) => one.due <= store.today()).slice(0, ROUND);
    shown = quiz.ask(list, now.map((one) => texts.get(`${one.quiz}/${one.id}`)).filter(Boolean), changed);
    show();
    shown[0]?.focus();
  });
  return show;
}

// --- tables ---

function fill(cell, done, text) {
  cell.textContent = done ? `✓ ${text}` : text;
  cell.classList.toggle("done", done);
}

function startTables(bank, graded) {
  return () => {
    const pages = store.pages();
    document.querySelectorAll("td[data-page]").forEach((cell) => {
      const at = pages.get(cell.dataset.page);
      fill(cell, Boolean(at), at ? named(store.day(at)) : "not yet");
    });
    const right = graded
      ? answered(bank).filter(({ entry }) => entry.result === "right")
      : known(bank).filter(({ entry }) => entry.answer !== null);
    const count = (list, name, value) => list.filter((one) => one[name] === value).length;
    const score = (cell, name, value) => {
      const [some, all] = [count(right, name, value), count(bank, name, value)];
      fill(cell, some === all, `${some} of ${all}`);
      return some;
    };
    document.querySelectorAll("td[data-of]").forEach((cell) => score(cell, "quiz", cell.dataset.of));
    const cells = [...document.querySelectorAll("td[data-objective]")];
    const covered = cells.filter((cell) => score(cell, "objective", cell.dataset.objective)).length;
    document.querySelectorAll(".fm-progress-covered").forEach((said) => {
      said.textContent = `You have answered at least one question${graded ? " right" : ""} on ${many(covered, "objective")}.`;
    });
  };
}

// --- files ---

// A spreadsheet would run what begins with one of these signs.
export function csv(rows) {
  const cell = (value) => {
    const text = String(value ?? "");
    const safe = /^\s*[=+\-@]|^[\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function rows(bank) {
  const now = new Map(bank.map((one) => [`${one.quiz}/${one.id}`, one]));
  const head = ["quiz", "item", "objective", "result", "attempts", "last answered", "due"];
  return [head, ...[...store.items()].filter(([, entry]) => entry.history.length).map(([name, entry]) => {
    const last = new Date(entry.history.at(-1).at).toISOString();
    const today = now.get(name);
    const due = entry.result && today?.version === entry.version ? store.date(store.due(entry)) : ""; // the question is another now
    return [...name.split("/"), today?.objective, entry.result, entry.history.length, last, due];
  })];
}

function offer(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function bringIn(file) {
  const nothing = "Nothing was changed.";
  if (file.size > LIMIT) return `This file has ${(file.size / 1e6).toFixed(1)} MB, and saved progress never has more than ${LIMIT / 1e6}. ${nothing}`;
  try {
    const report = store.load(await file.text());
    const brought = [many(report.items, "question"), many(report.pages, "page")];
    if (report.notes) brought.push(many(report.notes, "note"));
    const damaged = report.damaged ? ` Damaged entries left out: ${report.damaged}.` : "";
    return `Loaded: ${brought.join(", ")}. Where both had an entry, the newer one counts.${damaged}`;
  } catch (error) {
    return `${error.message} ${nothing}`;
  }
}

function startFiles(part, bank, show) {
  const said = part.querySelector(".fm-progress-said");
  const dialog = part.querySelector("dialog");
  const input = part.querySelector("input");
  const name = (kind) => `fmkit-progress-${store.date(store.today())}.${kind}`;
  part.querySelector("[data-save=json]").addEventListener("click", () => {
    offer(name("json"), "application/json", store.save());
    said.textContent = `Saved as ${name("json")}.`;
  });
  part.querySelector("[data-save=csv]").addEventListener("click", () => {
    offer(name("csv"), "text/csv", csv(rows(bank)));
    said.textContent = `Saved as ${name("csv")}.`;
  });
  input.addEventListener("change", async () => {
    if (!input.files.length) return;
    said.textContent = await bringIn(input.files[0]);
    input.value = ""; // so that the same file can be chosen again
    show();
  });
  part.querySelector(".fm-progress-forget").addEventListener("click", () => {
    dialog.returnValue = ""; // Escape leaves it so
    dialog.showModal();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "forget") return;
    store.forget();
    said.textContent = "Everything has been forgotten.";
    show();
  });
}

// --- the page: the widget is the part that knows the questions; without keys there is nothing to review ---

function render() {
  const parts = Object.fromEntries(
    [...document.querySelectorAll(".fm-progress")].map((part) => [part.dataset.part, part]));
  const bank = Object.entries(JSON.parse(parts.file.dataset.known)).flatMap(([name, items]) => (
    items.map(([id, version, objective]) => ({ quiz: name, id, version, objective }))));
  const show = () => shows.forEach((one) => one());
  const shows = [startTables(bank, Boolean(parts.review))];
  if (parts.review) shows.push(startReview(parts.review, bank, show));
  startFiles(parts.file, bank, show);
  store.watch(show);
  show();
  if (parts.review) adopt(bank, parts.review.dataset.bank).then(show, () => {}); // without a network, another time
}

export default { render };
