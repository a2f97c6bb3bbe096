// The practice exam: a start, one question at a time, a report, and practice of what was wrong or of an objective.
// exam-rules.js draws and scores, exam-report.js says what came out, quiz.js runs the questions. The bank comes when an
// exam starts or goes on, and no key is in the document before the end. A running exam is a modal dialog that fills the
// window: there is nothing else on the page, to the eye, the keyboard or a screen reader.
//
// A form is fixed: its questions and their order. Other exams are drawn, and take first what the reader has not answered
// yet, and of that what no chapter shows.
//
// The store holds the note "exam", the present one, running or reported, and a note "exam-result-…" for each of the past.

import { h } from "./dom.js";
import { isScaled, listed, many, resultOf, review, table } from "./exam-report.js";
import * as rules from "./exam-rules.js";
import { createRandom } from "./random.js";
import { newSeed, shuffled } from "./shuffle.js";
import * as quiz from "./quiz.js";
import * as store from "./store.js";

const SHORT = 10; // questions
const MARKS = [10, 5, 1]; // minutes left that are announced
const MINUTE = 60_000;
const KEPT = 200; // results that are shown
const ROUND = 10; // questions that are practiced at a time

function render({ el: box }) {
  const rows = [...box.querySelectorAll("tr[data-domain]")];
  const weights = new Map(rows.map(({ dataset }) => [dataset.domain, Number(dataset.weight)]));
  const room = rows.map(({ dataset }) => Number(dataset.count));
  const available = room.reduce((total, one) => total + one, 0);
  const guide = {
    weights,
    titles: new Map(rows.map(({ dataset }) => [dataset.domain, dataset.title])),
    objectives: new Map(Object.entries(JSON.parse(box.dataset.objectives))),
    asked: Number(box.dataset.asked),
    taught: (objective) => box.querySelector(`p[data-objective="${objective}"]`),
  };
  const reserve = new Set(box.dataset.reserve.split(" "));
  const forms = JSON.parse(box.dataset.forms); // from a letter to the names of its questions
  const intro = box.querySelector(".fm-exam-start");
  const stage = box.querySelector(".fm-exam-stage");

  // {started, end, ended, at, away, form, met, questions}: times in milliseconds, `end` null without a clock; `form` is
  // null where the questions were drawn, and `met` is how many of them had been answered before
  let exam = null;
  let saved = ""; // the exam as this tab last kept it
  let leave = () => {}; // ends what the present screen does by itself

  const dated = (at) => new Date(at).toLocaleDateString("en-US", { dateStyle: "medium" });

  function button(text, act, attributes = {}) {
    return h("button", { type: "button", class: "fm-button", onclick: act, ...attributes }, text);
  }

  function show(...parts) {
    stage.replaceChildren(...parts);
  }

  // --- what is kept ---

  const time = (value) => Number.isSafeInteger(value) && value > 0 && value < 4e12; // the year 2096

  // Without a seed, as in an exam from before there was one, its parts are in the order of the file.
  function question(one, { given = null, flagged = false, seed = null } = {}) {
    const { item, key } = one.make();
    const made = quiz.question(item.querySelector("form"), key, one.quiz, { fresh: true });
    Object.assign(made, { element: item, make: one.make, objective: one.objective, flagged, seed });
    if (seed !== null) made.arrange(seed);
    if (Array.isArray(given) || typeof given === "string") fill(made, given);
    return made;
  }

  function fill(made, given) {
    made.show(given);
    made.controls.forEach((control) => { if (control.selectedIndex === -1) control.selectedIndex = 0; }); // open still
    if (JSON.stringify(made.given()) !== JSON.stringify(given)) made.empty(); // it does not fit the question
  }

  function keep() {
    const { started, end, ended, at, away, form, met, questions } = exam;
    const plain = questions.map((one) => (
      { name: `${one.quiz}/${one.id}`, version: one.version, given: one.given(), flagged: one.flagged, seed: one.seed }));
    const note = { started, end, ended, at, away, form, met, questions: plain };
    store.keepNote("exam", note);
    saved = JSON.stringify(note);
  }

  // The saved exam, as far as it is usable: it may be damaged, made by hand, or about questions that have changed.
  function kept(bank) {
    const note = store.note("exam");
    const fits = time(note?.started) && [note.end, note.ended].every((at) => at === null || (time(at) && at >= note.started)) &&
      Array.isArray(note.questions);
    if (!fits) return null;
    const known = new Map(bank.map((one) => [`${one.quiz}/${one.id}`, one]));
    const questions = [];
    for (const one of note.questions) {
      const today = known.get(one?.name);
      if (today?.version !== one?.version || !known.delete(one?.name)) continue;
      const seed = Number.isInteger(one.seed) ? one.seed : null;
      questions.push(question(today, { given: one.given, flagged: one.flagged === true, seed }));
    }
    if (!questions.length) return null;
    const at = Number.isInteger(note.at) && questions[note.at] ? note.at : 0;
    const form = Object.hasOwn(forms, note.form) ? note.form : null;
    const met = Number.isInteger(note.met) && note.met >= 0 && note.met <= questions.length ? note.met : 0;
    return { started: note.started, end: note.end, ended: note.ended, at, away: note.away === true, form, met, questions };
  }

  // The bank, each question with what this reader has made of it; shown in a chapter, it may have been met there, too.
  async function loadBank() {
    const bank = await quiz.bank(box.dataset.bank);
    return bank.map((one) => {
      const entry = store.item(one.quiz, one.id);
      const result = entry?.version === one.version ? entry.result : null;
      return { ...one, result, rank: 2 * Boolean(result) + !reserve.has(one.quiz) };
    });
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
    if (!available) {
      show(h("p", {}, "There are no questions to draw from yet."));
      return;
    }
    const lengths = [...new Set([SHORT, rules.QUESTIONS].map((count) => Math.min(count, available)))];
    const full = lengths.at(-1);
    const name = (count) => (count === full && full > SHORT ? "Full" : count === full ? "All" : "Short");
    const fixed = Object.entries(forms).map(([letter, names]) => [letter, `Form ${letter}: ${many(names.length, "question")}, always the same`]);
    const form = h("form", { class: "fm-exam-form" },
      choices("size", "Exam", [...lengths.map((count) => [count, `${name(count)}: ${many(count, "question")}, drawn`]), ...fixed]),
      choices("clock", "Time", [["yes", ""], ["no", "Without a clock"]]),
      h("button", { class: "fm-button" }, "Start the exam"));
    const said = h("p", { role: "status" });
    const chosen = () => form.elements.size.value;
    const count = () => forms[chosen()]?.length ?? Number(chosen());
    function changed() {
      form.querySelector("[value=yes] + span").textContent = `${many(rules.minutes(count()), "minute")} on the clock`;
      const drawn = rules.shares(count(), [...weights.values()], room); // a form has as many
      rows.forEach((row, part) => { row.lastElementChild.textContent = String(drawn[part]); });
    }
    form.addEventListener("change", changed);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      begin(forms[chosen()] ? chosen() : null, count(), form.elements.clock.value === "yes", said);
    });
    const warning = store.keeps() ? [] : [h("p", {}, "This browser stores nothing: the exam is lost when you leave this page.")];
    changed();
    show(...warning, form, said, ...topics(), ...past());
  }

  function past() {
    const all = results();
    if (!all.length) return [];
    const score = (one) => (one.scaled === true ? String(rules.score(one.right, one.of)) : "–");
    const line = (one) => h("tr", {}, h("th", { scope: "row" }, dated(one.at), Object.hasOwn(forms, one.form) ? `, form ${one.form}` : ""),
      h("td", {}, `${one.right} of ${one.of}`), h("td", {}, score(one)));
    return [h("h2", {}, "Your exams"),
      table("Earlier exams", ["Day", "Right", "Estimate"], all.toReversed().map(line))];
  }

  async function begin(form, count, clock, said) {
    let bank;
    try {
      bank = await loadBank();
    } catch (error) {
      said.textContent = error.message;
      return;
    }
    const started = Date.now();
    const known = new Map(bank.map((one) => [`${one.quiz}/${one.id}`, one]));
    const asked = form ? forms[form].map((name) => known.get(name)) : rules.draw(bank, count, weights, newSeed());
    const met = asked.filter(({ result }) => result).length;
    const questions = asked.map((one) => question(one, { seed: newSeed() }));
    const end = clock ? started + rules.minutes(count) * MINUTE : null;
    exam = { started, end, ended: null, at: 0, away: false, form, met, questions };
    keep();
    open();
  }

  // --- practice of a topic ---

  function topics() {
    if (!available) return [];
    const option = (value, text) => h("option", { value }, text);
    const asked = [...guide.objectives].filter(([number]) => guide.taught(number)); // the bank asks about these
    const parts = [...guide.titles].map(([domain, title]) => h("optgroup", { label: `Domain ${domain}` },
      option(domain, `All of domain ${domain}: ${title}`),
      ...asked.filter(([number]) => rules.domain({ objective: number }) === domain)
        .map(([number, name]) => option(number, `${number} ${name}`))));
    const choice = h("select", { autocomplete: "off" }, option("wrong", "What I got wrong last time"), ...parts);
    const said = h("p", { role: "status" });
    const form = h("form", { class: "fm-exam-topics" }, h("label", {}, h("span", {}, "What to practice"), choice),
      h("button", { class: "fm-button" }, "Practice"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const some = ofTopic(await loadBank(), choice.value);
        if (some.length) practiceTopic(choice.selectedOptions[0].textContent, some);
        else said.textContent = choice.value === "wrong" ? "You got nothing wrong last time." : "The bank has no question on that.";
      } catch (error) {
        said.textContent = error.message;
      }
    });
    return [h("h2", {}, "Practice without a clock"),
      h("p", {}, `${ROUND} questions at a time, each explained as soon as you check it.`), form, said];
  }

  // What was wrong comes first; then what is new, the reserve last, since an exam is worth most with new questions.
  function ofTopic(bank, topic) {
    const fits = (one) => (topic === "wrong" ? one.result === "wrong" :
      one.objective === topic || rules.domain(one) === topic);
    const order = (one) => (one.result === "wrong" ? 0 : one.result ? 3 : 1 + reserve.has(one.quiz));
    return shuffled(bank.filter(fits), createRandom(newSeed())).sort((one, other) => order(one) - order(other));
  }

  function practiceTopic(title, some) {
    const [now, later] = [some.slice(0, ROUND), some.slice(ROUND)];
    const more = later.length ? [button(`${Math.min(ROUND, later.length)} more`, () => practiceTopic(title, later))] : [];
    intro.hidden = true;
    practice(title, `${many(some.length, "question")}. Each is explained as soon as you check it.`, now, [...more,
      button("Back to the start", () => {
        open();
        stage.querySelector("select").focus();
      })]);
  }

  // --- the questions ---

  function runScreen() {
    const { questions } = exam;
    intro.hidden = true;
    questions.forEach((one, number) => {
      one.element.querySelector(".fm-quiz-place").textContent = `Question ${number + 1} of ${questions.length}`;
      one.form.querySelector("fieldset").tabIndex = -1;
    });
    const where = h("p", { class: "fm-exam-where" });
    const clock = h("p", { role: "timer", class: "fm-exam-clock" });
    const said = h("p", { role: "status", class: "fm-exam-said" });
    const list = h("ol", { class: "fm-quiz-items" });
    const paper = h("div", { class: "fm-exam-paper" }, list);
    const previous = button("Previous", () => go(exam.at - 1));
    const flag = button("⚑ Flag", mark);
    const next = button("Next", () => go(exam.at + 1), { class: "fm-button fm-exam-next" });
    const numbers = questions.map((_, number) => button("", () => {
      all.open = false; // it would stand before the question
      go(number);
    }, { class: "fm-button fm-exam-number" }));
    const summary = h("summary");
    const all = h("details", { class: "fm-exam-list" }, summary,
      h("ol", {}, ...numbers.map((one) => h("li", {}, one))), h("p", {}, "✓ answered · ⚑ flagged"));
    const sure = confirmation();
    const end = button("End the exam…", () => sure.ask());
    const dialog = h("dialog", { class: "fm-exam-run", "aria-label": "Practice exam" },
      h("div", { class: "fm-exam-top" }, where, clock, button("Leave", goAway)), said, paper,
      h("div", { class: "fm-exam-foot" }, h("div", { class: "fm-exam-do" }, previous, flag, next),
        h("div", { class: "fm-exam-do" }, all, end)));

    function refresh() {
      const one = questions[exam.at];
      where.textContent = `Question ${exam.at + 1} of ${questions.length}`;
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
      summary.textContent = `${count.answered} of ${questions.length} answered, ${count.flagged} flagged`;
    }

    function place() {
      const one = questions[exam.at];
      list.replaceChildren(one.element);
      refresh();
      paper.scrollTop = 0;
      one.form.querySelector("fieldset").focus({ preventScroll: true });
    }

    function go(number) {
      exam.at = number;
      keep();
      place();
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
      if (next.disabled) sure.ask();
      else go(exam.at + 1);
    }, true);
    list.addEventListener("input", changed);
    dialog.addEventListener("keydown", (event) => event.stopPropagation()); // no keys of the page: its search, Sphinx's Escape
    dialog.addEventListener("cancel", (event) => { // Escape
      event.preventDefault();
      goAway();
    });
    show(dialog, sure.element);
    dialog.showModal();
    place();
    leave = keepTime(clock, said);
  }

  // The way out keeps everything, and stops no clock.
  function goAway() {
    exam.away = true;
    keep();
    open();
    stage.querySelector("button").focus();
  }

  function awayScreen() {
    intro.hidden = true;
    const clock = h("p", { role: "timer", class: "fm-exam-clock" });
    const said = h("p", { role: "status", class: "fm-exam-said" });
    const answered = exam.questions.filter((one) => one.answer !== null).length;
    const sure = confirmation();
    const words = `${answered} of ${many(exam.questions.length, "question")} answered.`;
    show(h("h2", {}, "Exam in progress"), clock, said,
      h("p", {}, exam.end === null ? words : `${words} The clock runs while you are away.`),
      h("div", { class: "fm-exam-do" }, button("Resume the exam", () => {
        exam.away = false;
        keep();
        open();
      }), button("End the exam…", () => sure.ask())), sure.element);
    leave = keepTime(clock, said);
  }

  function confirmation() {
    const words = h("p", { id: "fm-exam-sure" });
    const element = h("dialog", { class: "fm-exam-sure", "aria-labelledby": words.id }, h("form", { method: "dialog" }, words,
      h("button", { class: "fm-button", value: "on", autofocus: true }, "Resume"),
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
    const { questions, form } = exam;
    store.keepNote(`exam-result-${at}`, { at, right, of: questions.length, scaled: isScaled(questions, guide), form });
  }

  function grade(one) {
    one.button.remove(); // there is no second try
    one.grade();
  }

  function reportScreen() {
    intro.hidden = true;
    const { questions, started, end, ended, form, met } = exam;
    questions.forEach(grade);
    const wrong = questions.filter((one) => one.result === "wrong");
    const late = end !== null && ended >= end;
    const again = h("div", { class: "fm-exam-do" },
      wrong.length ? button(`Practice ${wrong.length === 1 ? "the wrong one" : `the ${wrong.length} wrong ones`}`, () => practiceWrong(wrong)) : null,
      button("Another exam", () => {
        forget();
        open();
        stage.querySelector("input").focus();
      }));
    const [score, meaning, ...rest] = resultOf(questions, ended - started, end && end - started, guide);
    const drawn = h("p", {}, `${form ? `This was form ${form}.` : "The questions were drawn."} ${met ?
      `You had answered ${met} of them before, so the result says less than with new ones.` : "You had answered none of them before."}`);
    show(h("h2", { tabindex: "-1" }, late ? "Time is up: your result" : "Your result"), score, meaning, drawn, again, ...rest,
      h("h3", {}, "Question by question"), ...review(questions), ...past());
  }

  // --- practice: each question is explained at once; it is no exam, and no result is kept of it ---

  function practiceWrong(wrong) {
    const report = [...stage.childNodes];
    practice(many(wrong.length, "question"), "Each is explained as soon as you check it. This does not count as an exam.", wrong,
      [button("Back to the result", () => {
        show(...report);
        stage.querySelector("h2").focus();
      })]);
  }

  function practice(title, words, some, ways) {
    const list = h("ol", { class: "fm-quiz-items" });
    const said = h("p", { role: "status", class: "fm-exam-score" });
    const asked = quiz.ask(list, some, () => {
      const done = asked.filter((one) => one.result);
      const right = done.filter((one) => one.result === "right").length;
      said.textContent = done.length ? `${done.length} of ${asked.length} practiced, ${right} right.` : "";
    });
    show(h("h2", {}, `Practice: ${title}`), h("p", {}, words), list, said, h("div", { class: "fm-exam-do" }, ...ways));
    asked[0].focus();
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
    else if (exam.ended !== null) reportScreen();
    else if (exam.away) awayScreen();
    else runScreen();
  }

  async function resume() {
    saved = JSON.stringify(store.note("exam"));
    exam = null;
    if (store.note("exam") !== null) {
      try {
        exam = kept(await loadBank());
      } catch (error) {
        show(h("p", {}, error.message), button("Try again", resume));
        return;
      }
    }
    open();
  }

  store.watch(() => { // another tab
    if (JSON.stringify(store.note("exam")) !== saved) resume();
  });
  resume();
}

export default { render };
