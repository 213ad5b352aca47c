// Sentences, prices and counts in words.

// The server's messages begin with a small letter, as its log has them.
export const sentence = (text) => text && text.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());

// Prices are decimal numbers, with a currency where the site names one, or words: "a call to MODEL", "free in the sandbox".
const PRICE = /^(\d+(?:\.(\d+))?)((?: .+)?)$/;

// Whether images cost nothing, which is so of all images of a site or of none.
export const isFree = (price) => price.startsWith("free");

export function times(price, count) {
  if (count === 1) return price;
  const found = PRICE.exec(price);
  if (!found) return price.replace(/^a call\b/, `${count} calls`);
  return `${(Number(found[1]) * count).toFixed(found[2]?.length ?? 0)}${found[3]}`;
}

// The price of several images; the number of calls where no price is known, or where currencies differ.
export function total(prices) {
  if (prices.length && isFree(prices[0])) return prices[0];
  const found = prices.map((price) => PRICE.exec(price));
  const calls = prices.length === 1 ? "1 call" : `${prices.length} calls`;
  if (!found.length || found.some((one) => one === null || one[3] !== found[0][3])) return calls;
  const digits = Math.max(...found.map((one) => one[2]?.length ?? 0));
  return `${found.reduce((sum, one) => sum + Number(one[1]), 0).toFixed(digits)}${found[0][3]}`;
}

export const counted = (count, one, several = `${one}s`) => `${count} ${count === 1 ? one : several}`;
