// The numbers of this run of the server: what is new, what was spent, what is under way, and what is left of the budget.
import { BASE, call } from "./server_calls.js";
import { button, h, refill } from "./elements.js";

const MORE = 10;

export class StatusBar {
  constructor({ model, say, review = false }) {
    Object.assign(this, { model, say, review });
    this.element = h("div", { class: "bar" });
    model.addEventListener("bar", () => this.update());
  }

  update() {
    const bar = this.model.bar;
    if (!bar) return;
    const facts = [
      ["New", String(bar.fresh)],
      ["Spent", bar.spent],
      ["Under way", String(bar.under_way)],
      ["Budget left", `${bar.budget.left} of ${bar.budget.most}`],
    ];
    const undo = this.model.undo;
    refill(
      this.element,
      h("dl", {}, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      h(
        "div",
        { class: "acts" },
        button(`Raise by ${MORE}`, () => this.raise(), { "data-focus": "raise" }),
        undo ? button(`Undo in ${undo.file}`, () => undoLast(this.model, this.say), { "data-focus": "undo" }) : null,
        this.review ? null : h("a", { href: BASE.href, "data-focus": "review" }, "Review all images"),
      ),
      bar.buys === "ask" && !this.review
        ? h("p", { class: "why" }, "Missing images are bought when you ask: serve_buys is “ask”.")
        : null,
    );
  }

  async raise() {
    await raise(this.model, this.say);
  }
}

export async function raise(model, say) {
  try {
    model.bar = await call("raise", { by: MORE });
    model.emit("bar");
    say(`The budget is ${model.bar.budget.most} images now; ${model.bar.budget.left} are left.`);
  } catch (error) {
    say(error.message, "bad");
  }
}

// Take back the studio's last write.
export async function undoLast(model, say) {
  try {
    const { file } = await call("undo", {});
    say(`${file} is as it was before the last change.`, "good");
  } catch (error) {
    say(error.message, "bad");
  }
  await model.refresh();
}
