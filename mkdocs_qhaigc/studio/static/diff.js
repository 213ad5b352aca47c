// A unified diff as an element.
import { h } from "./elements.js";

const KINDS = { "+": "added", "-": "removed", "@": "place" };

export function diffOf(text) {
  const lines = text.replace(/\n$/, "").split("\n");
  const rows = lines
    .filter((line) => !/^(---|\+\+\+) /.test(line))
    .map((line) => h("span", { class: KINDS[line[0]] ?? "same" }, `${line}\n`));
  return h("pre", { class: "diff", tabIndex: 0, role: "region", "aria-label": "What changes in the file" }, rows);
}
