// Sheets from below: missing pieces, the number pad, what isn't sent, options, a picture.
import { at, count, h, icon } from "./dom.js";
import * as route from "./route.js";
import { app, refused, waiting } from "./state.js";

const sheet = document.getElementById("from-below");
let redrawn = null;

export const title = (text) =>
  h(
    "header",
    {},
    h("h2", { id: "sheet-title", tabindex: "-1" }, text),
    h("button", { type: "button", class: "btn ghost round", "data-act": "close", "aria-label": "Close" }, icon("x")),
  );

export function open(name, ...content) {
  redrawn = null;
  sheet.dataset.name = name;
  sheet.replaceChildren(...content.flat(2).filter(Boolean));
  sheet.scrollTop = 0;
  if (!sheet.open) sheet.showModal();
  sheet.querySelector("#sheet-title").focus();
}

export const isOpen = () => sheet.open;
export const close = () => sheet.open && sheet.close();
// What is on the way changes while one looks at it.
export const update = () => sheet.open && redrawn?.();
sheet.addEventListener("click", (event) => event.target === sheet && close());
sheet.addEventListener("close", () => {
  sheet.replaceChildren();
  document.dispatchEvent(new Event("sheet:closed"));
});

const chip = (type, name, value, words, isChecked, more = {}) =>
  h("label", { class: "option" }, h("input", { type, name, value, checked: isChecked, ...more }), h("span", {}, words));

// --- Missing ---------------------------------------------------------------------------------------------------------
const CHIPS = 16;

export function missing() {
  const { stop } = app;
  const all = route.left(stop);
  const found = Array.from({ length: Math.min(all, CHIPS) }, (_, index) => chip("radio", "found", index, String(index), index === 0));
  const many =
    all > CHIPS &&
    h(
      "label",
      { class: "typed" },
      "or another number",
      h("input", { class: "input", name: "typed", type: "number", inputmode: "numeric", min: 0, max: all - 1 }),
    );
  const others = stop.others.filter((place) => place.qty > 0);
  open(
    "missing",
    h(
      "form",
      { "data-missing": true, "data-stop": stop.id, novalidate: true },
      title(`Missing in ${route.codeOf(stop)}`),
      h("fieldset", {}, h("legend", {}, `How many of ${all} are there?`), h("div", { class: "options numbers" }, found), many),
      others.length > 0 &&
        h(
          "fieldset",
          {},
          h("legend", {}, "The missing ones"),
          h(
            "div",
            { class: "options" },
            chip("radio", "elsewhere", "", "are short", true),
            others.map((place) => chip("radio", "elsewhere", place.location, `take from ${place.code} (${place.qty})`)),
          ),
        ),
      h(
        "fieldset",
        {},
        h("legend", {}, "The stock of this place"),
        h(
          "div",
          { class: "options" },
          chip("radio", "remainder", "LATER", "count later", true),
          chip("radio", "remainder", "ZERO", "nothing left: set to zero"),
          h(
            "div",
            { class: "counted" },
            chip("radio", "remainder", "COUNTED", "I counted, still there:"),
            h("input", {
              class: "input num",
              name: "counted",
              type: "number",
              inputmode: "numeric",
              min: 0,
              max: 1_000_000,
              "aria-label": "Pieces left at this place after this",
            }),
          ),
        ),
      ),
      h("p", { class: "error", role: "alert", "data-wrong": true }),
      h("footer", {}, h("button", { type: "submit", class: "btn main" }, "Continue")),
    ),
  );
}

// Answers {found, remainder, counted, elsewhere}, or {wrong} in words.
export function readMissing(form) {
  const { typed, found, remainder, counted, elsewhere } = Object.fromEntries(new FormData(form));
  const stop = app.view.stops.find(({ id }) => id === form.dataset.stop);
  const all = stop ? route.left(stop) : 0;
  const pieces = Number(typed || found);
  if (!Number.isInteger(pieces) || pieces < 0 || pieces >= all) return { wrong: `Say a number from 0 to ${all - 1}.` };
  const left = Number(counted);
  if (remainder === "COUNTED" && (counted === "" || !Number.isInteger(left) || left < 0))
    return { wrong: "Say how many pieces are left there." };
  const place = stop.others.find(({ location }) => location === elsewhere);
  return {
    stop,
    found: pieces,
    choice: {
      remainder,
      ...(remainder === "COUNTED" && { counted: left }),
      ...(place && { elsewhere: { place, id: crypto.randomUUID() } }),
    },
  };
}

// --- Number pad --------------------------------------------------------------------------------------------------------
export function pad() {
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "ok"];
  const draw = (key) => {
    if (key === "ok") return h("button", { type: "button", class: "btn key", "data-act": "pad-ok" }, "Picked");
    return h(
      "button",
      {
        type: "button",
        class: "btn outline key",
        "data-act": key === "clear" ? "pad-clear" : "pad",
        "data-digit": key,
        "aria-label": key === "clear" ? "Clear" : null,
      },
      key === "clear" ? "C" : key,
    );
  };
  open(
    "pad",
    title(`How many of ${route.left(app.stop)}?`),
    h("output", { class: "typed num", "data-typed": true }, "–"),
    h("div", { class: "pad" }, keys.map(draw)),
  );
}

// --- What isn't sent, and what is to be solved ---------------------------------------------------------------------------
const SAID = { PICKED: "picked", MISSING: "missing", ADJUSTMENT: "taken back" };

function remedy({ body, what, code, undoes }) {
  if (body.event_type === "PICKED") return `Put ${body.qty} back to ${code}: ${what}.`;
  if (body.event_type === "MISSING") return `Nothing to put back. Look at ${code} again: ${what}.`;
  return `What you took back still counts as ${SAID[undoes]} at ${code}: ${what}.`;
}

export function outbox() {
  open("outbox", title("Picks on this device"), h("div", { "data-list": true }));
  redrawn = () => {
    const toSolve = refused();
    const open = waiting();
    const list = sheet.querySelector("[data-list]");
    list.replaceChildren(
      ...[
        toSolve.length > 0 && h("h3", {}, "To solve"),
        toSolve.length > 0 &&
          h(
            "ul",
            { class: "entries" },
            toSolve.map((entry) =>
              h(
                "li",
                { class: "refused" },
                h("p", { class: "danger-text" }, entry.problem.detail || entry.problem.title || "The server couldn't take it."),
                h("p", {}, remedy(entry)),
                h("button", { type: "button", class: "btn outline main", "data-act": "solved", "data-entry": entry.id }, "Done"),
              ),
            ),
          ),
        h("h3", {}, open.length ? `Not sent yet: ${count(open.length, "pick")}` : "All picks are sent"),
        open.length > 0 &&
          h(
            "p",
            { class: "muted" },
            app.trouble === "signed-out"
              ? "They are sent when you have signed in again."
              : "They are sent by themselves as soon as there is a connection.",
          ),
        open.length > 0 &&
          h(
            "ul",
            { class: "entries" },
            open.map((entry) =>
              h(
                "li",
                {},
                h("span", {}, `${entry.code}: ${entry.body.qty || ""} ${SAID[entry.body.event_type]}`),
                h("span", { class: "muted" }, `${entry.what}`),
                h("time", { class: "muted num" }, at(entry.at)),
              ),
            ),
          ),
        open.length > 0 && h("button", { type: "button", class: "btn outline main", "data-act": "retry" }, "Send now"),
      ].filter(Boolean),
    );
  };
  redrawn();
}

// --- The picture ---------------------------------------------------------------------------------------------------
export function enlarge() {
  const { stop } = app;
  open(
    "picture",
    title(route.nameOf(stop)),
    h(
      "button",
      { type: "button", class: "plate-large", "data-act": "close", "aria-label": "Close the picture" },
      h("img", { src: stop.lot.picture, alt: "", width: 480, height: 480 }),
    ),
  );
}
