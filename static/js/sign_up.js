// Sign-up: an address made of the shop's name, whether it can be had, time zone and country guessed, a password's strength.
const form = document.querySelector("[data-sign-up]");
const field = (name) => form.elements.namedItem(name);
const WAIT_MS = 250;

// --- Address ---------------------------------------------------------------------------------------------------------
const hint = form.querySelector("[data-address]");
let isOwn = Boolean(field("slug").value);
let asked = 0;
let timer;

async function ask(parameters) {
  const number = ++asked;
  let answer;
  try {
    const response = await fetch(`${form.dataset.check}?${new URLSearchParams(parameters)}`);
    if (!response.ok) return;
    answer = await response.json();
  } catch {
    // Without an answer the form's own check has to do.
    return;
  }
  if (number !== asked) return;
  if ("name" in parameters) field("slug").value = answer.slug;
  if (!answer.message) return;
  hint.textContent = answer.message;
  hint.classList.toggle("error", !answer.is_free);
}

function soon(parameters) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(parameters), WAIT_MS);
}

field("slug").addEventListener("input", () => {
  const slug = field("slug").value.trim();
  isOwn = Boolean(slug);
  if (slug) soon({ slug });
});
field("name")?.addEventListener("input", () => {
  const name = field("name").value.trim();
  if (!isOwn && name) soon({ name });
});

// --- Where ------------------------------------------------------------------------------------------------------------
const EURO = "AD AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MC ME MT NL PT SI SK SM VA XK".split(" ");

function choose(select, value) {
  if ([...select.options].some((option) => option.value === value)) select.value = value;
}

function guess() {
  const country = new Intl.Locale(navigator.language).maximize().region;
  choose(field("timezone"), Intl.DateTimeFormat().resolvedOptions().timeZone);
  choose(field("country"), country);
  choose(field("currency"), country === "GB" ? "GBP" : country === "US" ? "USD" : EURO.includes(country) ? "EUR" : "USD");
}
// What came back with an error was chosen.
if (field("timezone") && !field("name").value) guess();

// --- Password ---------------------------------------------------------------------------------------------------------
const strength = form.querySelector("[data-strength]");
const COMMON = /^(?:pass|passw0rd|password|qwert|azert|letmein|welcome|lego|brick|12345|11111|abc)/i;

// Length counts most; what one knows of the person, and repetition, count for nothing.
function words(password) {
  const known = [field("name").value, field("display_name").value, field("email").value.split("@")[0], "brikonnect", "lego"];
  let rest = password.toLowerCase();
  for (const part of known.map((text) => text.toLowerCase()).filter((text) => text.length > 2)) rest = rest.replaceAll(part, "");
  rest = rest.replace(/(.)\1{2,}/g, "$1");
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-z\d]/i].filter((kind) => kind.test(password)).length;
  const length = new Set(rest).size < 4 ? 0 : rest.length;
  if (password.length < 8) return "Too short: 8 characters at least.";
  if (length < 7 || COMMON.test(password)) return "Weak: easily guessed. Add a word or two.";
  if (length + 2 * kinds < 14) return "Fair: one more word makes it good.";
  return length + 2 * kinds < 20 ? "Good." : "Strong.";
}

field("password")?.addEventListener("input", () => {
  const password = field("password").value;
  strength.hidden = !password;
  strength.firstElementChild.textContent = password && words(password);
});
