// This page at a phone's or a desk's width, in light and dark, in a frame of its own beside the drawer.
import { h } from "./elements.js";
import { ImagesOnPage } from "./images_on_page.js";

const SCHEME = /\(\s*prefers-color-scheme\s*:\s*(\w+)\s*\)/g;
const [TRUE, FALSE] = ["(min-width: 0px)", "(max-width: 0px)"];

export const FRAME = "qhaigc-preview"; // the name of the frame's window: the studio is mute there

export class PagePreview {
  // `around`: called after each load with the frame's `ImagesOnPage`, to put into it what is looked at.
  constructor({ mount, around }) {
    Object.assign(this, { mount, around });
    this.element = h("div", { class: "preview", hidden: true });
    this.medias = new WeakMap(); // what has media queries → their text as the site has it
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  get isOpen() {
    return !this.element.hidden;
  }

  // `view`: `{width, scheme}`; a width in CSS pixels, `light` or `dark`, `null` for as it is.
  show(view, images) {
    if (this.view?.scheme && !view.scheme) this.close(); // its own scheme again: loaded anew
    this.view = view;
    this.images = images;
    if (!view.width && !view.scheme) {
      this.close();
      return;
    }
    this.element.hidden = false;
    if (!this.frame) {
      const title = "This page at the chosen width and scheme";
      this.frame = h("iframe", { name: FRAME, title, src: location.pathname + location.search });
      this.frame.addEventListener("load", () => this.loaded());
      this.element.replaceChildren(this.frame);
    }
    this.dress();
    this.fit();
  }

  close() {
    this.element.hidden = true;
    this.element.replaceChildren();
    this.frame = null;
    this.shown = null;
    this.observer?.disconnect();
  }

  loaded() {
    const doc = this.frame.contentDocument;
    if (!doc?.body) return;
    this.shown = new ImagesOnPage(doc, this.mount);
    this.observer?.disconnect();
    this.observer = new MutationObserver(() => this.dress()); // a theme's script may set its scheme late
    for (const element of [doc.documentElement, doc.body]) {
      this.observer.observe(element, { attributeFilter: ["data-md-color-scheme", "data-bs-theme"] });
    }
    this.shown.scan(this.images);
    this.dress();
    this.around(this.shown);
    this.reveal();
  }

  // Scroll to the image, and again while what stands above it loads.
  reveal(id = this.id) {
    this.id = id;
    const img = this.shown?.visible(id);
    img?.scrollIntoView({ block: "center", behavior: "instant" });
  }

  fit() {
    if (!this.frame) return;
    const { clientWidth, clientHeight } = this.element;
    const width = this.view.width ?? innerWidth;
    const scale = Math.min(1, clientWidth / width);
    Object.assign(this.frame.style, {
      width: `${width}px`,
      height: `${clientHeight / scale}px`,
      transform: `scale(${scale})`,
      left: `${(clientWidth - width * scale) / 2}px`,
    });
    requestAnimationFrame(() => this.reveal());
  }

  dress() {
    const doc = this.frame?.contentDocument;
    if (!doc?.body) return;
    const scheme = this.view.scheme;
    doc.documentElement.style.colorScheme = scheme ?? "";
    if (!scheme) return;
    const dark = scheme === "dark";
    if (doc.body.hasAttribute("data-md-color-scheme")) {
      const palette = doc.querySelector(`[data-md-color-scheme][data-md-color-media*="prefers-color-scheme: ${scheme}"]`);
      put(doc.body, "data-md-color-scheme", palette?.dataset.mdColorScheme ?? (dark ? "slate" : "default"));
    }
    if (doc.documentElement.hasAttribute("data-bs-theme")) put(doc.documentElement, "data-bs-theme", scheme);
    for (const source of doc.querySelectorAll("source[media]")) this.answer(source, dark);
    for (const sheet of doc.styleSheets) this.answerAll(sheet, dark);
  }

  // What asks for the reader's scheme is answered with the chosen one: a frame cannot have a scheme of its own.
  answer(owner, dark) {
    const list = owner.media;
    const text = this.medias.get(owner) ?? list.mediaText ?? list;
    if (!text.includes("prefers-color-scheme")) return;
    this.medias.set(owner, text);
    const answered = text.replace(SCHEME, (_, scheme) => ((scheme === "dark") === dark ? TRUE : FALSE));
    if (typeof list === "string") owner.media = answered;
    else list.mediaText = answered;
  }

  answerAll(sheet, dark) {
    if (sheet.media?.length) this.answer(sheet, dark);
    let rules;
    try {
      rules = sheet.cssRules;
    } catch {
      return; // from another origin: it cannot be read
    }
    for (const rule of rules ?? []) {
      if (rule.styleSheet) this.answerAll(rule.styleSheet, dark);
      else if (rule.cssRules) this.answerAll(rule, dark);
    }
  }
}

function put(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
