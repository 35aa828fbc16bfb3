// The page: receives the state of the ring and shows it.
import { command, receive, writeItem } from "./api.js";
import { refresh } from "./desk.js";
import { ask, runShown } from "./dialogs.js";
import { count, make, seconds, show } from "./elements.js";
import { Ring } from "./ring.js";
import { say } from "./spoken.js";

const $ = (selector) => document.querySelector(selector);
const ring = new Ring($("#ring"));
const LOG_LINES = 150;
const LOG_DELAY = 1500;
let view = null;
let connection = "connecting";
let known = {};

receive(
  (message) => {
    connection = "open";
    if (Object.keys(message.view).length) update(message.view);
    if (message.isNew) ring.move(message.moves);
    log(message.log);
    health();
  },
  (state) => {
    connection = state;
    health();
  },
);

function update(next) {
  view = next;
  $("#label").textContent = view.label;
  document.title = `${view.label} · dynamodb-ring`;
  if ($("#note").textContent !== view.note) $("#note").textContent = view.note;
  $("#note").hidden = !view.note;
  $("#item-card").hidden = $("#faults-card").hidden = !view.local;
  $("#writes-card").hidden = view.writes === null;
  $("#counted").hidden = view.local || view.members.every((member) => member.items === null);
  if (view.members.length) ring.update(view);
  const busy = view.hops.some((hop) => hop.rate > 60);
  $("#sampled").hidden = !busy;
  show($("#hops tbody"), view.hops, (hop) => hop.source, hopRow);
  showTroubles([...new Set([...view.members, ...view.hops].flatMap((part) => part.trouble))]);
  show($("#writes tbody"), (view.writes ?? []).slice(0, 12), (write) => write.number, writeRow);
  showFaults(view.faults);
  options();
  const quarantined = view.hops.reduce((sum, hop) => sum + (hop.quarantined ?? 0), 0);
  // Of a ring on this machine, the count is there before the lines are in the log.
  onChange("conflicts", view.conflicts, () => setTimeout(refresh.conflicts, view.local ? LOG_DELAY : 0));
  onChange("quarantine", quarantined, refresh.quarantine);
}

function showTroubles(texts) {
  const line = (text) => make("li", {}, text);
  show($("#troubles"), texts.slice(0, 3), (text) => text, line);
  show($("#more ul"), texts.slice(3), (text) => text, line);
  $("#more").hidden = texts.length < 4;
  $("#more summary").textContent = `${texts.length - 3} more`;
}

// Read a list again when its number has changed.
function onChange(name, value, read) {
  if (known[name] !== value && (value || known[name])) read();
  known[name] = value;
}

function health() {
  const pill = $("#health");
  const [kind, text] = state();
  pill.className = `pill ${kind}`;
  if (pill.textContent !== text) pill.textContent = text;
  const spoken = text.replace(/, .* waiting$/, "");
  if (known.health !== undefined && known.health !== spoken) say([{ kind, text: `The ring: ${spoken}.` }]);
  known.health = spoken;
}

function state() {
  if (connection === "refused") return ["bad", "the key is wrong: open the printed address"];
  if (connection !== "open") return ["warning", "no connection, trying again"];
  if (!view?.members.length) return ["warning", "waiting for the ring"];
  const parts = [...view.members, ...view.hops];
  if (parts.some((part) => part.trouble.length || part.alarms?.length)) return ["bad", "needs attention"];
  const paused = view.hops.filter((hop) => hop.state !== "running").length;
  if (paused) return ["warning", `${paused} of ${view.hops.length} hops not running`];
  const waiting = view.hops.reduce((sum, hop) => sum + (hop.waiting ?? 0), 0);
  return waiting ? ["good", `replicating, ${count(waiting)} waiting`] : ["good", "all hops running"];
}

function hopRow(hop) {
  const cell = (name, value, hot, more = "") => make("td", { class: `number ${hot ? "hot" : ""} ${more}`, "data-name": name, role: "cell" }, make("span", {}, value));
  const paused = hop.state === "paused";
  const kind = paused ? "paused" : hop.state === "running" ? "" : "other";
  const verb = paused ? "Resume" : "Pause";
  const text = paused
    ? "It continues where it stopped."
    : "Writes at its source wait in the stream until it is resumed, for 24 hours at most.";
  const change = make("button", { "aria-label": `${verb} the hop from ${hop.source}`, onclick: () =>
    ask(`${verb} ${hop.source} → ${hop.target}`, text, verb.toLowerCase(), { hop: hop.source }) }, verb);
  // With roles, as a row that is shown as a grid would be none to a screen reader.
  return make("tr", { role: "row" },
    make("td", { class: "name", role: "cell" }, whole(hop.source), " → ", whole(hop.target)),
    make("td", { class: "current", role: "cell" }, make("span", { class: `state ${kind}` }, hop.state)),
    cell("records/s", hop.rate),
    cell("lag p50 / p99", hop.lag ? `${seconds(hop.lag.p50)} / ${seconds(hop.lag.p99)}` : "–", false, "wide"),
    cell("waiting", count(hop.waiting)), cell("retries", count(hop.retries)),
    cell("quarantine", count(hop.quarantined), hop.quarantined > 0),
    cell("alarms", hop.alarms.length, hop.alarms.length > 0),
    make("td", { class: "change", role: "cell" }, change));
}

// A name that is not broken at its hyphens, if there is room.
const whole = (name) => make("span", { class: name.length > 28 ? null : "whole" }, name);

function writeRow(write) {
  const there = view.members.map((member) => member.name in write.reached);
  const names = view.members.filter((_, i) => there[i]).map((member) => member.name).join(", ");
  return make("tr", { role: "row" },
    make("td", { class: "name", role: "cell" }, write.key),
    make("td", { class: `word ${write.action}`, role: "cell" }, write.action),
    make("td", { class: "place", "data-name": "made at", role: "cell" }, write.origin),
    make("td", { role: "cell" }, make("span", { class: "reached", role: "img", "aria-label": names, title: names },
      ...there.map((is) => make("i", { class: is ? "there" : null })))),
    make("td", { class: "number", "data-name": "lap", role: "cell" }, seconds(write.lap)));
}

function showFaults(faults) {
  const entries = faults.map(({ id, text, remaining }) => ({ id, text: `${text}, for ${Math.round(remaining)} s more` }));
  show($("#faults"), entries, (fault) => fault.id, (fault) =>
    make("li", {}, fault.text, make("div", { class: "buttons" },
      make("button", { "aria-label": `End the fault: ${fault.text}`, onclick: () => command("end", { id: fault.id }) }, "End it"))));
  $("#clear").hidden = !faults.length;
  if (known.faults && !faults.length) $("#fault-form output").textContent = "";
  known.faults = faults.length;
}

function log(happenings) {
  const list = $("#log");
  for (const one of happenings) {
    const time = new Date(one.at * 1000);
    list.prepend(make("li", { class: one.kind }, make("time", { datetime: time.toISOString() }, time.toLocaleTimeString()), one.text));
  }
  while (list.children.length > LOG_LINES) list.lastChild.remove();
  list.parentElement.querySelector(".empty").hidden = list.children.length > 0;
  if (known.log) {
    say(happenings);
    if (happenings.some(({ text }) => text.includes("conflicts resolve"))) refresh.conflicts();
  }
  known.log = true; // what a page that is opened gets is old
}

// Offer the members and hops in the forms.
function options() {
  const names = (entries, nameOf, textOf = nameOf) => entries.map((e) => make("option", { value: nameOf(e) }, textOf(e)));
  const wanted = JSON.stringify([view.members.map((m) => [m.name, m.keys]), view.hops.map((h) => h.source)]);
  if (wanted === known.options) return;
  known.options = wanted;
  for (const select of document.querySelectorAll("select[name=member]")) select.replaceChildren(...names(view.members, (m) => m.name));
  const also = $("select[name=also]");
  also.replaceChildren(make("option", { value: "" }, "no other"), ...names(view.members, (m) => m.name));
  also.dispatchEvent(new Event("change"));
  $("select[name=hop]").replaceChildren(...names(view.hops, (h) => h.source, (h) => `${h.source} → ${h.target}`));
  const area = $("#item-form textarea");
  if (!area.value && view.members[0]?.keys.length) {
    const sample = { S: "a-1", N: 1, B: { B: "YS0x" } };
    const keys = view.members[0].keys.map(([name, type]) => [name, sample[type]]);
    area.value = JSON.stringify({ ...Object.fromEntries(keys), note: "hello" });
  }
}

function form(selector, submit) {
  $(selector).addEventListener("submit", async (event) => {
    event.preventDefault();
    const [button, output] = [event.submitter, event.target.querySelector("output")];
    button.disabled = true;
    output.className = "";
    output.textContent = "Working …"; // and not what was said of the one before
    const answer = await submit(Object.fromEntries(new FormData(event.target)));
    button.disabled = false;
    const failed = answer.error ?? (answer.exit ? (answer.errors || answer.output).trim() : null);
    output.className = failed ? "bad" : "";
    output.textContent = failed ?? answer.done ?? "Done.";
  });
}

form("#item-form", async ({ member, action, item, also, other }) => {
  const writes = [writeItem(member, action, item)];
  if (also) writes.push(writeItem(also, action, other));
  const answers = await Promise.all(writes);
  return answers.find((answer) => answer.error) ?? { done: answers.map((answer) => answer.done).join(", ") };
});
form("#fault-form", async ({ fault, ...args }) => {
  const answer = await command(fault, args);
  return answer.exit === 0 ? { done: "Started." } : answer;
});

// A second write, of the same key at another member.
$("select[name=also]").addEventListener("change", ({ target }) => {
  $("#other").hidden = !target.value;
  const area = $("#other textarea");
  area.value = $("#item-form [name=item]").value;
  try {
    const item = JSON.parse(area.value);
    if (typeof item.note === "string") area.value = JSON.stringify({ ...item, note: `${item.note} from ${target.value}` });
  } catch {
    // not JSON, or not yet: the server says what is wrong
  }
});

const faultFields = () => {
  const fault = $("select[name=fault]").value;
  for (const label of document.querySelectorAll("[data-for]")) label.hidden = !label.dataset.for.split(" ").includes(fault);
};
$("select[name=fault]").addEventListener("change", faultFields);
faultFields();
$("#check").addEventListener("click", () => runShown("Check", "check"));
$("#clear").addEventListener("click", () => command("clear"));
for (const button of document.querySelectorAll("[data-refresh]")) button.addEventListener("click", () => refresh[button.dataset.refresh]());
