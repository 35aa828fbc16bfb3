// Small helpers to make elements and to keep lists of them.

// Make an element: make("td", {class: "number"}, "text", child, ...).
export function make(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "rect", "text", "circle", "title"].includes(name);
  const element = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute === "onclick") element.addEventListener("click", value);
    else if (value !== false && value != null) element.setAttribute(attribute, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

// Show a list in a parent: an element for each entry, made anew only if the entry changed, so that
// a button keeps the focus.
export function show(parent, entries, keyOf, build) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = entries.map((entry) => {
    const key = String(keyOf(entry));
    const text = JSON.stringify(entry);
    const before = old.get(key);
    if (before && before.dataset.text === text) return before;
    const element = build(entry);
    element.dataset.key = key;
    element.dataset.text = text;
    if (before && before.contains(document.activeElement)) {
      const index = [...before.querySelectorAll("button")].indexOf(document.activeElement);
      requestAnimationFrame(() => element.querySelectorAll("button")[index]?.focus());
    }
    return element;
  });
  const same = wanted.length === parent.children.length && wanted.every((e, i) => e === parent.children[i]);
  const focused = [...parent.children].find((child) => child.contains(document.activeElement));
  if (!same) parent.replaceChildren(...wanted);
  if (focused && !wanted.some((element) => element.dataset.key === focused.dataset.key)) focusNear(parent);
  const empty = parent.parentElement?.querySelector(":scope > .empty") ?? parent.closest(".scroll")?.parentElement.querySelector(".empty");
  if (!empty) return;
  empty.hidden = entries.length > 0;
  if (empty.dataset.text) empty.textContent = empty.dataset.text;
}

// Give the focus to what stays near a list, when what had it is gone.
export function focusNear(parent) {
  const card = parent.closest(".card");
  (card?.querySelector("[data-refresh]") ?? card?.querySelector("button"))?.focus();
}

export const seconds = (value) =>
  value == null ? "–" : value < 10 ? `${value.toFixed(2)} s` : value < 120 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;

export const count = (value) => (value == null ? "–" : value.toLocaleString("en"));
