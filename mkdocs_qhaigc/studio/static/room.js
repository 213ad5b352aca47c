// Room for the drawer: the image stays in sight, and the page whole. Beside a drawer at the side the page is shown
// smaller, in the layout that it has; above one at the bottom it can be scrolled by as much as the drawer hides.
import { h } from "./elements.js";

const WIDE = 900; // CSS pixels of the window from which the drawer stands at the side
const GAP = 16; // CSS pixels between the image and the drawer

export class Room {
  constructor(layer, drawer) {
    this.drawer = drawer;
    this.spacer = h("div", { class: "spacer", hidden: true });
    layer.append(this.spacer);
  }

  // `img`: what is to stay in sight; `scroll`: whether it is brought there.
  make(img, { scroll }) {
    const { top } = img.getBoundingClientRect();
    const before = this.scrolled ?? { from: scrollY };
    this.clear();
    const isBeside = innerWidth >= WIDE;
    if (isBeside) this.shrink(img);
    else this.extend();
    scrollBy({ top: img.getBoundingClientRect().top - top, behavior: "instant" }); // what is read stays where it is
    if (scroll) this.reveal(img, isBeside);
    this.scrolled = { from: before.from, to: scrollY };
  }

  // Give the page back as it was; where it was scrolled meanwhile, with the image where it is seen now.
  release(img) {
    const top = img?.getBoundingClientRect().top;
    const { from, to } = this.scrolled ?? {};
    const stayed = scrollY === to;
    this.clear();
    this.scrolled = null;
    if (stayed) scrollTo({ top: from, behavior: "instant" });
    else if (img) scrollBy({ top: img.getBoundingClientRect().top - top, behavior: "instant" });
  }

  clear() {
    this.spacer.hidden = true;
    document.body.style.removeProperty("zoom");
    document.documentElement.style.removeProperty("padding-right");
  }

  shrink(img) {
    const { clientWidth } = document.documentElement;
    const right = img.getBoundingClientRect().right + scrollX;
    const scale = Math.min(1, (clientWidth - this.drawer.offsetWidth - GAP) / right);
    if (scale === 1) return;
    document.body.style.setProperty("zoom", String(scale), "important");
    document.documentElement.style.setProperty("padding-right", `${clientWidth * (1 - scale)}px`, "important");
  }

  extend() {
    const { style } = this.spacer;
    style.top = `${document.documentElement.scrollHeight}px`;
    style.height = `${this.drawer.offsetHeight}px`;
    this.spacer.hidden = false;
  }

  reveal(img, isBeside) {
    const box = img.getBoundingClientRect();
    const bottom = isBeside ? innerHeight : innerHeight - this.drawer.offsetHeight;
    if (isBeside && box.top >= 64 && box.bottom <= bottom) return;
    const top = Math.max(isBeside ? 72 : 56, (bottom - box.height) / 2); // below a theme's header
    scrollBy({ top: box.top - top, behavior: "instant" });
  }
}
