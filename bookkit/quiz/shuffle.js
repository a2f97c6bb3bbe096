// Orders by chance, which a seed repeats.

import { createRandom } from "./random.js";

export const newSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];

/** The list in an order by chance; `random` gives numbers in [0, 1). */
export function shuffled(list, random) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

/** Lists of the numbers below `count`, without end, each in an order by chance. */
export function* orders(count, seed) {
  const random = createRandom(seed);
  const numbers = Array.from({ length: count }, (_, number) => number);
  for (;;) yield shuffled(numbers, random);
}
