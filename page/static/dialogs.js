// One dialog for all that is asked and shown.
import { command, document_ } from "./api.js";
import { focusNear, make } from "./elements.js";

const dialog = document.querySelector("#dialog");
const title = document.querySelector("#dialog-title");
const body = document.querySelector("#dialog-body");
const run = document.querySelector("#dialog-run");
const close = document.querySelector("#dialog-close");
let current = 0;
let opener = null; // what had the focus; the browser gives it back, if it is still there
let card = null;

close.addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  current++;
  if (opener && !opener.isConnected && card) focusNear(card);
});

export function open(heading, ...content) {
  current++;
  title.textContent = heading;
  body.replaceChildren(...content);
  run.hidden = true;
  if (!dialog.open) {
    opener = document.activeElement;
    card = opener?.closest(".card");
    dialog.showModal();
  }
  return current;
}

const said = (ended) => `${ended.errors || ""}${ended.output || ""}`.trim() || "Done.";

function result(ended) {
  if (ended.error) return [make("p", { class: "hot", role: "alert" }, ended.error)];
  const end = ended.exit === 0 ? "" : `Exit code ${ended.exit}.`;
  return [make("pre", { class: "command" }, ended.command), make("pre", { class: "output", tabindex: 0, "aria-label": "Output" }, said(ended)), make("p", { role: "status" }, end)];
}

// Run a command and show what it prints.
export async function runShown(heading, name, args = {}) {
  const mine = open(heading, make("p", { role: "status" }, "Running …"));
  const ended = await command(name, args);
  if (mine === current) body.replaceChildren(...result(ended));
  return ended;
}

// Ask before a command: with its preview, if it has one. `then` is called when it has run.
export async function ask(heading, text, name, args, { preview = false, input = "", then = () => {} } = {}) {
  const mine = open(heading, make("p", {}, text));
  if (preview) {
    body.append(make("p", { role: "status" }, "Looking what would happen …"));
    const planned = await command(name, args, { preview: true, input });
    if (mine !== current) return;
    body.replaceChildren(make("p", {}, text), ...result(planned));
    if (planned.error || planned.exit) return;
  }
  run.hidden = false;
  run.disabled = false;
  run.onclick = async () => {
    run.disabled = true;
    body.append(make("p", { role: "status" }, "Running …"));
    const ended = await command(name, args, { input });
    if (mine === current) {
      body.replaceChildren(...result(ended));
      run.hidden = true;
      close.focus();
    }
    then(ended);
  };
  run.focus();
}

// Show the document of a command with --json.
export async function showDocument(heading, name, args, render) {
  const mine = open(heading, make("p", { role: "status" }, "Reading …"));
  const found = await document_(name, args);
  if (mine === current) body.replaceChildren(...(found.failed ? [make("p", { class: "hot" }, found.failed)] : render(found)));
}

// Let an item be edited that `itemOf` makes of the document of a command; `go` gets its text.
export function edit(heading, text, name, args, itemOf, go) {
  return showDocument(heading, name, args, (found) => {
    const area = make("textarea", { rows: 8, spellcheck: "false" }, JSON.stringify(itemOf(found), null, 2));
    const next = make("button", { class: "primary", onclick: () => go(area.value) }, "Show what would happen");
    return [make("p", {}, text), make("label", {}, "Item, in plain or DynamoDB JSON", area), make("div", { class: "buttons" }, next)];
  });
}
