// Typesets the book's math, while the site is built: reads [{tex, display}, …] from the standard input and writes
// [{html}, …] or, for a formula that KaTeX does not understand or that LaTeX would set otherwise, {fault}.
import { readFileSync } from "node:fs";
import katex from "katex";

function typeset({ tex, display }) {
  const differences = [];
  const strict = (code, message) => void differences.push(message);
  try {
    const html = katex.renderToString(tex, { displayMode: display, strict });
    return differences.length ? { fault: differences[0] } : { html };
  } catch (error) {
    return { fault: error.message };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(typeset)));
