// What stands in place of a stop: before the first, after the last, and when there is no session to pick.
import { count, h, icon } from "./dom.js";
import * as route from "./route.js";
import { app, refused, waiting } from "./state.js";

const { orders, login, back: list } = document.body.dataset;
const deed = (act, text, { isPlain, ...more } = {}) =>
  h("button", { type: "button", class: isPlain ? "btn outline main" : "btn main", "data-act": act, ...more }, text);
// What is to be pressed stays at the bottom, however much there is to read.
const foot = (...deeds) => h("div", { class: "foot" }, deeds);
const back = () => h("a", { class: "btn outline main", href: list, "data-leave": true }, "Leave picking");
const head = (title, text) => [h("h2", { tabindex: "-1" }, title), text && h("p", { class: "muted" }, text)];

function drawTrouble() {
  switch (app.trouble) {
    case "signed-out":
      return [
        head("You're signed out", "Sign in, and picking goes on. Picks that wait here stay."),
        foot(h("a", { class: "btn main", href: signInUrl() }, "Sign in")),
      ];
    case "forbidden":
      return [
        head("You may not pick here", "Picking needs a permission that your account doesn't have. Ask your shop's owner."),
        foot(back()),
      ];
    case "none":
      return [head("There is no such session", "It may have been deleted, or the address is cut short."), foot(back())];
    case "network":
      return [
        head(
          "You're offline, and this session isn't on this device yet",
          "Open it once where there is a connection. From then on it works without one.",
        ),
        foot(deed("retry", "Try again"), back()),
      ];
    case "device":
      return [
        head(
          "This browser keeps nothing",
          "Picking keeps each tap on the device before it is sent. Leave the private window, or free some space, and open it again.",
        ),
        foot(deed("retry", "Try again"), back()),
      ];
    default:
      return [
        head("The server isn't answering", "Nothing is lost. This page tries again by itself."),
        foot(deed("retry", "Try again"), back()),
      ];
  }
}

export const signInUrl = () => `${login}?next=${encodeURIComponent(location.pathname)}`;

// --- Totes -----------------------------------------------------------------------------------------------------------
const orderLink = (order, text) =>
  orders && navigator.onLine ? h("a", { class: "btn outline open", href: `${orders}${order}/` }, text, icon("chevron-right")) : null;

function tote({ order, batch_code, number, store, isShort, words, lines }) {
  return h(
    "li",
    { class: "tote-end" },
    h("span", { class: "tote" }, batch_code),
    h(
      "div",
      { class: "words" },
      h("b", {}, [store, number].filter(Boolean).join(" ")),
      h("span", { class: isShort ? "warning-text" : "success-text" }, icon(isShort ? "triangle-alert" : "check"), words),
    ),
    lines.length > 0 &&
      h(
        "ul",
        { class: "shorts" },
        lines.map((line) => h("li", {}, line)),
      ),
    isShort && orderLink(order, "Open order"),
  );
}

const shortLine = ({ stop, qty }) => `${qty} × ${route.nameOf(stop)} · ${stop.lot.color_name || "No color"}`;

function drawTotes() {
  return h(
    "ul",
    { class: "tote-list" },
    route.totes(app.view).map(({ order, open, short }) => {
      const missing = short.reduce((sum, one) => sum + one.qty, 0);
      const words = [missing && `${missing} short`, open && `${open} not picked yet`].filter(Boolean).join(", ") || "Complete";
      const gone = order.is_open === false;
      return tote({
        ...order,
        isShort: Boolean(missing || open || gone),
        words: gone ? "Not in this session any more: put back what is in the tote" : words,
        lines: short.map(shortLine),
      });
    }),
  );
}

const OUTCOMES = { PACKING: "Ready to pack", PENDING: "Goes back: not all was picked" };

function drawOutcome() {
  const short = app.outcome.filter((one) => one.short.length);
  return [
    head(
      "Session finished",
      short.length
        ? `${count(short.length, "order")} of ${app.outcome.length} ${short.length === 1 ? "is" : "are"} short. Refund in part, write to the buyer, or wait: each order says how.`
        : "All orders can be packed.",
    ),
    h(
      "ul",
      { class: "tote-list" },
      app.outcome.map((one) =>
        tote({
          ...one,
          isShort: one.short.length > 0,
          words: OUTCOMES[one.status] ?? one.status.toLowerCase(),
          lines: one.short.map(
            (line) => `${line.qty} × ${[line.item_no, line.item_name].filter(Boolean).join(" ")} · ${line.color_name || "No color"}`,
          ),
        }),
      ),
    ),
    foot(h("a", { class: "btn main", href: list, "data-leave": true }, "Done")),
  ];
}

// --- The end -----------------------------------------------------------------------------------------------------------
function spent() {
  const start = Date.parse(app.view.session.started_at ?? "");
  const minutes = Math.round((Date.now() - start) / 60_000);
  return Number.isNaN(minutes)
    ? ""
    : minutes < 1
      ? "under a minute"
      : minutes < 60
        ? `${minutes} min`
        : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function drawFigures() {
  const { done, total } = route.progress(app.view);
  const speed = route.pace(app.local.taps, app.local.taps.at(-1)?.at ?? 0);
  return h(
    "p",
    { class: "figures num" },
    [`${done.toLocaleString("en")} of ${total.toLocaleString("en")}`, spent(), speed && `${speed} a minute`].filter(Boolean).join(" · "),
  );
}

// Answers what is to be known before the session is finished, and what is to be pressed.
function finishing() {
  const open = waiting().length;
  const toSolve = refused().length;
  const { rest } = route.progress(app.view);
  if (open) {
    const isOne = open === 1;
    return [
      h(
        "p",
        { class: "alert warning" },
        `${count(open, "pick")} ${isOne ? "isn't" : "aren't"} sent yet. The session can be finished when ${isOne ? "it is" : "they are"}.`,
      ),
      deed("retry", "Send now"),
    ];
  }
  return [
    [
      toSolve > 0 &&
        h("p", { class: "alert danger" }, `${count(toSolve, "pick")} to solve: the server couldn't take ${toSolve === 1 ? "it" : "them"}.`),
      rest > 0 &&
        h(
          "p",
          { class: "alert warning" },
          `${count(rest, "piece")} ${rest === 1 ? "isn't" : "aren't"} picked yet. Orders with such lines go back to waiting and keep what was picked.`,
        ),
      app.problem && h("p", { class: "alert danger", role: "alert" }, app.problem),
    ],
    [
      toSolve > 0 && deed("outbox", "Solve", { isPlain: true }),
      deed("finish", "Finish session", { "aria-busy": app.isFinishing ? "true" : null }),
    ],
  ];
}

function drawDone() {
  const { rest } = route.progress(app.view);
  const colleagues = route.shares(app.view).filter(({ user, left }) => user !== app.user && left);
  const others = colleagues.map(({ name, left }) => `${name} has ${count(left, "stop")} left`).join(", ");
  const isAll = rest === 0;
  const isShort = app.view.stops.some(({ needs }) => needs.some((need) => need.qty_missing));
  const title = isAll
    ? isShort
      ? "All stops are done."
      : "Everything is picked."
    : app.isEnding && app.stop
      ? "Finish now?"
      : "Your stops are done.";
  const [words, deeds] = isAll || app.isEnding ? finishing() : [null, deed("end", "Finish session…", { isPlain: true })];
  return [
    head(title, isAll ? "" : others && `${others}.`),
    drawFigures(),
    drawTotes(),
    words,
    foot(
      !isAll && colleagues.length > 0 && deed("join", "Take some over"),
      deeds,
      deed("look", "Look through the stops", { isPlain: true }),
    ),
  ];
}

export function drawEnd() {
  if (app.outcome) return drawOutcome();
  const { view } = app;
  if (!view) return drawTrouble();
  const { status, total_orders: all, total_items: pieces } = view.session;
  const toSolve = refused().length ? deed("outbox", `Solve ${count(refused().length, "pick")}`) : null;
  if (status === "DRAFT") {
    return [
      head(
        `Session ${view.session.number} isn't started`,
        `${count(all, "order")}, ${count(pieces, "piece")} at ${count(view.stops.length, "stop")}.`,
      ),
      app.problem && h("p", { class: "alert danger", role: "alert" }, app.problem),
      foot(deed("start", "Start session", { "aria-busy": app.isFinishing ? "true" : null }), back()),
    ];
  }
  if (status === "COMPLETED")
    return [head(`Session ${view.session.number} is finished`, "There is nothing left to pick in it."), foot(toSolve, back())];
  if (status === "CANCELLED")
    return [
      head(`Session ${view.session.number} was cancelled`, "Its orders are waiting to be picked again. Put back what is in the totes."),
      foot(toSolve, back()),
    ];
  if (!view.stops.length)
    return [head("There is nothing to pick here", "No order of this session needs a piece."), finishing()[0], foot(finishing()[1], back())];
  return drawDone();
}
