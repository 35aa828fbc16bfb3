// Requests to the server. The key is in the address after "#", which browsers do not send.
const key = location.hash.slice(1);

async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Ring-Key": key },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch (error) {
    return { error: `The server does not answer: ${error.message}` };
  }
}

// Characters of a line that the dialog has room for.
const columns = () => Math.floor((Math.min(760, innerWidth * 0.94) - 64) / 7.9);

// `input` is what the command reads from its standard input.
export const command = (name, args = {}, { preview = false, input = "" } = {}) =>
  post("api/command", { name, arguments: args, preview, input, columns: columns() });

export const writeItem = (member, action, item) => post("api/item", { member, action, item });

// Run a command with --json and return its document; {failed: why} if there is none. A document
// may have an error of its own: that of a quarantined record.
export async function document_(name, args = {}) {
  const ended = await command(name, args);
  if (ended.error) return { failed: ended.error };
  try {
    const document = JSON.parse(ended.output);
    const failed = document.ok === false && document.error;
    return failed ? { failed: failed.text ?? JSON.stringify(failed) } : document;
  } catch {
    return { failed: (ended.errors || ended.output).trim().slice(0, 600) };
  }
}

// Receive messages until the page is closed; the browser connects again by itself, and this does
// where the browser gives up. A browser has six connections to a server, whatever its tabs: a tab
// that nobody sees leaves its own to the others.
export function receive(onMessage, onState) {
  let last = 0;
  let seen = "";
  let source = null;
  const connect = () => {
    source?.close();
    if (document.hidden) return;
    const mine = (source = new EventSource(`api/events?key=${encodeURIComponent(key)}&seen=${seen}`));
    mine.onopen = () => onState("open");
    mine.onmessage = (event) => {
      const message = JSON.parse(event.data);
      seen = event.lastEventId;
      message.isNew = message.number >= last;
      last = message.number;
      onMessage(message);
    };
    mine.onerror = async () => {
      onState("lost");
      if (mine.readyState !== EventSource.CLOSED) return;
      const reply = await fetch(`api/events?key=${encodeURIComponent(key)}`).catch(() => null);
      if (reply && reply.status === 403) onState("refused");
      if (reply) reply.body?.cancel();
      setTimeout(() => mine === source && connect(), 2000);
    };
  };
  document.addEventListener("visibilitychange", connect);
  connect();
}
