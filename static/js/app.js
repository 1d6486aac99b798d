// What every page does: theme, guards around forms, copying, times that go on.
const root = document.documentElement;

function store(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still gets the theme of this page.
  }
}

const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content;

// --- Theme ---------------------------------------------------------------------------------------------------------
const THEMES = { light: ["dark", "sun"], dark: ["system", "moon"], system: ["light", "monitor"] };

function nameTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    const theme = root.dataset.theme;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${THEMES[theme][1]}`));
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.dataset.tip = `Theme: ${theme}`;
  }
}

function changeTheme(button) {
  const theme = THEMES[root.dataset.theme][0];
  root.dataset.theme = theme;
  store("theme", theme);
  document.dispatchEvent(new Event("theme:change"));
  nameTheme();
  announce(`Theme: ${theme}`);
  if (button.dataset.url) {
    fetch(button.dataset.url, {
      method: "POST",
      body: new URLSearchParams({ theme }),
      headers: { "X-CSRF-Token": csrfToken() },
    });
  }
}

function announce(text) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = text;
}
document.addEventListener("announce", (event) => announce(event.detail));

// --- Forms ---------------------------------------------------------------------------------------------------------
function setBusy(form, submitter) {
  form.dataset.busy = "";
  const button = submitter ?? form.querySelector('[type="submit"]');
  button?.setAttribute("aria-busy", "true");
}

function clearBusy(form) {
  delete form.dataset.busy;
  for (const button of [...form.querySelectorAll('[aria-busy="true"]'), ...document.querySelectorAll(`[form="${form.id || "-"}"]`)]) {
    button.removeAttribute("aria-busy");
  }
}

// Signing out takes what picking keeps off the device first; to all others the form is sent only then.
addEventListener(
  "submit",
  async (event) => {
    const form = event.target.closest("form[data-sign-out]");
    if (!form || form.dataset.signOut || !navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { leave } = await import("./picking/sign_out.js");
    if (!(await leave())) return;
    form.dataset.signOut = "erased";
    form.requestSubmit(event.submitter);
  },
  true,
);

// A press too many has no effect; before htmx sees the event.
document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if ("busy" in form.dataset) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (!navigator.onLine) {
      event.preventDefault();
      event.stopImmediatePropagation();
      document.dispatchEvent(
        new CustomEvent("toast", { detail: { level: "alert", message: "You're offline. Nothing was sent; what you typed stays." } }),
      );
      return;
    }
    if ("dirty" in form.dataset) form.dataset.unsaved = "";
    delete form.dataset.dirty;
    // A file that comes leaves the page as it is, and nothing says that it has come.
    if (![form, event.submitter].some((each) => each && "download" in each.dataset)) setBusy(form, event.submitter);
  },
  true,
);
document.addEventListener("htmx:finally:request", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  const form = sourceElement.closest?.("form");
  if (!form) return;
  clearBusy(form);
  // What was refused or got no answer is still only here: leaving asks again.
  if ("unsaved" in form.dataset && !(response?.status < 400)) form.dataset.dirty = "";
  delete form.dataset.unsaved;
});
document.addEventListener("htmx:after:swap", () => {
  for (const wrong of document.querySelectorAll('form[data-guard] [aria-invalid="true"]')) wrong.form.dataset.dirty = "";
});
// A page that comes out of the back-forward cache must not stay busy.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-busy]").forEach(clearBusy);
});

function focusFirstError(place) {
  const wrong = place.querySelector('[aria-invalid="true"]');
  const control = wrong?.matches("fieldset") ? wrong.querySelector("input") : wrong;
  control?.focus();
}
document.addEventListener("errors:focus", (event) => focusFirstError(event.target));

document.addEventListener("input", (event) => {
  const field = event.target;
  const guarded = field.closest("form[data-guard]");
  if (guarded) guarded.dataset.dirty = "";
  if (field.dataset.mustEqual !== undefined) {
    field.form.querySelector('[type="submit"]').disabled = field.value.trim() !== field.dataset.mustEqual;
  }
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  form?.requestSubmit();
});
addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-dirty]")) event.preventDefault();
});

// --- Presses -------------------------------------------------------------------------------------------------------
async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // No permission, or no secure context: mark the text beside, so that Ctrl C takes it.
    const text = button.parentElement.querySelector("code, output");
    if (text) getSelection().selectAllChildren(text);
    return;
  }
  const use = button.querySelector("use");
  const before = use.getAttribute("href");
  use.setAttribute("href", before.replace(/#.*/, "#check"));
  announce("Copied");
  setTimeout(() => use.setAttribute("href", before), 1500);
}

function reveal(button) {
  const input = button.parentElement.querySelector("input");
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", shown ? "Hide password" : "Show password");
  const use = button.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
}

const PRESSES = {
  themeToggle: changeTheme,
  copy,
  reveal,
  back: () => history.back(),
  prints: () => print(),
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (!button) return;
  for (const name in PRESSES) {
    if (name in button.dataset) PRESSES[name](button);
  }
});

// --- Times, in the shop's zone, as common/templatetags/ui.py says them --------------------------------------------------
const zone = document.body.dataset.zone || undefined;
const dayOf = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
const DAY = 86_400_000;

function relative(then, now) {
  const past = now >= then;
  const minutes = Math.floor(Math.abs(now - then) / 60_000);
  const days = Math.abs(Date.parse(dayOf.format(now)) - Date.parse(dayOf.format(then))) / DAY;
  let span;
  if (minutes < 1) return past ? "just now" : "in a moment";
  if (minutes < 60) span = `${minutes} min`;
  else if (days === 0) span = `${Math.floor(minutes / 60)} h`;
  else if (days === 1) return `${past ? "yesterday" : "tomorrow"} ${clock.format(then)}`;
  else if (days <= 7) span = `${days} days`;
  else return null;
  return past ? `${span} ago` : `in ${span}`;
}

function tick() {
  if (document.hidden) return;
  const now = new Date();
  for (const element of document.querySelectorAll("time[data-when]")) {
    const text = relative(new Date(element.dateTime), now);
    if (text && element.textContent !== text) element.textContent = text;
  }
}
setInterval(tick, 30_000);
document.addEventListener("visibilitychange", tick);

// --- Rows of tabs that scroll ------------------------------------------------------------------------------------------
function showCurrent() {
  for (const tab of document.querySelectorAll(":is(.tabs, .side-list, .stepper, .views) > [aria-current]")) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
}
document.addEventListener("htmx:after:swap", showCurrent);

// --- At the start ------------------------------------------------------------------------------------------------------
nameTheme();
showCurrent();
focusFirstError(document);
if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  for (const key of document.querySelectorAll("kbd[data-mod-key]")) key.textContent = `⌘${key.dataset.modKey}`;
}
