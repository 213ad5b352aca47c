// The states of images: their names, and whether the image is there.
import { seconds } from "./model.js";
import { sentence } from "./text.js";

const NAMES = {
  pinned: ["Pinned", "good"],
  cached: ["Cached", "good"],
  shared: ["Shared", "good"],
  missing: ["Missing", "bad"],
  making: ["Being made", "busy"],
  refused: ["Refused", "bad"],
  unreadable: ["Unreadable", "bad"],
};

export const isThere = (image) => image.state === "pinned" || image.state === "cached" || image.state === "shared";

// `{label, tone, why, remedy}` of an image; `job`: its own, while it is under way.
export function stateOf(image, job) {
  if (job) return { label: `Being made, ${seconds(job)} s`, tone: "busy", why: null, remedy: null };
  const [name, tone] = NAMES[image.state] ?? [image.state, "bad"];
  const label = image.fresh && image.state === "cached" ? "New" : name;
  return { label, tone, why: sentence(image.why), remedy: sentence(image.remedy) };
}
