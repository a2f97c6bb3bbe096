// Runs the modules of a page's widgets, which are plain scripts, so that a page works that was opened as a file.
//
// A script calls `fmkit.define(name, needs, make)`, after the scripts that it needs; `fmkit.modules` has what each
// exports. When all are there, every element with `data-widget` gets what its module renders. A widget of a notebook
// finds its saved state on the page, in a model that sends nothing: there is no kernel.
"use strict";

window.fmkit ??= {};
Object.assign(window.fmkit, {
  modules: {},
  define(name, needs, make) {
    this.modules[name] = make(...needs.map((other) => this.modules[other]));
  },
});

document.addEventListener("DOMContentLoaded", () => {
  const kind = "application/vnd.jupyter.widget";
  const { modules } = window.fmkit;

  /** The part of anywidget's model that our modules use. */
  function createModel(state) {
    const listeners = new Map();
    const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
    return {
      get: (name) => state[name],
      set(name, value) {
        state[name] = value;
        for (const event of [`change:${name}`, "change"]) of(event).forEach((call) => call());
      },
      on: (event, call) => void of(event).add(call),
      off: (event, call) => void (call ? of(event).delete(call) : listeners.delete(event)),
      save_changes() {},
      send() {},
    };
  }

  const states = [...document.querySelectorAll(`script[type="${kind}-state+json"]`)];
  const saved = Object.assign({}, ...states.map((script) => JSON.parse(script.textContent).state));
  const models = new Map(); // two views of one widget share it

  function modelOf(el) {
    const view = el.querySelector(`:scope > script[type="${kind}-view+json"]`);
    if (!view) return null;
    const id = JSON.parse(view.textContent).model_id;
    const { state } = saved[id];
    if (!models.has(id)) models.set(id, createModel({ ...state, recorded: modules[`runs/${state.recording}`] }));
    return models.get(id);
  }

  for (const el of document.querySelectorAll("[data-widget]")) {
    // Each by itself: what fails in one is reported, and stops no other.
    const { widget, data } = el.dataset;
    queueMicrotask(() => modules[widget].default.render({ el, model: modelOf(el), data: modules[data] }));
  }
});
