// The fields of a directive. What is typed is kept as a draft until it is written, over reloads and changes of the file.
import { button, h } from "./elements.js";
import { draftOf, rememberDraft } from "./session_storage.js";

const FIELDS = ["prompt", "style", "model", "size", "alt", "caption"];
export const BUYS = new Set(["prompt", "style", "model", "size"]); // these make another image
const LABELS = { prompt: "Prompt", style: "Style", model: "Model", size: "Size", alt: "Alt text", caption: "Caption" };

export const written = (image, field) => (field === "style" ? image.style_name : image[field]) ?? null;

export class EditForm {
  // `changed()` is called when something was typed, `save()` and `attempt()` for the buttons.
  constructor({ changed, save, attempt }) {
    this.changed = changed;
    this.inputs = {
      prompt: h("textarea", { rows: 5 }),
      style: h("input", { list: "studio-styles", autocomplete: "off" }),
      model: h("input", { list: "studio-models", autocomplete: "off" }),
      size: h("input", { autocomplete: "off", placeholder: "1280x720" }),
      alt: h("textarea", { rows: 2 }),
      caption: h("textarea", { rows: 2 }),
    };
    this.decorative = h("input", { type: "checkbox", onchange: () => this.typed("alt") });
    this.notes = {};
    this.styles = h("datalist", { id: "studio-styles" });
    this.models = h("datalist", { id: "studio-models" });
    const rows = FIELDS.map((field) => this.row(field));
    this.try = button("Try ", attempt, { "data-focus": "try" });
    this.try.append(h("span", { class: "price" }));
    this.save = button("Save…", save, { class: "main", "data-focus": "save", key: "Ctrl Enter" });
    this.reset = button("Discard", () => this.discard(), { "data-focus": "discard", class: "plain" });
    this.element = h("form", { class: "edit", autocomplete: "off" }, rows, this.styles, this.models);
    this.element.append(h("div", { class: "acts" }, this.save, this.try, this.reset));
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    });
  }

  row(field) {
    const input = this.inputs[field];
    input.id = `studio-${field}`;
    input.dataset.focus = field;
    input.addEventListener("input", () => this.typed(field));
    this.notes[field] = h("p", { class: "why", hidden: true });
    const row = h("div", { class: `field ${field}` }, h("label", { for: input.id }, LABELS[field]), input);
    if (field === "alt") row.append(h("label", { class: "check" }, this.decorative, "Decoration only: screen readers skip it"));
    row.append(this.notes[field]);
    return row;
  }

  // Show an image's fields; those with a draft keep it, and say what the file has now where that has changed.
  update(image, { styles, models }) {
    if (this.image?.id !== image.id) this.draft = draftOf(image.id) ?? {};
    this.image = image;
    this.styles.replaceChildren(...(styles ?? []).map((value) => h("option", { value })));
    this.models.replaceChildren(...(models ?? []).map((value) => h("option", { value })));
    for (const field of FIELDS) {
      const now = written(image, field);
      const draft = this.draft[field];
      if (draft && draft.value === now) delete this.draft[field];
      this.put(field, this.draft[field] ? this.draft[field].value : now);
      const note = this.notes[field];
      const moved = this.draft[field] && this.draft[field].base !== now;
      note.hidden = !moved;
      note.textContent = moved ? `In the file now: ${now ?? "nothing"}` : "";
    }
    this.inputs.style.placeholder = image.style ? "The site's style" : "None";
    rememberDraft(image.id, this.draft);
    this.told();
  }

  // Show what a try costs.
  price(text) {
    this.try.lastChild.textContent = text;
  }

  put(field, value) {
    const input = this.inputs[field];
    const text = value ?? "";
    if (input.value !== text) input.value = text; // else the cursor would move
    if (field !== "alt") return;
    this.decorative.checked = value === "";
    input.disabled = value === "";
  }

  value(field) {
    const text = this.inputs[field].value;
    if (field === "alt" && this.decorative.checked) return "";
    return text.trim() === "" ? null : text;
  }

  typed(field) {
    if (field === "alt") {
      this.inputs.alt.disabled = this.decorative.checked;
      if (this.decorative.checked) this.inputs.alt.value = "";
    }
    const now = written(this.image, field);
    const value = this.value(field);
    if (value === now) delete this.draft[field];
    else this.draft[field] = { value, base: this.draft[field]?.base ?? now };
    rememberDraft(this.image.id, this.draft);
    this.told();
  }

  told() {
    const fields = this.fields();
    this.save.disabled = Object.keys(fields).length === 0;
    this.reset.hidden = this.save.disabled;
    this.changed(fields);
  }

  // What was typed and differs from the file: field → text, `null` to remove it.
  fields() {
    return Object.fromEntries(Object.entries(this.draft).map(([field, { value }]) => [field, value]));
  }

  discard() {
    this.draft = {};
    rememberDraft(this.image.id, {});
    this.update(this.image, { styles: names(this.styles), models: names(this.models) });
    this.inputs.prompt.focus();
  }
}

const names = (list) => [...list.children].map((option) => option.value);
