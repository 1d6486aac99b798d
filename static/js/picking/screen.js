// Draws the stop that one stands at, or what is to be said in its place.
import { at, count, h, icon, say, swatch, thing } from "./dom.js";
import { drawEnd } from "./ending.js";
import * as route from "./route.js";
import { app, lastTap, refused, waiting } from "./state.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const part = Object.fromEntries(
  ["title", "sent", "bar", "line", "count", "at", "code", "then", "see", "what", "totes", "take", "pick", "card", "other", "announce"].map(
    (name) => [name, find(name)],
  ),
);
const main = document.getElementById("main");
const act = (name) => document.querySelector(`.walk [data-act="${name}"]`);
const lineText = part.line;

// What was drawn from the same values stays as it is.
const drawn = new WeakMap();
function redraw(element, values, draw) {
  const key = JSON.stringify(values);
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...[draw()].flat(2).filter(Boolean));
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

// --- Top -------------------------------------------------------------------------------------------------------------
function drawTop() {
  const { view } = app;
  const name = view ? `Session ${view.session.number}` : "Picking";
  say(part.title, name);
  document.title = `${name} · Brikonnect`;
  const open = waiting();
  const toSolve = refused().length;
  say(part.sent, toSolve ? `⇅ ${open.length} · ${toSolve}!` : `⇅ ${open.length}`);
  const button = part.sent.parentElement;
  const since = open.length ? `, oldest of ${at(Math.min(...open.map((entry) => entry.at)))}` : "";
  const unsent = open.length ? `${open.length}, ${count(open.length, "pick")} not sent yet${since}` : "0, all picks sent";
  button.setAttribute("aria-label", toSolve ? `⇅ ${unsent}, ${toSolve} to solve` : `⇅ ${unsent}`);
  button.classList.toggle("waits", open.length > 0);
  button.classList.toggle("solve", toSolve > 0);
  const { done, total } = view ? route.progress(view) : { done: 0, total: 1 };
  part.bar.max = Math.max(1, total);
  part.bar.value = done;
  say(part.count, view ? `${done.toLocaleString("en")} / ${total.toLocaleString("en")}` : "");
}

// --- The line under the bar: what was just done, else what has to be known -------------------------------------------------
function lineOf() {
  if (app.line && app.line.until > Date.now()) return app.line;
  // In place of a stop the page says it in large letters.
  if (!app.view) return { kind: "quiet", text: "" };
  const toSolve = refused().length;
  if (toSolve)
    return {
      kind: "wrong",
      text: `${count(toSolve, "pick")} to solve`,
      detail: `The server couldn't take ${toSolve === 1 ? "it" : "them"}`,
      act: "outbox",
      deed: "Solve",
    };
  if (app.trouble === "signed-out")
    return { kind: "warn", text: "You're signed out", detail: "Picks wait here", act: "sign-in", deed: "Sign in" };
  if (app.trouble === "forbidden") return { kind: "wrong", text: "You may not pick any more", detail: "Picks wait here", act: "outbox" };
  if (app.trouble === "network") return { kind: "quiet", text: "Offline", detail: "picks are kept here" };
  if (app.trouble === "busy") return { kind: "quiet", text: "No answer yet", detail: "picks are kept here" };
  const speed = app.local && route.pace(app.local.taps, Date.now());
  return { kind: "quiet", text: speed ? `${speed} a minute` : "", detail: "" };
}

function drawLine() {
  const { kind, text, detail = "", canUndo, act: name = canUndo ? "undo" : "", deed = canUndo ? "Undo" : "", stop } = lineOf();
  lineText.dataset.kind = kind;
  redraw(lineText, [kind, text, detail, name, deed, stop], () => {
    const words = h("span", { class: "words" }, h("span", { class: "said" }, text), detail && h("span", { class: "more" }, detail));
    if (!name) return words;
    return h(
      "button",
      { type: "button", class: "press", "data-act": name, "data-stop": stop, "data-key": name },
      words,
      deed && h("span", { class: "deed" }, deed),
    );
  });
}

// --- The stop --------------------------------------------------------------------------------------------------------
const LENGTHS = [
  [7, "short"],
  [11, "middle"],
  [16, "long"],
];
const lengthOf = (text) => LENGTHS.find(([most]) => text.length <= most)?.[1] ?? "longest";

function nextOf() {
  const next = route.nextOpen(app.order, app.stop.id, app.user);
  return next && !app.group.some(({ id }) => id === next.id)
    ? next
    : app.order.find((stop) => route.isOpenFor(stop, app.user) && !app.group.includes(stop));
}

function drawPlace() {
  const code = route.codeOf(app.stop);
  say(part.code, code);
  part.code.dataset.length = lengthOf(code);
  const isHere = app.stop.location && app.confirmed.place === app.stop.location.code;
  part.code.classList.toggle("confirmed", Boolean(isHere));
  const next = nextOf();
  say(part.then, next ? `then ${route.codeOf(next)}` : "the last one");
}

function picture(stop, className) {
  const image =
    stop.lot.picture && h("img", { src: stop.lot.picture, alt: "", width: 480, height: 480, "data-picture": true, hidden: true });
  return h("span", { class: className }, thing(stop.lot.item_type, stop.lot.rgb), image);
}

const colorOf = ({ lot }) =>
  h("span", { class: "color" }, swatch(lot.rgb, lot.color_name), h("span", { class: "truncate" }, lot.color_name || "No color"));

function ownerOf(stop) {
  const owner = app.view.pickers.find(({ user }) => user === stop.picker);
  return owner ? { initials: owner.initials, name: owner.name } : { initials: "…", name: "a colleague" };
}

function row(stop) {
  const rest = route.left(stop);
  const isAt = stop.id === app.stop.id;
  const isConfirmed = app.confirmed.lot === stop.lot.id;
  const words = `${route.nameOf(stop)}, ${stop.lot.color_name}, ${route.conditionOf(stop)}`;
  return h(
    "li",
    { class: ["lot", isAt && "current", !rest && "done", isConfirmed && "confirmed"].filter(Boolean).join(" ") },
    h(
      "button",
      {
        type: "button",
        class: "choose",
        "data-act": "choose",
        "data-stop": stop.id,
        "data-key": `c${stop.id}`,
        "aria-pressed": String(isAt),
      },
      picture(stop, "plate small"),
      h(
        "span",
        { class: "words" },
        h("span", { class: "truncate" }, h("b", {}, stop.lot.item_no), " ", stop.lot.item_name),
        h("span", { class: "sub" }, colorOf(stop), h("span", { class: "condition" }, route.conditionOf(stop))),
      ),
    ),
    h(
      "button",
      {
        type: "button",
        class: "btn tick",
        "data-act": rest ? "tick" : "untick",
        "data-stop": stop.id,
        "data-key": `t${stop.id}`,
        "aria-label": rest ? `Picked ${rest} of ${words}` : `Take back: ${words}`,
      },
      rest ? h("span", { class: "num" }, String(rest)) : icon("check"),
    ),
  );
}

function drawLots() {
  const isList = app.group.length > 1;
  part.at.classList.toggle("several", isList);
  const signature = app.group.map((stop) => [stop.id, route.left(stop), stop.lot.picture]);
  redraw(part.see, [isList, signature, isList && app.stop.id, app.confirmed.lot], () =>
    isList
      ? h("ul", { class: "lots", tabindex: "0", "aria-label": `${app.group.length} lots in ${route.codeOf(app.stop)}` }, app.group.map(row))
      : h(
          "button",
          { type: "button", class: "enlarge", "data-act": "enlarge", "data-key": "see", "aria-label": "Show the picture large" },
          picture(app.stop, "plate"),
        ),
  );
  // As many as fit are seen; the one that is next is among them.
  if (isList) part.see.querySelector(".current").scrollIntoView({ block: "nearest" });
  const stop = app.stop;
  const isOffered = route.isOffered(stop, app.user);
  part.at.classList.toggle("taken", !isOffered);
  redraw(part.what, [isList, stop.id, stop.lot, stop.lookalikes, stop.picker, isOffered], () => [
    !isList && h("p", { class: "name" }, h("b", {}, stop.lot.item_no), " ", stop.lot.item_name),
    h(
      "p",
      { class: "looks" },
      !isList && [colorOf(stop), h("span", { class: "condition" }, route.conditionOf(stop))],
      !isOffered &&
        h("span", { class: "owner" }, h("span", { class: "avatar" }, ownerOf(stop).initials), `${ownerOf(stop).name} picks this`),
      stop.lookalikes
        .slice(0, 1)
        .map((one) =>
          h("span", { class: "alike" }, icon("triangle-alert"), `look-alike: ${one.text}${one.location ? ` in ${one.location}` : ""}`),
        ),
    ),
    stop.lot.description && !isList && h("p", { class: "remark" }, stop.lot.description),
  ]);
}

function drawTotes() {
  const { stop, chosen } = app;
  const parts = new Map(route.spread(stop, chosen ?? Infinity).map(({ need, qty }) => [need, qty]));
  redraw(
    part.totes,
    stop.needs.map((need) => [need.batch_code, need.qty, parts.get(need), route.open(need)]),
    () =>
      stop.needs.map((need) => {
        const rest = route.open(need);
        const now = parts.get(need) ?? 0;
        const what = rest ? now : need.qty_picked;
        return h(
          "li",
          { class: rest ? (now ? "" : "none") : "done" },
          h("span", { class: "tote" }, need.batch_code),
          h("span", { class: "qty num" }, String(what)),
          need.qty_missing > 0 && h("span", { class: "visually-hidden" }, `, ${need.qty_missing} missing`),
        );
      }),
  );
  part.totes.classList.toggle("many", stop.needs.length > 3);
}

function drawDeeds() {
  const { stop } = app;
  const rest = route.left(stop);
  const isMine = route.isOffered(stop, app.user) && rest > 0;
  const pieces = app.chosen ?? rest;
  say(part.take, isMine ? (app.chosen === null ? `Take ${rest}` : `${pieces} of ${rest}`) : rest ? `${rest} left` : "Done");
  redraw(part.pick, [isMine, pieces], () => (isMine ? ["Picked ", h("span", { class: "num" }, String(pieces))] : ["Next stop"]));
  part.pick.dataset.act = isMine ? "pick" : "next";
  part.pick.classList.toggle("some", isMine && app.chosen !== null);
  for (const name of ["less", "more", "missing", "skip"]) act(name).disabled = !isMine;
  act("less").disabled ||= pieces <= 1;
  act("more").disabled ||= pieces >= rest;
  const here = !isMine && app.local.taps.findLast((tap) => !tap.isUndone && tap.stop === stop.id);
  const undo = document.querySelector(".deeds [data-act^=undo]");
  undo.dataset.act = here ? "undo-here" : "undo";
  undo.disabled = !here && !lastTap();
}

function announce() {
  const { stop } = app;
  const totes = stop.needs
    .filter(route.open)
    .map((need) => `${need.batch_code} ${route.open(need)}`)
    .join(", ");
  say(
    part.announce,
    `${route.codeOf(stop)}, ${route.nameOf(stop)}, ${stop.lot.color_name}, ${route.conditionOf(stop)}, take ${route.left(stop)}: ${totes}`,
  );
}

// --- Between zones -----------------------------------------------------------------------------------------------------
function drawCard() {
  const { stop } = app.card;
  const left = route.skippedIn(app.order, stop, app.user, app.local);
  const zone = route.zoneOf(stop);
  redraw(part.card, [zone, left.map(({ id }) => id)], () => [
    h("h2", { id: "zone-title", tabindex: "-1" }, zone ? `Zone ${zone} done.` : "All done here."),
    h("p", {}, `${left.length} skipped here: ${left.slice(0, 4).map(route.codeOf).join(", ")}${left.length > 4 ? " …" : ""}`),
    h("button", { type: "button", class: "btn main", "data-act": "now" }, left.length === 1 ? "Do it now" : "Do them now"),
    h("button", { type: "button", class: "btn outline main", "data-act": "later" }, "Later"),
  ]);
}

// --- All of it ---------------------------------------------------------------------------------------------------------
function stateOf() {
  if (!app.local) return "loading";
  if (app.outcome) return "other";
  if (!app.view) return app.trouble && app.trouble !== "loading" ? "other" : "loading";
  if (app.view.session.status !== "ACTIVE") return "other";
  if (app.card) return "card";
  return app.stop && !app.isEnding ? "stop" : "other";
}

export function draw() {
  drawTop();
  drawLine();
  const state = stateOf();
  main.dataset.state = state;
  part.at.hidden = state !== "stop" && state !== "loading";
  part.card.hidden = state !== "card";
  part.other.hidden = state !== "other";
  if (state === "card") drawCard();
  if (state === "other")
    redraw(part.other, [app.trouble, app.outcome, app.view, waiting().length, refused().length, app.isFinishing, app.problem], drawEnd);
  if (state !== "stop") return;
  drawPlace();
  drawLots();
  drawTotes();
  drawDeeds();
  announce();
}
