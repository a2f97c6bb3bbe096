// Twelve pages of a crawl: the reader keeps or drops each, then sees what filters, DSIR and the world say of it.
import { button } from "./controls.js";

function render({ el }) {
  const truth = JSON.parse(el.dataset.truth), kept = truth.map(() => null);
  const pages = [...el.querySelectorAll(".fm-crawl-pages > li")];
  const status = el.querySelector(".fm-crawl-status"), cells = [...el.querySelectorAll(".fm-crawl-you td")];

  const buttons = pages.map((page, number) => [[true, "Keep"], [false, "Drop"]].map(([keep, name]) => {
    const { element } = button(name, () => decide(number, keep));
    page.querySelector(".fm-crawl-choice").append(element);
    return [keep, element];
  }));

  let now = 0;
  const back = button("Back", () => turn(now - 1)), next = button("Next page", () => turn(now + 1));
  el.querySelector(".fm-crawl-steps").append(back.element, next.element);

  function decide(number, keep) {
    kept[number] = keep;
    show();
  }

  /** Another page: its text gets the focus, so that it is read aloud and the next Tab leads to its buttons. */
  function turn(number) {
    now = number;
    show();
    pages[now].querySelector(".fm-crawl-text").focus();
  }

  function show() {
    const left = kept.filter((keep) => keep === null).length;
    pages.forEach((page, number) => {
      page.classList.toggle("now", number === now);
      page.classList.toggle("decided", kept[number] !== null);
      for (const [keep, element] of buttons[number]) {
        element.setAttribute("aria-pressed", String(kept[number] === keep));
        element.classList.toggle("fm-primary", kept[number] === keep);
      }
    });
    back.enable(now > 0);
    next.enable(kept[now] !== null && now < kept.length - 1);
    el.classList.toggle("finished", !left);
    const { pages: count, notes, other, rest } = tally();
    [count, notes, other, rest].forEach((value, column) => { cells[column].textContent = value; });
    status.textContent = left
      ? `${kept.length - left} of ${kept.length} pages decided.`
      : `You kept ${count} pages: ${notes} sound notes, ${other} other sound pages, ${rest} of the rest.`;
  }

  /** What the reader kept, counted as the rows of the table are. */
  function tally() {
    const chosen = truth.filter((_, number) => kept[number]);
    const notes = chosen.filter(({ note }) => note).length, sound = chosen.filter((page) => page.sound).length;
    return { pages: chosen.length, notes, other: sound - notes, rest: chosen.length - sound };
  }

  function restart() {
    kept.fill(null);
    turn(0);
  }

  el.querySelector(".fm-crawl-again").append(button("Start again", restart).element);
  show();
}

export default { render };
