// The formulas of fmkit/footprint.py. A range is [low, high]; a number is a range without width.

/** The product of ranges of numbers that are 0 or more. */
export function product(...factors) {
  const ends = factors.map((factor) => (Array.isArray(factor) ? factor : [factor, factor]));
  return ends.reduce(([low, high], [a, b]) => [low * a, high * b], [1, 1]);
}

/** 6 N D: the FLOPs to train N parameters on D tokens. */
export function trainingFlops(parameters, tokens) {
  return 6 * parameters * tokens;
}

/** Hours of a chip of `peak` FLOP/s, of which the share `mfu` is used. */
export function gpuHours(flops, peak, mfu) {
  return flops / (peak * mfu * 3600);
}

export function energyKwh(hours, watts, pue = 1) {
  return (hours * watts * pue) / 1000;
}

export function carbonKg(kwh, intensity) {
  return kwh * intensity;
}

/** Liters that evaporate for `kwh` of the computers, on the site and at the power plants. */
export function waterLiters(kwh, site, source, pue = 1) {
  return kwh * (site + pue * source);
}

/** What a job takes, each a range; its parts are those of fmkit.footprint.Job. */
export function job({ hours, watts, chips, pue, grid, site, source, embodied, price }) {
  const both = (at) => [at(0), at(1)];
  const kwh = both((i) => energyKwh(hours[i], watts[i], pue[i]));
  return {
    hours,
    days: product(hours, 1 / (24 * chips)),
    kwh,
    carbon_kg: both((i) => carbonKg(kwh[i], grid[i])),
    embodied_kg: product(hours, embodied),
    water_liters: both((i) => waterLiters(energyKwh(hours[i], watts[i]), site[i], source[i], pue[i])),
    dollars: product(hours, price),
  };
}
