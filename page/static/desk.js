// Lists that are read on request: conflicts and the quarantine.
import { document_ } from "./api.js";
import { ask, showDocument } from "./dialogs.js";
import { make, show } from "./elements.js";

const first = (found) => found.rings?.[0] ?? found;
const text = (value) => (value == null ? "–" : typeof value === "string" ? value : JSON.stringify(value));
const keyText = (key) => (key ? Object.entries(key).map(([name, value]) => `${name}=${text(Object.values(value)[0])}`).join(", ") : "no key");

function entry(heading, small, ...buttons) {
  return make("li", {}, heading, make("small", {}, small), make("div", { class: "buttons" }, ...buttons));
}

const button = (label, onclick, kind) => make("button", { onclick, class: kind }, label);

async function list(id, name, entriesOf, keyOf, build) {
  const parent = document.querySelector(`#${id}`);
  parent.parentElement.querySelector(".empty").textContent = "Reading …";
  const found = await document_(name);
  if (found.failed) return show(parent, [found.failed], () => "failed", (why) => make("li", { class: "hot" }, why));
  show(parent, entriesOf(first(found)), keyOf, build);
}

export const refresh = {
  quarantine: () => list("quarantine", "quarantine", (ring) => ring.entries ?? [], (e) => e.id, quarantined),
  conflicts: () => list("conflicts", "conflicts", (ring) => ring.conflicts ?? [], (e) => e.id, conflict),
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
    button("Discard", () => ask(`Discard ${key}`, "The record is deleted from the quarantine and never applied. It cannot be brought back.", "discard", args, { then }), "danger"),
  );
}

function conflict(one) {
  const key = keyText(one.key);
  const args = { id: one.id };
  return entry(
    key,
    `${new Date(one.since * 1000).toLocaleString()} · ${one.won.member} won over ${one.lost.member}${by(one.by)}`,
    button("Compare", () => showDocument(key, "conflict", args, compare)),
    button("Keep the other", () => ask(`Keep the item that lost: ${key}`, "One ordinary write, only if the item that won is still there.", "resolve", args, { preview: true, then: () => refresh.conflicts() })),
  );
}

const by = (margin) => (margin.seconds ? `, ${margin.seconds} s later` : `, in the same second (by ${margin.decided_by})`);

function compare(found) {
  const [won, lost] = [found.won.item ?? found.now.item, found.lost.item];
  const note = [];
  if (!found.now.is_winner) note.push(make("p", { class: "hot" }, `Another item stands at ${found.now.member} now.`));
  if (!lost && !found.lost.deleted) note.push(make("p", {}, "The log does not have the items: set function.log_items."));
  const names = [...new Set([...Object.keys(won ?? {}), ...Object.keys(lost ?? {})])].sort();
  const rows = names.map((name) => {
    const sides = [won?.[name], lost?.[name]].map((value) => (value === undefined ? "–" : text(value)));
    return make("tr", { class: sides[0] === sides[1] ? null : "differs" }, make("th", { scope: "row" }, name), ...sides.map((side) => make("td", {}, side)));
  });
  const side = (of, label) => `${label} at ${of.member}${of.deleted ? ": a delete" : ""}`;
  const head = ["Attribute", side(found.won, "Won"), side(found.lost, "Lost")].map((name) => make("th", { scope: "col" }, name));
  return [...note, make("table", { class: "compare" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows))];
}
