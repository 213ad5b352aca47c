// States and prices in words.
import { seconds } from "./model.js";

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

// The server's messages begin with a small letter, as its log has them.
export const sentence = (text) => text && text.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());

// Prices are decimal numbers, with a currency where the site names one, or words: "a call to MODEL".
const PRICE = /^(\d+(?:\.(\d+))?)((?: .+)?)$/;

export function times(price, count) {
  if (count === 1) return price;
  const found = PRICE.exec(price);
  if (!found) return price.replace(/^a call\b/, `${count} calls`);
  return `${(Number(found[1]) * count).toFixed(found[2]?.length ?? 0)}${found[3]}`;
}

// The price of several images; the number of calls where no price is known, or where currencies differ.
export function total(prices) {
  const found = prices.map((price) => PRICE.exec(price));
  const calls = prices.length === 1 ? "1 call" : `${prices.length} calls`;
  if (!found.length || found.some((one) => one === null || one[3] !== found[0][3])) return calls;
  const digits = Math.max(...found.map((one) => one[2]?.length ?? 0));
  return `${found.reduce((sum, one) => sum + Number(one[1]), 0).toFixed(digits)}${found[0][3]}`;
}

export const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;
