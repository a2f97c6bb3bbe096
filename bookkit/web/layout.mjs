// Places the boxes and arrows of the book's diagrams, while the site is built: reads [{direction, boxes, arrows}, …] from
// the standard input, where boxes and labels of arrows have sizes, and writes [{width, height, boxes, arrows}, …].
import { readFileSync } from "node:fs";
import dagre from "@dagrejs/dagre";

function place({ direction, boxes, arrows }) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction, nodesep: 24, ranksep: 36, marginx: 3, marginy: 3 });
  for (const [name, size] of Object.entries(boxes)) graph.setNode(name, { ...size });
  arrows.forEach(({ from, to, ...size }, number) => graph.setEdge(from, to, { ...size, labelpos: "c" }, `${number}`));
  dagre.layout(graph);
  const { width, height } = graph.graph();
  return {
    width, height,
    boxes: Object.fromEntries(Object.keys(boxes).map((name) => [name, graph.node(name)])),
    arrows: arrows.map(({ from, to }, number) => graph.edge(from, to, `${number}`)),
  };
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(place)));
