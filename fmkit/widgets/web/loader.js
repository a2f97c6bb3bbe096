// The widgets of a page that has no kernel. A notebook keeps the state of its widgets without their modules;
// here a module is found by its name and given a model that holds the state and sends nothing. This is a plain
// script, and it loads plain scripts only, so that a page that was opened as a file works too.
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const kind = "application/vnd.jupyter.widget";
  const parts = new Map();

  /** A script of the site that calls `fmkit.define(name, value)`, loaded once; the promise of that value. */
  function part(name) {
    if (!parts.has(name)) {
      const script = document.createElement("script");
      const loaded = new Promise((resolve, reject) => {
        parts.set(name, { resolve });
        script.onerror = () => reject(new Error(`no ${script.src}`));
      });
      parts.get(name).loaded = loaded;
      script.src = `${here}${name}.js`;
      document.head.append(script);
    }
    return parts.get(name).loaded;
  }
  window.fmkit = { define: (name, value) => parts.get(name).resolve(value) };

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

  const models = new Map();
  async function open(id, state) {
    const module = await part(state._anywidget_id.split(".").at(-2));
    const recorded = state.recording ? await part(`runs/${state.recording}`) : null;
    const model = createModel({ ...state, recorded });
    await module.initialize?.({ model });
    return { module, model };
  }

  const states = [...document.querySelectorAll(`script[type="${kind}-state+json"]`)];
  const saved = Object.assign({}, ...states.map((script) => JSON.parse(script.textContent).state));
  for (const view of document.querySelectorAll(`script[type="${kind}-view+json"]`)) {
    const { model_id: id } = JSON.parse(view.textContent);
    if (!models.has(id)) models.set(id, open(id, saved[id].state));
    models.get(id).then(({ module, model }) => module.render({ model, el: view.parentElement }));
  }
})();
