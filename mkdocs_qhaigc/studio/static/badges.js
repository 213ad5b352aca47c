// A badge on each image of ours: on hover and focus its name and state; where an image is missing, always the reason.
import { button, h, marked } from "./elements.js";
import { isThere, stateOf } from "./image_states.js";
import { isVisible } from "./images_on_page.js";

const ROOM = 200; // CSS pixels: on narrower images the reason stands in the badge only while it is pointed at

export class Badges {
  constructor({ layer, model, shown, open }) {
    Object.assign(this, { layer, model, shown, open });
    this.badges = new Map(); // img → {element, id, box}
    document.addEventListener("pointermove", (event) => this.point(event.clientX, event.clientY), { passive: true });
    document.addEventListener("scroll", () => this.later(), { capture: true, passive: true });
    document.addEventListener("load", () => this.later(), true);
    addEventListener("resize", () => this.later());
    new ResizeObserver(() => this.later()).observe(document.documentElement);
  }

  // Make badges agree with the images on the page and their states.
  update() {
    const seen = new Set();
    for (const [id, imgs] of this.shown.images) {
      const image = this.model.images.get(id);
      if (!image) continue;
      for (const img of imgs) {
        seen.add(img);
        const badge = this.badges.get(img) ?? this.make(img, id);
        this.fill(badge, image);
      }
    }
    for (const [img, badge] of this.badges) {
      if (seen.has(img)) continue;
      badge.element.remove();
      this.badges.delete(img);
    }
    this.place();
  }

  make(img, id) {
    const element = button("", () => this.open(id), { class: "badge" });
    const badge = { element, id, box: null, text: "" };
    this.badges.set(img, badge);
    this.layer.append(element);
    return badge;
  }

  fill(badge, image) {
    const { label, tone, why, remedy } = stateOf(image, this.model.jobOf(image));
    const text = [image.name, label, why, remedy].join("\n");
    if (badge.text === text) return;
    badge.text = text;
    badge.element.dataset.tone = tone;
    badge.element.classList.toggle("always", !isThere(image));
    badge.element.replaceChildren(
      h("span", { class: "name" }, image.dark ? `${image.name}, dark` : image.name),
      h("span", { class: "state", "data-tone": tone }, label),
      ...[why && h("span", { class: "why" }, marked(why)), remedy && h("span", { class: "why remedy" }, marked(remedy))].filter(Boolean),
    );
  }

  // Count the seconds of what is under way.
  tick() {
    for (const badge of this.badges.values()) {
      const image = this.model.images.get(badge.id);
      if (image && this.model.jobOf(image)) this.fill(badge, image);
    }
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.place();
    });
  }

  // Badges stand in the document's coordinates; nothing of the page moves for them.
  place() {
    const places = [...this.badges].map(([img, badge]) => [badge, isVisible(img) ? img.getBoundingClientRect() : null]);
    for (const [badge, box] of places) {
      badge.box = box;
      badge.element.hidden = box === null;
      if (!box) continue;
      const style = badge.element.style;
      style.left = `${Math.max(0, box.left + scrollX)}px`;
      style.top = `${Math.max(0, box.top + scrollY)}px`;
      style.setProperty("--room", `${Math.max(box.width - 16, 96)}px`);
      badge.element.classList.toggle("small", box.width < ROOM);
    }
  }

  point(x, y) {
    for (const { element, box } of this.badges.values()) {
      const over = box && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
      element.classList.toggle("over", Boolean(over));
    }
  }
}
