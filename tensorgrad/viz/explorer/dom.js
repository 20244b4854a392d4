// Elements, numbers and bytes as text. All text of the page goes through text nodes; nothing parses HTML.

const SVG = 'http://www.w3.org/2000/svg';
const byId = (id) => document.getElementById(id);
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** An HTML element with attributes and children; a string becomes a text node, null nothing. */
function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A docstring's line, with what stands in double backticks as code. */
function prose(text) {
  return text ? el('p', {}, ...text.split('``').map((part, i) => (i % 2 ? el('code', {}, part) : part))) : null;
}

/** Say something to people who listen to the page. */
function say(text) {
  byId('live').textContent = text;
}

/** A number to a few digits; words such as NaN stay what they are. */
function short(value, digits = 4) {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number') return String(value);
  if (value === 0 || (Number.isInteger(value) && Math.abs(value) < 1e6)) return String(value).replace('-', '−');
  const size = Math.abs(value);
  const text =
    size >= 1e5 || size < 1e-3
      ? value.toExponential(Math.max(digits - 2, 1))
      : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, '−').replace('e+', 'e');
}

function scaled(value, base, units) {
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`.trim();
}

const bytesText = (n) => scaled(n, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
const flopsText = (n) => scaled(n, 1000, ['', 'k', 'M', 'G', 'T', 'P']);
const timeText = (ns) =>
  ns < 1000
    ? `${ns} ns`
    : ns < 1e6
      ? `${Number((ns / 1e3).toPrecision(3))} µs`
      : ns < 1e9
        ? `${Number((ns / 1e6).toPrecision(3))} ms`
        : `${Number((ns / 1e9).toPrecision(3))} s`;
const countText = (n, what) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

/** The width of a text in pixels, from the browser's own fonts; remembered. */
const measure = (() => {
  const pen = document.createElement('canvas').getContext('2d');
  const known = new Map();
  return (text, font) => {
    const key = font + text;
    if (!known.has(key)) {
      pen.font = font;
      known.set(key, pen.measureText(text).width);
    }
    return known.get(key);
  };
})();

/** A text cut to a width, with an ellipsis where something is missing. */
function fitted(text, font, width) {
  if (measure(text, font) <= width) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(text.slice(0, middle) + '…', font) <= width) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low) + '…';
}
