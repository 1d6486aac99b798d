// What a walk is made of: pure functions over the route that the server gave and what was tapped since.
export const open = (need) => Math.max(0, need.qty - need.qty_picked - need.qty_missing);
export const left = (stop) => stop.needs.reduce((sum, need) => sum + open(need), 0);
export const picked = (stop) => stop.needs.reduce((sum, need) => sum + need.qty_picked, 0);
export const wanted = (stop) => stop.needs.reduce((sum, need) => sum + need.qty, 0);
export const codeOf = (stop) => stop.location?.code ?? "No location";
export const zoneOf = (stop) => (stop.location ? stop.location.zone : null);
export const isOffered = (stop, me) => stop.picker === null || stop.picker === me;

const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
// A, B … Z, AA: as the totes stand.
const byCode = (one, other) => one.batch_code.length - other.batch_code.length || (one.batch_code < other.batch_code ? -1 : 1);

// --- What the screen shows: the server's route, and over it what isn't in it yet -----------------------------------------
export function replay(route, entries) {
  const stops = route.stops.map((stop) => ({ ...stop, needs: stop.needs.map((need) => ({ ...need })) }));
  for (const entry of entries) {
    if (entry.state === "refused") continue;
    if (entry.makes) make(stops, entry.makes);
    for (const effect of entry.effects) apply(stops, effect);
  }
  for (const stop of stops) stop.needs.sort(byCode);
  return { ...route, stops: stops.filter((stop) => wanted(stop) > 0) };
}

function make(stops, { after, ...stop }) {
  if (stops.some((one) => one.id === stop.id)) return;
  const place = stops.findIndex((one) => one.id === after);
  stops.splice(place + 1, 0, { ...stop, needs: [] });
}

function apply(stops, { stop: id, line, batch_code, qty = 0, picked: more = 0, missing = 0 }) {
  const stop = stops.find((one) => one.id === id);
  if (!stop) return;
  let need = stop.needs.find((one) => one.order_line === line);
  if (!need) {
    need = { order_line: line, batch_code, qty: 0, qty_picked: 0, qty_missing: 0 };
    stop.needs.push(need);
  }
  need.qty = Math.max(0, need.qty + qty);
  need.qty_missing = clamp(need.qty_missing + missing, 0, need.qty);
  need.qty_picked = clamp(need.qty_picked + more, 0, need.qty - need.qty_missing);
}

// What changed on the server since, over the route that the device has.
export function refresh(route, progress) {
  const changed = new Map(progress.changed.map((one) => [one.stop, one]));
  const stops = route.stops.map((stop) => {
    const now = changed.get(stop.id);
    if (!now) return stop;
    const numbers = new Map(now.needs.map(([id, ...rest]) => [id, rest]));
    const needs = stop.needs.map((need) => {
      const [qty, qty_picked, qty_missing] = numbers.get(need.id) ?? [need.qty, need.qty_picked, need.qty_missing];
      return { ...need, qty, qty_picked, qty_missing };
    });
    return { ...stop, picker: now.picker, needs };
  });
  return { ...route, session: progress.session, pickers: progress.pickers, stops };
}

// --- The order in which one walks ------------------------------------------------------------------------------------
// `local`: reversed, start (a stop), skipped ({stop: {until: "zone" | "now" | "end", turn}}).
export function walk(view, local) {
  const all = [...view.stops];
  const placed = all.filter((stop) => stop.location);
  if (local.reversed) placed.reverse();
  const start = placed.findIndex((stop) => stop.id === local.start);
  if (start > 0) placed.push(...placed.splice(0, start));
  const order = [];
  let zone = [];
  const close = () => {
    order.push(...zone.filter((stop) => !local.skipped[stop.id]), ...waiting(zone, local, ["zone", "now"]));
    zone = [];
  };
  for (const stop of [...placed, ...all.filter((one) => !one.location)]) {
    if (zone.length && zoneOf(zone[0]) !== zoneOf(stop)) close();
    zone.push(stop);
  }
  close();
  return [...order, ...waiting(all, local, ["end"])];
}

function waiting(stops, local, until) {
  return stops
    .filter((stop) => until.includes(local.skipped[stop.id]?.until))
    .sort((one, other) => local.skipped[one.id].turn - local.skipped[other.id].turn);
}

export const isOpenFor = (stop, me) => isOffered(stop, me) && left(stop) > 0;

// The stop to go to after this one: the next in order, else the first that is open.
export function nextOpen(order, from, me) {
  const place = order.findIndex((stop) => stop.id === from);
  return order.slice(place + 1).find((stop) => isOpenFor(stop, me)) ?? order.find((stop) => isOpenFor(stop, me) && stop.id !== from);
}

// Several lots at one place are picked together.
export function group(order, stop, me, local) {
  if (!stop.location || !isOffered(stop, me)) return [stop];
  const until = local.skipped[stop.id]?.until;
  return order.filter((one) => one.location?.code === stop.location.code && isOffered(one, me) && local.skipped[one.id]?.until === until);
}

// What is left of the zone that one is about to leave.
export const skippedIn = (order, stop, me, local) =>
  order.filter((one) => zoneOf(one) === zoneOf(stop) && local.skipped[one.id]?.until === "zone" && isOpenFor(one, me));

// --- What a tap says -------------------------------------------------------------------------------------------------
// Fewer pieces than wanted fill the totes in their order.
export function spread(stop, pieces) {
  const parts = [];
  for (const need of stop.needs) {
    const qty = Math.min(open(need), pieces);
    pieces -= qty;
    if (qty) parts.push({ need, qty });
  }
  return parts;
}

function said(stop, { need, qty }, event_type, more, effect) {
  return {
    body: { order_line: need.order_line, stop: stop.id, event_type, qty, ...more },
    effects: [{ stop: stop.id, line: need.order_line, batch_code: need.batch_code, ...effect }],
  };
}

export const picks = (stop, pieces) => spread(stop, pieces).map((part) => said(stop, part, "PICKED", {}, { picked: part.qty }));

// `found` pieces are there, the others aren't. `elsewhere`: {place, id} of the stop that takes those over.
export function misses(stop, found, { remainder, counted, elsewhere }) {
  const there = spread(stop, found);
  const taken = new Map(there.map(({ need, qty }) => [need, qty]));
  const gone = stop.needs.map((need) => ({ need, qty: open(need) - (taken.get(need) ?? 0) })).filter(({ qty }) => qty > 0);
  const entries = gone.map((part, index) => {
    // What becomes of the place is said once.
    const rest = index === gone.length - 1 ? { remainder, ...(remainder === "COUNTED" && { counted }) } : { remainder: "LATER" };
    if (!elsewhere) return said(stop, part, "MISSING", rest, { missing: part.qty });
    const { place, id } = elsewhere;
    const entry = said(stop, part, "MISSING", { ...rest, elsewhere: { location: place.location, stop: id } }, { qty: -part.qty });
    entry.effects.push({ stop: id, line: part.need.order_line, batch_code: part.need.batch_code, qty: part.qty });
    entry.makes = {
      after: stop.id,
      id,
      position: stop.position,
      picker: stop.picker,
      lot: stop.lot,
      lookalikes: [],
      location: { id: place.location, code: place.code, zone: zoneOf(stop) },
      others: stop.others.filter((one) => one.location !== place.location),
    };
    return entry;
  });
  return [...there.map((part) => said(stop, part, "PICKED", {}, { picked: part.qty })), ...entries];
}

const opposite = ({ qty = 0, picked: more = 0, missing = 0, ...rest }) => ({ ...rest, qty: -qty, picked: -more, missing: -missing });

export function undoing(tap) {
  return [...tap.picks].reverse().map(({ key, body, effects }) => ({
    body: { order_line: body.order_line, stop: body.stop, event_type: "ADJUSTMENT", qty: 0, corrects: key },
    undoes: body.event_type,
    effects: effects.map(opposite),
  }));
}

// --- Figures ---------------------------------------------------------------------------------------------------------
export function progress(view) {
  const rest = view.stops.reduce((sum, stop) => sum + left(stop), 0);
  const total = view.session.total_items;
  return { total, done: clamp(total - rest, 0, total), rest };
}

const PAUSE = 5 * 60_000;

// Pieces a minute, without the breaks; null before there is enough to tell.
export function pace(taps, now) {
  const mine = taps.filter((tap) => tap.kind === "picked" && !tap.isUndone);
  if (mine.length < 3) return null;
  let spent = 0;
  for (let index = 1; index < mine.length; index += 1) {
    const gap = mine[index].at - mine[index - 1].at;
    if (gap < PAUSE) spent += gap;
  }
  if (now - mine.at(-1).at < PAUSE) spent += now - mine.at(-1).at;
  const pieces = mine.slice(1).reduce((sum, tap) => sum + tap.pieces, 0);
  return spent < 5000 ? null : Math.max(1, Math.round((pieces * 60_000) / spent));
}

// What is in each tote: {order, picked, open, short: [{stop, qty}]}.
export function totes(view) {
  return view.orders.map((order) => {
    const tote = { order, picked: 0, open: 0, short: [] };
    for (const stop of view.stops) {
      for (const need of stop.needs.filter((one) => one.batch_code === order.batch_code)) {
        tote.picked += need.qty_picked;
        tote.open += open(need);
        if (need.qty_missing) tote.short.push({ stop, qty: need.qty_missing });
      }
    }
    return tote;
  });
}

export function shares(view) {
  return view.pickers.map((picker) => {
    const stops = view.stops.filter((stop) => stop.picker === picker.user);
    return { ...picker, all: stops.length, left: stops.filter((stop) => left(stop) > 0).length };
  });
}

export const nameOf = ({ lot }) => [lot.item_no, lot.item_name].filter(Boolean).join(" ");
const CONDITIONS = { NEW: "New", USED: "Used" };
export const conditionOf = ({ lot }) => CONDITIONS[lot.condition] ?? lot.condition;
