// What a screen reader says by itself: at most one sentence or two every few seconds, however busy
// the ring is.
const PAUSE = 5000;
const region = document.querySelector("#spoken");
const ranks = ["bad", "warning", "good", "info"];
let waiting = [];
let timer = null;

// Say entries `{kind, text}` soon; of many, the most important and how many there are.
export function say(entries) {
  waiting.push(...entries);
  if (waiting.length && timer === null) timer = setTimeout(speak, 300);
}

function speak() {
  const rank = (entry) => ranks.indexOf(entry.kind);
  const first = waiting.reduce((best, entry) => (rank(entry) < rank(best) ? entry : best));
  const more = waiting.length - 1;
  region.textContent = more ? `${first.text} And ${more} more in the log.` : first.text;
  waiting = [];
  timer = setTimeout(() => {
    timer = null;
    if (waiting.length) speak();
  }, PAUSE);
}
