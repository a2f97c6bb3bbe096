import { h, short } from "./dom.js";
import { button } from "./controls.js";

const MOST = 2_000_000; // characters: more would keep a page busy for long before it trains

/**
 * A text of the reader's own, typed, pasted, dropped or opened from a file. It stays in the page.
 * @param {(text: {number: number, texts: string[]} | null) => void} onchange its documents, which are those between
 *   empty lines; null for none
 */
export function createText(onchange) {
  const id = `fm-${Math.random().toString(36).slice(2)}`;
  const area = h("textarea", { id, rows: 6, spellcheck: "false", "data-lm-suppress-shortcuts": true, oninput: remind, ondragover: (event) => event.preventDefault(), ondrop: drop });
  const file = h("input", { type: "file", accept: ".txt,.md,.csv,.py,text/*", "aria-label": "A file with your text", onchange: () => read(file.files[0]) });
  const said = h("p", { role: "status" });
  const use = button("Use this text", take), back = button("Back to the stories", leave);
  let number = 0;

  /** A text that is only typed is not learned yet. */
  function remind() {
    said.textContent = area.value.trim() ? "Press “Use this text”, and then Train." : "";
  }

  function drop(event) {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  }

  async function read(chosen) {
    if (!chosen) return;
    try {
      if (chosen.size > 4 * MOST) throw new Error("it is too large");
      area.value = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
      take();
    } catch (error) {
      said.textContent = error instanceof TypeError
        ? `${chosen.name} is not a text file in UTF-8.` : `${chosen.name} could not be read: ${error.message}.`;
    }
  }

  function take() {
    const text = area.value.toWellFormed?.() ?? area.value, texts = text.split(/\n\s*\n/).filter((each) => each.trim());
    if (!texts.length) return void (said.textContent = "Type or paste a text first, a few pages long.");
    if (text.length > MOST) return void (said.textContent = `Your text has ${short(text.length)} characters; the page takes ${short(MOST)}.`);
    number += 1;
    const parts = texts.length === 1 ? "1 document" : `${texts.length} documents`;
    said.textContent = `Your text ${number} is used: ${short(text.length)} characters in ${parts}. Its floor is unknown. The loss is measured on its last tenth, which is held out.`;
    back.enable(true);
    onchange({ number, texts });
  }

  function leave() {
    said.textContent = "The book's stories are used.";
    back.enable(false);
    onchange(null);
  }

  back.enable(false);
  return {
    element: h("details", { class: "fm-own-text" }, h("summary", {}, "Train on a text of your own"),
      h("label", { for: id }, "Your text, which stays in this page. An empty line begins a new document."), area,
      h("div", { class: "fm-actions" }, use.element, back.element, file), said),
  };
}
