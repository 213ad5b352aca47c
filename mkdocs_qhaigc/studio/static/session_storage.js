// What a tab remembers over the reloads that follow each build: the open drawer, and what was being typed.
const DRAWER = "qhaigc-drawer";

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null; // another version of the studio wrote it
  }
}

const write = (name, value) =>
  value ? sessionStorage.setItem(name, JSON.stringify(value)) : sessionStorage.removeItem(name);

// Of this page: the next one that the tab opens begins without it.
export function drawerWas() {
  const was = read(DRAWER);
  return was?.path === location.pathname ? was : null;
}

export const rememberDrawer = (value) => write(DRAWER, value && { ...value, path: location.pathname });
export const draftOf = (id) => read(`qhaigc-draft ${id}`);
export const rememberDraft = (id, fields) => write(`qhaigc-draft ${id}`, Object.keys(fields).length ? fields : null);
