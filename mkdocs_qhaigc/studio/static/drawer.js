// The drawer: one image, its variants, its fields and its past. Keys are in `key()`.
import { BASE, call, mountPath, stored } from "./server_calls.js";
import { diffOf } from "./diff.js";
import { BUYS, EditForm, written } from "./edit_form.js";
import { button, choice, h, marked, refill } from "./elements.js";
import { stateOf } from "./image_states.js";
import { underWay } from "./model.js";
import { Notice } from "./notice.js";
import { PagePreview } from "./page_preview.js";
import { pastList } from "./past.js";
import { Room } from "./room.js";
import { rememberDrawer } from "./session_storage.js";
import { raise, undoLast } from "./status_bar.js";
import { Strip, isShowable } from "./variant_strip.js";
import { counted, isFree, sentence, times } from "./text.js";

const TABS = [["variants", "Variants", "V"], ["edit", "Edit", "E"], ["past", "History", "H"]];
const ITSELF = "drawer"; // what is focused where no part of the drawer is
const NOTHING = { width: null, scheme: null };
const TYPING = 250; // milliseconds for which nothing is typed before its price is asked for

export class Drawer {
  // `shown`: the images of the page behind it, `null` on the review page; `closed()` is called with the image's id.
  constructor({ layer, model, shown, mount, closed }) {
    Object.assign(this, { model, shown, closed });
    this.notice = new Notice();
    this.strip = new Strip((key) => this.choose(key));
    this.form = new EditForm({
      changed: (fields) => this.priceTry(fields),
      save: () => this.propose(this.form.fields()),
      attempt: () => this.attempt(),
    });
    this.preview = shown && new PagePreview({ mount, around: (inner) => this.putInto(inner) });
    this.build(layer);
    model.addEventListener("state", () => this.reload());
    model.addEventListener("job", (event) => this.told(event.detail));
    model.addEventListener("bar", () => this.id && this.render());
    setInterval(() => this.id && this.strip.tick(this.frames(), model.jobs), 1000);
    addEventListener("resize", () => this.id && this.makeRoom());
    addEventListener("pagehide", () => this.remember());
  }

  build(layer) {
    this.title = h("h2", { id: "studio-title" });
    this.state = h("span", { class: "state" });
    this.undos = h("div", { class: "undos" });
    const close = button("×", () => this.close(), { class: "plain close", "aria-label": "Close" });
    this.where = h("p", { class: "where" });
    this.pair = h("div", { class: "pair" });
    this.tabs = h("div", { class: "tabs" });
    this.stage = h("figure", { class: "stage" });
    this.acts = h("div", { class: "acts" });
    this.buys = h("div", { class: "acts buys" });
    this.views = h("div", { class: "views" });
    this.facts = h("dl", { class: "facts" });
    this.bodies = {
      variants: h("div", {}, this.stage, this.strip.element, this.acts, this.buys, this.views, this.facts),
      edit: h("div", {}, this.form.element),
      past: h("div", {}),
    };
    this.refused = h("p", { class: "why refused" });
    this.bodies.edit.prepend(this.refused);
    this.proposal = h("div", { class: "proposal", hidden: true });
    const head = h(
      "div",
      { class: "head" },
      h("div", { class: "line" }, this.title, this.state, this.undos, close),
      this.where,
      this.pair,
      this.tabs,
    );
    this.body = h("div", { class: "body" }, Object.values(this.bodies), this.proposal);
    this.keys = h("p", { class: "keys" });
    const foot = h("div", { class: "foot" }, this.notice.element, this.keys);
    const attributes = { role: "dialog", "aria-labelledby": "studio-title", class: "drawer", tabIndex: -1, hidden: true };
    this.element = h("section", attributes, head, this.body, foot);
    this.beside = h("div", { class: "compare", role: "group", "aria-label": "Side by side", hidden: true });
    this.room = new Room(layer, this.element);
    if (this.preview) layer.append(this.preview.element);
    layer.append(this.beside, this.element);
  }

  say(text, tone, act) {
    this.notice.say(text, tone, act);
  }

  // ---- opening and closing

  // Open an image's drawer; `was`: what the tab remembers of it.
  async open(id, was = {}) {
    if (this.id && this.id !== id) this.leave();
    const first = !this.id;
    this.id = id;
    this.detail = null;
    this.tries = was.tries ?? [];
    this.chosen = was.chosen ?? null;
    this.tab = was.tab ?? "variants";
    this.view = was.view ?? (first ? NOTHING : this.view);
    this.asked = null;
    this.notice.hide();
    this.showProposal(null);
    for (const body of Object.values(this.bodies)) body.hidden = true; // until the image's fields are there
    this.element.hidden = false;
    this.element.toggleAttribute("data-review", !this.shown);
    const image = this.model.images.get(id);
    if (image) this.head(image);
    await this.reload();
    if (this.id !== id || !this.detail) return;
    this.makeRoom(true);
    this.showScheme();
    if (was.focus) {
      const field = was.focus === ITSELF ? this.element : this.element.querySelector(`[data-focus="${CSS.escape(was.focus)}"]`);
      field?.focus({ preventScroll: true });
      if (was.at && field?.setSelectionRange) field.setSelectionRange(...was.at);
      else if (!field) this.strip.focus();
    } else if (was.tab === "edit") this.element.focus({ preventScroll: true }); // keys are not typed into a field
    else this.settle();
    if (was.notice) this.say(was.notice, "bad");
  }

  // Of a light and a dark image the page shows one; the other is seen in a frame of its own scheme.
  showScheme() {
    const { image } = this.detail;
    const hidden = image.pair && this.shown?.images.has(image.id) && !this.shown.visible(image.id);
    const scheme = hidden ? (image.dark ? "dark" : "light") : this.follows ? null : this.view.scheme;
    this.follows = Boolean(hidden);
    if (this.preview) this.see({ scheme });
  }

  leave() {
    if (this.shown && this.chosen) this.shown.look(this.id, null);
    this.beside.hidden = true;
  }

  close() {
    if (!this.id) return;
    const id = this.id;
    this.leave();
    this.preview?.close();
    this.id = null;
    this.detail = null;
    this.room.release(this.shown?.visible(id));
    this.element.hidden = true;
    rememberDrawer(null);
    this.closed(id);
  }

  remember() {
    if (!this.id) return;
    const { id, tab, chosen, tries, view } = this;
    const focused = this.element.getRootNode().activeElement;
    const focus = focused === this.element ? ITSELF : this.element.contains(focused) ? focused.dataset.focus : undefined;
    const at = focused?.selectionStart != null ? [focused.selectionStart, focused.selectionEnd] : undefined;
    rememberDrawer({ id, tab, chosen, tries, view, focus, at, notice: this.notice.unread });
  }

  makeRoom(scroll = false) {
    const img = this.shown?.visible(this.id);
    if (img) this.room.make(img, { scroll });
  }

  // ---- what the server knows

  async reload() {
    const id = this.id;
    if (!id) return;
    if (this.reloading) {
      this.again = true;
      await this.reloading;
      return;
    }
    this.reloading = call(`image?id=${encodeURIComponent(id)}`).then(
      (detail) => {
        if (this.id === id) this.take(detail);
      },
      (error) => {
        if (error.kind !== "locked" && this.id === id) this.say(error.message, "bad");
      },
    );
    await this.reloading;
    this.reloading = null;
    if (this.again) {
      this.again = false;
      await this.reload();
    }
  }

  take(detail) {
    const before = this.detail?.image;
    const keys = new Set(detail.variants.map((variant) => variant.key));
    this.detail = { ...detail, history: detail.history.filter((one) => !keys.has(one.key)) };
    const known = new Set(detail.variants.map((variant) => variant.key));
    this.tries = this.tries.filter((one) => !known.has(one.key));
    if (before && before.key !== detail.image.key && this.chosen === detail.image.key) this.chosen = null;
    this.form.update(detail.image, this.model);
    this.render();
    if (this.chosen) this.look();
    else if (this.preview?.shown) this.dress(this.preview.shown); // images may have arrived
  }

  told(job) {
    if (!this.id || !this.detail) return;
    const frame = this.frames().find((one) => one.key === job.key);
    if (job.id !== this.id && !frame) return;
    if (job.state === "saved" && frame) this.say(`${frame.request ? "The try" : `Variant ${frame.variant}`} has arrived.`, "good");
    if (job.state === "failed") {
      const act = job.kind === "budget" ? [`Raise the budget by 10`, () => raise(this.model, (...words) => this.say(...words))] : null;
      this.say(job.reason ?? "The image could not be generated.", "bad", act);
    }
    this.render();
  }

  // What the strip shows, in its order.
  frames() {
    if (!this.detail) return [];
    const { image, variants } = this.detail;
    const listed = variants.filter((one) => one.state !== "missing" || one.key === image.key || this.model.jobs.has(one.key));
    return [...listed, ...this.tries].map((frame) => {
      const job = this.model.jobs.get(frame.key);
      if (!job || isShowable(frame)) return frame;
      return { ...frame, state: job.state, reason: job.reason ?? frame.reason, kind: job.kind };
    });
  }

  get used() {
    return this.detail?.image.key ?? null;
  }

  get frame() {
    const key = this.chosen ?? this.used;
    return this.frames().find((one) => one.key === key) ?? this.detail?.history.find((one) => one.key === key) ?? null;
  }

  // ---- what is shown

  head(image) {
    const { label, tone } = stateOf(image, this.model.jobOf(image));
    this.title.textContent = image.name;
    this.state.textContent = label;
    this.state.dataset.tone = tone;
    const at = image.line ? `${image.file}, line ${image.line}` : image.file;
    const pages = (image.pages ?? []).filter((page) => !this.shown && page.url != null);
    const links = pages.slice(0, 5).map((page) => h("a", { href: pageAddress(page.url) }, page.src_uri));
    this.where.replaceChildren(at, ...links.flatMap((link) => [" · ", link]), ...(pages.length > 5 ? [` and ${pages.length - 5} more`] : []));
    if (image.pair) {
      const ids = image.dark ? [image.pair, image.id] : [image.id, image.pair];
      const options = [[ids[0], "Light image"], [ids[1], "Dark image"]];
      refill(this.pair, choice("Image of the pair", options, image.id, (id) => this.open(id, { tab: this.tab })));
    } else this.pair.replaceChildren();
  }

  render() {
    if (!this.detail) return;
    const { image, history } = this.detail;
    const frames = this.frames();
    this.head(image);
    const tabs = TABS.map(([name, text, key]) => [name, name === "past" && history.length ? `${text} (${history.length})` : text, key]);
    refill(this.tabs, choice("Part of the drawer", tabs, this.tab, (tab) => this.go(tab)));
    this.tabs.querySelectorAll("button").forEach((tab, at) => (tab.dataset.focus = `tab ${at}`));
    for (const [name, body] of Object.entries(this.bodies)) body.hidden = Boolean(this.asked) || name !== this.tab;
    this.strip.update(frames, { used: this.used, chosen: this.chosen ?? this.used, jobs: this.model.jobs });
    this.strip.element.hidden = !frames.length;
    this.renderStage(image);
    this.renderActs(image, frames);
    this.stage.toggleAttribute("data-in-page", Boolean(this.shown?.visible(image.id)));
    this.renderFacts(image);
    this.refused.hidden = image.editable;
    this.refused.replaceChildren(...(image.editable ? [] : marked(`${image.by_hand ?? "This image cannot be edited here"}.`)));
    this.form.element.hidden = !image.editable;
    const past = pastList(history, {
      chosen: this.chosen,
      editable: image.editable,
      look: (one) => this.choose(this.chosen === one.key ? null : one.key),
      takeBack: (one) => this.takeBack(one),
    });
    refill(this.bodies.past, past);
    this.renderKeys(frames);
    if (!this.beside.hidden) this.compare(true);
    this.remember();
  }

  renderStage(image) {
    const frame = this.frame;
    const isThere = frame && (frame.state === undefined || isShowable(frame));
    if (this.staged !== (isThere ? frame.key : null) || !this.stage.firstChild) {
      this.staged = isThere ? frame.key : null;
      const alt = image.alt ?? `The image ${image.name}`;
      const size = { width: frame?.width ?? image.width ?? 16, height: frame?.height ?? image.height ?? 9 };
      this.image = isThere ? h("img", { src: stored(frame.key, this.shown ? 480 : 1600), alt, ...size }) : h("span", { class: "none" });
    }
    const words = [];
    if (!isThere) {
      const { label, why, remedy } = stageWords(frame) ?? stateOf(image, this.model.jobOf(image));
      this.image.replaceChildren(h("b", {}, label), ...[why, remedy].filter(Boolean).map((text) => h("span", {}, marked(text))));
    } else {
      words.push(frame.request ? "A try, not saved" : frame.state === undefined ? "From the history" : `Variant ${frame.variant}`);
      if (frame.key === this.used) words.push("in use");
      else if (this.shown?.images.has(this.id)) words.push("shown in the page now");
    }
    const caption = h("figcaption", {}, words.join(", "));
    this.stage.replaceChildren(this.image, ...(words.length ? [caption] : []));
  }

  renderActs(image, frames) {
    const frame = this.frame;
    const others = frames.filter(isShowable).length > 1;
    const differs = frame && frame.key !== this.used;
    const label = !differs ? "In use" : frame?.request || (frame && frame.state === undefined) ? "Use this…" : `Pick variant ${frame.variant}`;
    const isMissing = image.state === "missing" && !this.model.jobOf(image) && (!frame || frame.key === this.used);
    const declared = button("Buy it", () => this.buyDeclared(), { class: "main", "data-focus": "buy it" });
    declared.append(h("span", {}, image.price));
    refill(
      this.acts,
      isMissing ? declared : button(label, () => this.pick(), { class: "main", key: "Enter", disabled: !differs || !image.editable, "data-focus": "pick" }),
      button("Side by side", () => this.compare(), { key: "Space", disabled: !others && !differs, "data-focus": "beside", "aria-pressed": String(!this.beside.hidden) }),
    );
    const { undo } = this.model;
    const title = undo && `Undo the last change in ${undo.file}`;
    refill(this.undos, undo ? button("Undo", () => this.undo(), { key: "U", class: "plain", "data-focus": "undo", title }) : null);
    const price = (count) => h("span", { class: "price" }, times(image.price, count));
    const buy = (count, text) => {
      const bought = button(text, () => this.buy(count), { "data-focus": `buy ${count}` });
      bought.append(price(count));
      return bought;
    };
    refill(this.buys, buy(1, "One more"), buy(4, "Four more"));
    if (!this.preview) return;
    const { width, scheme } = this.view;
    refill(
      this.views,
      choice("Width of the page", [[null, "Page"], [390, "Phone", "P"], [1280, "Desktop", "D"]], width, (value) => this.see({ width: value })),
      choice("Colours of the page", [[null, "As it is"], ["light", "Light"], ["dark", "Dark", "L"]], scheme, (value) => this.see({ scheme: value })),
    );
    this.views.querySelectorAll("button").forEach((one, at) => (one.dataset.focus = `view ${at}`));
  }

  renderFacts(image) {
    const frame = this.frame;
    const other = frame?.request ?? (frame && frame.state === undefined ? frame : null);
    const prompt = other?.prompt ?? image.prompt;
    const style = other?.style ?? image.style;
    const rows = [
      ["Prompt", h("span", { class: "prompt" }, prompt, style ? h("span", { class: "style" }, ` ${style}`) : null)],
      ["Model", other?.model ?? image.model],
      ["Size", other?.size ?? image.size],
      ["Variant", String(frame?.variant ?? image.variant)],
      ["Alt text", altOf(image)],
      ["Caption", image.caption],
      ["Revised prompt", image.revised_prompt],
      ["Shown on", image.pages?.length ? counted(image.pages.length, "page") : image.shown ? "A template" : "No page"],
    ];
    const there = rows.filter(([, value]) => value !== null && value !== undefined);
    this.facts.replaceChildren(...there.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  renderKeys(frames) {
    const hints = this.asked
      ? [["Enter", "write"], ["Esc", "back"]]
      : [
          ...(this.tab === "variants" && frames.filter(isShowable).length > 1 ? [["← →", this.shown ? "show in the page" : "show"], ["Space", "side by side"], ["Enter", "pick"]] : []),
          ...(this.tab === "edit" && this.detail.image.editable ? [["Ctrl Enter", "save"]] : []),
          ["Esc", this.chosen && this.chosen !== this.used ? "back to the one in use" : "close"],
        ];
    this.keys.replaceChildren(...hints.map(([key, text]) => h("span", {}, h("kbd", {}, key), ` ${text}`)));
  }

  go(tab) {
    this.tab = tab;
    this.showProposal(null);
    this.render();
    this.body.scrollTop = 0;
    this.settle();
  }

  // Put the focus where the part of the drawer that is shown is used.
  settle() {
    if (this.tab === "variants" && this.frames().length) this.strip.focus();
    else if (this.tab === "edit" && this.detail.image.editable) this.form.inputs.prompt.focus();
    else (this.bodies[this.tab].querySelector("button") ?? this.element).focus({ preventScroll: true });
  }

  // ---- looking

  choose(key) {
    this.chosen = key === this.used ? null : key;
    this.look();
    this.render();
    if (this.chosen) this.strip.reveal(this.chosen);
  }

  looked() {
    const frame = this.frame;
    if (!this.chosen || !frame || (frame.state !== undefined && !isShowable(frame))) return null;
    return { key: frame.key, width: frame.width ?? this.detail.image.width, height: frame.height ?? this.detail.image.height };
  }

  look() {
    if (this.shown) this.shown.look(this.id, this.looked());
    if (this.preview?.shown) this.putInto(this.preview.shown);
  }

  putInto(inner) {
    this.dress(inner);
    this.preview.reveal(this.id);
  }

  // Have the frame's page show what this one shows.
  dress(inner) {
    for (const [id, image] of this.shown.arrived) inner.replace(id, image);
    inner.look(this.id, this.looked());
  }

  step(steps) {
    const frames = this.frames().filter(isShowable);
    if (!frames.length) return;
    const at = frames.findIndex((one) => one.key === (this.chosen ?? this.used));
    const next = steps === -Infinity ? 0 : steps === Infinity ? frames.length - 1 : Math.min(frames.length - 1, Math.max(0, at + steps));
    this.choose(frames[at < 0 ? 0 : next].key);
    this.strip.reveal(frames[next].key);
    if (this.element.contains(this.element.getRootNode().activeElement) && this.tab === "variants") this.strip.focus();
  }

  see(change) {
    this.view = { ...this.view, ...change };
    this.preview.id = this.id;
    this.preview.show(this.view, this.model.images);
    this.render();
  }

  compare(again = false) {
    const frame = this.frame;
    if (!again && !this.beside.hidden) {
      this.beside.hidden = true;
      this.render();
      return;
    }
    const frames = this.frames().filter(isShowable);
    const used = frames.find((one) => one.key === this.used);
    const other = frame && frame.key !== this.used ? frame : frames.find((one) => one.key !== this.used);
    if (!used || !other) {
      this.beside.hidden = true;
      if (!again) this.say("There is nothing to put beside it yet.");
      return;
    }
    const figure = (one, words) =>
      h("figure", {}, h("img", { src: stored(one.key, 1600), alt: words, width: one.width ?? 16, height: one.height ?? 9 }), h("figcaption", {}, words));
    const name = other.request ? "The try" : other.state === undefined ? "From the history" : `Variant ${other.variant}`;
    const pair = `${used.key} ${other.key}`;
    if (this.compared !== pair || this.beside.hidden) {
      this.compared = pair;
      this.beside.replaceChildren(figure(used, `Variant ${used.variant}, in use`), figure(other, name));
    }
    this.beside.hidden = false;
    if (!again) this.choose(other.key);
  }

  // ---- buying

  async act(run) {
    if (this.busy) return;
    this.busy = true;
    this.element.setAttribute("aria-busy", "true");
    try {
      await run();
    } catch (error) {
      await this.failed(error);
    } finally {
      this.busy = false;
      this.element.removeAttribute("aria-busy");
    }
  }

  async failed(error) {
    if (error.kind === "locked") return;
    if (error.kind === undefined) throw error;
    const speak = (...words) => this.say(...words);
    if (error.kind === "budget") {
      this.say(error.message, "bad", ["Raise it by 10", () => raise(this.model, speak)]);
    } else if (error.kind === "changed") {
      await Promise.all([this.reload(), this.model.refresh()]);
      const typed = Object.keys(this.form.fields()).length ? ". What you typed is still in the fields" : "";
      this.say(`${error.message}${typed}`, "bad");
    } else this.say(error.message, "bad");
  }

  buy(count) {
    return this.act(async () => {
      const { jobs } = await call("buy", { id: this.id, count });
      this.ordered(jobs);
      this.say(`${counted(jobs.length, "image is", "images are")} being made.`);
    });
  }

  // Buy the image as its page declares it.
  buyDeclared() {
    return this.act(async () => {
      const { jobs } = await call("buy_missing", { ids: [this.id] });
      this.ordered(jobs);
      await this.model.refresh();
    });
  }

  ordered(jobs, request) {
    for (const job of jobs) {
      const known = this.model.jobs.get(job.key);
      const frame = { ...job, state: job.state ?? "queued", ...(request ? { request: job.request ?? request } : {}) };
      if (job.state !== "there" && !underWay(known?.state) && known?.state !== "saved") {
        this.model.jobs.set(job.key, this.model.begun({ key: job.key, id: this.id, state: "queued", seconds: 0 }));
      }
      const list = request ? this.tries : this.detail.variants;
      const at = [...this.detail.variants, ...this.tries].findIndex((one) => one.key === job.key);
      if (at < 0) list.push(frame);
    }
    this.render();
  }

  // Put the price on the button: a model and a size have prices of their own, which the server knows.
  priceTry(fields) {
    if (!this.form.try) return;
    const { id, price } = this.form.image;
    const other = Object.fromEntries(Object.entries(fields).filter(([field]) => field === "model" || field === "size"));
    const buys = Object.keys(fields).some((field) => BUYS.has(field));
    const wanted = buys && Object.keys(other).length && !isFree(price) ? JSON.stringify([id, other, price]) : null;
    this.form.try.disabled = !buys;
    if (wanted === null) this.form.price(buys ? price : "without writing");
    else if (wanted !== this.priced) this.form.price("…");
    if (wanted !== this.priced) {
      clearTimeout(this.pricing);
      if (wanted !== null) this.pricing = setTimeout(() => this.askPrice(wanted, id, other), TYPING);
    }
    this.priced = wanted;
    this.remember();
  }

  async askPrice(wanted, id, fields) {
    let price;
    try {
      ({ price } = await call("price", { id, fields }));
    } catch (error) {
      if (error.kind === undefined) throw error;
      price = `a call to ${fields.model ?? this.form.image.model}`; // what is typed is no size yet: Try will say so
    }
    if (this.priced === wanted) this.form.price(price);
  }

  attempt() {
    const fields = Object.fromEntries(Object.entries(this.form.fields()).filter(([field]) => BUYS.has(field)));
    return this.act(async () => {
      const { jobs } = await call("try", { id: this.id, fields });
      this.tab = "variants";
      this.ordered(jobs, fields);
      this.say("Nothing is written: the try is being made.");
      const [first] = jobs;
      if (first) this.choose(first.key);
      this.strip.focus();
    });
  }

  // ---- writing

  pick() {
    const frame = this.frame;
    if (!frame || frame.key === this.used) {
      this.say("This one is in use already.");
      return undefined;
    }
    if (!this.detail.image.editable) {
      this.say(this.detail.image.by_hand ?? "This image cannot be edited here.", "bad");
      return undefined;
    }
    if (frame.state === undefined) return this.takeBack(frame);
    if (!isShowable(frame)) {
      this.say("It is not there yet.");
      return undefined;
    }
    if (frame.request) return this.propose(this.withVariant(frame.request, frame.variant));
    return this.act(async () => {
      const body = { id: this.id, variant: frame.variant, version: this.detail.image.version };
      const saved = await call("pick", body);
      await this.saved(saved, frame, `Variant ${frame.variant} is picked in ${saved.file}.`);
    });
  }

  withVariant(fields, variant) {
    return variant === this.detail.image.variant ? fields : { ...fields, variant };
  }

  takeBack(one) {
    const fields = Object.fromEntries([...BUYS, "variant"].filter((name) => name in one).map((name) => [name, one[name]]));
    return this.propose(fields, one);
  }

  // Show what a change of fields would write.
  propose(fields, frame = null) {
    if (!Object.keys(fields).length) return undefined;
    const tried = frame ?? this.tries.find((one) => isShowable(one) && sameRequest(one.request, fields, this.detail.image));
    const all = tried && !frame ? this.withVariant(fields, tried.variant) : fields;
    return this.act(async () => {
      const answer = await call("diff", { id: this.id, fields: all, version: this.detail.image.version });
      if (!answer.diff) {
        this.say(`${answer.file} says so already.`);
        return;
      }
      this.showProposal({ fields: all, frame: tried, ...answer });
    });
  }

  showProposal(proposal) {
    this.asked = proposal;
    this.proposal.hidden = !proposal;
    this.proposal.replaceChildren();
    if (!proposal) return;
    this.notice.hide();
    const write = button("Write it", () => this.write(), { class: "main", key: "Enter", "data-focus": "write" });
    this.proposal.append(
      h("h3", {}, `This changes ${proposal.file}`),
      diffOf(proposal.diff),
      h("div", { class: "acts" }, write, button("Back", () => this.back(), { key: "Esc" })),
    );
    this.render();
    write.focus();
  }

  back() {
    this.showProposal(null);
    this.render();
    this.settle();
  }

  write() {
    const { fields, frame, version } = this.asked;
    return this.act(async () => {
      let saved;
      try {
        saved = await call("save", { id: this.id, fields, version });
      } catch (error) {
        this.back();
        throw error;
      }
      for (const field of Object.keys(fields)) delete this.form.draft[field];
      this.showProposal(null);
      await this.saved(saved, frame, `${saved.file} is written.`);
    });
  }

  async saved(saved, frame, words) {
    if (frame && this.shown) {
      this.shown.replace(this.id, { key: frame.key, width: frame.width, height: frame.height });
      this.preview?.shown?.replace(this.id, this.shown.arrived.get(this.id));
    }
    if (frame) this.chosen = null;
    this.beside.hidden = true;
    this.shown?.look(this.id, null);
    this.remember();
    await this.model.refresh();
    await this.reload();
    this.strip.focus();
    this.say(words, "good", ["Undo", () => this.undo()]);
  }

  undo() {
    return this.act(async () => {
      this.chosen = null;
      this.shown?.look(this.id, null);
      await undoLast(this.model, (...words) => this.say(...words));
      await this.reload();
    });
  }

  // ---- keys

  // Act on a key; returns whether it meant something here. `target`: where it was pressed.
  key(event, target) {
    if (!this.id || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    const typing = target.matches?.("textarea, select, input:not([type=checkbox])");
    if (event.key === "Escape") {
      if (typing) this.element.focus({ preventScroll: true });
      else this.escape();
      return true;
    }
    if (typing || !this.detail) return false;
    const presses = target.matches?.("button, a, summary, input, .diff");
    const act = {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Home: () => this.step(-Infinity),
      End: () => this.step(Infinity),
      " ": presses ? null : () => this.compare(),
      Enter: presses ? null : () => (this.asked ? this.write() : this.pick()),
      v: () => this.go("variants"),
      e: () => this.go("edit"),
      h: () => this.go("past"),
      u: () => this.model.undo && this.undo(),
      p: this.preview && (() => this.see({ width: this.view.width === 390 ? null : 390 })),
      d: this.preview && (() => this.see({ width: this.view.width === 1280 ? null : 1280 })),
      l: this.preview && (() => this.see({ scheme: { dark: "light", light: null }[this.view.scheme] ?? (this.view.scheme === null ? "dark" : null) })),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || (this.asked && !["Enter"].includes(event.key))) return false;
    act();
    return true;
  }

  escape() {
    if (this.asked) this.back();
    else if (!this.beside.hidden) this.compare();
    else if (this.chosen && this.chosen !== this.used) this.choose(this.used);
    else this.close();
  }
}

// An image without an alternative text of its own may have one where a page shows it.
function altOf(image) {
  if (image.alt !== null) return image.alt || "Empty: decoration";
  return image.lacks_alt || !image.shown ? h("span", { class: "lacks" }, "None yet") : "Where it is shown";
}

// What is said of a variant or a try that is not there; `null`: what is said of the image.
function stageWords(frame) {
  if (frame && underWay(frame.state)) return { label: "Being made" };
  return frame?.reason ? { label: "Not made", why: sentence(frame.reason) } : null;
}

// Whether fields ask for the image that a try was; the size and the style of a try are as its page has them.
const sameRequest = (request, fields, image) =>
  [...BUYS].every((field) => {
    if (field in fields) return (request[field] ?? null) === fields[field];
    return request[field] == null || request[field] === written(image, field);
  });

// The address of a page: its URL within the site, below the path that the site has on its server.
export const pageAddress = (url) => new URL(`.${url.startsWith("/") ? "" : "/"}${url}`, new URL(mountPath(), BASE)).href;
