// Amounts in words: two digits, and a unit of a size that can be read.
const UNITS = {
  hours: [[1, ""], [1e3, "thousand"], [1e6, "million"], [1e9, "billion"]],
  days: [[1 / 24, "hours"], [1, "days"], [365, "years"]],
  kwh: [[1e-3, "Wh"], [1, "kWh"], [1e3, "MWh"], [1e6, "GWh"], [1e9, "TWh"]],
  carbon_kg: [[1e-3, "g"], [1, "kg"], [1e3, "t"], [1e6, "thousand t"]],
  embodied_kg: [[1e-3, "g"], [1, "kg"], [1e3, "t"], [1e6, "thousand t"]],
  water_liters: [[1e-3, "mL"], [1, "liters"], [1e3, "thousand liters"], [1e6, "million liters"], [1e9, "billion liters"]],
  dollars: [[1, "dollars"], [1e3, "thousand dollars"], [1e6, "million dollars"], [1e9, "billion dollars"]],
  count: [[1, ""], [1e3, "thousand"], [1e6, "million"], [1e9, "billion"], [1e12, "trillion"]],
};

/** A number with `digits` significant digits, and no more decimals than these need. */
export function digits(number, significant = 2) {
  const rounded = Number(number.toPrecision(significant));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

/** "0.84–1.3 GWh": a range in the largest unit that its low end fills. */
export function say([low, high], kind) {
  const fitting = UNITS[kind].filter(([size]) => (low || high) >= size);
  const [size, unit] = fitting.at(-1) ?? UNITS[kind][0];
  const [a, b] = [digits(low / size), digits(high / size)];
  return `${a === b ? a : `${a}–${b}`} ${unit}`.trim();
}
