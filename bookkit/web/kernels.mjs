// Compiles an AssemblyScript module from standard input (JSON: its text) to WebAssembly, written as base64 (JSON).
import asc from "assemblyscript/asc";
import { readFileSync } from "node:fs";

const source = JSON.parse(readFileSync(0, "utf8"));
let binary;
const { error, stderr } = await asc.main(
  ["kernels.ts", "-o", "kernels.wasm", "-O3", "--enable", "simd", "--runtime", "stub", "--importMemory", "--noAssert"],
  {
    readFile: (name) => (name === "kernels.ts" ? source : null),
    writeFile: (_, content) => void (binary = content),
    listFiles: () => [],
  },
);
if (error) throw new Error(`${error.message}\n${stderr}`);
process.stdout.write(JSON.stringify(Buffer.from(binary).toString("base64")));
