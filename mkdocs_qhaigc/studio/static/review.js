// The review: every image of the site, what is the matter with it, and approval with the keyboard.
import { call, hasToken, onLocked, stored, takeToken } from "./server_calls.js";
import { Drawer, pageAddress } from "./drawer.js";
import { button, choice, h, marked, refill, shadowPlace } from "./elements.js";
import { isThere, stateOf } from "./image_states.js";
import { Model } from "./model.js";
import { Notice } from "./notice.js";
import { followSystem } from "./scheme.js";
import { drawerWas } from "./session_storage.js";
import { StatusBar, undoLast } from "./status_bar.js";
import { counted, total } from "./text.js";

const FILTERS = {
  all: ["All", () => true],
  new: ["New", (image) => image.fresh],
  missing: ["Missing", (image) => image.state === "missing" || image.state === "making"],
  unpinned: ["Unpinned", (image) => image.state === "cached" || image.state === "shared"],
  refused: ["Refused", (image) => image.state === "refused" || image.state === "unreadable"],
  noalt: ["No alt", (image) => image.lacks_alt],
  unshown: ["Shown nowhere", (image) => !image.shown],
};
const VERDICTS = { approved: "Approved", rejected: "Rejected" };
const plain = (text) => text.normalize("NFKC").toLowerCase();
const main = document.querySelector("main");
const gate = document.querySelector(".gate");

class Review {
  constructor(model, drawer, notice) {
    Object.assign(this, { model, drawer, notice, filter: "all", cards: new Map(), at: null });
    this.say = (...words) => (drawer.id ? drawer.say(...words) : notice.say(...words));
    this.bar = new StatusBar({ model, say: this.say, review: true });
    this.search = h("input", { type: "search", id: "search", placeholder: "Search", autocomplete: "off", oninput: () => this.sift() });
    this.filters = h("div", { class: "filters" });
    this.count = h("output", { for: "search" });
    this.bulk = h("div", { class: "acts" });
    this.list = h("ul", { class: "cards", "aria-label": "Images" });
    this.keys = h("p", { class: "keys" });
    const hints = [["J K", "next, previous"], ["A", "approve"], ["R", "reject"], ["Enter", "open"], ["/", "search"]];
    this.keys.append(...hints.map(([key, text]) => h("span", {}, h("kbd", {}, key), ` ${text}`)));
    const find = h("div", { class: "find" }, h("label", { for: "search" }, "Search in names, prompts and pages"), this.search);
    const tools = h("section", { class: "tools", "aria-label": "Filters and search" }, this.filters, find, this.count);
    const head = h("div", { class: "head" }, this.bar.element, this.bulk);
    gate.remove();
    main.append(head, tools, this.keys, this.list, h("div", { class: "notices" }, notice.element));
    this.list.addEventListener("focusin", (event) => this.current(event.target.closest("li")));
  }

  update() {
    const ids = new Set(this.model.images.keys());
    for (const [id, card] of this.cards) {
      if (ids.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    let before = null;
    for (const image of this.model.images.values()) {
      const card = this.cards.get(image.id) ?? this.make(image.id);
      const text = JSON.stringify([image, this.model.jobOf(image)?.state]);
      if (card.text !== text) {
        card.text = text;
        this.fill(card, image);
      }
      const follows = before ? before.nextElementSibling : this.list.firstElementChild;
      if (follows !== card.element) this.list.insertBefore(card.element, follows);
      before = card.element;
    }
    this.bar.update();
    this.updateBulk();
    this.sift();
  }

  make(id) {
    const element = h("li", { "data-id": id });
    const card = { element, text: null, words: "" };
    this.cards.set(id, card);
    return card;
  }

  fill(card, image) {
    const { label, tone, why, remedy } = stateOf(image, this.model.jobOf(image));
    const name = image.dark ? `${image.name}, dark` : image.name;
    card.image = image;
    card.words = plain([image.id, image.file, image.prompt, image.alt, image.model, ...(image.pages ?? []).map((page) => page.src_uri)].join(" "));
    const view = isThere(image)
      ? h("img", { src: stored(image.key, 480), alt: "", loading: "lazy", decoding: "async", width: image.width ?? 16, height: image.height ?? 9 })
      : h("span", { class: "none" }, marked(why ?? label));
    const tab = card.element === this.at ? 0 : -1;
    const open = h("button", { type: "button", class: "open", "aria-label": `${name}, ${label}: open`, tabIndex: tab, "data-focus": "open", onclick: () => this.drawer.open(image.id) }, view);
    const verdict = (value, text, key) =>
      button(text, () => this.judge(image.id, value), { key, tabIndex: tab, "data-focus": value, "aria-pressed": String(image.review === value), "aria-label": `${text} ${name}` });
    const pages = (image.pages ?? []).slice(0, 3).map((page) => h("a", { href: pageAddress(page.url), tabIndex: tab }, page.src_uri));
    card.element.dataset.review = image.review ?? "";
    refill(
      card.element,
      open,
      h("div", { class: "line" }, h("h2", {}, name), h("span", { class: "state", "data-tone": tone }, label)),
      h("p", { class: "prompt" }, image.prompt),
      remedy ? h("p", { class: "why" }, marked(remedy)) : null,
      image.lacks_alt ? h("p", { class: "lacks" }, "No alt text") : null,
      h("p", { class: "where" }, ...(pages.length ? pages.flatMap((link, at) => (at ? [", ", link] : [link])) : [image.shown ? "" : "Shown nowhere"]), image.pages?.length > 3 ? ` and ${image.pages.length - 3} more` : ""),
      isThere(image) ? h("div", { class: "acts" }, verdict("approved", "Approve", "A"), verdict("rejected", "Reject", "R")) : null,
    );
  }

  // Count the seconds of what is under way.
  tick() {
    for (const { element, image } of this.cards.values()) {
      const job = this.model.jobOf(image);
      if (job) element.querySelector(".state").textContent = stateOf(image, job).label;
    }
  }

  updateBulk() {
    const images = [...this.model.images.values()];
    const missing = images.filter((image) => image.state === "missing");
    const approved = this.model.bar?.approved ?? 0;
    const pin = button(`Pin all approved (${approved})`, () => this.pin(), { class: "main", disabled: !approved, "data-focus": "pin" });
    const buy = button(`Buy ${missing.length} missing`, () => this.buyMissing(), { disabled: !missing.length, "data-focus": "buy" });
    if (missing.length) buy.append(h("span", { class: "price" }, total(missing.map((image) => image.price))));
    refill(this.bulk, pin, buy);
    const options = Object.entries(FILTERS).map(([name, [text, fits]]) => [name, `${text} ${images.filter(fits).length}`]);
    const chips = choice("Filter", options, this.filter, (name) => {
      this.filter = name;
      this.updateBulk();
      this.sift();
    });
    chips.className = "chips";
    chips.querySelectorAll("button").forEach((chip, at) => (chip.dataset.focus = `chip ${at}`));
    refill(this.filters, chips);
  }

  sift() {
    const words = plain(this.search.value).split(/\s+/);
    const [, fits] = FILTERS[this.filter];
    let count = 0;
    for (const card of this.cards.values()) {
      const stays = fits(card.image) && words.every((word) => card.words.includes(word));
      if (card.element.hidden === stays) card.element.hidden = !stays;
      count += stays;
    }
    this.count.value = count ? `${counted(count, "image")} of ${this.cards.size}` : "None fits";
    if (!this.at || this.at.hidden || !this.at.isConnected) this.current(this.visible()[0]);
  }

  visible() {
    return [...this.list.children].filter((element) => !element.hidden);
  }

  // One card is in the order of the Tab key: the one that was focused last.
  current(element) {
    if (!element || element === this.at) return;
    for (const [card, value] of [[this.at, -1], [element, 0]]) {
      card?.querySelectorAll("button, a").forEach((one) => (one.tabIndex = value));
    }
    this.at = element;
  }

  go(element) {
    if (!element) return;
    this.current(element);
    element.querySelector(".open").focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  step(key) {
    const all = this.visible();
    const at = all.indexOf(this.at);
    const focused = this.list.contains(document.activeElement);
    if (!focused) return this.go(all[Math.max(0, at)]);
    const columns = all.findIndex((one) => one.offsetTop !== all[0].offsetTop);
    const across = columns < 1 ? all.length : columns;
    const steps = { j: 1, ArrowRight: 1, k: -1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[key];
    return this.go(key === "Home" ? all[0] : key === "End" ? all.at(-1) : all[at + steps]);
  }

  async judge(id, verdict) {
    const image = this.model.images.get(id);
    if (!image || !isThere(image)) return;
    try {
      const answer = await call("review", { id, verdict: image.review === verdict ? null : verdict });
      this.model.images.set(id, answer);
      if (this.model.bar) this.model.bar.approved = [...this.model.images.values()].filter((one) => one.review === "approved").length;
      this.update();
      this.notice.say(`${answer.name}: ${VERDICTS[answer.review] ?? "not judged"}`);
    } catch (error) {
      this.say(error.message, "bad");
    }
  }

  async pin() {
    try {
      const { pinned, left } = await call("pin", { ids: null });
      const words = `${counted(pinned.length, "image is", "images are")} pinned.`;
      const rest = left.map((one) => `${one.id}: ${one.why}`).join(" ");
      this.say(rest ? `${words} Not pinned: ${rest}` : words, left.length ? "bad" : "good");
    } catch (error) {
      this.say(error.message, "bad");
    }
    await this.model.refresh();
  }

  async buyMissing() {
    try {
      const { jobs } = await call("buy_missing", { ids: null });
      this.say(`${counted(jobs.length, "image is", "images are")} being made.`);
    } catch (error) {
      this.say(error.message, "bad");
    }
    await this.model.refresh();
  }

  key(event) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (target === this.search) {
      if (event.key === "Escape" && !this.search.value) this.search.blur();
      else if (event.key === "ArrowDown" || event.key === "Enter") this.go(this.visible()[0]);
      else return;
    } else if (target.matches("input, textarea, select")) return;
    else if (event.key === "/") {
      this.search.focus();
      this.search.select();
    } else if (/^(j|k|Home|End|Arrow\w+)$/.test(event.key)) this.step(event.key);
    else if ((event.key === "a" || event.key === "r") && this.list.contains(target)) {
      this.judge(this.at.dataset.id, event.key === "a" ? "approved" : "rejected");
    } else if (event.key === "u" && this.model.undo) undoLast(this.model, this.say);
    else return;
    event.preventDefault();
  }
}

async function start() {
  const root = await shadowPlace("colours.css", "parts.css", "drawer.css");
  const layer = h("div", { class: "layer" });
  root.append(layer);
  followSystem(root.host);
  const model = new Model(null);
  const closed = (id) => review.go(review.cards.get(id)?.element);
  const drawer = new Drawer({ layer, model, shown: null, mount: null, closed });
  const review = new Review(model, drawer, new Notice());
  model.addEventListener("state", () => {
    review.update();
    const was = drawerWas();
    if (was && !drawer.id && model.images.has(was.id)) drawer.open(was.id, was);
  });
  model.addEventListener("job", () => review.update());
  model.addEventListener("bar", () => review.updateBulk());
  model.addEventListener("trouble", ({ detail: error }) => {
    if (error.kind === undefined) throw error;
    if (error.kind !== "locked") review.say(error.message, "bad");
  });
  onLocked((worked) => {
    if (drawer.id) drawer.close();
    gate.textContent = worked ? "This studio's server was restarted: open the link it printed." : "Open the link that the server printed.";
    main.replaceChildren(h("h1", {}, "Images"), gate);
  });
  root.addEventListener("keydown", (event) => {
    if (drawer.key(event, event.target)) event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("keydown", (event) => {
    if (drawer.id && document.activeElement === document.body && drawer.key(event, document.body)) event.preventDefault();
    else review.key(event);
  });
  setInterval(() => [...model.images.values()].some((image) => model.jobOf(image)) && review.tick(), 1000);
  model.start();
}

followSystem(document.documentElement);
takeToken();
if (hasToken()) start();
