/**
 * Who trains: the notebook's kernel. Like every trainer it has `start(setting)` and `stop()`, and tells what it does
 * by `open`: `open({ setting, … })` announces a run and returns { update(changes), end({ state, message }) } for it.
 * The kernel also announces runs that no press started: those of a cell, and after a reload those before.
 * @param {{open: (facts) => {update: (changes) => void, end: (changes) => void}, onlive: () => void,
 *   onfloor: (floor: number|null) => void}} callbacks `onlive` is called whenever a kernel has answered
 */
export function createKernel(model, { open, onlive, onfloor }) {
  const followed = new Map(); // by number
  let answered = false, unasked = 0;

  const heard = {
    pong({ runs, floor }) {
      answered = true;
      followed.clear();
      onlive();
      onfloor(floor);
      for (const { points, ...run } of runs) (heard.run({ ...run, state: "training" }, points), heard.run(run));
    },
    floor: ({ floor }) => onfloor(floor),
    run({ number, setting, ...facts }, points = []) {
      if (!followed.has(number)) followed.set(number, { points, ...open({ number, setting, points, ...facts }) });
      const run = followed.get(number);
      if (facts.state === "preparing" || facts.state === "training") run.update(facts);
      else run.end(facts);
    },
    points({ number, start, points, ...changes }) {
      const run = followed.get(number);
      run?.points.splice(start, Infinity, ...points);
      run?.update(changes);
    },
  };
  function listen({ type, ...content }) {
    heard[type](content);
    // A cell that runs may have kept the kernel from hearing the first ping: after 1, 2, 4, 8 … messages, ask again.
    if (!answered && Number.isInteger(Math.log2(++unasked))) model.send({ type: "ping" });
  }
  model.on("msg:custom", listen);
  model.send({ type: "ping" });
  return {
    mode: "live",
    start: (setting) => model.send({ type: "train", setting }),
    stop: () => model.send({ type: "stop" }),
    forget: (run) => model.send({ type: "remove", number: run.number }),
    origin: () => ["Runs are trained by this notebook's kernel."],
    close: () => model.off("msg:custom", listen),
  };
}
