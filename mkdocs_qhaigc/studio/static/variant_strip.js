// The film strip: the variants of an image, as they arrive. Arrow keys move in it.
import { stored } from "./server_calls.js";
import { h } from "./elements.js";
import { seconds, underWay } from "./model.js";

const THERE = new Set(["pinned", "cached", "shared", "there", "saved"]);

// A frame: `{key, variant, state, reason, width, height, request}`; `request` where it is a try that no file declares.
export const isShowable = (frame) => THERE.has(frame.state);

export class Strip {
  // `choose(key)` is called for a click.
  constructor(choose) {
    this.choose = choose;
    this.element = h("div", { class: "strip", role: "listbox", "aria-label": "Variants", "aria-orientation": "horizontal" });
    this.frames = new Map(); // key → {element, text}
  }

  // Show these frames; `used` and `chosen` are keys. An image that is shown already is not loaded again.
  update(frames, { used, chosen, jobs }) {
    const elements = frames.map((frame) => {
      const job = jobs.get(frame.key);
      const known = this.frames.get(frame.key) ?? this.make(frame.key);
      const text = JSON.stringify([frame, used === frame.key, chosen === frame.key]);
      if (known.text !== text) {
        known.text = text;
        this.fill(known.element, frame, { used: used === frame.key, chosen: chosen === frame.key, job });
      }
      return known.element;
    });
    const keys = new Set(frames.map((frame) => frame.key));
    for (const key of this.frames.keys()) if (!keys.has(key)) this.frames.delete(key);
    const now = [...this.element.children];
    if (elements.length !== now.length || elements.some((element, at) => element !== now[at])) {
      this.element.replaceChildren(...elements);
    }
    if (!elements.some((element) => element.tabIndex === 0) && elements.length) elements[0].tabIndex = 0;
  }

  make(key) {
    const element = h("div", { role: "option", class: "frame", onclick: () => this.choose(key) });
    const known = { element, text: null };
    this.frames.set(key, known);
    return known;
  }

  fill(element, frame, { used, chosen, job }) {
    const label = frame.request ? "Try" : String(frame.variant);
    const name = frame.request ? `Try, variant ${frame.variant}` : `Variant ${frame.variant}`;
    const state = wordsOf(frame, job);
    element.dataset.key = frame.key;
    element.dataset.state = isShowable(frame) ? "there" : underWay(frame.state) ? "busy" : "failed";
    element.tabIndex = chosen ? 0 : -1;
    element.setAttribute("aria-selected", String(chosen));
    element.setAttribute("aria-label", [name, used && "in use", state].filter(Boolean).join(", "));
    element.title = frame.reason ?? "";
    let img = element.querySelector("img");
    if (isShowable(frame) && !img) {
      img = h("img", { src: stored(frame.key, 240), alt: "", width: frame.width ?? 16, height: frame.height ?? 9 });
    }
    const body = img ?? h("span", { class: "waiting" }, state);
    element.replaceChildren(body, h("span", { class: "number" }, label), used ? h("span", { class: "used" }, "in use") : "");
  }

  // Count the seconds of what is under way.
  tick(frames, jobs) {
    for (const frame of frames) {
      if (!underWay(frame.state)) continue;
      const waiting = this.frames.get(frame.key)?.element.querySelector(".waiting");
      if (waiting) waiting.textContent = wordsOf(frame, jobs.get(frame.key));
    }
  }

  focus() {
    (this.element.querySelector('[tabindex="0"]') ?? this.element).focus({ preventScroll: true });
  }

  reveal(key) {
    const element = this.frames.get(key)?.element;
    if (!element) return;
    const strip = this.element;
    const left = element.offsetLeft - strip.offsetLeft;
    if (left < strip.scrollLeft || left + element.offsetWidth > strip.scrollLeft + strip.clientWidth) {
      strip.scrollLeft = left - (strip.clientWidth - element.offsetWidth) / 2;
    }
  }
}

function wordsOf(frame, job) {
  if (isShowable(frame)) return "";
  if (frame.state === "queued") return "Waiting";
  if (underWay(frame.state)) return job ? `${seconds(job)} s` : "Being made";
  return frame.state === "refused" || frame.kind === "refused" ? "Refused" : frame.state === "missing" ? "Missing" : "Failed";
}
