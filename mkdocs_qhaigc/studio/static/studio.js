// The studio on a page of the site: badges, the list of its images, and the drawer. Without a token it does nothing.
import { hasToken, onLocked, rememberMount, takeToken } from "./server_calls.js";
import { Badges } from "./badges.js";
import { Drawer } from "./drawer.js";
import { h, shadowPlace } from "./elements.js";
import { Model } from "./model.js";
import { Notice } from "./notice.js";
import { ImageList } from "./image_list.js";
import { FRAME } from "./page_preview.js";
import { followScheme } from "./scheme.js";
import { drawerWas, rememberDrawer } from "./session_storage.js";
import { ImagesOnPage } from "./images_on_page.js";

const mount = document.querySelector("script[data-qhaigc-mount]").dataset.qhaigcMount; // the site's path, "/" at both ends

async function start() {
  const root = await shadowPlace("colours.css", "parts.css", "drawer.css", "page.css");
  const layer = h("div", { class: "layer" });
  root.append(layer);
  followScheme(root.host);
  const notice = new Notice();
  const model = new Model(() => location.pathname.slice(mount.length - 1));
  const shown = new ImagesOnPage(document, mount);
  const badgesLayer = h("div", { class: "badges", role: "region", "aria-label": "States of the images" });
  layer.append(badgesLayer);
  let drawer;
  const open = (id) => {
    list.show(false);
    drawer.open(id);
  };
  const say = (...words) => (drawer.id ? drawer.say(...words) : notice.say(...words));
  const badges = new Badges({ layer: badgesLayer, model, shown, open });
  const list = new ImageList({ layer, model, shown, open, say });
  const closed = (id) => {
    const badge = [...badges.badges.values()].find((one) => one.id === id && !one.element.hidden);
    (badge?.element ?? list.toggle).focus({ preventScroll: true });
  };
  drawer = new Drawer({ layer, model, shown, mount, closed });
  layer.append(h("div", { class: "notices" }, notice.element));

  const look = () => {
    shown.scan(model.images);
    badges.update();
  };
  const reopen = () => {
    const was = drawerWas();
    if (!was || drawer.id) return;
    if (model.images.has(was.id)) {
      drawer.open(was.id, was);
    } else rememberDrawer(null);
  };
  model.addEventListener("state", () => {
    look();
    list.update();
    reopen();
  });
  model.addEventListener("job", ({ detail: job }) => {
    for (const image of model.images.values()) {
      if (image.key === job.key && job.state === "saved") shown.replace(image.id, image);
    }
    look();
    list.update();
  });
  model.addEventListener("trouble", ({ detail: error }) => {
    if (error.kind === undefined) throw error;
    if (error.kind !== "locked" && error.kind !== "offline") say(error.message, "bad");
  });
  onLocked((worked) => {
    shown.arrived.clear();
    if (drawer.id) drawer.close();
    badges.layer.remove();
    list.element.remove();
    if (worked) notice.say("This studio's server was restarted: open the link it printed", "bad");
  });
  setInterval(() => badges.tick(), 1000);
  followPage(root.host, { look, arrived: () => model.refresh(), left: () => drawer.close() });
  stopKeys(root, (event, target) => drawer.key(event, target));
  model.start();
}

// Themes change the page without loading another: navigation by script, switched schemes, tabs.
function followPage(host, { look, arrived, left }) {
  let path = location.pathname;
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!host.isConnected) document.documentElement.append(host);
      if (location.pathname !== path) {
        path = location.pathname;
        left();
        arrived();
      } else look();
    });
  };
  new MutationObserver(later).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["class", "hidden", "open", "data-md-color-scheme", "data-bs-theme"],
  });
  addEventListener("popstate", later);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
}

// Keys that are pressed in the studio are not the theme's, which may turn pages by them; with the drawer open and
// nothing of the page focused they are the studio's.
function stopKeys(root, key) {
  for (const type of ["keydown", "keyup", "keypress"]) {
    root.addEventListener(type, (event) => {
      if (type === "keydown" && key(event, event.target)) event.preventDefault();
      event.stopPropagation();
    });
  }
  addEventListener(
    "keydown",
    (event) => {
      if (document.activeElement !== document.body && document.activeElement !== null) return;
      if (!key(event, document.body)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    true,
  );
}

takeToken();
rememberMount(mount);
if (window.name !== FRAME && hasToken()) start();
