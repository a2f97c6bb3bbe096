import { h } from "./dom.js";

const KEYS = { "data-lm-suppress-shortcuts": true }; // JupyterLab has shortcuts on the arrow keys

/** The index of the value nearest to `wanted`, by ratio. */
export function nearest(values, wanted) {
  const distance = (value) => Math.abs(Math.log(value / wanted));
  return values.reduce((best, value, index) => (distance(value) < distance(values[best]) ? index : best), 0);
}

/**
 * A labelled slider over a list of values; arrow keys step through them.
 * @param {{label: string, unit: string, format?: (value: number) => string, onchange: (value: number) => void}} options
 */
export function slider({ label, unit, format = String, onchange }) {
  const id = `fm-${Math.random().toString(36).slice(2)}`;
  const readout = h("output", { for: id });
  const input = h("input", { id, ...KEYS, type: "range", min: 0, step: 1, oninput: () => (show(), onchange(value())) });
  let values = [1];
  const value = () => values[Number(input.value)];
  function show() {
    const units = value() === 1 ? unit.replace(/s$/, "") : unit; // 1 sequence, 2 sequences
    readout.replaceChildren(format(value()), unit ? h("small", {}, ` ${units}`) : "");
    input.setAttribute("aria-valuetext", readout.textContent);
    input.style.setProperty("--share", values.length > 1 ? input.value / (values.length - 1) : 0);
  }
  /** Offer other values; the chosen one becomes `wanted` or, of positive numbers, that nearest to it. */
  function offer(list, wanted) {
    values = list;
    input.max = values.length - 1;
    input.value = values.includes(wanted) ? values.indexOf(wanted) : nearest(values, wanted);
    show();
  }
  return { element: h("div", { class: "fm-slider" }, h("label", { for: id }, label), readout, input), offer, value };
}

/** A labelled choice among a few values; `offer(list, wanted)` as a slider's. */
export function choice({ label, format = String, onchange }) {
  const id = `fm-${Math.random().toString(36).slice(2)}`;
  const select = h("select", { id, ...KEYS, onchange: () => onchange(value()) });
  let values = [];
  const value = () => values[select.selectedIndex];
  function offer(list, wanted) {
    values = list;
    select.replaceChildren(...list.map((each) => h("option", { selected: each === wanted }, format(each))));
  }
  return { element: h("div", { class: "fm-choice" }, h("label", { for: id }, label), select), offer, value };
}

/** A button that stays focusable when there is nothing to press: a keyboard user does not lose the place. */
export function button(label, press, kind = "") {
  const able = () => element.getAttribute("aria-disabled") !== "true";
  const element = h("button", { type: "button", class: `fm-button ${kind}`, onclick: () => able() && press() }, label);
  return { element, enable: (on) => element.setAttribute("aria-disabled", String(!on)) };
}
