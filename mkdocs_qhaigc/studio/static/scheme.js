// Whether the page is light or dark now, as its theme has it: the studio follows.
function isDark() {
  const { documentElement: html, body } = document;
  const given = body?.dataset.mdColorScheme ?? html.dataset.mdColorScheme ?? html.dataset.bsTheme;
  if (given === "slate" || given === "dark") return true;
  if (given === "default" || given === "light") return false;
  for (const element of [body, html]) {
    const found = /^rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)$/.exec(getComputedStyle(element).backgroundColor);
    if (!found || (found[4] !== undefined && Number(found[4]) < 0.5)) continue;
    return 0.299 * found[1] + 0.587 * found[2] + 0.114 * found[3] < 128;
  }
  const scheme = getComputedStyle(html).colorScheme;
  return scheme.includes("dark") && (!scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches);
}

export function followScheme(host) {
  const update = () => host.setAttribute("data-scheme", isDark() ? "dark" : "light");
  const attributeFilter = ["class", "style", "data-md-color-scheme", "data-bs-theme"];
  const observer = new MutationObserver(update);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributeFilter });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  addEventListener("load", update);
  update();
}

// The review has no theme: it is as the reader's system is.
export function followSystem(element) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const update = () => element.setAttribute("data-scheme", dark.matches ? "dark" : "light");
  dark.addEventListener("change", update);
  update();
}
