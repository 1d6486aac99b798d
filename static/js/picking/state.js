// What the screen is about: the session, where one stands, what was tapped. Every change goes through here.
import { add, keepLocal, load, solve } from "./outbox.js";
import * as route from "./route.js";

const { user } = document.body.dataset;
const session = /\/picking\/([0-9a-f-]{36})\//.exec(location.pathname)[1];

export const app = {
  user,
  session,
  route: null,
  local: null,
  // Of this session; `others` are of sessions that were left before all was sent.
  entries: [],
  others: [],
  view: null,
  order: [],
  stop: null,
  group: [],
  // Fewer than all, by the stepper; null is all.
  chosen: null,
  // Which label was scanned here: of the place or of the lot.
  confirmed: { place: null, lot: null },
  // The half-screen card before the zone is left.
  card: null,
  // The line under the bar: {text, detail, kind, canUndo}.
  line: null,
  trouble: null,
  outcome: null,
};

const listeners = [];
export const onChange = (then) => listeners.push(then);
export const changed = () => listeners.forEach((then) => then());

export function say(line) {
  app.line = line && { ...line, until: line.kind === "wrong" ? Infinity : Date.now() + 8000 };
  changed();
}

const waitingIn = (entries) => entries.filter(({ state }) => state === "waiting");
export const waiting = () => [...waitingIn(app.entries), ...waitingIn(app.others)];
export const refused = () => [...app.entries, ...app.others].filter(({ state }) => state === "refused");
export const lastTap = () => app.local?.taps.findLast((tap) => !tap.isUndone);

// --- What is shown ---------------------------------------------------------------------------------------------------
function compute() {
  if (!app.route) return;
  app.view = route.replay(app.route, app.entries);
  app.order = route.walk(app.view, app.local);
  const stop = app.order.find(({ id }) => id === app.local.at);
  app.stop = stop ?? app.order.find((one) => route.isOpenFor(one, user)) ?? null;
  app.group = app.stop ? route.group(app.order, app.stop, user, app.local) : [];
  if (app.chosen !== null && (!app.stop || app.chosen >= route.left(app.stop))) app.chosen = null;
  if (app.card && !route.skippedIn(app.order, app.card.stop, user, app.local).length) app.card = null;
}

export async function reload() {
  const { route: kept, local, all } = await load(user, session);
  app.route = kept;
  // Where one stands is this tab's own.
  app.local = { ...local, at: app.local ? app.local.at : local.at };
  app.entries = all.filter((one) => one.session === session);
  app.others = all.filter((one) => one.session !== session);
  compute();
  changed();
}

async function remember(changes) {
  app.local = { ...app.local, ...changes };
  compute();
  changed();
  await keepLocal(user, session, app.local);
}

// --- Where one stands ------------------------------------------------------------------------------------------------
function stand(stop) {
  if (stop?.id === app.stop?.id && stop?.id === app.local.at) return {};
  app.chosen = null;
  if (stop?.location?.code !== app.confirmed.place) app.confirmed = { place: null, lot: null };
  return { at: stop?.id ?? null };
}

export function goTo(stop) {
  app.card = null;
  return remember(stand(stop));
}

// After a tap: another lot here, else the next stop; before a zone is left, what was skipped in it.
function onwards(from) {
  const here = app.group.find((one) => one.id !== from.id && route.isOpenFor(one, user));
  const next = here ?? route.nextOpen(app.order, from.id, user);
  const isLeft = next && app.local.skipped[next.id]?.until === "zone";
  app.card = isLeft ? { stop: next } : null;
  return { ...stand(next), isZoneDone: Boolean(next) && route.zoneOf(next) !== route.zoneOf(from) };
}

export function walkBy(step) {
  const places = app.order.map(({ id }) => id);
  const inGroup = new Set(app.group.map(({ id }) => id));
  let index = places.indexOf(app.stop?.id);
  do index += step;
  while (index >= 0 && index < places.length && inGroup.has(places[index]));
  if (index >= 0 && index < places.length) return goTo(app.order[index]);
  return null;
}

// --- Taps ------------------------------------------------------------------------------------------------------------
async function write(kind, stop, entries, extra) {
  const now = Date.now();
  const code = route.codeOf(stop);
  const tap = { id: crypto.randomUUID(), at: now, kind, stop: stop.id, code, isUndone: false, ...extra };
  for (const entry of entries) {
    Object.assign(entry.body, { idempotency_key: crypto.randomUUID(), picked_at: new Date(now).toISOString() });
    Object.assign(entry, { code, what: `${route.nameOf(stop)} · ${stop.lot.color_name || "No color"}` });
  }
  tap.picks = entries.map(({ body, effects }) => ({ key: body.idempotency_key, body, effects }));
  const undone = extra?.undoes;
  const taps = app.local.taps.map((one) => (one.id === undone ? { ...one, isUndone: true } : one));
  if (!undone) taps.push(tap);
  const local = { ...app.local, taps };
  app.entries = [...app.entries, ...(await add(user, session, tap, entries, local))];
  app.local = local;
  compute();
}

// One tap after the other: the next one is about what the last one left.
let queue = Promise.resolve();
const inTurn = (work) => (queue = queue.then(work, work));

export const pick = (stop, pieces) =>
  inTurn(async () => {
    const now = app.view.stops.find(({ id }) => id === stop.id);
    const entries = now && route.isOffered(now, user) ? route.picks(now, pieces) : [];
    if (!entries.length) return false;
    const taken = entries.reduce((sum, { body }) => sum + body.qty, 0);
    await write("picked", now, entries, { pieces: taken });
    const after = app.view.stops.find(({ id }) => id === stop.id);
    const rest = after ? route.left(after) : 0;
    const { isZoneDone, ...place } = rest ? {} : onwards(now);
    const zone = route.zoneOf(now);
    const text = `${route.codeOf(now)} ✓ ${taken}${rest ? `, ${rest} left` : ""}`;
    say({ kind: "good", text, detail: isZoneDone && zone && !app.card ? `Zone ${zone} done` : "", canUndo: true });
    await remember(place);
    return true;
  });

export const miss = (stop, found, choice) =>
  inTurn(async () => {
    const now = app.view.stops.find(({ id }) => id === stop.id);
    const entries = now ? route.misses(now, found, choice) : [];
    if (!entries.length) return false;
    const gone = route.left(now) - found;
    await write("missing", now, entries, { pieces: gone });
    const elsewhere = choice.elsewhere && app.view.stops.find(({ id }) => id === choice.elsewhere.id);
    const { isZoneDone, ...place } = elsewhere ? stand(elsewhere) : onwards(now);
    say({ kind: "good", text: `${route.codeOf(now)}: ${gone} missing`, canUndo: true });
    await remember(place);
    return true;
  });

export const skip = (stop) =>
  inTurn(async () => {
    if (!route.isOpenFor(stop, user)) return;
    const { until } = app.local.skipped[stop.id] ?? {};
    const turn = app.local.turn + 1;
    app.local = { ...app.local, turn, skipped: { ...app.local.skipped, [stop.id]: { until: until === "end" ? "end" : "zone", turn } } };
    const place = app.order.findIndex(({ id }) => id === stop.id);
    const isNext = (one) => one.id !== stop.id && route.isOpenFor(one, user) && !app.local.skipped[one.id];
    const next = app.group.find(isNext) ?? app.order.slice(place).find((one) => isNext(one) && route.zoneOf(one) === route.zoneOf(stop));
    compute();
    const { at } = next ? stand(next) : onwards(stop);
    if (!next && app.local.skipped[stop.id].until === "zone") app.card = { stop };
    say({ kind: "good", text: `${route.codeOf(stop)} skipped for now` });
    await remember(at === undefined ? {} : { at });
  });

// Takes back the newest tap, or the newest at a stop.
export const undo = (stop) =>
  inTurn(async () => {
    const tap = app.local.taps.findLast((one) => !one.isUndone && (!stop || one.stop === stop.id));
    const place = tap && app.view.stops.find(({ id }) => id === tap.stop);
    const at = place ?? (tap && app.route.stops.find(({ id }) => id === tap.stop));
    if (!at) return false;
    await write("undo", at, route.undoing(tap), { undoes: tap.id, pieces: tap.pieces });
    app.card = null;
    say({ kind: "good", text: `${tap.code}: ${tap.pieces} taken back` });
    await remember(stand(at));
    return true;
  });

// --- What is left of a zone --------------------------------------------------------------------------------------------
export const leaveZone = (isLater) =>
  inTurn(async () => {
    const { stop } = app.card;
    const left = route.skippedIn(app.order, stop, user, app.local);
    const skipped = { ...app.local.skipped };
    for (const { id } of left) skipped[id] = { ...skipped[id], until: isLater ? "end" : "now" };
    app.local = { ...app.local, skipped };
    app.card = null;
    compute();
    const next = isLater ? app.order.find((one) => route.isOpenFor(one, user) && skipped[one.id]?.until !== "end") : left[0];
    await remember(stand(next ?? left[0]));
  });

export const choose = (pieces) => {
  const all = route.left(app.stop);
  const kept = Math.max(1, Math.min(pieces, all));
  app.chosen = kept === all ? null : kept;
  changed();
};

export const turnRound = () => remember({ reversed: !app.local.reversed, start: null });

export async function startAt(stop) {
  await remember({ start: stop.id });
  await goTo(stop);
}

export async function isSolved(id) {
  await solve(id);
  await reload();
}
