// Which elements of a document show which of our images, and other stored images in their place.
import { BASE } from "./server_calls.js";
import { isThere } from "./image_states.js";

const AS = new URL("as/", BASE).pathname;
const ADDRESSES = { src: one, srcset: several, href: one };
const KEPT = ["src", "srcset", "href", "media", "width", "height", "title"];
const SLOW = "image/avif"; // its encoding takes seconds: until the site is built, the next format shows the image

function one(value, change) {
  return change(value);
}

function several(value, change) {
  return value
    .split(/,\s+/)
    .map((candidate) => {
      const [url, ...descriptor] = candidate.trim().split(/\s+/);
      return [change(url), ...descriptor].join(" ");
    })
    .join(", ");
}

export class ImagesOnPage {
  // `mount`: the path of the site on its server, with a slash at both ends.
  constructor(doc, mount) {
    this.document = doc;
    this.mount = mount;
    this.images = new Map();
    this.owners = new WeakMap(); // element → id; kept while the element is there, whatever the next build calls its file
    this.originals = new WeakMap(); // element → its attributes as the page has them
    this.keys = new Map(); // id → key of the image that the page's own file shows, if it is no placeholder
    this.arrived = new Map(); // id → what has replaced the page's own file
    this.tried = new Map(); // id → what is looked at
    this.failed = new Set(); // keys of images that could not be shown
    doc.addEventListener("error", ({ target }) => this.giveUp(target), true);
  }

  // An image that cannot be encoded, or was removed since, leaves the page's own in its place.
  giveUp(img) {
    const id = this.owners.get(img);
    const image = this.tried.get(id) ?? this.arrived.get(id);
    if (!image || !img.currentSrc.includes(`${AS}${image.key}/`)) return;
    this.failed.add(image.key);
    this.apply(id);
  }

  // The place in the site of a file, percent-encoded as in the address; `null` for other addresses.
  place(address) {
    let url;
    try {
      url = new URL(address, this.document.baseURI);
    } catch {
      return null;
    }
    if (url.origin !== BASE.origin) return null;
    if (url.pathname.startsWith(AS)) return url.pathname.slice(AS.length).replace(/^[^/]*\//, "");
    return url.pathname.startsWith(this.mount) ? url.pathname.slice(this.mount.length) : null;
  }

  // Look for images; `images`: id → image, as the server tells of them.
  scan(images) {
    const files = new Map();
    for (const image of images.values()) {
      for (const file of image.files ?? []) files.set(file, [...(files.get(file) ?? []), image]);
    }
    this.images = new Map();
    for (const img of this.document.querySelectorAll("img")) {
      const id = this.owner(img, files);
      if (id === undefined || !images.has(id)) continue;
      if (!this.owners.has(img)) this.keys.set(id, images.get(id).key);
      this.owners.set(img, id);
      if (!this.images.has(id)) this.images.set(id, []);
      this.images.get(id).push(img);
    }
    for (const id of this.images.keys()) {
      this.follow(images.get(id));
      this.apply(id);
    }
  }

  // Show an image as it is declared now: the page's own file may be of before a change, or the placeholder of one that
  // has come in this run of the server, which a browser keeps.
  follow(image) {
    if (!isThere(image)) return;
    const isOld = image.key !== this.keys.get(image.id);
    if (isOld && image.files.length) return; // the site was built with it: this page is about to be loaded again
    if (image.fresh || isOld) this.arrived.set(image.id, image);
    else this.arrived.delete(image.id);
  }

  owner(img, files) {
    const known = this.owners.get(img);
    if (known !== undefined) return known;
    const addresses = [img.getAttribute("src"), img.currentSrc];
    img.parentElement?.closest("picture")?.querySelectorAll("source").forEach((source) => addresses.push(first(source)));
    for (const address of addresses.filter(Boolean)) {
      const place = this.place(address);
      const found = place === null ? undefined : files.get(decoded(place));
      if (!found) continue;
      const dark = address.includes("#only-dark");
      return (found.find((image) => image.dark === dark) ?? found[0]).id;
    }
    return undefined;
  }

  // Show a stored image in place of the page's own: `{key, width, height}`; `null`: as it was.
  look(id, image) {
    if (image) this.tried.set(id, image);
    else this.tried.delete(id);
    this.apply(id);
  }

  // An image has arrived, or was picked: the page shows it until it is built again.
  replace(id, image) {
    this.arrived.set(id, image);
    this.apply(id);
  }

  apply(id) {
    const image = this.tried.get(id) ?? this.arrived.get(id);
    for (const img of this.images.get(id) ?? []) {
      for (const element of carriers(img)) {
        if (image && !this.failed.has(image.key)) this.put(element, image);
        else this.restore(element);
      }
    }
  }

  put(element, image) {
    if (!this.originals.has(element)) {
      this.originals.set(element, new Map(KEPT.map((name) => [name, element.getAttribute(name)])));
    }
    const original = this.originals.get(element);
    const change = (address) => {
      const place = this.place(address);
      if (place === null) return address;
      const hash = address.indexOf("#");
      return `${AS}${image.key}/${place}${hash < 0 ? "" : address.slice(hash)}`;
    };
    for (const [name, map] of Object.entries(ADDRESSES)) {
      const value = original.get(name);
      if (value !== null) set(element, name, map(value, change));
    }
    if (element.localName === "source" && element.type === SLOW) set(element, "media", "not all");
    const [width, height] = [Number(original.get("width")), Number(original.get("height"))];
    if (width && height && image.width && image.height) {
      set(element, "height", String(Math.max(1, Math.round((width * image.height) / image.width))));
    }
    if (original.get("title")?.startsWith("Placeholder")) element.removeAttribute("title");
  }

  restore(element) {
    const original = this.originals.get(element);
    if (!original) return;
    for (const [name, value] of original) {
      if (value === null) element.removeAttribute(name);
      else set(element, name, value);
    }
    this.originals.delete(element);
  }

  // The element that shows an image to the reader: of a light and a dark one, one is hidden.
  visible(id) {
    return (this.images.get(id) ?? []).find(isVisible) ?? null;
  }
}

export function isVisible(img) {
  const box = img.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && (img.checkVisibility?.({ visibilityProperty: true }) ?? true);
}

function carriers(img) {
  const picture = img.parentElement?.closest("picture");
  const link = img.closest("a[href]");
  const sources = picture ? [...picture.querySelectorAll("source")] : [];
  return [...sources, img, ...(link && /\.(avif|webp|png|jpe?g)$/.test(link.pathname) ? [link] : [])];
}

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const first = (source) => source.getAttribute("srcset")?.trim().split(/[\s,]/)[0];

function decoded(place) {
  try {
    return decodeURIComponent(place);
  } catch {
    return place;
  }
}
