// A record of the answers: dated, the open points first. What the reader types only ever becomes text.
import { button } from "./controls.js";
import { h } from "./dom.js";
import { date, keepNote, keeps, note, today, watch } from "./store.js";

const NOTE = "checklist";
const NAMES = { no: "No", unknown: "Not known", "": "Not answered", partly: "Partly", yes: "Yes" };
const ORDER = Object.keys(NAMES); // the worst first

/** One line of a text from anywhere: a note cannot pass for a line of the record. */
function line(value, length) {
  return typeof value === "string" ? value.slice(0, length).replace(/[\s\p{C}]+/gu, " ").trim() : "";
}

function render({ el }) {
  const [system, by] = el.querySelectorAll(".fm-checklist-about input");
  const areas = [...el.querySelectorAll(".fm-checklist-area")].map(areaOf);
  const questions = areas.flatMap((area) => area.questions);
  const record = el.querySelector(".fm-checklist-record");
  const spoken = el.querySelector(".fm-spoken");

  const example = button("The shop’s answers", () => {
    fill(questions.map((one) => one.shop), "The shop’s assistant", "Ms. Barrow");
    changed();
    say("The shop’s answers are filled in.");
  });
  const print = button("Print the record", printed);
  const text = button("Save as text", () => offer("txt", "text/plain", asText(state())));
  const json = button("Save as JSON", () => offer("json", "application/json", `${JSON.stringify(state(), null, 1)}\n`));
  const again = button("Clear all", clear);
  const buttons = [example, print, text, json, again];
  el.querySelector(".fm-checklist-buttons").append(...buttons.map((one) => one.element));
  let sure = false; // whether "Clear all" was pressed once already

  function say(words) { spoken.textContent = words; }

  /** All that the record says, as what is saved. */
  function state() {
    const answers = questions.map(({ id, area, ask, sign, answer, note: field }) => (
      { id, area, question: ask, answer: answer(), note: line(field.value, 500), sign }
    ));
    const [name, who] = [line(system.value, 120), line(by.value, 120)];
    return { format: "fmkit-checklist", date: date(today()), system: name, by: who, answers };
  }

  /** What is kept of the state; null if nothing is filled in. */
  function asNote({ system: name, by: who, answers }) {
    const given = answers.filter((one) => one.answer || one.note);
    if (!given.length && !name && !who) return null;
    return { system: name, by: who, answers: Object.fromEntries(given.map((one) => [one.id, [one.answer, one.note]])) };
  }

  function changed() {
    keepNote(NOTE, asNote(state()));
    draw();
  }

  function draw() {
    const now = state();
    const empty = !asNote(now);
    for (const { head, questions: own } of areas) {
      const done = own.filter((one) => one.answer()).length;
      const open = own.filter((one) => one.answer() && one.answer() !== "yes").length;
      head.querySelector("small").textContent = `${done} of ${own.length}${open ? `, ${open} open` : ""}`;
    }
    sure = false;
    again.element.textContent = "Clear all";
    example.enable(empty);
    for (const one of buttons.slice(1)) one.enable(!empty);
    record.hidden = empty;
    record.replaceChildren(...(empty ? [] : paper(now)));
  }

  function fill(answers, name, who) {
    [system.value, by.value] = [name, who];
    questions.forEach((one, number) => one.set(...(answers[number] ?? ["", ""])));
  }

  /** Shows what was kept, here or by another tab; what is only shown is not kept anew, as if it were newer. */
  function restore() {
    const kept = note(NOTE);
    if (JSON.stringify(kept) !== JSON.stringify(asNote(state()))) {
      const answers = questions.map((one) => kept?.answers?.[one.id]);
      fill(answers.map((one) => (Array.isArray(one) ? one : ["", ""])), line(kept?.system, 120), line(kept?.by, 120));
    }
    draw();
  }

  function clear() {
    if (!sure) {
      sure = true;
      again.element.textContent = "Really clear all?";
      return;
    }
    fill([], "", "");
    changed();
    say("All answers are cleared.");
  }

  function printed() {
    record.classList.add("printing");
    window.addEventListener("afterprint", () => record.classList.remove("printing"), { once: true });
    window.print();
  }

  function offer(end, type, content) {
    const href = URL.createObjectURL(new Blob([content], { type }));
    const link = h("a", { href, download: `checklist-${date(today())}.${end}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    say("The record is saved among your downloads.");
  }

  for (const { element, head } of areas)
    head.addEventListener("click", () => head.setAttribute("aria-expanded", String(element.classList.toggle("shown"))));
  el.addEventListener("input", changed);
  el.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const { element, head } = areas.find((area) => area.element.contains(event.target)) ?? {};
    if (!element?.classList.contains("shown")) return;
    head.click();
    head.focus();
  });
  areas[0].head.click();
  watch(restore);
  restore();
  if (!keeps()) say("This browser keeps nothing: save the record before you leave the page.");
}

function areaOf(element) {
  const [head, title] = [element.querySelector(".fm-checklist-head"), element.getAttribute("aria-label")];
  return { element, head, questions: [...element.querySelectorAll("fieldset")].map((one) => questionOf(one, title)) };
}

function questionOf(element, area) {
  const [radios, field] = [[...element.querySelectorAll("input")], element.querySelector("textarea")];
  const { id, sign, answer: shop, note: shopNote } = element.dataset;
  return {
    id, area, sign,
    ask: element.querySelector("legend").textContent,
    note: field,
    shop: [shop, shopNote],
    answer: () => radios.find((radio) => radio.checked)?.value ?? "",
    set(answer, words) {
      radios.forEach((radio) => (radio.checked = radio.value === answer));
      field.value = line(words, 500);
    },
  };
}

/** The answers in the order of the record, and how many of them are open. */
function sorted({ answers }) {
  const ranked = [...answers].sort((one, other) => ORDER.indexOf(one.answer) - ORDER.indexOf(other.answer));
  return { open: ranked.filter((one) => one.answer !== "yes"), settled: ranked.filter((one) => one.answer === "yes") };
}

const heading = (now) => `Record of responsible use: ${now.system || "a system without a name"}`;
const origin = (now) => `${now.date}${now.by ? `, answered by ${now.by}` : ""}`;
const signature = (one) => `${one.area}. Signed by the ${one.sign}: ____________________`;
const counted = (open, all) => `${open} of ${all} points are open.`;

function paper(now) {
  const { open, settled } = sorted(now);
  const list = (points) => h("ul", {}, ...points.map(point));
  return [
    h("p", { class: "fm-checklist-name" }, heading(now)),
    h("p", {}, `${origin(now)}. ${counted(open.length, now.answers.length)}`),
    ...(open.length ? [h("p", {}, h("b", {}, "Open")), list(open)] : []),
    ...(settled.length ? [h("p", {}, h("b", {}, "Settled")), list(settled)] : []),
  ];
}

function point(one) {
  const words = [h("b", {}, `${NAMES[one.answer]}: `), `${one.question} `, one.note ? h("i", {}, one.note) : null];
  return h("li", {}, ...words.filter(Boolean), h("small", {}, signature(one)));
}

function asText(now) {
  const { open, settled } = sorted(now);
  const lines = (points) => points.flatMap((one) => [
    `[${NAMES[one.answer]}] ${one.question}`, ...(one.note ? [`    Note: ${one.note}`] : []),
    `    ${signature(one)}`,
  ]);
  const head = [heading(now), origin(now), counted(open.length, now.answers.length)];
  return [...head, "", "OPEN", ...lines(open), "", "SETTLED", ...lines(settled), ""].join("\n");
}

export default { render };
