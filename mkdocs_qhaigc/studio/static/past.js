// Earlier prompts and variants of an image that are still stored.
import { stored } from "./server_calls.js";
import { button, h } from "./elements.js";

export function pastList(past, { chosen, look, takeBack, editable }) {
  if (!past.length) return h("p", { class: "why" }, "No earlier prompt or variant of this image is stored.");
  const rows = past.map((one) => {
    const made = one.made ? new Date(one.made).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) : "";
    const about = [`variant ${one.variant}`, one.size, one.model, made].filter(Boolean).join(" · ");
    return h(
      "li",
      { class: chosen === one.key ? "chosen" : "" },
      h("img", { src: stored(one.key, 240), alt: "", loading: "lazy", width: one.width ?? 16, height: one.height ?? 9 }),
      h("p", { class: "prompt" }, one.prompt, one.style ? h("span", { class: "style" }, ` ${one.style}`) : null),
      h("p", { class: "why" }, about),
      h(
        "div",
        { class: "acts" },
        button("Look", () => look(one), { "data-focus": `look ${one.key}`, "aria-pressed": String(chosen === one.key) }),
        editable ? button("Take back…", () => takeBack(one), { "data-focus": `back ${one.key}` }) : null,
      ),
    );
  });
  return h("ul", { class: "past" }, rows);
}
