// Speaks with the shop's API. What goes wrong says by its `kind` what is to be done about it.
const token = document.querySelector('meta[name="csrf-token"]');
const TIMEOUT_MS = 15_000;

export class Failure extends Error {
  // kinds: network, busy (come again), signed-out, forbidden, refused.
  constructor(kind, { status = 0, problem = {}, waitMs = 0 } = {}) {
    super(problem.detail || problem.title || kind);
    Object.assign(this, { kind, status, problem, waitMs });
  }
}

const KINDS = { 401: "signed-out", 403: "forbidden", 408: "busy", 425: "busy", 429: "busy" };

function failure(answer, problem) {
  const isOther = problem.reason === "csrf";
  const kind = answer.status >= 500 ? "busy" : isOther ? "signed-out" : (KINDS[answer.status] ?? "refused");
  return new Failure(kind, { status: answer.status, problem, waitMs: 1000 * (Number(answer.headers.get("retry-after")) || 0) });
}

async function ask(method, path, body) {
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json", "X-CSRF-Token": token.content }) },
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Failure("network");
  }
}

async function read(answer) {
  try {
    return await answer.json();
  } catch {
    // Cut off on the way, or not from us.
    if (answer.ok) throw new Failure("network");
    return {};
  }
}

// A page that was kept on the device, or a session that was renewed elsewhere, has an old token.
async function takeNewToken() {
  const page = await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
  if (!page?.ok || page.redirected) return false;
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  if (fresh.body.dataset.user !== document.body.dataset.user) throw new Failure("signed-out");
  token.content = fresh.querySelector('meta[name="csrf-token"]')?.content ?? token.content;
  return true;
}

export async function call(method, path, body) {
  let answer = await ask(method, path, body);
  let result = await read(answer);
  if (answer.status === 403 && result.reason === "csrf" && (await takeNewToken())) {
    answer = await ask(method, path, body);
    result = await read(answer);
  }
  if (!answer.ok) throw failure(answer, result);
  return result;
}
