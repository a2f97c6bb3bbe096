// What an assistant saves: the formulas of fmkit/evaluation/business.py, whose tests compare the two.

export const SHARES = ["people_errors", "handled", "errors"];
export const POSITIVE = ["volume", "months"];
const PRIMES = [2, 3, 5, 7, 11, 23, 29, 31, 59, 61, 67, 71];
// In the order of the draws.
export const NAMES = [
  "volume", "minutes", "wage", "people_errors", "handled", "errors",
  "error_cost", "tokens", "price", "build", "keep", "months",
];
const DRAWS = 2000;

const ratio = (above, below) => (below > 0 ? above / below : Infinity);

/** What follows from one value for each input. */
export function evaluate(c) {
  const byPerson = (c.minutes / 60) * c.wage + c.people_errors * c.error_cost;
  const byModel = (c.tokens * c.price) / 1e6;
  const answered = c.handled * c.errors * c.error_cost;
  const perInteraction = byModel + answered + (1 - c.handled) * byPerson + c.keep / c.volume;
  const saving = c.volume * (byPerson - perInteraction);
  const net = c.months * saving - c.build;
  const margin = c.handled * (byPerson - c.errors * c.error_cost) - byModel;
  return {
    by_person: byPerson,
    by_model: byModel,
    per_interaction: perInteraction,
    saving,
    net,
    roi: ratio(net, c.build + c.months * (c.keep + c.volume * byModel)),
    break_even_month: ratio(c.build, saving),
    break_even_volume: ratio(c.keep + c.build / c.months, margin),
  };
}

/** Each result for all draws, in rising order. */
export function draw(ranges) {
  const roots = PRIMES.map(Math.sqrt), drawn = {};
  for (let i = 1; i <= DRAWS; i++) {
    const one = {};
    NAMES.forEach((name, k) => {
      const [low, high] = ranges[name];
      one[name] = low + (high - low) * ((i * roots[k]) % 1);
    });
    for (const [name, value] of Object.entries(evaluate(one))) (drawn[name] ??= []).push(value);
  }
  for (const values of Object.values(drawn)) values.sort((a, b) => a - b);
  return drawn;
}

/** The values below which 10, 50 and 90% of the draws are. */
export function percentiles(ordered) {
  return [0.1, 0.5, 0.9].map((share) => ordered[Math.max(Math.ceil(share * ordered.length) - 1, 0)]);
}

export function middle(ranges) {
  return Object.fromEntries(NAMES.map((name) => [name, (ranges[name][0] + ranges[name][1]) / 2]));
}

/** Each input's name, and the net at both of its ends with the others in the middle; the widest first. */
export function swings(ranges) {
  const center = middle(ranges);
  const rows = NAMES.map((name) => [name, ...ranges[name].map((end) => evaluate({ ...center, [name]: end }).net)]);
  return rows.sort((one, other) => Math.abs(other[2] - other[1]) - Math.abs(one[2] - one[1]));
}

/** The value of an input at which the net is 0, or null; and whether the net rises with it. */
export function turningPoint(ranges, name) {
  const center = middle(ranges), least = POSITIVE.includes(name) ? 1e-9 : 0;
  const [at, oneMore] = [least, 1].map((end) => evaluate({ ...center, [name]: end }).net);
  if (at === oneMore) return { value: null, rises: false };
  const value = least + ((1 - least) * at) / (at - oneMore);
  const possible = value >= least && (!SHARES.includes(name) || value <= 1);
  return { value: possible ? value : null, rises: oneMore > at };
}
