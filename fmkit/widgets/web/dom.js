/**
 * An element with attributes, listeners (`onclick`) and children. `null` and `false` leave an attribute out.
 * @param {string} name such as "p", or "svg:path"
 */
export function h(name, attributes = {}, ...children) {
  const drawn = name.startsWith("svg:");
  const element = drawn
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** 204800 → "205k", 1638400 → "1.64M": three digits, as much as a reader compares. */
export function short(number) {
  const [size, unit] = number >= 1e6 ? [1e6, "M"] : number >= 1e3 ? [1e3, "k"] : [1, ""];
  return `${Number((number / size).toPrecision(3))}${unit}`;
}
