// Elements made from names, attributes and texts: nothing of a prompt or a file name is ever read as markup.
const PROPERTIES = new Set(["hidden", "disabled", "value", "checked", "open", "tabIndex", "textContent", "selected"]);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// A text of the server as nodes: what stands between backticks is code.
export function marked(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text]; // a backtick of a prompt, or of a service's own words
  return parts.map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

// A button; `key` is shown in it and told to assistive technology.
export function button(label, onclick, { key, class: kind, ...attributes } = {}) {
  const hint = key ? h("kbd", { "aria-hidden": "true" }, key) : null;
  return h("button", { type: "button", class: kind, onclick, "aria-keyshortcuts": key, ...attributes }, label, hint);
}

// One of several: a group of buttons of which one is pressed.
export function choice(label, options, chosen, choose) {
  const buttons = options.map(([value, text, key]) =>
    button(text, () => choose(value), { "aria-pressed": String(value === chosen), key }),
  );
  return h("div", { role: "group", "aria-label": label, class: "choice" }, buttons);
}

// Put children in place, and leave the focus on the element of the same `data-focus` as before.
export function refill(parent, ...children) {
  const root = parent.getRootNode();
  const focused = parent.contains(root.activeElement) ? root.activeElement.dataset.focus : undefined;
  parent.replaceChildren(...children.flat().filter(Boolean));
  if (focused) parent.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

const sheets = new Map();

function sheet(name) {
  if (!sheets.has(name)) {
    const load = async () => {
      const loaded = new CSSStyleSheet();
      loaded.replaceSync(await (await fetch(new URL(name, import.meta.url))).text());
      return loaded;
    };
    sheets.set(name, load());
  }
  return sheets.get(name);
}

// A place of the studio's own in a page: the site's style sheets end at its shadow root, and so do ours.
export async function shadowPlace(...names) {
  const host = document.createElement("qhaigc-studio");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = await Promise.all(names.map(sheet));
  document.documentElement.append(host);
  return root;
}
