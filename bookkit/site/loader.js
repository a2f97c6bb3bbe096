// Runs the modules of a page's widgets, which are plain scripts, so that a page works that was opened as a file.
//
// A script calls `fmkit.define(name, needs, make)`; its module is made of those that it needs, once they are there.
// `fmkit.modules` has what each exports, and `fmkit.load(name)` resolves with a module that the page may not have
// yet: what a reader may never ask for is not loaded before. At last, every element with `data-widget` gets what its
// module renders. A widget of a notebook finds its saved state on the page, in a model that sends nothing: there is
// no kernel.
"use strict";

window.fmkit ??= {};
{
  const here = document.currentScript.src;
  const modules = {};
  const defined = {}; // scripts whose needs have not come, by name
  const loading = {}; // promises of modules, by name

  function define(name, needs, make) {
    if (needs.every((other) => other in modules)) modules[name] = make(...needs.map((other) => modules[other]));
    else defined[name] = { needs, make };
  }

  /** A module: loaded once, after those that it needs; a failed attempt can be repeated. */
  function load(name) {
    if (name in modules) return Promise.resolve(modules[name]);
    loading[name] ??= fetchModule(name).finally(() => delete loading[name]);
    return loading[name];
  }

  async function fetchModule(name) {
    if (!(name in defined)) await runScript(name);
    if (name in defined) {
      const { needs, make } = defined[name];
      await Promise.all(needs.map(load));
      delete defined[name];
      define(name, needs, make);
    }
    return modules[name];
  }

  async function runScript(name) {
    const script = Object.assign(document.createElement("script"), { src: new URL(`${name}.js`, here) });
    await new Promise((done) => {
      script.onload = script.onerror = done;
      document.head.append(script);
    });
    script.remove();
    if (!(name in modules || name in defined)) {
      throw Error("A part of this page could not be loaded. Check your connection and try again.");
    }
  }

  Object.assign(window.fmkit, { modules, define, load });
}

document.addEventListener("DOMContentLoaded", () => {
  const kind = "application/vnd.jupyter.widget";
  const { modules, load } = window.fmkit;

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

  /** What a notebook's widget was saved with; null of others. */
  function savedOf(el) {
    const view = el.querySelector(`:scope > script[type="${kind}-view+json"]`);
    if (!view) return null;
    const id = JSON.parse(view.textContent).model_id;
    return { id, state: saved[id].state };
  }

  function modelOf({ id, state }) {
    const recorded = modules[`runs/${state.recording}`];
    if (!models.has(id)) models.set(id, createModel({ ...state, recorded }));
    return models.get(id);
  }

  /** Resolves when an element is less than half a screen away, or the page is printed. */
  function near(el) {
    return new Promise((resolve) => {
      const observer = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          observer.disconnect();
          resolve();
        },
        { rootMargin: "50%" },
      );
      observer.observe(el);
      addEventListener("beforeprint", resolve, { once: true });
    });
  }

  async function show(el) {
    const { widget, data } = el.dataset;
    const before = savedOf(el);
    const record = before?.state.recording ? `runs/${before.state.recording}` : data;
    if (record && !(record in modules)) {
      await near(el);
      await load(record).catch(() => {}); // a widget says what it lacks
    }
    modules[widget].default.render({ el, model: before && modelOf(before), data: modules[data] });
  }

  // Each by itself: what fails in one is reported, and stops no other.
  for (const el of document.querySelectorAll("[data-widget]")) queueMicrotask(() => show(el));
});
