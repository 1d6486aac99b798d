// Around htmx: the token, what errors turn into, where the focus goes, a session that ended meanwhile.
const root = document.documentElement;
const SHELL = 'data-shell="app"';
const NAV_PARTS = "#nav:outerHTML,#bottombar:outerHTML,#banners:outerHTML";
const INTO_MAIN = { target: "#main", select: "#main", swap: "outerHTML", selectOOB: NAV_PARTS };
const token = document.querySelector('meta[name="csrf-token"]');

const say = (message, detail = {}) => document.dispatchEvent(new CustomEvent("toast", { detail: { level: "alert", message, ...detail } }));
const isNavigation = (ctx) => ctx.target?.id === "main" && Boolean(ctx.select);
const isRestore = (ctx) => Boolean(ctx.request.headers["HX-History-Restore-Request"]);
// What nobody pressed (polling, the live stream) fails in silence and comes again.
const isQuiet = (ctx) => /^(load|every|intersect|live:)/.test(ctx.sourceEvent?.type ?? "");
const isHtml = (response) => response.headers.get("content-type")?.includes("text/html");

// --- Before --------------------------------------------------------------------------------------------------------
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const { request, sourceElement } = ctx;
  if (!["GET", "HEAD"].includes(request.method)) request.headers["X-CSRF-Token"] = token.content;
  // A form in a dialog is answered there, unless the answer is a page.
  const dialog = sourceElement.closest?.("dialog[data-part]");
  if (dialog && sourceElement.matches("form") && isNavigation(ctx)) {
    Object.assign(ctx, { target: dialog, select: null, selectOOB: null, swap: "innerMorph", inDialog: true });
    request.headers["HX-Target"] = `dialog#${dialog.id}`;
  }
  // A filter that says nothing has no place in the address.
  if (sourceElement.matches?.("form.filters, form[data-lean]")) {
    for (const [name, value] of [...request.body.entries()]) if (value === "") request.body.delete(name);
  }
});

let loading = 0;
document.addEventListener("htmx:before:request", (event) => {
  const { ctx } = event.detail;
  const dirty = isNavigation(ctx) && document.querySelector("#main form[data-dirty]");
  if (dirty && !dirty.contains(ctx.sourceElement) && !confirm("Leave without saving what you typed?")) {
    event.preventDefault();
    return;
  }
  if (isRestore(ctx)) ctx.selectOOB = NAV_PARTS;
  if (isQuiet(ctx)) return;
  ctx.counted = true;
  loading += 1;
  root.dataset.loading = "";
  if (ctx.sourceElement.matches?.(".btn")) ctx.sourceElement.setAttribute("aria-busy", "true");
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.counted) return;
  loading -= 1;
  if (!loading) delete root.dataset.loading;
  if (ctx.sourceElement.matches?.(".btn")) ctx.sourceElement.removeAttribute("aria-busy");
});

// --- Answers -------------------------------------------------------------------------------------------------------
function sayError(ctx, title, detail, requestId) {
  const wait = ctx.response.headers.get("retry-after");
  const parts = [title, detail].filter(Boolean).map((part) => part.replace(/[.\s]*$/, "."));
  if (wait > 0) parts.push(`Try again in ${wait} s.`);
  say(parts.join(" ") || `The server answered ${ctx.response.status}.`, { copy: requestId });
}

function sayErrorPage(ctx) {
  const page = new DOMParser().parseFromString(ctx.text, "text/html");
  const text = (selector) => page.querySelector(selector)?.textContent.trim();
  sayError(ctx, text(".trouble h1") ?? text("h1"), text(".trouble h1 + p"), page.querySelector(".trouble [data-copy]")?.dataset.copy);
}

function sayProblem(ctx) {
  let problem = {};
  try {
    problem = JSON.parse(ctx.text);
  } catch {
    // Not the JSON that it said it was; the status is all there is to tell.
  }
  sayError(ctx, problem.title, problem.detail === problem.title ? "" : problem.detail, problem.request_id);
}

function showErrorPage(ctx) {
  const url = new URL(ctx.response.raw.url || ctx.request.action, location.href);
  if (!isRestore(ctx) && url.href !== location.href) history.pushState({ htmx: true }, "", url.pathname + url.search);
  htmx.swap({ ...INTO_MAIN, text: ctx.text, sourceElement: document.body });
}

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { status, raw } = ctx.response;
  if (status === 401) {
    event.preventDefault();
    if (isQuiet(ctx)) document.dispatchEvent(new Event("session:ended"));
    else askToSignIn(ctx);
    return;
  }
  // A redirect inside the shell needs no new document.
  if (ctx.hx.redirect && new URL(ctx.hx.redirect, location.href).origin === location.origin) {
    ctx.hx.location = JSON.stringify({ path: ctx.hx.redirect, ...INTO_MAIN });
    delete ctx.hx.redirect;
  }
  if (ctx.inDialog && ctx.text.includes(SHELL)) Object.assign(ctx, INTO_MAIN, { target: document.getElementById("main") });
  if (status < 400) return;
  if (isNavigation(ctx) && isHtml(raw) && ctx.text.includes(SHELL)) {
    if (status !== 422 && status !== 409) {
      event.preventDefault();
      if (ctx.request.method === "GET") showErrorPage(ctx);
      else sayErrorPage(ctx);
    }
  } else if (!isHtml(raw)) {
    event.preventDefault();
    if (!isQuiet(ctx)) sayProblem(ctx);
  } else if (status !== 422 && status !== 409 && !isNavigation(ctx)) {
    event.preventDefault();
    if (!isQuiet(ctx)) sayErrorPage(ctx);
  }
});

document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (!ctx || isQuiet(ctx)) return;
  if (error?.name === "AbortError") say("The server took too long to answer. Look whether it was done before you try again.");
  else if (!ctx.response) say("No answer from the server. Nothing is lost; try again.");
});

// What isn't a page of the shell (a door, another layout) is a document of its own.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (!ctx.select || ctx.target?.id !== "main" || ctx.text.includes(SHELL)) return;
  event.preventDefault();
  location.assign(ctx.response?.raw.url || ctx.request.action);
});

// Only pages that can be asked for again go into the history, and none twice in a row.
document.addEventListener("htmx:before:history:update", (event) => {
  const { history: update, response } = event.detail;
  if (response && (response.status >= 400 || (event.detail.sourceElement?.matches?.('form[method="post" i]') && !response.raw.redirected))) {
    event.preventDefault();
  } else if (update.path === location.pathname + location.search) update.type = "replace";
});

// A page's own modules lie outside #main.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const [, src] of ctx.text.matchAll(/<script type="module" src="([^"]+)"/g)) {
    if (document.querySelector(`script[src="${CSS.escape(src)}"]`)) continue;
    const script = document.createElement("script");
    script.type = "module";
    script.src = src;
    document.body.append(script);
  }
});

// --- Focus ---------------------------------------------------------------------------------------------------------
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const status = ctx.response?.status;
  if (status === 422) {
    const place = ctx.target?.isConnected ? ctx.target : document.getElementById("main");
    place.dispatchEvent(new CustomEvent("errors:focus", { bubbles: true }));
  } else if (isNavigationTarget(ctx) && !ctx.keepsFocus) {
    const heading = document.querySelector("#main h1");
    if (!heading || document.querySelector("#main [autofocus]")) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
});
// The old #main is no longer in the document, and a string where the error page was put in by hand.
function isNavigationTarget(ctx) {
  return (ctx.target?.id ?? ctx.target) === "main" || ctx.target === "#main";
}

// After an undo the page shows what is there again; typing and focus survive.
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches?.(".toast .undo") || !ctx.response.raw.ok) return;
  htmx.ajax("GET", location.href, { ...INTO_MAIN, swap: "outerMorph", push: "false", keepsFocus: true });
});

// --- Offline -------------------------------------------------------------------------------------------------------
const offline = document.getElementById("offline");
const showConnection = () => (offline.hidden = navigator.onLine);
addEventListener("online", showConnection);
addEventListener("offline", showConnection);
showConnection();

// --- A session that ended ------------------------------------------------------------------------------------------
const sheet = document.getElementById("login-sheet");
const problem = sheet.querySelector("[data-login-error]");
let waiting = null;

function askToSignIn(ctx) {
  waiting = ctx;
  problem.hidden = true;
  sheet.showModal();
  sheet.querySelector('[name="password"]').focus();
}

function goOn() {
  const { sourceElement: element, sourceEvent: event, request } = waiting;
  waiting = null;
  sheet.close();
  document.dispatchEvent(new Event("session:renewed"));
  if (!element.isConnected) return;
  if (element.matches("form")) element.requestSubmit(event.submitter ?? undefined);
  else if (element === document.body) htmx.ajax(request.method, request.action, INTO_MAIN);
  else if (event?.type === "click") element.click();
  else if (event) htmx.trigger(element, event.type);
}

async function takeNewToken() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector('meta[name="csrf-token"]')?.content;
  if (!fresh) return false;
  token.content = fresh;
  for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = fresh;
  return true;
}

sheet.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const done = () => {
    delete form.dataset.busy;
    form.querySelector('[type="submit"]').removeAttribute("aria-busy");
  };
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (await takeNewToken()) {
      form.querySelector('[name="password"]').value = "";
      goOn();
      return;
    }
    const reason = page.querySelector("main :is(.alert.danger, .error, .trouble h1 + p)")?.textContent.trim();
    problem.textContent = answer.redirected
      ? "This account asks for a second step: sign in another way, then come back to this tab and try again."
      : reason || "That is not the right password.";
  } catch {
    problem.textContent = "No answer from the server. Try again.";
  } finally {
    done();
  }
  problem.hidden = false;
});
