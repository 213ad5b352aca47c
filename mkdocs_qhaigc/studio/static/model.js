// What this page knows of the site's images, and of what is under way. Everything that is shown is made from it.
import { call } from "./server_calls.js";
import { listen } from "./events.js";

const UNDER_WAY = new Set(["queued", "called", "task", "answered", "making"]);
export const underWay = (state) => UNDER_WAY.has(state);

export class Model extends EventTarget {
  // `path`: a function that returns the page's path within the site; `null` for all images.
  constructor(path) {
    super();
    this.path = path;
    this.images = new Map();
    this.jobs = new Map(); // key → the last that was told of it, with `started`, a time of performance.now()
    this.bar = null;
    this.undo = null;
    this.loading = null;
  }

  start() {
    listen({ told: (name, data) => this.told(name, data), joined: () => this.refresh() });
  }

  // Ask for the state again. Calls while one is asked for are answered by one more.
  refresh() {
    if (this.loading) {
      this.again = true;
      return this.loading;
    }
    this.loading = this.load()
      .catch((error) => this.emit("trouble", error))
      .finally(() => {
        this.loading = null;
        if (this.again) {
          this.again = false;
          this.refresh();
        }
      });
    return this.loading;
  }

  async load() {
    const path = this.path?.();
    const state = await call(path === undefined ? "state" : `state?path=${encodeURIComponent(path)}`);
    this.images = new Map(state.images.map((image) => [image.id, image]));
    for (const image of state.images) {
      if (image.state === "making" && image.key && !this.jobs.has(image.key)) {
        this.jobs.set(image.key, this.begun({ key: image.key, id: image.id, state: "called", seconds: image.since }));
      }
    }
    Object.assign(this, { bar: state.bar, undo: state.undo, models: state.models, styles: state.styles });
    Object.assign(this, { engine: state.engine, page: state.page });
    this.emit("state");
  }

  begun(job) {
    const since = this.jobs.get(job.key);
    const started = job.seconds != null ? performance.now() - job.seconds * 1000 : since?.started;
    return { ...job, started: started ?? performance.now() };
  }

  told(name, data) {
    if (name === "state") this.refresh();
    else if (name === "bar") {
      this.bar = data;
      this.emit("bar");
    } else if (name === "job") {
      const job = this.begun(data);
      this.jobs.set(job.key, job);
      this.emit("job", job);
      if (!underWay(job.state)) this.refresh();
    }
  }

  // The job of an image as it is declared, while it is under way.
  jobOf(image) {
    const job = image.key && this.jobs.get(image.key);
    return job && underWay(job.state) ? job : null;
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const seconds = (job) => Math.max(0, Math.round((performance.now() - job.started) / 1000));
