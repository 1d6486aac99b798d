// Sends the outbox and asks what changed: one at a time, over all tabs of the device, so that numbers that come from
// the server never have a tap in them that is still waiting here.
import { call } from "./api.js";
import { keepRoute, lease, load, nextBatch, sentIds, settle } from "./outbox.js";
import { refresh } from "./route.js";

const BATCH = 100;
const POLL_MS = 4000;
const WAITS = [1000, 2000, 4000, 8000, 15_000];
const LOCK_MS = 20_000;
const owner = crypto.randomUUID();

async function alone(work) {
  if (navigator.locks) return navigator.locks.request("picking-sender", { signal: AbortSignal.timeout(LOCK_MS) }, work);
  return (await lease(owner, LOCK_MS)) ? work() : false;
}

export class Sender {
  // `told(what)` hears of: ok, changed, and failures by their kind. `standing()` answers the stop that one is at.
  constructor({ user, session, told, standing }) {
    Object.assign(this, { user, session, told, standing });
    this.fails = 0;
    this.isBusy = false;
    this.isAsked = false;
    this.isIn = false;
    this.batch = BATCH;
    addEventListener("online", () => this.kick());
    document.addEventListener("visibilitychange", () => document.hidden || this.kick());
    document.addEventListener("live:picking", () => this.kick());
  }

  // At once; while one is under way, another follows it.
  kick() {
    this.isAsked = true;
    if (!this.isBusy) this.cycle();
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.cycle(), ms);
  }

  async cycle() {
    if (this.isBusy) return;
    this.isBusy = true;
    clearTimeout(this.timer);
    try {
      do {
        this.isAsked = false;
        await alone(async () => {
          await this.send();
          if (!document.hidden) await this.poll();
        });
      } while (this.isAsked);
      this.fails = 0;
      this.told("ok");
      this.later(POLL_MS);
    } catch (failure) {
      this.failed(failure);
    } finally {
      this.isBusy = false;
    }
  }

  failed(failure) {
    this.told(failure.kind ?? "network", failure);
    const wait = Math.max(failure.waitMs ?? 0, WAITS[Math.min(this.fails, WAITS.length - 1)]);
    this.fails += 1;
    this.later(wait);
  }

  async send() {
    for (let batch = await nextBatch(this.user, this.batch); batch.length; batch = await nextBatch(this.user, this.batch)) {
      await this.sendOne(batch);
      this.told("changed");
    }
  }

  async sendOne(batch) {
    const { session } = batch[0];
    try {
      const answer = await call("POST", `/picker/sessions/${session}/pick`, { picks: batch.map(({ body }) => body) });
      const problems = answer.results.map((one) => [one.idempotency_key, one.status === "refused" ? (one.problem ?? {}) : null]);
      await settle(this.user, session, new Map(problems));
      this.batch = BATCH;
    } catch (failure) {
      if (failure.kind !== "refused") throw failure;
      // One that can't be taken at all must not hold up the others: they are sent one by one until it is found.
      if (batch.length > 1 && failure.status !== 404) this.batch = 1;
      else await settle(this.user, session, new Map(batch.map(({ body }) => [body.idempotency_key, failure.problem])));
    }
  }

  // What changed since; the whole route where stops came or went, or none is here.
  async poll() {
    const sent = await sentIds(this.user, this.session);
    const { route } = await load(this.user, this.session);
    if (!route || !this.isIn) {
      await this.takeRoute(await this.enter(), sent);
      return;
    }
    const query = new URLSearchParams({ since: route.session.version });
    const stop = this.standing();
    if (route.stops.some(({ id }) => id === stop)) query.set("stop", stop);
    const progress = await call("GET", `/picker/sessions/${this.session}/progress?${query}`);
    if (progress.route_version !== route.session.route_version) {
      await this.takeRoute(await call("GET", `/picker/sessions/${this.session}/route`), sent);
      return;
    }
    const isNew = progress.session.version !== route.session.version || sent.length;
    await keepRoute(this.user, this.session, refresh(route, progress), sent);
    this.told(isNew ? "changed" : "seen");
  }

  // Whoever opens a session that is under way takes part in it.
  async enter() {
    const path = `/picker/sessions/${this.session}`;
    let route = await call("GET", `${path}/route`);
    if (route.session.status === "ACTIVE") {
      try {
        route = await call("POST", `${path}/join`, {});
      } catch (failure) {
        if (failure.kind !== "refused") throw failure;
      }
    }
    // A draft is asked for whole until somebody starts it.
    this.isIn = route.session.status !== "DRAFT";
    return route;
  }

  async takeRoute(route, sent) {
    await keepRoute(this.user, this.session, route, sent);
    this.told("changed");
  }

  // A deed whose answer is the route: join, take over, hand over.
  async deed(path, body = {}) {
    await alone(async () => {
      await this.send();
      const sent = await sentIds(this.user, this.session);
      await this.takeRoute(await call("POST", `/picker/sessions/${this.session}/${path}`, body), sent);
    });
  }

  // Ends or starts the session; the version is the newest that this device knows.
  async setStatus(status) {
    let answer = null;
    await alone(async () => {
      await this.send();
      await this.poll();
      const { route } = await load(this.user, this.session);
      answer = await call("PATCH", `/picker/sessions/${this.session}`, { status, version: route.session.version });
    });
    return answer;
  }
}
