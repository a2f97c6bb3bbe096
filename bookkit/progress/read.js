// The button at the end of every chapter, by which the reader says that it is read.

import * as store from "./store.js";

const DAY = 86_400_000; // milliseconds

/** A day of the store in words, such as "November 21". */
export const named = (day) => new Date(day * DAY).toLocaleDateString("en-US", { month: "long", day: "numeric", timeZone: "UTC" });

function render({ el }) {
  const { page } = el.dataset;
  const [button, said] = el.children;

  function show() {
    const at = store.pages().get(page);
    button.textContent = at ? "Mark this page as unread" : "Mark this page as read";
    said.textContent = at ? `✓ Read on ${named(store.day(at))}.` : "";
  }

  button.addEventListener("click", () => {
    store.markRead(page, !store.pages().has(page));
    show();
  });
  store.watch(show);
  show();
}

export default { render };
