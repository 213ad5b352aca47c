// What the server tells: read only while the tab is seen, since a browser has six connections for a host.
import { hasToken, stream } from "./server_calls.js";

const PAUSES = [500, 1000, 2000, 5000, 10000]; // milliseconds until the next try

// `told(name, data)` is called for each event, `joined()` at the start and after each gap.
export function listen({ told, joined }) {
  let reading = null;
  let tries = 0;
  let timer;

  async function read(controller) {
    const response = await stream(controller.signal);
    if (!response.ok) throw new Error(`The events were answered with ${response.status}`);
    tries = 0;
    joined();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value.replaceAll("\r\n", "\n");
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) tell(text.slice(0, end));
    }
  }

  function tell(block) {
    let name = "message";
    const data = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).trim());
    }
    if (data.length || name !== "message") told(name, data.length ? JSON.parse(data.join("\n")) : null);
  }

  function follow() {
    clearTimeout(timer);
    if (document.visibilityState !== "visible") {
      reading?.abort();
      reading = null;
      return;
    }
    if (reading || !hasToken()) return;
    const controller = new AbortController();
    reading = controller;
    read(controller)
      .catch((error) => {
        if (error.name !== "AbortError" && error.kind !== "locked" && error.kind !== "offline") console.warn(error.message);
      })
      .finally(() => {
        if (reading !== controller) return; // the tab was hidden
        reading = null;
        if (hasToken()) timer = setTimeout(follow, PAUSES[Math.min(tries++, PAUSES.length - 1)]);
      });
  }

  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => reading?.abort());
  addEventListener("pageshow", (event) => event.persisted && follow());
  follow();
}
