// Taps on their way to the server. A tap is on the device before it is shown; it leaves when the server's own numbers
// have it. States of an entry: waiting → sent (the server has it, the route here not yet) → gone; or refused.
import { channel, settled, transact } from "./device.js";

const ROUTES_KEPT = 6;
const TAPS_KEPT = 1000;
const keyOf = (user, session) => `${user}/${session}`;
const tell = () => channel?.postMessage("changed");

export const onElsewhere = (then) => channel?.addEventListener("message", ({ data }) => then(data));
export const fresh = () => ({ reversed: false, start: null, skipped: {}, turn: 0, at: null, taps: [] });

const mine = async (outbox, user) => settled(outbox.index("user").getAll(user));

export function load(user, session) {
  return transact(["routes", "local", "outbox"], "readonly", async (routes, locals, outbox) => {
    const key = keyOf(user, session);
    const [kept, local, all] = await Promise.all([settled(routes.get(key)), settled(locals.get(key)), mine(outbox, user)]);
    return { route: kept?.route ?? null, local: { ...fresh(), ...local }, all };
  });
}

// One tap: its picks and what the device remembers of it, together or not at all. Answers the entries with their ids.
export async function add(user, session, tap, entries, local) {
  const made = entries.map((entry) => ({ ...entry, user, session, tap: tap.id, at: tap.at, state: "waiting", problem: null }));
  const taps = local.taps.slice(-TAPS_KEPT);
  await transact(["outbox", "local"], "readwrite", async (outbox, locals) => {
    const ids = await Promise.all(made.map((entry) => settled(outbox.add(entry))));
    made.forEach((entry, index) => (entry.id = ids[index]));
    await settled(locals.put({ ...local, taps }, keyOf(user, session)));
  });
  tell();
  return made;
}

export const keepLocal = (user, session, local) =>
  transact(["local"], "readwrite", (locals) => settled(locals.put(local, keyOf(user, session))));

// The next picks of one session, in the order of the taps.
export async function nextBatch(user, limit) {
  const all = await transact(["outbox"], "readonly", (outbox) => mine(outbox, user));
  const waiting = all.filter(({ state }) => state === "waiting");
  const end = waiting.findIndex(({ session }) => session !== waiting[0].session);
  return waiting.slice(0, end === -1 ? limit : Math.min(end, limit));
}

// What the server said: `answers` by key, null where it has taken the pick, else the problem.
export async function settle(user, session, answers) {
  await transact(["outbox", "local"], "readwrite", async (outbox, locals) => {
    const entries = (await mine(outbox, user)).filter((one) => one.session === session);
    const refused = new Set([...answers].filter(([, problem]) => problem).map(([key]) => key));
    const writes = [];
    for (const entry of entries) {
      const { idempotency_key: key, corrects } = entry.body;
      // Nothing is left to undo of what was never taken.
      if (entry.state === "waiting" && refused.has(corrects)) writes.push(settled(outbox.delete(entry.id)));
      else if (answers.has(key)) {
        const problem = answers.get(key);
        writes.push(settled(outbox.put({ ...entry, state: problem ? "refused" : "sent", problem })));
      }
    }
    const local = await settled(locals.get(keyOf(user, session)));
    if (local && refused.size) {
      const taps = local.taps.map((tap) => ({ ...tap, picks: tap.picks.filter(({ key }) => !refused.has(key)) }));
      writes.push(settled(locals.put({ ...local, taps: taps.filter(({ picks }) => picks.length) }, keyOf(user, session))));
    }
    await Promise.all(writes);
  });
  tell();
}

// The server's numbers, and with them the end of what they have: `sent` are ids that were sent before they were asked for.
export async function keepRoute(user, session, route, sent) {
  await transact(["routes", "outbox"], "readwrite", async (routes, outbox) => {
    const writes = [routes.put({ route, user, keptAt: Date.now() }, keyOf(user, session)), ...sent.map((id) => outbox.delete(id))];
    await Promise.all(writes.map(settled));
    await forget(routes, user);
  });
  tell();
}

// Others' routes go when somebody else signs in here; of one's own the last few stay.
async function forget(routes, user) {
  const [keys, kept] = await Promise.all([settled(routes.getAllKeys()), settled(routes.getAll())]);
  const ours = kept.map((one, index) => ({ ...one, key: keys[index] })).sort((one, other) => other.keptAt - one.keptAt);
  const gone = [...ours.filter((one) => one.user !== user), ...ours.filter((one) => one.user === user).slice(ROUTES_KEPT)];
  await Promise.all(gone.map(({ key }) => settled(routes.delete(key))));
}

export async function sentIds(user, session) {
  const all = await transact(["outbox"], "readonly", (outbox) => mine(outbox, user));
  return all.filter((one) => one.session === session && one.state === "sent").map(({ id }) => id);
}

export async function solve(id) {
  await transact(["outbox"], "readwrite", (outbox) => settled(outbox.delete(id)));
  tell();
}

// Where the browser has no locks of its own: who holds this may send until `for` ms from now.
export const lease = (owner, ms) =>
  transact(["lease"], "readwrite", async (leases) => {
    const now = Date.now();
    const held = await settled(leases.get("sender"));
    if (held && held.owner !== owner && held.until > now) return false;
    await settled(leases.put({ owner, until: now + ms }, "sender"));
    return true;
  });
