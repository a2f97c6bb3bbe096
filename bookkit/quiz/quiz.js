// Grades questions. Each type of item is a class of question; whatever shows items imports
//
//   question(form, key, quiz, options)   the question of a form and of its entry in the key; options: `changed` is
//                                        called after an answer and after a retry; `fresh` does not show what the
//                                        store knows of it
//   bank()                               what the page's bank holds (the directive's `bank()`):
//                                        [{quiz, id, version, objective, type, make}, …]; make() is a copy of the
//                                        question's list item and key, {item, key}, to be put somewhere
//
// and a question has: `answer` (null while it is incomplete, see `problem`), `problem()` (what is missing, in words),
// `isRight(answer)`, `show(answer)` (fills it in), `grade()` (shows what is right and why, and locks it), `clear()`,
// `focus()`, `result` (null, "right" or "wrong").
//
// What is kept of an answer is only what was chosen: whether it is right is read from the page every time, and what
// does not fit the question, being damaged, foreign or old, is ignored.

import * as store from "./store.js";

class Question {
  constructor(form, key, quiz, { changed = () => {}, fresh = false } = {}) {
    this.form = form;
    this.quiz = quiz;
    this.id = form.dataset.item;
    this.version = form.dataset.version;
    this.changed = changed;
    this.controls = [...form.querySelectorAll("fieldset :is(input, select)")];
    this.reasons = [...key.querySelectorAll("ul > li")];
    this.again = key.querySelector(".fm-quiz-again");
    this.measured = key.querySelector(".fm-quiz-measured");
    this.hint = form.querySelector(".fm-quiz-hint").textContent;
    this.verdict = form.querySelector(".fm-quiz-verdict");
    this.button = form.querySelector(".fm-quiz-check");
    this.result = null; // null until graded, then "right" or "wrong"
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.result) this.retry();
      else this.check();
    });
    if (!fresh) this.restore();
  }

  get answer() {
    return this.problem() ? null : this.given();
  }

  restore() {
    const kept = store.item(this.quiz, this.id);
    if (kept?.version !== this.version || kept.answer === null) return;
    this.show(kept.answer);
    if (JSON.stringify(this.answer) !== JSON.stringify(kept.answer)) { // it does not fit the question
      this.empty();
      return;
    }
    if (!kept.history.length) this.keep(); // from before attempts were kept
    this.grade();
  }

  // Shows what another tab has made of it; true if that is something else. What the reader has begun here stays: it
  // may become the newer answer.
  refresh() {
    const begun = this.controls.some(({ type, checked, value }) => (/radio|checkbox/.test(type) ? checked : value));
    if (!this.result && begun) return false;
    const kept = store.item(this.quiz, this.id)?.answer ?? null;
    if (JSON.stringify(kept) === JSON.stringify(this.result && this.given())) return false;
    if (this.result) this.clear();
    this.restore();
    return true;
  }

  keep() {
    store.answer(this.quiz, this.id, this.version, this.answer, this.isRight(this.answer));
  }

  check() {
    this.verdict.textContent = this.problem();
    if (this.answer === null) return;
    this.keep();
    this.grade();
    this.changed();
  }

  grade() {
    const answer = this.answer;
    this.result = this.isRight(answer) ? "right" : "wrong";
    this.form.dataset.result = this.result;
    this.controls.forEach((control) => { control.disabled = true; });
    this.explain(answer);
    this.form.querySelector("fieldset").append(this.again.cloneNode(true));
    this.verdict.textContent = this.result === "right" ? "✓ Right." : "✗ Not quite: see the reasons above.";
    this.button.textContent = "Try again";
  }

  part(number) {
    return this.controls[number].closest(".fm-quiz-part");
  }

  feedback(part, mark, words, reason, ...more) {
    const box = document.createElement("p");
    box.className = "fm-quiz-feedback";
    const label = document.createElement("b");
    label.textContent = `${words}.`;
    box.append(label, " ", reason.querySelector(".fm-quiz-reason").cloneNode(true), ...more);
    part.dataset.mark = mark;
    part.append(box);
  }

  clear() {
    this.result = null;
    delete this.form.dataset.result;
    this.form.querySelectorAll(".fm-quiz-feedback, .fm-quiz-again").forEach((part) => part.remove());
    this.form.querySelectorAll("[data-mark]").forEach((part) => { delete part.dataset.mark; });
    this.controls.forEach((control) => { control.disabled = false; });
    this.empty();
    this.verdict.textContent = "";
    this.button.textContent = "Check";
  }

  retry() {
    store.takeBack(this.quiz, this.id);
    this.clear();
    this.changed();
    this.focus();
  }

  focus() {
    this.controls[0].focus();
  }
}

// One option or more: their numbers, from 0.
class Choice extends Question {
  static MARKS = {
    "chosen correct": "✓ Right, your choice",
    "chosen": "✗ Wrong, your choice",
    "correct": "✓ Right, not chosen",
    "left": "Wrong, not chosen",
  };

  given() {
    return this.controls.flatMap((control, number) => (control.checked ? [number] : []));
  }

  show(answer) {
    this.controls.forEach((control, number) => { control.checked = answer.includes(number); });
  }

  empty() {
    this.show([]);
  }

  problem() {
    const count = this.given().length;
    if (count === Number(this.form.dataset.choose)) return "";
    return count && this.controls[0].type === "checkbox" ? `${this.hint} You chose ${count}.` : this.hint;
  }

  correct(number) {
    return "correct" in this.reasons[number].dataset;
  }

  isRight(answer) {
    return this.controls.every((_, number) => answer.includes(number) === this.correct(number));
  }

  explain(answer) {
    this.reasons.forEach((reason, number) => {
      const words = [answer.includes(number) && "chosen", this.correct(number) && "correct"].filter(Boolean);
      const mark = words.join(" ") || "left";
      this.feedback(this.part(number), mark, Choice.MARKS[mark], reason);
    });
  }
}

// A place for each step, or a match for each prompt: their numbers, from 1, each once.
class Places extends Question {
  given() {
    return this.controls.map((control) => Number(control.value));
  }

  show(answer) {
    this.controls.forEach((control, number) => { control.value = String(answer[number] ?? ""); });
  }

  empty() {
    this.show([]);
  }

  problem() {
    const given = this.given();
    const open = given.filter((place) => !place).length;
    if (open) return `${this.hint} ${open === given.length ? "" : `${open} of ${given.length} to go.`}`.trim();
    const twice = given.findIndex((place, number) => given.indexOf(place) < number);
    return twice < 0 ? "" : `${this.hint} ${this.name(given[twice])} is used twice.`;
  }

  name(place) {
    return this.form.dataset.type === "ordering" ? `Place ${place}` : "ABCDEFG"[place - 1];
  }

  isRight(answer) {
    return this.reasons.every((reason, number) => answer[number] === Number(reason.dataset.correct));
  }

  explain(answer) {
    this.reasons.forEach((reason, number) => {
      const right = Number(reason.dataset.correct);
      const same = answer[number] === right;
      const words = same ? `✓ ${this.name(right)} is right` : `✗ ${this.name(answer[number])} is wrong; right: ${this.name(right)}`;
      this.feedback(this.part(number), same ? "chosen correct" : "chosen", words, reason);
    });
  }
}

// A number that was measured: the text that the reader typed.
class Measured extends Question {
  static FORM = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i;
  static GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3}|\s\d{3})+(\.\d+)?$/; // 1,500 as the pages print it, and 1 500

  given() {
    return this.controls[0].value.trim();
  }

  show(answer) {
    this.controls[0].value = typeof answer === "string" ? answer : "";
  }

  empty() {
    this.show("");
  }

  static read(text) {
    const written = text.replace("−", "-");
    const plain = Measured.GROUPED.test(written) ? written.replace(/[,\s]/g, "") : written;
    return Measured.FORM.test(plain) ? Number(plain.replace(",", ".")) : NaN;
  }

  problem() {
    const fault = this.given() ? "That is not a number." : "Type the number.";
    return Number.isFinite(Measured.read(this.given())) ? "" : `${fault} Write it like 0.43 or 1,500.`;
  }

  // Within the tolerance of a number, with a margin for rounding. That of a smaller mistake is smaller in proportion.
  near(answer, reason) {
    const [value, key] = [reason, this.reasons[0]].map((one) => Number(one.dataset.correct));
    const part = key === 0 ? 1 : Math.min(1, Math.abs(value / key));
    return Math.abs(Measured.read(answer) - value) <= part * Number(this.reasons[0].dataset.tolerance) * (1 + 1e-9);
  }

  isRight(answer) {
    return this.near(answer, this.reasons[0]);
  }

  explain(answer) {
    const [right, ...mistakes] = this.reasons;
    const is = `${right.querySelector("b").textContent}${this.form.querySelector(".fm-quiz-unit").textContent}`;
    const you = `You wrote ${Measured.read(answer).toLocaleString("en-US", { maximumFractionDigits: 9 })}`;
    const mark = this.result === "right" ? "chosen correct" : "chosen";
    const known = mark === "chosen" && mistakes.find((mistake) => this.near(answer, mistake));
    if (known) this.feedback(this.part(0), mark, `✗ ${you}, the result of a common mistake`, known);
    const words = mark === "chosen" ? `${known ? "" : `✗ ${you}. `}It is ${is}` : `✓ ${you}, and it is ${is}`;
    this.feedback(this.part(0), mark, words, right, " ", this.measured.cloneNode(true));
  }
}

const TYPES = {
  "multiple-choice": Choice,
  "multiple-response": Choice,
  "ordering": Places,
  "matching": Places,
  "numeric": Measured,
};

export function question(form, key, quiz, options) {
  return new TYPES[form.dataset.type](form, key, quiz, options);
}

export function bank() {
  const template = document.querySelector(".fm-quiz-bank");
  return [...template.content.querySelectorAll("[data-quiz]")].flatMap((quiz) => {
    const keys = [...quiz.querySelectorAll("li[data-item]")];
    return [...quiz.querySelectorAll("form")].map((form, number) => ({
      quiz: quiz.dataset.quiz,
      id: form.dataset.item,
      version: form.dataset.version,
      objective: form.dataset.objective,
      type: form.dataset.type,
      make: () => ({
        item: document.importNode(form.closest("li"), true),
        key: document.importNode(keys[number], true),
      }),
    }));
  });
}

function render({ el: section }) {
  const { quiz } = section.dataset;
  const score = section.querySelector(".fm-quiz-score");
  const reset = section.querySelector(".fm-quiz-reset");
  const key = section.querySelector(".fm-quiz-key");
  const keys = [...key.querySelectorAll("li[data-item]")];

  function changed() {
    const answered = questions.filter((one) => one.result).length;
    const right = questions.filter((one) => one.result === "right").length;
    const done = answered === questions.length ? "All" : `${answered} of ${questions.length}`;
    score.textContent = answered ? `${done} answered, ${right} right.` : `${questions.length} questions, none answered yet.`;
    reset.hidden = !answered;
  }

  const questions = [...section.querySelectorAll("form")]
    .map((form, number) => question(form, keys[number], quiz, { changed }));
  reset.addEventListener("click", () => {
    questions.forEach((one) => {
      store.takeBack(quiz, one.id);
      one.clear();
    });
    changed();
    questions[0].focus();
  });
  store.watch(() => { if (questions.filter((one) => one.refresh()).length) changed(); });
  changed();
}

export default { render };
