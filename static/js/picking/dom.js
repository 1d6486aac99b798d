// Builds what the screen is made of; text is always text, and no style is ever inline.
const SVG = "http://www.w3.org/2000/svg";
const { icons, types } = document.body.dataset;

function put(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name === "class") element.setAttribute("class", value);
  else if (name in element && typeof value === "boolean") element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const name in attributes) put(element, name, attributes[name]);
  element.append(...children.flat(2).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const name in attributes) put(element, name, attributes[name]);
  element.append(...children);
  return element;
}

export const icon = (name) => svg("svg", { class: "icon lg", "aria-hidden": "true" }, svg("use", { href: `${icons}#${name}` }));

// The outline of a kind of thing in the lot's color, where there is no picture.
export const thing = (type, rgb) =>
  svg("svg", { class: "outline", "aria-hidden": "true", fill: `#${rgb || "c3cad5"}` }, svg("use", { href: `${types}#${type}` }));

const SHEEN = "M-2 12 12-2M4 18 18 4";
const CHECKER = "M0 0h8v8H0zM8 8h8v8H8z";
const GLITTER = "M3 3h2v2H3zM10 5h2v2h-2zM6 9h2v2H6zM12 11h2v2h-2zM3 12h2v2H3z";

// BrickLink's names say what a color is like.
const looks = (name) => ({
  isClear: /^(Trans-|Satin Trans-)/.test(name),
  hasSheen: /^(Chrome|Pearl|Metallic|Satin|Flat|Copper)\b|Gold\b|Silver\b/.test(name),
  hasGlitter: /^(Glitter|Speckle)\b/.test(name),
});

export function swatch(rgb, name) {
  if (!rgb) return null;
  const { isClear, hasSheen, hasGlitter } = looks(name);
  const box = { width: 16, height: 16, rx: 3 };
  return svg(
    "svg",
    { class: "tint", viewBox: "0 0 16 16", "aria-hidden": "true" },
    ...(isClear ? [svg("rect", { ...box, class: "ground" }), svg("path", { class: "checker", d: CHECKER })] : []),
    svg("rect", { ...box, fill: `#${rgb}`, ...(isClear && { "fill-opacity": ".5" }) }),
    ...(hasSheen ? [svg("path", { class: "sheen", d: SHEEN })] : []),
    ...(hasGlitter ? [svg("path", { class: "glitter", d: GLITTER })] : []),
    svg("rect", { class: "edge", x: ".5", y: ".5", width: 15, height: 15, rx: 2.5 }),
  );
}

// Only what changed is touched, so that nothing blinks and the focus stays.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: document.body.dataset.zone || undefined, hour: "2-digit", minute: "2-digit" });
export const at = (moment) => clock.format(new Date(moment));
