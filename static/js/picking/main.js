// The picking screen: what is pressed, swiped, typed and scanned becomes a deed, and every change is drawn.
import * as camera from "./camera.js";
import { open as openDevice } from "./device.js";
import { h } from "./dom.js";
import { signInUrl } from "./ending.js";
import * as gestures from "./gestures.js";
import { listen } from "./keys.js";
import * as menu from "./menu.js";
import { onElsewhere } from "./outbox.js";
import { codeOf, left } from "./route.js";
import { scanned } from "./scanner.js";
import { draw } from "./screen.js";
import { Sender } from "./sender.js";
import { set } from "./settings.js";
import * as sheets from "./sheets.js";
import * as shell from "./shell.js";
import { good, keepAwake, wrong } from "./signals.js";
import * as state from "./state.js";

const { app } = state;
// A second press of the same finger isn't meant for the next stop.
const BOUNCE_MS = 350;
let pressedAt = 0;
let toSolve = 0;

// --- The server ------------------------------------------------------------------------------------------------------
const KEEPS_TROUBLE = { refused: "busy" };

async function told(what, failure) {
  if (what === "seen") return;
  if (what !== "ok" && what !== "changed") {
    app.trouble = failure.status === 404 ? "none" : (KEEPS_TROUBLE[what] ?? what);
    state.changed();
    return;
  }
  const isBack = app.trouble !== null && what === "ok";
  if (what === "ok") app.trouble = null;
  if (what === "changed") {
    await state.reload();
    const now = state.refused().length;
    if (now > toSolve) {
      wrong();
      state.say(null);
    }
    toSolve = now;
    if (!app.view?.stops.length) return;
    await shell.keepPictures(app.order);
  } else if (isBack) state.changed();
}

const sender = new Sender({ user: app.user, session: app.session, told, standing: () => app.stop?.id });

// Asks the server for something that needs an answer now; what it says instead is shown.
async function ask(work) {
  app.problem = "";
  app.isFinishing = true;
  state.changed();
  try {
    const answer = await work();
    await state.reload();
    return answer;
  } catch (failure) {
    app.problem =
      failure.kind === "refused" || failure.kind === "forbidden"
        ? failure.message
        : "No answer from the server. Try again where there is a connection.";
    state.say({ kind: "wrong", text: app.problem });
    return null;
  } finally {
    app.isFinishing = false;
    state.changed();
  }
}

// --- Deeds -----------------------------------------------------------------------------------------------------------
const stopOf = (element) => app.view?.stops.find(({ id }) => id === element.dataset.stop);

async function tap(work) {
  if (performance.now() - pressedAt < BOUNCE_MS) return;
  pressedAt = performance.now();
  if (!(await work())) return;
  good();
  sender.kick();
}

function less(step) {
  if (app.stop) state.choose((app.chosen ?? left(app.stop)) + step);
}

const pickNow = () => tap(() => state.pick(app.stop, app.chosen ?? left(app.stop)));
const next = () => {
  const open = app.order.find((stop) => stop.id !== app.stop.id && left(stop) && (stop.picker === null || stop.picker === app.user));
  return open ? state.goTo(open) : end(false);
};

function end(isAsked = true) {
  sheets.close();
  app.isEnding = true;
  if (!isAsked) app.local.at = null;
  state.changed();
}

const typedOf = () => document.querySelector("[data-typed]");

function typeDigit(digit) {
  const place = typedOf();
  const text = `${place.textContent === "–" ? "" : place.textContent}${digit}`;
  place.textContent = String(Math.min(Number(text), left(app.stop)));
}

async function deed(path, body) {
  sheets.close();
  await ask(() => sender.deed(path, body));
}

function scan() {
  const place = h("div", { class: "camera" });
  sheets.open(
    "scan",
    h(
      "header",
      {},
      h("h2", { id: "sheet-title", tabindex: "-1" }, "Scan a label"),
      h("button", { type: "button", class: "btn outline", "data-act": "close" }, "Close"),
    ),
    place,
  );
  camera.look(place, (text) => {
    sheets.close();
    scanned(text).then(() => sender.kick());
  });
}

const ACTS = {
  pick: pickNow,
  next,
  tick: (button) =>
    tap(async () => {
      await state.goTo(stopOf(button));
      return state.pick(stopOf(button), left(stopOf(button)));
    }),
  untick: (button) => tap(() => state.undo(stopOf(button))),
  choose: (button) => state.goTo(stopOf(button)),
  go: (button) => {
    sheets.close();
    app.isEnding = false;
    return state.goTo(stopOf(button));
  },
  less: () => less(-1),
  more: () => less(1),
  missing: () => left(app.stop) && sheets.missing(),
  skip: () => state.skip(app.stop),
  undo: () => tap(() => state.undo()),
  "undo-here": () => tap(() => state.undo(app.stop)),
  now: () => state.leaveZone(false),
  later: () => state.leaveZone(true),
  enlarge: sheets.enlarge,
  scan,
  outbox: sheets.outbox,
  menu: menu.options,
  list: menu.list,
  close: sheets.close,
  end,
  look: () => {
    app.isEnding = false;
    return state.goTo(app.order[0]);
  },
  pad: (button) => typeDigit(button.dataset.digit),
  "pad-clear": () => (typedOf().textContent = "–"),
  "pad-ok": () => {
    const pieces = Number(typedOf().textContent) || 0;
    sheets.close();
    if (pieces) tap(() => state.pick(app.stop, pieces));
  },
  "start-at": async (button) => {
    const stop = app.order.find(({ id }) => id === button.dataset.stop);
    state.say(null);
    await state.startAt(stop);
    app.confirmed = { place: stop.location.code, lot: null };
    state.say({ kind: "good", text: `The walk starts at ${codeOf(stop)}` });
  },
  "sign-in": () => location.assign(signInUrl()),
  retry: () => (app.trouble === "device" ? location.reload() : sender.kick()),
  solved: (button) => state.isSolved(Number(button.dataset.entry)),
  start: () => ask(() => sender.setStatus("ACTIVE")).then(() => sender.kick()),
  finish: async () => {
    const answer = await ask(() => sender.setStatus("COMPLETED"));
    if (answer) app.outcome = answer.outcome;
    state.changed();
  },
  join: () => deed("join"),
  "take-over": (button) => deed("take-over", { from: button.dataset.user }),
  "hand-over": (button) => deed("hand-over", { to: button.dataset.user }),
};

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-leave]");
  if (link && !navigator.onLine) {
    event.preventDefault();
    state.say({ kind: "wrong", text: "You're offline", detail: "only picking is on this device" });
    return;
  }
  const button = event.target.closest("[data-act]");
  if (!button || button.disabled || button.getAttribute("aria-disabled") === "true") return;
  if (gestures.takesClick()) return;
  ACTS[button.dataset.act](button);
});

document.addEventListener("change", ({ target }) => {
  const { toggle } = target.dataset;
  if (toggle === "reversed") state.turnRound();
  else if (toggle) set(toggle, target.checked);
  if (target.name === "counted" || target.name === "typed")
    target.closest("form").querySelector('[value="COUNTED"]').checked ||= target.name === "counted";
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-missing]");
  if (!form) return;
  event.preventDefault();
  const { wrong: words, stop, found, choice } = sheets.readMissing(form);
  if (words) {
    form.querySelector("[data-wrong]").textContent = words;
    return;
  }
  sheets.close();
  tap(() => state.miss(stop, found, choice));
});

// --- Keys ------------------------------------------------------------------------------------------------------------
const atStop = (work) => () => document.getElementById("main").dataset.state === "stop" && work();
const pressed = (name) => atStop(() => document.querySelector(`.deeds [data-act="${name}"]:not(:disabled)`)?.click());
const take = atStop(() => (document.querySelector('[data-act="pick"]') ? pickNow() : next()));
listen({
  scanned: (text) => {
    sheets.close();
    scanned(text).then(() => sender.kick());
  },
  typed: (digits) => app.stop && state.choose(Number(digits)),
  deeds: {
    Enter: take,
    " ": take,
    m: pressed("missing"),
    s: pressed("skip"),
    u: atStop(() => tap(() => state.undo())),
    ArrowLeft: atStop(() => state.walkBy(-1)),
    ArrowRight: atStop(() => state.walkBy(1)),
  },
  isOff: () => sheets.isOpen(),
});

// --- Pictures that are on their way --------------------------------------------------------------------------------------
const PICTURE_PX = 96;
const WAITS = [1500, 4000, 10_000];
document.addEventListener(
  "load",
  ({ target: image }) => {
    if (!image.matches?.("img[data-picture]")) return;
    image.hidden = image.naturalWidth < PICTURE_PX;
    image.parentElement.classList.toggle("has", !image.hidden);
    const tries = Number(image.dataset.tries ?? 0);
    if (!image.hidden || tries >= WAITS.length) return;
    image.dataset.tries = tries + 1;
    setTimeout(() => image.isConnected && (image.src = `${image.src.split("?")[0]}?again=${tries + 1}`), WAITS[tries]);
  },
  true,
);

// --- Start -----------------------------------------------------------------------------------------------------------
document.addEventListener("sheet:closed", camera.stop);
state.onChange(draw);
state.onChange(sheets.update);
setInterval(() => app.line && app.line.until < Date.now() && state.say(null), 1000);
onElsewhere((what) => (what === "erased" ? location.replace(document.body.dataset.login) : state.reload()));
addEventListener("online", () => state.changed());
addEventListener("offline", () => {
  app.trouble = "network";
  state.changed();
});
gestures.listen({ held: sheets.pad, swiped: state.walkBy });
keepAwake();
try {
  await openDevice();
  await state.reload();
  app.local.at = left(app.stop ?? { needs: [] }) ? app.local.at : null;
  await state.reload();
  sender.kick();
  await shell.settle();
  await shell.keepPictures(app.order);
  if (await camera.needsDecoder()) setTimeout(shell.keepDecoder, 5000);
} catch {
  app.trouble = "device";
  app.local ??= { taps: [], skipped: {} };
  state.changed();
}
