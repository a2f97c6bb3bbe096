// Recorded traces of an agent: its steps appear one by one, and the reader says which of them went wrong.
import { button } from "./controls.js";
import { h } from "./dom.js";

function render({ el }) {
  const part = (name) => el.querySelector(`.fm-traces-${name}`);
  const cases = [...el.querySelectorAll(".fm-traces-case")];
  const wrong = cases.map((one) => Number(one.dataset.wrong)); // -1: no step is wrong
  const guesses = cases.map(() => null);
  const [place, ask, count, status] = ["place", "ask", "count", "status"].map(part);
  let now = 0, seen = 1;

  const steps = cases.map((one, number) => [...one.querySelectorAll(".fm-traces-step")].map((step, at) => {
    const choose = h("button", { type: "button", class: "fm-traces-choose", "aria-pressed": "false", onclick: () => guess(number, at) });
    choose.append(...step.childNodes);
    step.append(choose);
    return choose;
  }));
  const more = button("Next step", () => show(seen + 1, true));
  const fine = button("No step is wrong", () => guess(now, -1));
  const next = button("Next letter", () => go(now + 1), "fm-traces-next");
  const again = button("Start again", restart, "fm-traces-again");
  part("moves").append(more.element, fine.element, next.element, again.element);

  function show(number, speak = false) {
    seen = Math.min(number, steps[now].length);
    steps[now].forEach((choose, at) => { choose.parentElement.classList.toggle("hidden", at >= seen); });
    const told = guesses[now] !== null, all = seen === steps[now].length;
    more.enable(!all && !told);
    fine.enable(all && !told);
    if (speak) status.textContent = `Step ${seen}: ${steps[now][seen - 1].textContent.trim().replace(/\s+/g, " ")}`;
  }

  function guess(number, at) {
    if (guesses[number] !== null) return;
    guesses[number] = at;
    tell();
    const right = at === wrong[number];
    status.textContent = `${right ? "Right." : "Wrong."} ${cases[number].querySelector(".fm-traces-truth").textContent}`;
    (now + 1 < cases.length ? next : again).element.focus({ preventScroll: true });
  }

  /** Shows what is known of the case in sight, and the count so far. */
  function tell() {
    const guessed = guesses[now], told = guessed !== null;
    const found = guesses.filter((one, i) => one !== null && one === wrong[i]).length;
    const done = guesses.filter((one) => one !== null).length;
    cases.forEach((one, other) => one.classList.toggle("now", other === now));
    cases[now].classList.toggle("told", told);
    steps[now].forEach((choose, at) => {
      choose.setAttribute("aria-pressed", String(at === guessed));
      choose.setAttribute("aria-disabled", String(told));
    });
    show(told ? steps[now].length : seen);
    place.textContent = `Letter ${now + 1} of ${cases.length}.`;
    ask.textContent = told ? (guessed === wrong[now] ? "You found it." : "Look again:") : "At which step did it go wrong, if at all?";
    count.textContent = done ? `${found} of ${done} found` : "";
    const last = now + 1 === cases.length;
    next.element.hidden = last && told;
    next.enable(told && !last);
    again.element.hidden = !(last && told);
  }

  function go(number, focus = true) {
    [now, seen] = [number, 1];
    tell();
    status.textContent = "";
    if (focus) cases[now].focus({ preventScroll: true });
    if (focus && el.getBoundingClientRect().top < 0) el.scrollIntoView({ block: "start" });
  }

  function restart() {
    guesses.fill(null);
    cases.forEach((one) => one.classList.remove("told"));
    go(0);
  }

  el.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || guesses[now] !== null) return;
    if (event.key.toLowerCase() === "n") show(seen + 1, true);
    else if (event.key === "0" && seen === steps[now].length) guess(now, -1);
    else if (/^[1-9]$/.test(event.key) && Number(event.key) <= seen) guess(now, Number(event.key) - 1);
    else return;
    event.preventDefault();
  });
  go(0, false);
}

export default { render };
