// The practice exam: a start, one question at a time, a report. exam-rules.js draws and scores, quiz.js runs the questions.
// The bank is taken out of the document, so that no key is in it before the end.
//
// The store holds the note "exam", the present one, running or reported, and a note "exam-result-…" for each of the past.

import { h } from "./dom.js";
import * as rules from "./exam-rules.js";
import * as quiz from "./quiz.js";
import * as store from "./store.js";

const SHORT = 10; // questions
const MARKS = [10, 5, 1]; // minutes left that are announced
const MINUTE = 60_000;
const KEPT = 200; // results that are shown

function render({ el: box }) {
  const bank = quiz.bank();
  const rows = [...box.querySelectorAll("tr[data-domain]")];
  const weights = new Map(rows.map(({ dataset }) => [dataset.domain, Number(dataset.weight)]));
  const titles = new Map(rows.map(({ dataset }) => [dataset.domain, dataset.title]));
  const objectives = JSON.parse(box.dataset.objectives);
  const intro = box.querySelector(".fm-exam-start");
  const stage = box.querySelector(".fm-exam-stage");
  box.querySelector(".fm-quiz-bank").remove();

  let exam = null; // {started, end, ended, at, questions}: times in milliseconds, `end` null without a clock
  let saved = ""; // the exam as this tab last kept it
  let leave = () => {}; // ends what the present screen does by itself

  const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const dated = (at) => new Date(at).toLocaleDateString("en-US", { dateStyle: "medium" });
  const listed = (names) => (names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names.join(""));

  function button(text, act, attributes = {}) {
    return h("button", { type: "button", class: "fm-button", onclick: act, ...attributes }, text);
  }

  function show(...parts) {
    stage.replaceChildren(...parts);
  }

  function table(caption, heads, lines) {
    const head = h("tr", {}, ...heads.map((one) => h("th", { scope: "col" }, one)));
    const whole = h("table", { class: "fm-exam-table" }, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...lines));
    return h("div", { class: "pst-scrollable-table-container" }, whole); // the theme lets it scroll by itself
  }

  // --- what is kept ---

  const time = (value) => Number.isSafeInteger(value) && value > 0 && value < 4e12; // the year 2096

  function question(one, { given = null, flagged = false } = {}) {
    const { item, key } = one.make();
    const made = quiz.question(item.querySelector("form"), key, one.quiz, { fresh: true });
    Object.assign(made, { element: item, key, objective: one.objective, flagged });
    if (Array.isArray(given) || typeof given === "string") fill(made, given);
    return made;
  }

  function fill(made, given) {
    made.show(given);
    made.controls.forEach((control) => { if (control.selectedIndex === -1) control.selectedIndex = 0; }); // open still
    if (JSON.stringify(made.given()) !== JSON.stringify(given)) made.empty(); // it does not fit the question
  }

  function keep() {
    const { started, end, ended, at, questions } = exam;
    const plain = questions.map((one) => (
      { name: `${one.quiz}/${one.id}`, version: one.version, given: one.given(), flagged: one.flagged }));
    const note = { started, end, ended, at, questions: plain };
    store.keepNote("exam", note);
    saved = JSON.stringify(note);
  }

  // The saved exam, as far as it is usable: it may be damaged, made by hand, or about questions that have changed.
  function kept() {
    const note = store.note("exam");
    const fits = time(note?.started) && [note.end, note.ended].every((at) => at === null || (time(at) && at >= note.started)) &&
      Array.isArray(note.questions);
    if (!fits) return null;
    const known = new Map(bank.map((one) => [`${one.quiz}/${one.id}`, one]));
    const questions = [];
    for (const one of note.questions) {
      const today = known.get(one?.name);
      if (today?.version !== one?.version || !known.delete(one?.name)) continue;
      questions.push(question(today, { given: one.given, flagged: one.flagged === true }));
    }
    if (!questions.length) return null;
    const at = Number.isInteger(note.at) && questions[note.at] ? note.at : 0;
    return { started: note.started, end: note.end, ended: note.ended, at, questions };
  }

  function results() {
    const fits = (one) => time(one?.at) && [one.right, one.of].every(Number.isInteger) &&
      one.right >= 0 && one.right <= one.of && one.of > 0 && one.of <= rules.QUESTIONS;
    return store.notes("exam-result-").filter(fits).sort((a, b) => a.at - b.at).slice(-KEPT);
  }

  function forget() {
    exam = null;
    store.keepNote("exam", null);
    saved = "null";
  }

  // --- the start ---

  function choices(name, legend, options) {
    const labels = options.map(([value, text], number) => h("label", {},
      h("input", { type: "radio", name, value, checked: number === 0, autocomplete: "off" }), h("span", {}, text)));
    return h("fieldset", { class: "fm-exam-choice" }, h("legend", {}, legend), ...labels);
  }

  function startScreen() {
    intro.hidden = false;
    if (!bank.length) {
      show(h("p", {}, "There are no questions to draw from yet."));
      return;
    }
    const lengths = [...new Set([SHORT, rules.QUESTIONS].map((count) => Math.min(count, bank.length)))];
    const full = lengths.at(-1);
    const name = (count) => (count === full && full > SHORT ? "Full" : count === full ? "All" : "Short");
    const form = h("form", { class: "fm-exam-form" },
      choices("size", "Length", lengths.map((count) => [count, `${name(count)}: ${many(count, "question")}`])),
      choices("clock", "Time", [["yes", ""], ["no", "Without a clock"]]),
      h("button", { class: "fm-button" }, "Start the exam"));
    const count = () => Number(form.elements.size.value);
    function changed() {
      form.querySelector("[value=yes] + span").textContent = `${many(rules.minutes(count()), "minute")} on the clock`;
      const room = rows.map(({ dataset }) => bank.filter((one) => rules.domain(one) === dataset.domain).length);
      const drawn = rules.shares(count(), [...weights.values()], room);
      rows.forEach((row, part) => { row.lastElementChild.textContent = String(drawn[part]); });
    }
    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      begin(count(), form.elements.clock.value === "yes");
    });
    const warning = store.keeps() ? [] : [h("p", {}, "This browser stores nothing: the exam is lost when you leave this page.")];
    changed();
    show(...warning, form, ...past());
  }

  function past() {
    const all = results();
    if (!all.length) return [];
    const line = (one) => h("tr", {}, h("th", { scope: "row" }, dated(one.at)),
      h("td", {}, `${one.right} of ${one.of}`), h("td", {}, String(rules.score(one.right, one.of))));
    return [h("h2", {}, "Your exams"),
      table("Earlier exams", ["Day", "Right", "Estimate"], all.toReversed().map(line))];
  }

  function begin(count, clock) {
    const [seed] = crypto.getRandomValues(new Uint32Array(1));
    const started = Date.now();
    const questions = rules.draw(bank, count, weights, seed).map((one) => question(one));
    exam = { started, end: clock ? started + rules.minutes(count) * MINUTE : null, ended: null, at: 0, questions };
    keep();
    open();
    focusQuestion();
  }

  // --- the questions ---

  const focusQuestion = () => exam.questions[exam.at].form.querySelector("fieldset").focus();

  function runScreen() {
    const { questions } = exam;
    intro.hidden = true;
    questions.forEach((one, number) => {
      one.element.querySelector(".fm-quiz-place").textContent = `Question ${number + 1} of ${questions.length}`;
      one.form.querySelector("fieldset").tabIndex = -1;
    });
    const clock = h("p", { role: "timer", class: "fm-exam-clock" });
    const said = h("p", { role: "status", class: "fm-exam-said" });
    const list = h("ol", { class: "fm-quiz-items" });
    const previous = button("Previous", () => go(exam.at - 1));
    const flag = button("⚑ Flag", mark);
    const next = button("Next", () => go(exam.at + 1));
    const numbers = questions.map((_, number) => button("", () => go(number), { class: "fm-button fm-exam-number" }));
    const summary = h("summary");
    const all = h("details", { class: "fm-exam-list", open: matchMedia("(min-width: 37.5em)").matches }, summary,
      h("ol", {}, ...numbers.map((one) => h("li", {}, one))), h("p", {}, "✓ answered · ⚑ flagged"));
    const dialog = confirmation();
    const end = button("End the exam …", () => dialog.ask());

    function refresh() {
      const one = questions[exam.at];
      previous.disabled = exam.at === 0;
      next.disabled = exam.at === questions.length - 1;
      flag.setAttribute("aria-pressed", one.flagged);
      const count = { answered: 0, flagged: 0 };
      numbers.forEach((element, number) => {
        const answered = questions[number].answer !== null;
        const { flagged } = questions[number];
        count.answered += answered;
        count.flagged += flagged;
        element.textContent = `${number + 1}${answered ? " ✓" : ""}${flagged ? " ⚑" : ""}`;
        element.setAttribute("aria-label", `${number + 1}, ${answered ? "answered" : "open"}${flagged ? ", flagged" : ""}`);
        element.classList.toggle("answered", answered);
        if (number === exam.at) element.setAttribute("aria-current", "step");
        else element.removeAttribute("aria-current");
      });
      summary.textContent = `All questions: ${count.answered} of ${questions.length} answered, ${count.flagged} flagged`;
    }

    function place() {
      list.replaceChildren(questions[exam.at].element);
      refresh();
    }

    function go(number) {
      exam.at = number;
      keep();
      place();
      focusQuestion();
    }

    function mark() {
      questions[exam.at].flagged = !questions[exam.at].flagged;
      keep();
      refresh();
    }

    function changed() {
      keep();
      refresh();
    }

    // Enter in a question leads to the next one. The event stops here, so that quiz.js grades nothing.
    list.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (next.disabled) dialog.ask();
      else go(exam.at + 1);
    }, true);
    list.addEventListener("input", changed);
    place();
    show(clock, said, list,
      h("div", { class: "fm-exam-do" }, previous, flag, next), all, h("div", { class: "fm-exam-do" }, end), dialog.element);
    leave = keepTime(clock, said);
  }

  function confirmation() {
    const words = h("p", { id: "fm-exam-sure" });
    const element = h("dialog", { "aria-labelledby": words.id }, h("form", { method: "dialog" }, words,
      h("button", { class: "fm-button", value: "on", autofocus: true }, "Go on"),
      h("button", { class: "fm-button", value: "end" }, "End and grade")));
    const numbered = (fits) => exam.questions.flatMap((one, number) => (fits(one) ? [String(number + 1)] : []));
    const named = (numbers) => `${numbers.length === 1 ? "Question" : "Questions"} ${listed(numbers)}`;

    function ask() {
      const open = numbered((one) => one.answer === null);
      const flagged = numbered((one) => one.flagged);
      const parts = ["End the exam?", open.length ?
        `${named(open)} ${open.length === 1 ? "has" : "have"} no complete answer and would count as wrong.` :
        "Every question has an answer."];
      if (flagged.length) parts.push(`Flagged: ${listed(flagged)}.`);
      words.textContent = parts.join(" ");
      element.returnValue = ""; // Escape leaves it so
      element.showModal();
    }

    element.addEventListener("close", () => {
      if (element.returnValue === "end") finish(Date.now());
    });
    return { element, ask };
  }

  function keepTime(clock, said) {
    if (exam.end === null) {
      clock.textContent = "Without a clock";
      return () => {};
    }
    let before = Infinity;
    function tick() {
      const left = exam.end - Date.now();
      if (left <= 0) {
        finish(exam.end);
        return;
      }
      const seconds = Math.ceil(left / 1000);
      clock.textContent = `Time left ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      clock.classList.toggle("late", left <= MARKS.at(-1) * MINUTE);
      const crossed = MARKS.filter((mark) => left <= mark * MINUTE && mark * MINUTE < before).at(-1);
      if (crossed && before < Infinity) said.textContent = `${many(crossed, "minute")} left.`;
      before = left;
    }
    const timer = setInterval(tick, 1000);
    tick();
    return () => clearInterval(timer);
  }

  // --- the end ---

  function finish(at) {
    leave();
    if (!store.note("exam")?.ended) record(at); // another tab may have been first
    exam.ended = at;
    keep();
    open();
    stage.querySelector("h2").focus();
  }

  function record(at) {
    const answered = exam.questions.filter((one) => one.answer !== null);
    answered.forEach((one) => store.answer(one.quiz, one.id, one.version, one.answer, one.isRight(one.answer)));
    if (!answered.length) return; // there is no result to keep
    const right = answered.filter((one) => one.isRight(one.answer)).length;
    store.keepNote(`exam-result-${at}`, { at, right, of: exam.questions.length });
  }

  function grade(one) {
    one.button.remove(); // there is no second try
    if (one.answer !== null) {
      one.grade();
      return;
    }
    one.result = "wrong";
    one.form.dataset.result = "wrong";
    one.controls.forEach((control) => { control.disabled = true; });
    one.verdict.textContent = "✗ No complete answer.";
    one.form.append(h("div", { class: "fm-exam-key" }, ...one.key.childNodes));
  }

  function reportScreen() {
    intro.hidden = true;
    const { questions, started, end, ended } = exam;
    const links = new Map(); // of the objectives, before the keys go into the questions
    questions.forEach(({ objective, key }) => {
      const link = key.querySelector(".fm-quiz-again a");
      const some = links.get(objective) ?? links.set(objective, new Map()).get(objective);
      if (link) some.set(link.getAttribute("href"), link.cloneNode(true));
    });
    questions.forEach(grade);
    const late = end !== null && ended >= end;
    show(
      h("h2", { tabindex: "-1" }, late ? "Time is up: your result" : "Your result"),
      ...outcome(questions, ended - started, end && end - started),
      h("h3", {}, "By domain"), byDomain(questions),
      h("h3", {}, "By objective"), byObjective(questions, links),
      h("h3", {}, "Question by question"), ...review(questions),
      h("div", { class: "fm-exam-do" }, button("Another exam", () => {
        forget();
        open();
        stage.querySelector("input").focus();
      })),
      ...past());
  }

  const rights = (questions) => questions.filter((one) => one.result === "right").length;

  function outcome(questions, used, limit) {
    const [right, of] = [rights(questions), questions.length];
    const score = rules.score(right, of);
    const [low, high] = rules.interval(right, of).map((share) => rules.score(share, 1));
    const total = Math.max(0, Math.round(used / 1000));
    const took = `${Math.floor(total / 60)} min ${total % 60} s${limit ? ` of ${Math.round(limit / MINUTE)} min` : ""}`;
    const sure = low <= rules.PASS && rules.PASS <= high ?
      `That includes ${rules.PASS}, so this exam cannot tell a pass from a fail.` :
      `All of that is ${low > rules.PASS ? "above" : "below"} ${rules.PASS}.`;
    const missing = [...weights.keys()].filter((domain) => !questions.some((one) => rules.domain(one) === domain));
    const blind = missing.length ? [h("p", {}, `It had no question on ${missing.length === 1 ? "domain" : "domains"} ${listed(missing)}, ` +
      `${missing.reduce((sum, domain) => sum + weights.get(domain), 0)}% of the real exam, and says nothing about ${missing.length === 1 ? "it" : "them"}.`)] : [];
    return [
      h("p", { class: "fm-exam-score" }, h("b", {}, `${right} of ${of} right`), ` in ${took}. `,
        h("b", {}, `Estimate: ${score}`), ` of 1000; the real exam is passed at ${rules.PASS}.`),
      h("p", {}, `The estimate is linear, 100 + 900 × ${right} / ${of} = ${score}, because AWS does not publish how it scales. ` +
        `${many(of, "question")} ${of === 1 ? "is" : "are"} a small sample: your level could be anywhere ` +
        `from ${low} to ${high} (95% Wilson interval). ${sure}`),
      ...blind,
    ];
  }

  function byDomain(questions) {
    const lines = [...weights].map(([domain, weight]) => {
      const some = questions.filter((one) => rules.domain(one) === domain);
      return h("tr", {}, h("th", { scope: "row" }, `${domain} · ${titles.get(domain)}`), h("td", {}, `${weight}%`),
        h("td", {}, some.length ? `${rights(some)} of ${some.length}` : "not asked"));
    });
    return table("Right answers by domain", ["Domain", "Real exam", "Right"], lines);
  }

  function byObjective(questions, links) {
    const numbers = Object.keys(objectives).filter((number) => links.has(number));
    const lines = numbers.map((number) => {
      const some = questions.filter((one) => one.objective === number);
      const sections = [...links.get(number).values()].flatMap((link, place) => (place ? [", ", link] : [link]));
      return h("li", {}, h("b", {}, number), ` ${objectives[number]}: `,
        h("b", {}, `${rights(some)} of ${some.length} right`), h("span", {}, "Read again: ", ...sections));
    });
    return h("ul", { class: "fm-exam-objectives" }, ...lines);
  }

  function review(questions) {
    const wrong = questions.filter((one) => one.result === "wrong");
    const flagged = questions.filter((one) => one.flagged);
    const sets = [["all", questions], ["the wrong ones", wrong], ["the flagged ones", flagged]];
    const select = h("select", { autocomplete: "off" }, ...sets.map(([name, some], number) => (
      h("option", { value: number }, `${name} (${some.length})`))));
    const list = h("ol", { class: "fm-quiz-items" });
    questions.forEach((one, number) => {
      const words = `Question ${number + 1} of ${questions.length}${one.flagged ? " · ⚑ flagged" : ""}`;
      one.element.querySelector(".fm-quiz-place").textContent = words;
      one.form.querySelector("fieldset").removeAttribute("tabindex");
    });
    list.append(...questions.map((one) => one.element));
    select.addEventListener("change", () => {
      const [, some] = sets[select.value];
      questions.forEach((one) => { one.element.hidden = !some.includes(one); });
    });
    return [h("label", { class: "fm-exam-filter" }, "Show ", select), list];
  }

  // --- the screens ---

  function open() {
    leave();
    leave = () => {};
    if (exam && exam.ended === null && exam.end !== null && exam.end <= Date.now()) {
      record(exam.end); // it ran out while the page was closed
      exam.ended = exam.end;
      keep();
    }
    if (!exam) startScreen();
    else if (exam.ended === null) runScreen();
    else reportScreen();
  }

  function resume() {
    exam = kept();
    saved = JSON.stringify(store.note("exam"));
    open();
  }

  addEventListener("storage", () => { // another tab
    if (JSON.stringify(store.note("exam")) !== saved) resume();
  });
  resume();
}

export default { render };
