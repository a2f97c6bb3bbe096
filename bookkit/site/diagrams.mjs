// Draws every diagram of the page with the local Mermaid, in the page's own colors and font,
// and again when the reader switches between light and dark.
import mermaid from "./vendor/mermaid/mermaid.esm.min.mjs";

const boxes = [...document.querySelectorAll(".fm-diagram")];
const sources = boxes.map((box) => box.textContent);

// A phone is too narrow for a row of boxes: such a flowchart turns downwards there.
const phone = matchMedia("(max-width: 600px)");

function source(number) {
  const turns = phone.matches && boxes[number].classList.contains("fm-turns");
  return turns ? sources[number].replace(/^(\s*)(flowchart|graph) LR/, "$1$2 TB") : sources[number];
}

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
  const flowchart = { htmlLabels: false, nodeSpacing: 32, rankSpacing: 36, padding: 10 };
  mermaid.initialize({ startOnLoad: false, theme: "base", themeVariables: theme(), flowchart });
  for (const [number, box] of boxes.entries()) {
    const { svg } = await mermaid.render(`fm-diagram-${number}`, source(number));
    box.innerHTML = svg;
    // The box carries the name; the drawing inside must not be read out word by word.
    const drawing = box.firstElementChild;
    drawing.setAttribute("aria-hidden", "true");
    drawing.removeAttribute("role");
    drawing.removeAttribute("aria-roledescription");
  }
}

// One drawing after the other: a reader may switch the colors while one is under way.
let drawn = draw();
const redraw = () => (drawn = drawn.then(draw));
phone.addEventListener("change", redraw);
let colors = document.documentElement.dataset.theme;
new MutationObserver(() => {
  if (document.documentElement.dataset.theme === colors) return;
  colors = document.documentElement.dataset.theme;
  redraw();
}).observe(document.documentElement, { attributeFilter: ["data-theme"] });
