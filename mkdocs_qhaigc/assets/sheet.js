// Keys and the large view of a contact sheet.
const list = document.querySelector(".cards");
const dialog = document.querySelector("dialog");
const words = document.querySelector("form.qhaigc-find")?.elements.words; // variants of one image are not searched
const said = document.querySelector(".said");
const frames = () => [...list.querySelectorAll(":scope > li:not([hidden]) .frame")];
const images = () => frames().filter((frame) => frame.href);
const cardOf = (element) => element?.closest?.(".cards > li");
let large = null; // the frame whose image is shown large

function copy(line) {
  const code = line.querySelector("code");
  const chosen = () => {
    getSelection().selectAllChildren(code);
    said.value = "Chosen; copy it with your keyboard";
  };
  const done = () => (said.value = `Copied: ${code.textContent}`);
  if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(done, chosen);
  else chosen();
}

function enlarge(frame) {
  const card = cardOf(frame);
  large = frame;
  dialog.querySelector("h2").textContent = card.querySelector("h2").textContent;
  const image = dialog.querySelector("img");
  const small = frame.querySelector("img");
  image.removeAttribute("src"); // the one before must not stand under this one's title
  image.alt = small.alt;
  image.setAttribute("width", small.getAttribute("width"));
  image.setAttribute("height", small.getAttribute("height"));
  image.src = frame.href;
  const about = dialog.querySelector(".about");
  about.replaceChildren(...[...card.querySelectorAll(".prompt, .line")].map((element) => element.cloneNode(true)));
  about.querySelectorAll(".copy").forEach((button) => (button.hidden = false));
  if (!dialog.open) dialog.showModal();
}

function turn(steps) {
  const all = images();
  const next = all[all.indexOf(large) + steps];
  if (next) enlarge(next);
}

// The nearest card in the direction of an arrow key, by where the cards stand in the window.
function towards(frame, key) {
  const all = frames();
  const at = all.indexOf(frame);
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowLeft") return all[at - 1];
  if (key === "ArrowRight") return all[at + 1];
  const below = key === "ArrowDown";
  const here = cardOf(frame).getBoundingClientRect();
  const rows = (below ? all.slice(at + 1) : all.slice(0, at).reverse())
    .map((other) => [other, cardOf(other).getBoundingClientRect()])
    .filter(([, box]) => Math.abs(box.top - here.top) > 1);
  return rows.find(([, box]) => Math.abs(box.left - here.left) < 1)?.[0] ?? (below ? rows.at(-1)?.[0] : undefined);
}

dialog.addEventListener("close", () => large?.focus());
dialog.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (event.target === dialog || button?.value === "close") dialog.close();
  else if (button?.value) turn(Number(button.value));
});
document.addEventListener("click", (event) => {
  const frame = event.target.closest(".frame[href]");
  if (event.target.closest(".copy")) copy(event.target.closest(".line"));
  else if (frame && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
    event.preventDefault();
    enlarge(frame);
  }
});
document.addEventListener("keydown", (event) => {
  const typing = Boolean(words) && event.target === words;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && typing) {
    if (words.value === "") words.blur(); // else the browser empties it
    return;
  }
  if (typing ? event.key !== "ArrowDown" : event.target.type === "radio" && event.key !== "/") return;
  const card = cardOf(event.target);
  if (event.key === "c") {
    const line = (dialog.open ? dialog : card)?.querySelector(".line");
    if (line) copy(line);
  } else if (dialog.open) {
    if (event.key === "ArrowLeft") turn(-1);
    else if (event.key === "ArrowRight") turn(1);
    else return;
  } else if (event.key === "/" && words) {
    words.focus();
    words.select();
  } else if (/^(Arrow|Home$|End$)/.test(event.key)) {
    const started = typing || event.key === "ArrowRight";
    const next = card ? towards(card.querySelector(".frame"), event.key) : started && frames()[0];
    if (!next) return;
    next.focus();
    cardOf(next).scrollIntoView({ block: "nearest" });
  } else return;
  event.preventDefault();
});
document.querySelectorAll("[data-script]").forEach((element) => (element.hidden = false));
