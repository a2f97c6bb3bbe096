// Draws every diagram of the page with the local Mermaid, in the page's own colours and font,
// and again when the reader switches between light and dark.
import mermaid from "./vendor/mermaid/mermaid.esm.min.mjs";

const boxes = [...document.querySelectorAll(".fm-diagram")];
const sources = boxes.map((box) => box.textContent);

function theme() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(name).trim();
  const [ground, surface, text, line] = ["ground", "surface", "text", "line"].map((name) => value(`--fm-${name}`));
  return {
    darkMode: document.documentElement.dataset.theme === "dark",
    fontFamily: getComputedStyle(document.body).fontFamily,
    background: ground, primaryColor: surface, secondaryColor: surface, tertiaryColor: ground,
    primaryTextColor: text, secondaryTextColor: text, tertiaryTextColor: text, textColor: text, titleColor: text,
    primaryBorderColor: line, secondaryBorderColor: line, tertiaryBorderColor: line, lineColor: line,
    edgeLabelBackground: ground, clusterBkg: ground, clusterBorder: line,
  };
}

async function draw() {
  mermaid.initialize({ startOnLoad: false, theme: "base", themeVariables: theme(), flowchart: { htmlLabels: false } });
  for (const [number, box] of boxes.entries()) {
    const { svg } = await mermaid.render(`fm-diagram-${number}`, sources[number]);
    box.innerHTML = svg;
    // The box carries the name; the drawing inside must not be read out word by word.
    const drawing = box.firstElementChild;
    drawing.setAttribute("aria-hidden", "true");
    drawing.removeAttribute("role");
    drawing.removeAttribute("aria-roledescription");
  }
}

// One drawing after the other: a reader may switch the colours while one is under way.
let drawn = draw();
let colours = document.documentElement.dataset.theme;
new MutationObserver(() => {
  if (document.documentElement.dataset.theme === colours) return;
  colours = document.documentElement.dataset.theme;
  drawn = drawn.then(draw);
}).observe(document.documentElement, { attributeFilter: ["data-theme"] });
