// Lists that are read on request: conflicts and the quarantine.
import { document_ } from "./api.js";
import { ask, edit, showDocument } from "./dialogs.js";
import { make, show } from "./elements.js";

const first = (found) => found.rings?.[0] ?? found;
const text = (value) => (value == null ? "–" : typeof value === "string" ? value : JSON.stringify(value));
const plain = (value) => {
  const [type, inner] = Object.entries(value)[0];
  return ["S", "N"].includes(type) ? inner : JSON.stringify(inner);
};
// Maps have no order, nor have sets: here they have one, so that equal values have the same text.
const ordered = (value) => {
  const [type, inner] = Object.entries(value)[0];
  if (type === "M") return { M: Object.fromEntries(Object.keys(inner).sort().map((name) => [name, ordered(inner[name])])) };
  if (type === "L") return { L: inner.map(ordered) };
  return Array.isArray(inner) ? { [type]: [...inner].sort() } : value;
};
const keyText = (key) => (key ? Object.entries(key).map(([name, value]) => `${name}=${text(Object.values(value)[0])}`).join(", ") : "no key");

function entry(heading, small, ...buttons) {
  for (const one of buttons) if (one) one.setAttribute("aria-label", `${one.textContent}: ${heading}`);
  return make("li", {}, heading, make("small", {}, small), make("div", { class: "buttons" }, ...buttons));
}

const button = (label, onclick, kind) => make("button", { onclick, class: kind }, label);

// Entries by the list's name, as last read: they stay while some cannot be read again.
const known = {};

async function list(id, entriesOf, build) {
  const parent = document.querySelector(`#${id}`);
  parent.parentElement.querySelector(".empty").textContent = "Reading …";
  const found = await document_(id);
  const ring = first(found);
  const failed = found.failed ?? ring.error?.text;
  const unread = Object.entries(ring.unread ?? {}).map(([part, why]) => `Could not read ${part}: ${why}`);
  const troubles = failed ? [failed] : unread;
  const entries = entriesOf(ring) ?? [];
  const names = new Set(entries.map((one) => one.id));
  const kept = troubles.length ? (known[id] ?? []).filter((one) => !names.has(one.id)) : [];
  known[id] = [...entries, ...kept];
  show(parent, [...troubles, ...known[id]], (one) => one.id ?? one, (one) => (one.id ? build(one) : make("li", { class: "hot" }, one)));
}

export const refresh = {
  quarantine: () => list("quarantine", (ring) => ring.entries, quarantined),
  conflicts: () => list("conflicts", (ring) => ring.conflicts, conflict),
};

function quarantined(one) {
  const key = keyText(one.keys?.[0]);
  const args = { id: one.id };
  const then = () => refresh.quarantine();
  return entry(
    key,
    `${one.hop} · ${one.reason}`,
    button("Show", () => showDocument(key, "quarantined", args, (found) => [make("pre", { tabindex: 0 }, JSON.stringify(found, null, 2))])),
    button("Redrive", () => ask(`Redrive ${key}`, "The record is applied as if it had never been quarantined: newer writes stay.", "redrive", args, { preview: true, then })),
    button("Discard", () => ask(`Discard ${key}`, "The record is deleted from the quarantine and never applied. This cannot be undone.", "discard", args, { then }), "danger"),
  );
}

function conflict(one) {
  const key = keyText(one.key);
  const args = { id: one.id };
  const options = { preview: true, then: () => refresh.conflicts() };
  const text = "One ordinary write, only if the item that won is still there.";
  const isKnown = one.lost.item || one.lost.deleted;
  return entry(
    key,
    `${new Date(one.since * 1000).toLocaleString()} · ${one.won.member} won over ${one.lost.member}${by(one.by)}`,
    button("Compare", () => showDocument(key, "conflict", args, compare)),
    isKnown && button(`Keep ${one.lost.member}'s`, () => ask(`Keep the item that lost: ${key}`, text, "resolve", args, options)),
    button("Write another", () => edit(`What should stand: ${key}`, isKnown ? "" : NOT_LOGGED, "conflict", args, standing,
      (input) => ask(`What should stand: ${key}`, text, "resolve with", args, { ...options, input }))),
  );
}

const NOT_LOGGED = "The log does not have the item that lost: it has those of later conflicts with function.log_items: true. This is the item that won.";

const own = (item) => Object.fromEntries(Object.entries(item ?? {}).filter(([name]) => !name.startsWith("_repl_")).map(([name, value]) => [name, ordered(value)]));
const has = (item, name) => Object.hasOwn(item ?? {}, name); // "constructor" is "in" every object

// What stands, in plain JSON if that is the same.
function standing(found) {
  const item = { ...found.key, ...own(found.now.item ?? found.won.item) };
  const isPlain = ([type, inner]) => type === "S" || type === "BOOL" || (type === "N" && String(Number(inner)) === inner);
  const entries = Object.entries(item).map(([name, value]) => [name, ...Object.entries(value)]);
  if (!entries.every(([, pair]) => isPlain(pair))) return item;
  return Object.fromEntries(entries.map(([name, [type, inner]]) => [name, type === "N" ? Number(inner) : inner]));
}

const by = (margin) => (margin.decided_by === "repair" ? "" : margin.seconds ? `, ${margin.seconds} s later` : `, in the same second (by ${margin.decided_by})`);

function compare(found) {
  const side = (of, item) => (of.deleted ? "deleted" : item ? own(item) : null);
  const won = side(found.won, found.won.item ?? (found.now.is_winner ? found.now.item : null));
  const lost = side(found.lost, found.lost.item);
  const note = [];
  if (!found.now.is_winner) note.push(make("p", { class: "hot" }, `Another item stands at ${found.now.member} now.`));
  if (!lost || !won) note.push(make("p", {}, "The log has no items of this conflict: with function.log_items: true, it has those of later ones."));
  const keys = Object.keys(found.key);
  const names = [...keys, ...[won, lost].flatMap((item) => (item && item !== "deleted" ? Object.keys(item).sort() : []))];
  const cell = (item, name) => (item === "deleted" ? item : item === null ? (keys.includes(name) ? plain(found.key[name]) : "not logged") : has(item, name) ? plain(item[name]) : "–");
  const heading = (of, label) => `${label} at ${of.member}${of.deleted ? ": a delete" : ""}`;
  const headings = [heading(found.won, "Won"), heading(found.lost, "Lost")];
  const rows = [...new Set(names)].map((name) => {
    const types = [won, lost].map((item) => (has(item, name) ? Object.keys(item[name])[0] : null));
    const isTyped = types[0] && types[1] && types[0] !== types[1]; // the text "1" is not the number
    const sides = [won, lost].map((item) => (isTyped ? JSON.stringify(item[name]) : cell(item, name)));
    const differs = won && lost && sides[0] !== sides[1];
    // With roles and its column's name, as a narrow page shows each row as a card.
    return make("tr", { class: differs ? "differs" : null, role: "row" }, make("th", { scope: "row", role: "rowheader" }, name),
      ...sides.map((text, i) => make("td", { class: text === "not logged" ? "soft" : null, "data-name": headings[i], role: "cell" }, text)));
  });
  const head = ["Attribute", ...headings].map((name) => make("th", { scope: "col", role: "columnheader" }, name));
  return [...note, make("table", { class: "compare", role: "table" }, make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), make("tbody", { role: "rowgroup" }, ...rows))];
}
