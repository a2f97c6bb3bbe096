// The story world in the page: a grammar that knows the probability of every text it can write. The twin of
// fmkit/world/grammar.py, with the parts of a template from fmkit/world/rules.py; bookkit/engine/story_world.py writes
// the data that it reads.
//
// One grammar runs in two directions. `derive` writes a text; `derivations` reads one, by following every way to derive
// it. So `logProb` is exact, and `check` says at which character a text stops being one of the grammar's.
//
// Log-probabilities are natural logarithms (nats); positions count from 0 in UTF-16 units, as everywhere in JavaScript.

/**
 * What a grammar says about a text.
 *
 * `logProb` is in nats, -Infinity if the text is not valid. Then `brokeAt` is the number of UTF-16 units up to which it
 * could still have become a valid text, and `expected` lists what could follow there (whole words, in the grammar's
 * order). An `unfinished` text broke only because it ended: `brokeAt === text.length`.
 * @typedef {{valid: boolean, logProb: number, brokeAt: number | null, expected: string[], unfinished: boolean}} Verdict
 */

/** A probabilistic attribute grammar. A text is what the rule `start` can become. */
export class Grammar {
  /** @param {{rules: object, things: Array[], shapes: string[][][], weights: number[][]}} data see story_world.py */
  constructor({ rules, things, shapes, weights }) {
    const entities = things.map(() => new Entity([["", ""]])); // before their facts: they may be facts of each other
    const read = (part) => readPart(part, entities, weights);
    things.forEach(([shape, ...facts], number) => {
      facts.map(read).forEach((fact, k) => shapes[shape][k].forEach((name) => entities[number].set(name, fact)));
    });
    this.rules = new Map(Object.entries(rules).map(([name, rule]) => [name, read(rule)]));
  }

  /** What a dotted name means: a thing that is bound to it or, if there is none, a rule. */
  look(path, bound) {
    let value = bound.get(path[0]) ?? this.rules.get(path[0]);
    for (let k = 1; k < path.length; k++) value = value.get(path[k]);
    return value;
  }

  /** What a `Show` writes: a word, a template, or a thing; with a number, the thing's form for it. */
  shown(part, bound) {
    const value = this.look(part.path, bound);
    return part.number ? value.get(this.look(part.number, bound).get("name")) : value;
  }

  /** All that can fill a place: { probability, head: the text it begins with, inner: what to write, thing drawn }. */
  ways(part, bound) {
    if (part instanceof OneOf) return part.ways;
    const things = this.look(part.source, part.source.length > 1 ? bound : NOTHING); // a plain name is a rule
    return things.ways(part.form, bound);
  }

  /**
   * Write a text: go through the template and choose at random wherever there is a choice.
   * @param {() => number} random uniform numbers in [0, 1)
   * @returns {{text: string, logProb: number, bound: Map<string, Entity>}}
   */
  derive(random) {
    let [text, logProb] = ["", 0];
    const [todo, bound] = [[this.rules.get("start")], new Map()];
    while (todo.length) {
      const part = todo.pop();
      if (typeof part === "string") text += part;
      else if (part instanceof Entity) todo.push(part.get("name"));
      else if (Array.isArray(part)) for (let k = part.length - 1; k >= 0; k--) todo.push(part[k]);
      else if (part instanceof Show) todo.push(this.shown(part, bound));
      else {
        const { probability, inner, thing } = choose(this.ways(part, bound), random);
        logProb += Math.log(probability);
        if (thing) bound.set(part.name, thing);
        todo.push(inner);
      }
    }
    return { text, logProb, bound };
  }

  /**
   * Tell a story. The grammar of the stories is unambiguous, so one derivation has all its probability.
   * @param {() => number} random uniform numbers in [0, 1)
   * @returns {{text: string, logProb: number, plot: string}}
   */
  sample(random) {
    const { text, logProb, bound } = this.derive(random);
    return { text, logProb, plot: bound.get("plot").get("name") };
  }

  /**
   * Read a text: go through the same template and follow every choice the text allows, depth first.
   *
   * `misses` collects the places where the text does not continue as the grammar would.
   */
  *derivations(text, misses = null) {
    const start = { part: this.rules.get("start"), rest: null };
    const agenda = [{ at: 0, logProb: 0, bound: NOTHING, todo: start }];
    while (agenda.length) {
      const derivation = this.follow(agenda.pop(), text, agenda, misses);
      if (derivation) yield derivation;
    }
  }

  /** Read on up to the next choice, whose ways go on the agenda, or to the end, which makes a derivation. */
  follow({ at, logProb, bound, todo }, text, agenda, misses) {
    while (todo) {
      const { part, rest } = todo;
      todo = rest;
      if (typeof part === "string") {
        if (!text.startsWith(part, at)) return void misses?.push({ at, part });
        at += part.length;
      } else if (part instanceof Entity) todo = { part: part.get("name"), rest };
      else if (Array.isArray(part)) for (let k = part.length - 1; k >= 0; k--) todo = { part: part[k], rest: todo };
      else if (part instanceof Show) todo = { part: this.shown(part, bound), rest };
      else {
        const ways = this.ways(part, bound);
        for (let k = ways.length - 1; k >= 0; k--) {
          const { probability, head, inner, thing } = ways[k];
          if (text.startsWith(head, at)) {
            const now = thing ? new Map(bound).set(part.name, thing) : bound;
            agenda.push({ at, logProb: logProb + Math.log(probability), bound: now, todo: { part: inner, rest } });
          } else misses?.push({ at, part: head });
        }
        return;
      }
    }
    if (at === text.length) return { text, logProb, bound };
    misses?.push({ at, part: "" });
  }

  /** The exact log-probability of a text in nats, the sum over its derivations; -Infinity if there is none. */
  logProb(text) {
    const logs = Array.from(this.derivations(text), (derivation) => derivation.logProb);
    if (logs.length < 2) return logs[0] ?? -Infinity;
    const most = Math.max(...logs);
    return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
  }

  /**
   * Whether a text is valid, and if not, where it broke and what was expected there.
   * @param {string} text
   * @returns {Verdict}
   */
  check(text) {
    const logProb = this.logProb(text);
    if (logProb > -Infinity) return { valid: true, logProb, brokeAt: null, expected: [], unfinished: false };
    const misses = [];
    for (const _ of this.derivations(text, misses));
    const reached = misses.map(({ at, part }) => ({ at, part, end: at + shared(text, at, part) }));
    const brokeAt = reached.reduce((most, { end }) => Math.max(most, end), 0);
    const here = reached.filter(({ end }) => end === brokeAt);
    const expected = [...new Set(here.map(({ at, part }) => word(part, brokeAt - at)))];
    return { valid: false, logProb, brokeAt, expected, unfinished: brokeAt === text.length };
  }
}

export const END = "(the end)"; // among the expected words where the text should have ended

const NOTHING = new Map(); // what is bound at the start of a text

/** How many units of a part the text has at a position. */
function shared(text, at, part) {
  let k = 0;
  while (k < part.length && text[at + k] === part[k]) k++;
  return k;
}

/** The word of a part around its k-th unit: what was expected there. */
function word(part, k) {
  if (!part) return END;
  const start = part.slice(0, k).lastIndexOf(" ") + 1;
  const end = part.indexOf(" ", k + 1);
  return part.slice(start, end < 0 ? part.length : end);
}

/** One of the ways, by their probabilities. */
function choose(ways, random) {
  let left = random();
  return ways.find(({ probability }) => (left -= probability) < 0) ?? ways.at(-1); // if rounding left a bit over
}

/**
 * A thing of the world: its name and facts. A fact is a word, a template, a thing, or a list of things.
 *
 * A fact asked for with a capital, `thing.get("He")`, is the fact `he` with a capital letter.
 */
class Entity extends Map {
  get(name) {
    if (this.has(name)) return super.get(name);
    const small = super.get(name[0].toLowerCase() + name.slice(1));
    this.set(name, small[0].toUpperCase() + small.slice(1));
    return super.get(name);
  }
}

/** A place in a template that writes a fact of a thing, or a rule. */
class Show {
  constructor({ show, number }) {
    this.path = show.split(".");
    this.number = number?.split(".");
  }
}

/** A place in a template that draws a thing from a list, names it and writes one of its facts. */
class Draw {
  constructor({ draw, source, form }) {
    this.name = draw;
    this.source = source.split(".");
    this.form = form;
  }
}

/** A place in a template that chooses between templates. */
class OneOf {
  constructor(templates, weights) {
    this.ways = templates.map((inner, k) => ({ probability: weights[k], head: headOf(inner), inner, thing: null }));
  }
}

/** A list to draw from: weights and things. */
class Things {
  constructor(things, weights) {
    this.pairs = things.map((thing, k) => ({ weight: weights[k], thing }));
    this.all = new Set(things);
    this.allFree = new Map(); // the ways of each form, as long as nothing is in use
  }

  /** The ways to draw a thing that has no name yet, writing one of its facts. */
  ways(form, bound) {
    const used = new Set();
    for (const thing of bound.values()) if (this.all.has(thing)) used.add(thing);
    if (used.size) return this.free(form, used);
    if (!this.allFree.has(form)) this.allFree.set(form, this.free(form, used));
    return this.allFree.get(form);
  }

  free(form, used) {
    const free = this.pairs.filter(({ thing }) => !used.has(thing));
    const total = free.reduce((sum, { weight }) => sum + weight, 0);
    return free.map(({ weight, thing }) => {
      const inner = thing.get(form);
      return { probability: weight / total, head: headOf(inner), inner, thing };
    });
  }
}

/** The text a part starts with, as far as it is known without a choice. */
function headOf(part) {
  const first = Array.isArray(part) ? part[0] : part;
  return typeof first === "string" ? first : "";
}

/** What a part of the data stands for. */
function readPart(part, entities, weights) {
  const read = (inner) => readPart(inner, entities, weights);
  if (typeof part === "string") return part;
  if (typeof part === "number") return entities[part];
  if (Array.isArray(part)) return part.map(read);
  if (part.show) return new Show(part);
  if (part.draw) return new Draw(part);
  if (part.oneOf) return new OneOf(part.oneOf.map(read), weights[part.weights]);
  return new Things(part.things.map(read), weights[part.weights]);
}
