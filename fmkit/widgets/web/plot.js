import { h, short } from "./dom.js";

const MARGIN = { top: 26, right: 72, bottom: 40, left: 30 };
const RECORDED = "var(--recorded)";
const LINE = 15; // pixels from one label's baseline to the next

/** Running mean over about 3% of a whole run, unbiased at its start: the same as fmkit.plots draws. */
export function runningMean(values, length = values.length) {
  const keep = 1 - 1 / Math.max(1, 0.03 * length);
  let total = 0, weight = 0;
  return values.map((value) => {
    total = keep * total + value;
    weight = keep * weight + 1;
    return total / weight;
  });
}

/** About four round numbers from `start` to `end`. */
export function ticks(end, start = 0) {
  const raw = (end - start) / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) * power;
  const first = Math.ceil(start / step - 1e-9), last = Math.floor(end / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(6)));
}

/** Move labels apart downwards, then back up where they leave the plot; each has the wish `y`. */
export function spread(labels, bottom) {
  labels.sort((one, other) => one.y - other.y);
  labels.forEach((label, i) => i && (label.y = Math.max(label.y, labels[i - 1].y + LINE)));
  for (let i = labels.length - 1, limit = bottom; i >= 0; i--, limit = labels[i + 1].y - LINE)
    labels[i].y = Math.min(labels[i].y, limit);
}

/**
 * A line plot that fills `host`, redrawn whenever its size changes: quiet axes, labels at the ends of lines.
 * A scene is {title, xEnd, yEnd, yStart (0), xTitle, yTitle, floor, goal: {x, text}, hint,
 *   lines: [{label, color, dash, strong, faded, x, y, back: {x, y, label}, band: {x, low, high, label}, result}]};
 *   `result` is where a line ended up, `back` a quieter line behind it, `band` the range of recorded runs.
 */
export function createPlot(host) {
  let scene = null;
  const draw = (next = scene) => {
    scene = next;
    const width = host.clientWidth, height = host.clientHeight;
    if (scene && width && height) host.replaceChildren(drawing(scene, width, height));
  };
  const watcher = new ResizeObserver(() => draw());
  watcher.observe(host);
  return { draw, close: () => watcher.disconnect() };
}

function drawing(scene, width, height) {
  const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
  const { yStart = 0, xEnd, yEnd } = scene, levels = ticks(yEnd, yStart);
  const left = Math.max(MARGIN.left, 10 + 7 * Math.max(...levels.map((value) => String(value).length)));
  const place = {
    width, left, right, bottom, levels,
    x: (value) => left + (value / xEnd) * (right - left),
    y: (value) => bottom - ((value - yStart) / (yEnd - yStart)) * (bottom - MARGIN.top),
    inside: (y) => Math.max(y, MARGIN.top), // what is higher than the plot is named at its top
    clip: `fm-${Math.random().toString(36).slice(2)}`,
  };
  const drawn = scene.lines.filter((line) => line.x.length), backs = drawn.filter((line) => line.back?.label);
  const bands = scene.lines.filter((line) => line.band).map(({ band }) => ({ ...band, y: band.high, color: RECORDED }));
  const quiet = backs.map(({ back, color }) => ({ ...back, color }));
  const labels = [...drawn, ...quiet, ...bands.slice(-1)].map((line) => endLabel(line, place));
  if (scene.floor !== null) labels.push(floorLabel(scene.floor, place));
  for (const column of [labels.filter((l) => l.x >= right), labels.filter((l) => l.x < right)])
    spread(column, bottom + 4);
  return h("svg:svg", { role: "img", "aria-label": scene.title, width, height, viewBox: `0 0 ${width} ${height}` },
    ...axes(scene, place),
    ...(scene.floor === null ? [] : [floorLine(scene.floor, place)]),
    ...(scene.goal ? goal(scene.goal, place) : []),
    h("svg:clipPath", { id: place.clip }, h("svg:rect", {
      x: left, y: MARGIN.top - 3, width: width - left, height: bottom - MARGIN.top + 6 })),
    ...scene.lines.flatMap((line) => lineParts(line, place)),
    ...labels.map((l) => text(l.text, l.x + 6, l.y, { class: `fm-end ${l.kind}`, style: `fill: ${l.color}` })),
    scene.hint ? text(scene.hint, (left + right) / 2, (MARGIN.top + bottom) / 2, { class: "fm-hint" }) : null);
}

function text(content, x, y, attributes = {}) {
  return h("svg:text", { x, y, ...attributes }, content);
}

function axes(scene, { x, y, left, right, bottom, levels }) {
  const horizontal = levels.flatMap((value) => [
    h("svg:line", { class: value ? "fm-grid" : "fm-axis", x1: left, x2: right, y1: y(value), y2: y(value) }),
    text(value, left - 8, y(value) + 4, { "text-anchor": "end" }),
  ]);
  const vertical = ticks(scene.xEnd).flatMap((value) => [
    h("svg:line", { class: "fm-axis", x1: x(value), x2: x(value), y1: bottom, y2: bottom + 4 }),
    text(short(value), x(value), bottom + 17, { "text-anchor": "middle" }),
  ]);
  return [...horizontal, ...vertical, text(scene.yTitle, 0, 12),
    text(scene.xTitle, right, bottom + 34, { "text-anchor": "end" })];
}

function floorLine(floor, { y, left, right }) {
  return h("svg:line", { class: "fm-floor", x1: left, x2: right, y1: y(floor), y2: y(floor) });
}

function floorLabel(floor, { y, right }) {
  return { x: right, y: y(floor) + 4, text: `floor ${floor.toFixed(2)}`, kind: "", color: "var(--floor)" };
}

/** Where the chosen run will end: a thin line, and the sum that leads there. */
function goal({ x: value, text: content }, { x, left, right, bottom }) {
  const at = x(value), end = at > (left + right) / 2;
  return [
    h("svg:line", { class: "fm-goal", x1: at, x2: at, y1: MARGIN.top, y2: bottom }),
    text(content, at + (end ? -6 : 6), MARGIN.top + 26, { class: "fm-quiet", "text-anchor": end ? "end" : "start" }),
  ];
}

function path(xs, ys, { x, y }) {
  return xs.map((value, i) => `${i ? "L" : "M"}${x(value).toFixed(1)} ${y(ys[i]).toFixed(1)}`).join("");
}

function lineParts(line, place) {
  const shared = { fill: "none", stroke: line.color, "stroke-linejoin": "round", "stroke-linecap": "round" };
  const parts = [];
  if (line.band) {
    const { x, low, high } = line.band, back = path([...x].reverse(), [...high].reverse(), place).replace("M", "L");
    parts.push(h("svg:path", { d: `${path(x, low, place)}${back}Z`, fill: RECORDED, opacity: line.strong ? 0.35 : 0.15 }));
  }
  if (line.back) parts.push(h("svg:path", { ...shared, d: path(line.back.x, line.back.y, place), opacity: line.back.label ? 0.7 : 0.3 }));
  const stroke = { d: path(line.x, line.y, place), "stroke-width": line.strong ? 2.6 : 1.8 };
  parts.push(h("svg:path", { ...shared, ...stroke, "stroke-dasharray": line.dash || null, class: "fm-line" }));
  if (line.result !== null && line.x.length)
    parts.push(h("svg:circle", { cx: place.x(line.x.at(-1)), cy: place.y(line.result), r: 3.5, fill: line.color }));
  return [h("svg:g", { opacity: line.faded ? 0.35 : null, "clip-path": `url(#${place.clip})` }, ...parts)];
}

function endLabel(line, { x, y, inside, right }) {
  const at = x(line.x.at(-1));
  return {
    x: at > right - 40 ? Math.max(at, right) : at, y: inside(y(line.result ?? line.y.at(-1))) + 4, text: line.label, color: line.color,
    kind: `${line.strong ? "fm-strong" : ""} ${line.faded ? "fm-faded" : ""}`,
  };
}
