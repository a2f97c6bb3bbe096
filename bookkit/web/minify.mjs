// Shortens styles and scripts of the site, while it is built: reads [{kind, text}, …] from the standard input, where
// kind is "css" or "js", and writes the texts. What their licenses ask to keep stays, at the end.
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";

const short = ({ kind, text }) =>
  transformSync(text, { loader: kind, minify: true, charset: "utf8", legalComments: "eof" }).code;

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(short)));
