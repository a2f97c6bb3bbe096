// Random numbers that a seed repeats on every machine: sfc32 (Doty-Humphrey, PractRand), seeded by splitmix
// (Steele, Lea and Flood 2014) with a mixing function of 32 bits from Wellons' hash-prospector.

const ROUNDS = 12; // before the first number, as in PractRand

/**
 * A source of uniform numbers in [0, 1), multiples of 2^-32.
 * @param {number} seed a whole number; two that differ by a multiple of 2^32 are the same
 * @returns {() => number}
 */
export function createRandom(seed) {
  const split = createSplitmix(seed);
  let [a, b, c, counter] = [split(), split(), split(), 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x100000000;
  };
  for (let round = 0; round < ROUNDS; round++) next();
  return next;
}

/** Whole numbers of 32 bits: neighboring seeds give unlike ones. */
function createSplitmix(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
