// The drawing of the ring: members as boxes on an ellipse, hops as arcs, writes as moving dots.
import { count, make, seconds } from "./elements.js";

const MOST_DOTS = 80;
const NODE_HEIGHT = 66;
const SHORTEST = 28;
const STEPS = Array.from({ length: 201 }, (_, step) => step / 200);

// Two members so near each other that the arc between them would be hidden: it passes below both.
const below = ([x1, y1], [x2, y2]) => STEPS.map((step) => [x1 + (x2 - x1) * step, Math.max(y1, y2) + NODE_HEIGHT / 2 + 6 + 18 * Math.sin(Math.PI * step)]);

// Past a bypassed member, an arc on the ellipse would pass behind its box: it bends to the centre.
const inward = ([x1, y1], [cx, cy], [x2, y2]) => STEPS.map((t) => [(1 - t) ** 2 * x1 + 2 * t * (1 - t) * cx + t * t * x2, (1 - t) ** 2 * y1 + 2 * t * (1 - t) * cy + t * t * y2]);

export class Ring {
  constructor(parent) {
    this.parent = parent;
    this.shape = "";
    this.nodes = new Map();
    this.hops = new Map();
    this.dots = [];
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.view && this.update(this.view)).observe(parent);
  }

  update(view) {
    this.view = view;
    const width = Math.max(300, Math.round(this.parent.clientWidth));
    const shape = JSON.stringify([width, view.members.map((m) => m.name), view.hops.map((h) => [h.source, h.target])]);
    if (shape !== this.shape) this.draw(view, width);
    this.shape = shape;
    for (const member of view.members) this.member(member, view.local, isBypassed(member, view));
    for (const hop of view.hops) this.hop(hop);
    this.svg.setAttribute("aria-label", describe(view));
  }

  draw(view, width) {
    const total = view.members.length;
    this.isNarrow = width < 520;
    const longest = Math.max(...view.members.map((m) => m.name.length));
    const side = Math.sin(Math.PI / total);
    const widest = (2 * side * (width / 2 - 8) - 14) / (1 + side); // two members side by side at the bottom
    const nodeWidth = Math.min(this.isNarrow ? 128 : Math.max(168, longest * 8.6 + 20), width / 3 + 40 * this.isNarrow, widest);
    const height = Math.max(this.isNarrow ? 330 : 360, total * (this.isNarrow ? 92 : 66));
    const [cx, cy] = [width / 2, height / 2];
    const [rx, ry] = [(width - nodeWidth) / 2 - 8, (height - NODE_HEIGHT) / 2 - 12];
    this.svg = make("svg", { viewBox: `0 0 ${width} ${height + 26 * (total % 2)}`, role: "img", class: this.isNarrow ? "narrow" : null });
    this.nodes.clear();
    this.hops.clear();
    this.dots = [];
    const angles = new Map(view.members.map((m, i) => [m.name, (i / total) * 2 * Math.PI - Math.PI / 2]));
    const at = (angle) => [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
    const inside = ([x, y], name) => {
      const [nx, ny] = at(angles.get(name));
      return Math.abs(x - nx) < nodeWidth / 2 + 6 && Math.abs(y - ny) < NODE_HEIGHT / 2 + 6;
    };
    for (const hop of view.hops) {
      if (!angles.has(hop.source) || !angles.has(hop.target)) continue;
      const from = angles.get(hop.source);
      let to = angles.get(hop.target);
      while (to <= from) to += 2 * Math.PI;
      const isNext = to - from < (3 * Math.PI) / total;
      const whole = isNext ? STEPS.map((step) => at(from + (to - from) * step)) : inward(at(from), [cx, cy], at(to));
      const arc = whole.filter((point) => !inside(point, hop.source) && !inside(point, hop.target));
      const isSeen = arc.length > 1 && Math.hypot(arc[0][0] - arc.at(-1)[0], arc[0][1] - arc.at(-1)[1]) > SHORTEST;
      this.drawHop(hop, isSeen ? arc : below(at(from), at(to)), [cx, cy, ry], !isNext);
    }
    for (const member of view.members) this.drawNode(member, at(angles.get(member.name)), nodeWidth);
    this.layer = make("g", { "aria-hidden": "true" });
    this.svg.append(this.layer);
    this.parent.replaceChildren(this.svg);
  }

  drawHop(hop, points, [cx, cy, ry], isInward) {
    const path = make("path", { d: `M${points.map((p) => p.map((n) => n.toFixed(1)).join(",")).join("L")}`, class: "hop" });
    const [x, y] = points.at(-1);
    const [px, py] = points.at(Math.max(0, points.length - 6));
    const angle = (Math.atan2(y - py, x - px) * 180) / Math.PI;
    const arrow = make("path", { d: "M0,0L-11,-6L-11,6Z", class: "arrow", transform: `translate(${x},${y}) rotate(${angle})` });
    const [mx, my] = points[Math.floor(points.length / 2)];
    // Below an arc at the bottom; beside others, outside those at the top, where the inside is narrow.
    const isRight = mx > cx;
    const isOutside = my < cy - 0.6 * ry;
    const [dx, dy] = [x - points[0][0], y - points[0][1]];
    const isUpright = isInward && Math.abs(dy) > Math.abs(dx);
    const side = Math.abs(mx - cx) < 20 && !isUpright ? "middle" : isInward ? (isRight ? "end" : "start") : isRight === isOutside ? "start" : "end";
    // Beside an inward arc, where the arc does not go: below it, or above.
    const beside = isInward ? ((side === "end") === dx * dy > 0 ? 16 : -30) : isOutside ? -16 : 0;
    const [tx, ty] = side === "middle" ? [mx, my + 22] : [mx + (side === "end" ? -15 : 15), my + beside];
    const isCut = this.isNarrow && isOutside && side !== "middle"; // at the page's edge, there is room for most
    const [anchor, ax] = isCut ? (isRight ? ["end", 2 * cx - 2] : ["start", 2]) : [side, tx];
    const facts = make("g", { class: "facts", transform: `translate(${ax},${ty})` });
    const lines = [0, 1, 2, 3].map((line) => make("text", { y: line * 15 - 3, "text-anchor": anchor }));
    facts.append(...lines);
    this.svg.append(path, arrow, facts);
    this.hops.set(`${hop.source}>${hop.target}`, { path, arrow, lines, length: path.getTotalLength?.() || 0 });
  }

  drawNode(member, [x, y], width) {
    const rect = make("rect", { x: -width / 2, y: -NODE_HEIGHT / 2, width, height: NODE_HEIGHT, rx: 9 });
    const lines = [make("text", { y: -13, class: "name" }), make("text", { y: 5, class: "small" }), make("text", { y: 23, class: "small" })];
    const title = make("title");
    const node = make("g", { class: "node", transform: `translate(${x},${y})` }, title, rect, ...lines);
    this.svg.append(node);
    this.nodes.set(member.name, { node, title, lines, width: width - (this.isNarrow ? 8 : 14) });
  }

  member(member, isExact, isOut) {
    const drawn = this.nodes.get(member.name);
    const isLong = member.name.length > drawn.width / 8.4;
    const room = Math.floor(drawn.width / (this.isNarrow ? 6.6 : 7.1));
    const cut = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
    const place = member.name.startsWith(member.region) ? member.table : `${member.region}/${member.table}`;
    const beat = member.heartbeat == null ? "" : `♥ ${seconds(member.heartbeat)}`;
    const state = isOut ? ["bypassed"] : member.items == null && member.trouble.length ? ["no answer"] : [];
    const held = member.items == null ? [] : [`${isExact ? "" : "~"}${items(member.items)}`, beat];
    const texts = [cut(member.name), cut(place), cut([...state, ...held].filter(Boolean).join(" · "))];
    drawn.lines.forEach((line, i) => line.textContent !== texts[i] && (line.textContent = texts[i]));
    drawn.lines[0].classList.toggle("long", isLong);
    drawn.title.textContent = `${member.name}: ${member.region}/${member.table}`;
    drawn.node.classList.toggle("trouble", member.trouble.length > 0);
    drawn.node.classList.toggle("bypassed", isOut);
  }

  hop(hop) {
    const drawn = this.hops.get(`${hop.source}>${hop.target}`);
    if (!drawn) return;
    const state = hop.state === "paused" ? "paused" : hop.state !== "running" || hop.trouble.length || hop.alarms.length ? "trouble" : "";
    drawn.path.setAttribute("class", `hop ${state}`);
    drawn.arrow.setAttribute("class", `arrow ${state}`);
    const held = [hop.waiting && hop.age > 5 ? `${count(hop.waiting)} waiting` : "", hop.quarantined ? `${count(hop.quarantined)} quarantined` : "", hop.alarms.length ? `${hop.alarms.length} alarm${hop.alarms.length > 1 ? "s" : ""}` : ""].filter(Boolean);
    const first = hop.state !== "running" ? hop.state : hop.lag ? `${this.isNarrow ? "" : `${hop.rate}/s · `}lag ${seconds(hop.lag.p50)}` : "";
    const texts = [first, ...held].filter(Boolean);
    drawn.lines.forEach((line, i) => {
      const text = texts[i] ?? "";
      if (line.textContent !== text) line.textContent = text;
      line.setAttribute("class", held.includes(text) ? "hot" : hop.state === "running" ? "" : hop.state === "paused" ? "paused" : "hot");
    });
  }

  // Let writes travel: each delivery is a dot from its source to its target.
  move(deliveries) {
    if (document.hidden || !this.layer) return;
    const now = performance.now();
    for (const delivery of deliveries) {
      this.pulse(delivery.target, delivery.origin === delivery.target);
      const hop = this.hops.get(`${delivery.source}>${delivery.target}`);
      if (this.still.matches || !hop || this.dots.length >= MOST_DOTS) continue;
      const element = make("circle", { r: 6, class: `dot ${delivery.action}`, visibility: "hidden" });
      element.append(make("title", {}, `${delivery.action} ${delivery.key}`));
      this.layer.append(element);
      this.dots.push({ element, path: hop.path, start: now + Math.random() * 250, length: hop.path.getTotalLength() });
    }
    if (this.dots.length && !this.running) this.frame();
  }

  pulse(name, returns) {
    const node = this.nodes.get(name)?.node;
    if (!node || returns) return;
    node.classList.add("pulse");
    clearTimeout(node.ring_timer);
    node.ring_timer = setTimeout(() => node.classList.remove("pulse"), 900);
  }

  frame() {
    this.running = true;
    requestAnimationFrame((now) => {
      this.dots = this.dots.filter(({ element, path, start, length }) => {
        const part = (now - start) / 800;
        if (part >= 1 || !element.isConnected) {
          element.remove();
          return false;
        }
        if (part >= 0) {
          const point = path.getPointAtLength(length * part);
          element.setAttribute("cx", point.x);
          element.setAttribute("cy", point.y);
          element.removeAttribute("visibility");
        }
        return true;
      });
      if (this.dots.length) this.frame();
      else this.running = false;
    });
  }
}

// No hop leads to a bypassed member; its own may go on.
function isBypassed(member, view) {
  return view.hops.length > 0 && !view.hops.some((hop) => hop.target === member.name);
}

function describe(view) {
  const about = view.local ? "" : "about ";
  const name = (m) => (isBypassed(m, view) ? `${m.name} (bypassed)` : m.name);
  const members = view.members.map((m) => (m.items == null ? name(m) : `${name(m)} with ${about}${items(m.items)}`));
  return `Ring of ${view.members.length} members: ${members.join(", ")}`;
}

function items(number) {
  return `${count(number)} ${number === 1 ? "item" : "items"}`;
}
