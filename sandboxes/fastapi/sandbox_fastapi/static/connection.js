// One WebSocket that comes back by itself.

const FIRST_DELAY = 500; // ms before the first reconnection; doubled each time, up to LONGEST_DELAY
const LONGEST_DELAY = 30_000;
const PING_EVERY = 25_000; // ms of silence after which the connection is checked
const ANSWER_WITHIN = 10_000; // ms that the server has to answer a ping

// Emits "state" with what a person should read, and "frame" with what arrived.
export class Connection extends EventTarget {
  #url;
  #socket = null;
  #timer = null;
  #attempts = 0;
  #left = false;

  constructor(url) {
    super();
    this.#url = url;
  }

  open() {
    clearTimeout(this.#timer);
    this.#tell("connecting", "Connecting…");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    // The server answers messages once the client is let in: until then we are only connecting.
    socket.addEventListener("open", () => this.#ping());
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event);
    });
  }

  // `envelope` holds the keys beside the message, such as `ref`; the answers carry that, too.
  send(action, payload = null, envelope = {}) {
    this.#socket.send(JSON.stringify({ action, payload, ...envelope }));
  }

  leave() {
    this.#left = true;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#tell("idle", "Not connected");
  }

  retryNow() {
    if (this.#socket === null && !this.#left) this.open();
  }

  #receive(data) {
    this.#attempts = 0;
    this.#listenOn();
    const frame = JSON.parse(data);
    if (frame.action === "pong") this.#tell("open", "Connected");
    else this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #listenOn() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ping(), PING_EVERY);
  }

  #ping() {
    this.send("ping");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(), ANSWER_WITHIN);
  }

  #giveUp() {
    this.#socket.close();
    this.#lost({ code: 1006, reason: "" }); // the close event of a dead connection comes late
  }

  #lost({ code, reason }) {
    clearTimeout(this.#timer);
    this.#socket = null;
    if (this.#left) return;
    if (code >= 4000 || code === 1008) {
      this.#left = true;
      this.#tell("refused", `The server refused the connection (${reason || code})`);
      return;
    }
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts++);
    const delay = longest * (0.5 + Math.random() / 2); // spread, so that not everybody comes back at once
    this.#tell("waiting", `Reconnecting in ${Math.ceil(delay / 1000)} s`);
    this.#timer = setTimeout(() => this.open(), delay);
  }

  #tell(state, text) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, text } }));
  }
}

// The address of a WebSocket on the server that the page came from.
export function socketUrl(path, query = {}) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams(query);
  return url;
}
