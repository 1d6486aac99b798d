// What a label means: whoever reads it, hardware that types fast or the camera, ends here.
import { call } from "./api.js";
import { codeOf, conditionOf, isOffered, isOpenFor, left, nameOf } from "./route.js";
import { good, wrong } from "./signals.js";
import { app, changed, goTo, pick, say } from "./state.js";

const LOCATION = "BKN-LOC:";
const LOT = "BKN-LOT:";
const looksUp = "looksUp" in document.body.dataset;

export function read(text) {
  const plain = text.trim();
  const upper = plain.toUpperCase();
  if (upper.startsWith(LOCATION)) return { kind: "location", code: plain.slice(LOCATION.length).trim() };
  if (upper.startsWith(LOT)) return { kind: "lot", id: plain.slice(LOT.length).trim().toLowerCase() };
  return { kind: "other", text: plain };
}

const same = (one, other) => one.localeCompare(other, "en", { sensitivity: "accent" }) === 0;
const describe = (stop) => `${nameOf(stop)} · ${stop.lot.color_name || "No color"} · ${conditionOf(stop)}`;

function refuse(expected, was, more = {}) {
  wrong();
  say({ kind: "wrong", text: `Expected ${expected}`, detail: `This is ${was}`, ...more });
}

function confirm(what, text) {
  app.confirmed = { ...app.confirmed, ...what };
  good();
  say({ kind: "good", text });
}

function readLocation(code) {
  const { stop } = app;
  if (stop.location && same(stop.location.code, code)) {
    confirm({ place: stop.location.code }, `${code} ✓ right place`);
    return;
  }
  const there = app.order.find((one) => one.location && same(one.location.code, code) && isOpenFor(one, app.user));
  refuse(
    codeOf(stop),
    `${code}${there ? "" : ", nothing to pick there"}`,
    there && { act: "start-at", stop: there.id, deed: "Start there" },
  );
}

async function readLot(id) {
  const here = app.group.find(({ lot }) => lot.id === id);
  if (here && !left(here)) {
    confirm({ lot: id }, "Right lot, all of it is picked");
    return;
  }
  if (!here) {
    const known = app.order.find(({ lot }) => lot.id === id);
    refuse(describe(app.stop), known ? `${describe(known)}, from ${codeOf(known)}` : "another lot");
    return;
  }
  if (here.id !== app.stop.id) await goTo(here);
  // With fewer pieces than wanted on the screen, a label says only that it is the right lot.
  if (app.chosen === null && (await pick(here, left(here)))) good();
  else confirm({ lot: id }, "✓ right lot");
}

const nothing = (text) => refuse(describe(app.stop), `${text}, which says nothing here`);

async function readForeign(text) {
  const { lot } = app.stop;
  if (same(text, lot.item_no)) {
    confirm({ lot: lot.id }, `${text} ✓ right number`);
    return;
  }
  if (!looksUp || !navigator.onLine || text.length < 3) {
    nothing(text);
    return;
  }
  try {
    const { results } = await call("GET", `/search?${new URLSearchParams({ q: text.slice(0, 100), limit: 5 })}`);
    const [found] = results;
    const isRight = results.some((one) => one.canonical_id === lot.item_no && (!one.color_id || one.color_id === lot.color_id));
    if (app.stop?.lot.id !== lot.id) return;
    if (isRight) confirm({ lot: lot.id }, `${text} ✓ ${lot.item_no}`);
    else if (found) refuse(describe(app.stop), `${found.canonical_id} ${found.name}`);
    else nothing(text);
  } catch {
    nothing(text);
  }
}

export async function scanned(text) {
  const label = read(text);
  if (!app.stop || app.card || !app.view) return;
  if (!isOffered(app.stop, app.user) && label.kind !== "location") return;
  if (label.kind === "location") readLocation(label.code);
  else if (label.kind === "lot") await readLot(label.id);
  else await readForeign(label.text);
  changed();
}
