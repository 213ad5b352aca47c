// One line that says what has happened. Bad news stays until the next.
import { button, h, marked } from "./elements.js";
import { sentence } from "./text.js";

const STAYS = 8000; // milliseconds

export class Notice {
  constructor() {
    this.text = h("p", { role: "status", "aria-live": "polite" });
    this.acts = h("div", { class: "acts" });
    this.element = h("div", { class: "notice", hidden: true }, this.text, this.acts);
  }

  // `act`: `[label, function]` of a button that helps.
  say(text, tone = "plain", act = null) {
    clearTimeout(this.timer);
    this.element.hidden = false;
    this.element.dataset.tone = tone;
    this.said = text;
    this.text.replaceChildren(...marked(sentence(text)));
    const close = button("×", () => this.hide(), { class: "plain", "aria-label": "Dismiss" });
    const help = act && button(act[0], () => { this.hide(); act[1](); });
    this.acts.replaceChildren(...[help, close].filter(Boolean));
    if (tone !== "bad") this.timer = setTimeout(() => this.hide(), STAYS);
  }

  // Bad news that is shown, for a page that is about to be loaded again; `null` if there is none.
  get unread() {
    return this.element.hidden || this.element.dataset.tone !== "bad" ? null : this.said;
  }

  hide() {
    this.element.hidden = true;
    this.text.textContent = "";
  }
}
