// "Images of this page": a list in a corner that opens the drawer where nothing can be hovered, and the run's numbers.
import { stored } from "./server_calls.js";
import { button, h, marked, refill } from "./elements.js";
import { isThere, stateOf } from "./image_states.js";
import { StatusBar } from "./status_bar.js";

export class ImageList {
  constructor({ layer, model, shown, open, say }) {
    Object.assign(this, { model, shown, open });
    this.toggle = button("", () => this.show(this.panel.hidden), { class: "corner", "aria-expanded": "false" });
    this.bar = new StatusBar({ model, say });
    this.list = h("ul", { class: "page-images" });
    this.panel = h(
      "section",
      { class: "panel image-list", "aria-label": "Images of this page", hidden: true },
      this.list,
      this.bar.element,
    );
    this.element = h("aside", { "aria-label": "Studio", class: "corner-place" }, this.panel, this.toggle);
    layer.append(this.element);
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.stopPropagation();
      this.show(false);
      this.toggle.focus();
    });
  }

  show(open) {
    this.panel.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
    if (open) this.list.querySelector("button")?.focus();
  }

  update() {
    const places = [...this.shown.images.keys()]; // in the order of the page, and then what it only declares
    const place = (image) => (places.includes(image.id) ? places.indexOf(image.id) : places.length);
    const images = [...this.model.images.values()].sort((one, other) => place(one) - place(other));
    const missing = images.filter((image) => !isThere(image) && !this.model.jobOf(image)).length;
    this.toggle.replaceChildren(
      h("span", {}, images.length ? `Images of this page: ${images.length}` : "Studio"),
      missing ? h("span", { class: "count", "data-tone": "bad" }, `${missing} missing`) : "",
    );
    const rows = images.map((image) => {
      const { label, tone, why } = stateOf(image, this.model.jobOf(image));
      const thumb = isThere(image)
        ? h("img", { src: stored(image.key, 240), alt: "", loading: "lazy", width: 72, height: 48 })
        : h("span", { class: "thumb" });
      const name = image.dark ? `${image.name}, dark` : image.name;
      const words = h(
        "span",
        { class: "words" },
        h("span", { class: "name" }, name),
        h("span", { class: "state", "data-tone": tone }, label),
        why ? h("span", { class: "why" }, marked(why)) : null,
      );
      const row = button(thumb, () => this.open(image.id), { class: "row", "data-focus": image.id });
      row.append(words);
      return h("li", {}, row);
    });
    refill(this.list, rows.length ? rows : h("li", { class: "why" }, "This page declares and shows no generated image."));
    this.bar.update();
  }
}
