// Draws every diagram of the page with the local Mermaid, in the page's own font and in variables for its colors, so
// that the drawing turns light or dark with the page, and light on paper.
import mermaid from "./vendor/mermaid/mermaid.esm.min.mjs";

const boxes = [...document.querySelectorAll(".fm-diagram")];
const sources = boxes.map((box) => box.querySelector("pre").textContent);

// A phone is too narrow for a row of boxes: such a flowchart turns downwards there.
const phone = matchMedia("(max-width: 37.5em)");

function source(number) {
  const turns = phone.matches && boxes[number].classList.contains("fm-turns");
  return turns ? sources[number].replace(/^(\s*)(flowchart|graph) LR/, "$1$2 TB") : sources[number];
}

// Mermaid computes with colors and takes no variables: it gets a color of its own for each, and that is replaced.
const COLORS = { "#f00001": "var(--fm-ground)", "#f00002": "var(--fm-surface)", "#f00003": "var(--fm-text)", "#f00004": "var(--fm-line)" };

function theme() {
  const [ground, surface, text, line] = Object.keys(COLORS);
  return {
    fontFamily: getComputedStyle(document.body).fontFamily,
    background: ground, primaryColor: surface, secondaryColor: surface, tertiaryColor: ground,
    primaryTextColor: text, secondaryTextColor: text, tertiaryTextColor: text, textColor: text, titleColor: text,
    primaryBorderColor: line, secondaryBorderColor: line, tertiaryBorderColor: line, lineColor: line,
    arrowheadColor: line, edgeLabelBackground: ground, clusterBkg: ground, clusterBorder: line,
  };
}

async function draw() {
  const flowchart = { htmlLabels: false, nodeSpacing: 32, rankSpacing: 36, padding: 10 };
  mermaid.initialize({ startOnLoad: false, theme: "base", themeVariables: theme(), flowchart });
  for (const [number, box] of boxes.entries()) {
    const { svg } = await mermaid.render(`fm-diagram-${number}`, source(number));
    box.innerHTML = svg.replace(/#f0000[1-4]/g, (color) => COLORS[color]);
    // The box carries the name; the drawing inside must not be read out word by word.
    const drawing = box.firstElementChild;
    drawing.setAttribute("aria-hidden", "true");
    drawing.removeAttribute("role");
    drawing.removeAttribute("aria-roledescription");
  }
}

// One drawing after the other: a screen may be turned while one is under way.
let drawn = draw();
phone.addEventListener("change", () => { drawn = drawn.then(draw); });
