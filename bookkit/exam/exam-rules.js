// How a practice exam is drawn and scored: pure functions.
//
//   QUESTIONS, PASS                  of the real exam: services.yml, exam-format and exam-scoring
//   minutes(count)                   the time for so many questions, in the real exam's proportion
//   shares(count, weights, room)     how many of `count` each part gets: by its weight, with the largest remainders, and
//                                    no more than it has room for; what it cannot take goes to the others
//   draw(items, count, weights, seed)   `count` of the items, none twice, in random order; `weights` is a Map from
//                                    a domain to its weight, and each item has an `objective` such as "3.4.1" and a
//                                    `rank`: of an objective, the lowest come first
//   gaps(items, weights, sizes)      the domains on which an exam of these items says too little for a scaled score;
//                                    `sizes` is a Map from a domain to the number of its objectives in the guide
//   score(right, of)                 the estimate of the scaled score: linear, 100 for nothing and 1000 for everything
//   interval(right, of)              [low, high]: the 95% interval for the share of right answers (Wilson 1927,
//                                    "Probable inference, the law of succession, and statistical inference")

import { createRandom } from "./random.js";
import { shuffled } from "./shuffle.js";

export const QUESTIONS = 65;
const MINUTES = 90;
export const PASS = 700;
const COVERED = 3 / 4; // of a domain's objectives, see `gaps`
const Z = 1.96; // 95% of a normal distribution is within this many standard deviations

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
export const minutes = (count) => Math.max(1, Math.round((count * MINUTES) / QUESTIONS));
export const domain = (item) => item.objective.split(".")[0];

export function shares(count, weights, room) {
  const given = weights.map(() => 0);
  let open = weights.map((_, part) => part).filter((part) => room[part] > 0);
  let rest = Math.min(count, sum(room));
  for (;;) {
    const whole = sum(open.map((part) => weights[part]));
    const quota = (part) => (rest * weights[part]) / whole;
    const full = open.filter((part) => quota(part) > room[part]);
    if (!full.length) {
      open.forEach((part) => { given[part] = Math.floor(quota(part)); });
      const missing = rest - sum(open.map((part) => given[part]));
      const remainder = (part) => (rest * weights[part]) % whole; // exact, so that of equal ones the first is first
      open.sort((one, other) => remainder(other) - remainder(one)).slice(0, missing)
        .forEach((part) => { given[part] += 1; });
      return given;
    }
    full.forEach((part) => { given[part] = room[part]; });
    rest -= sum(full.map((part) => room[part]));
    open = open.filter((part) => !full.includes(part));
  }
}

// One of each objective in turn, so that none has two before another has one; those of the lowest rank come first.
function inTurn(items, random) {
  const rounds = new Map();
  const ranked = shuffled(items, random).sort((one, other) => one.rank - other.rank);
  const turn = ranked.map((item) => {
    const round = rounds.get(item.objective) ?? 0;
    rounds.set(item.objective, round + 1);
    return { item, round };
  });
  return turn.sort((one, other) => one.round - other.round).map(({ item }) => item);
}

export function draw(items, count, weights, seed) {
  const random = createRandom(seed);
  const groups = [...weights.keys()].map((name) => items.filter((item) => domain(item) === name));
  const taken = shares(count, [...weights.values()], groups.map((group) => group.length));
  return shuffled(groups.flatMap((group, part) => inTurn(group, random).slice(0, taken[part])), random);
}

// The guide weighs its domains (20, 24, 28, 14 and 14%), and a scaled score is a mean over all that it weighs. So many
// right of so many estimates that only if the questions are spread in the same way: in each domain as many as its
// weight gives it, to the rounding, and on three quarters of its objectives. What was never asked could all be wrong.
export function gaps(items, weights, sizes) {
  const whole = sum([...weights.values()]);
  return [...weights.keys()].filter((name) => {
    const own = items.filter((item) => domain(item) === name);
    const quota = (items.length * weights.get(name)) / whole;
    const objectives = new Set(own.map((item) => item.objective)).size;
    return Math.abs(own.length - quota) >= 1 || objectives < COVERED * sizes.get(name);
  });
}

export const score = (right, of) => Math.round(100 + (900 * right) / of);

export function interval(right, of) {
  const share = right / of;
  const middle = share + (Z * Z) / (2 * of);
  const width = Z * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  return [-1, 1].map((sign) => (middle + sign * width) / (1 + (Z * Z) / of));
}
