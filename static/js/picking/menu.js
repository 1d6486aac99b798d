// Options of the walk and of this device, who else picks, and all stops in their order.
import { at, count, h, icon } from "./dom.js";
import * as route from "./route.js";
import { settings } from "./settings.js";
import { open, title } from "./sheets.js";
import { app } from "./state.js";

const AWAY_MS = 60_000;
const awayOf = ({ seen_at: seen }) => (Date.now() - Date.parse(seen) > AWAY_MS ? `, not heard of since ${at(seen)}` : "");
const toggle = (act, words, isOn) =>
  h(
    "label",
    { class: "toggle" },
    h("span", {}, words),
    h("input", { type: "checkbox", class: "switch", role: "switch", "data-toggle": act, checked: isOn }),
  );

function picker(one) {
  const isMe = one.user === app.user;
  const mine = route.shares(app.view).find(({ user }) => user === app.user)?.left ?? 0;
  const place = app.view.stops.find(({ id }) => id === one.stop);
  const where = place ? `, at ${route.codeOf(place)}` : "";
  return h(
    "li",
    { class: "picker" },
    h("span", { class: "avatar" }, one.initials),
    h(
      "div",
      { class: "words" },
      h("b", {}, isMe ? "You" : one.name),
      h("span", { class: "muted" }, `${one.all - one.left} of ${count(one.all, "stop")}${isMe ? "" : where + awayOf(one)}`),
      h("progress", { max: Math.max(1, one.all), value: one.all - one.left, "aria-label": `Stops of ${one.name}` }),
    ),
    !isMe &&
      one.left > 0 &&
      h("button", { type: "button", class: "btn outline", "data-act": "take-over", "data-user": one.user }, `Take over ${one.left}`),
    !isMe &&
      mine > 0 &&
      h("button", { type: "button", class: "btn outline", "data-act": "hand-over", "data-user": one.user }, `Hand over my ${mine}`),
  );
}

const KEYS = [
  ["Space", "all picked"],
  ["6 Enter", "that many"],
  ["M", "missing"],
  ["S", "skip"],
  ["U", "undo"],
  ["← →", "stops"],
];

export function options() {
  const isUnderWay = app.view?.session.status === "ACTIVE" && !app.outcome;
  open(
    "menu",
    title(app.view ? `Session ${app.view.session.number}` : "Options"),
    isUnderWay && [
      h("button", { type: "button", class: "btn outline main", "data-act": "list" }, "All stops"),
      h("h3", {}, "Pickers"),
      h("ul", { class: "pickers" }, route.shares(app.view).map(picker)),
      h("h3", {}, "Route"),
      toggle("reversed", "Walk the other way round", app.local.reversed),
      h("p", { class: "muted" }, "To begin somewhere else, scan the label of that location."),
    ],
    h("h3", {}, "This device"),
    toggle("leftHanded", "Left-handed", settings.leftHanded),
    toggle("contrast", "High contrast", settings.contrast),
    toggle("sounds", "Sounds", settings.sounds),
    toggle("vibration", "Vibration", settings.vibration),
    h(
      "table",
      { class: "keys" },
      h("caption", {}, "Keys"),
      h(
        "tbody",
        {},
        KEYS.map(([key, does]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, does))),
      ),
    ),
    isUnderWay && h("button", { type: "button", class: "btn outline main", "data-act": "end" }, "Finish session…"),
  );
}

export function list() {
  open(
    "list",
    title("All stops"),
    h(
      "ol",
      { class: "all-stops" },
      app.order.map((stop) => {
        const rest = route.left(stop);
        const isOffered = route.isOffered(stop, app.user);
        const owner = app.view.pickers.find(({ user }) => user === stop.picker);
        const skipped = rest && app.local.skipped[stop.id];
        const state = !rest ? "done" : !isOffered ? `${owner?.name ?? "A colleague"} picks it` : skipped ? "skipped" : `${rest}`;
        return h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              class: `btn ghost${rest && isOffered ? "" : " past"}`,
              "data-act": "go",
              "data-stop": stop.id,
              "aria-current": stop.id === app.stop?.id ? "step" : null,
            },
            h("b", {}, route.codeOf(stop)),
            h("span", { class: "words" }, `${route.nameOf(stop)} · ${stop.lot.color_name || "No color"}`),
            !isOffered && rest ? h("span", { class: "avatar", title: owner?.name }, owner?.initials ?? "…") : null,
            h(
              "span",
              { class: "num" },
              !rest ? icon("check") : "",
              h("span", { class: !rest || !isOffered ? "visually-hidden" : "" }, state),
            ),
          ),
        );
      }),
    ),
  );
}
