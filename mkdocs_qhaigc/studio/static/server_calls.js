// All calls to the server, with the token of its run: requests, the stream of events, addresses of stored images.
export const BASE = new URL("../", import.meta.url); // …/-/qhaigc/
const TOKEN = "qhaigc-token";
const MOUNT = "qhaigc-mount";
const WORKED = "qhaigc-worked"; // this tab has been let in before

export class Refusal extends Error {
  constructor(message, kind, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

// Take the token out of the address, where the link in the terminal has it.
export function takeToken() {
  const found = /^#qhaigc=([\w-]+)$/.exec(location.hash);
  if (!found) return;
  localStorage.setItem(TOKEN, found[1]);
  history.replaceState(history.state, "", location.pathname + location.search);
}

// The path of the site on its server, which its pages know; the review asks for it.
export const rememberMount = (path) => localStorage.setItem(MOUNT, path);
export const mountPath = () => localStorage.getItem(MOUNT) ?? "/";

export const hasToken = () => localStorage.getItem(TOKEN) !== null;
const locked = new EventTarget();

// Call back once the server has refused the token. `worked`: whether this tab had been let in with it.
export function onLocked(callback) {
  locked.addEventListener("locked", (event) => callback(event.detail));
}

function forget(token) {
  if (localStorage.getItem(TOKEN) === token) localStorage.removeItem(TOKEN); // else another tab has a newer one
  const worked = sessionStorage.getItem(WORKED) === token;
  sessionStorage.removeItem(WORKED);
  locked.dispatchEvent(new CustomEvent("locked", { detail: worked }));
}

async function request(name, options) {
  const token = localStorage.getItem(TOKEN);
  if (token === null) throw new Refusal("The studio has no token.", "locked", 403);
  const headers = { ...options.headers, "X-Qhaigc-Token": token };
  let response;
  try {
    response = await fetch(new URL(name, BASE), { ...options, headers, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server does not answer. Start it again, and open the link that it prints.", "offline", 0);
  }
  if (response.status === 403) {
    forget(token);
    throw new Refusal("The server does not know this token.", "locked", 403);
  }
  if (response.ok) sessionStorage.setItem(WORKED, token);
  return response;
}

// The answer of `api/NAME`: a GET, or a POST where there is a body.
export async function call(name, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await request(`api/${name}`, options ?? {});
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Refusal(`The server answered ${response.status} without a reason.`, "server", response.status);
  }
  if (!response.ok) throw new Refusal(answer.error, answer.kind, response.status);
  return answer;
}

export const stream = (signal) => request("api/events", { signal });

// The address of a stored image, at most `width` pixels wide: 240, 480 or 1600.
export const stored = (key, width) => new URL(`stored/${key}/${width}`, BASE).href;
