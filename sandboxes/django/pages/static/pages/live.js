// A WebSocket that comes back by itself, and requests to the REST API.

const FIRST_DELAY = 500; // ms before the first reconnection; doubled each time, up to LONGEST_DELAY
const LONGEST_DELAY = 30_000;
const PING_EVERY = 25_000; // ms of silence after which the connection is checked
const ANSWER_WITHIN = 10_000; // ms that the server has to answer a ping
// Coming back would not help: log in, ask a member, or go elsewhere.
const REFUSED = {
  4401: "Log in to connect",
  4403: "You are not allowed here",
  4404: "There is no such thing any more",
};

// Calls `onFrame` with each message, and shows in the element `state` what a person should know.
export class LiveSocket {
  #url;
  #state;
  #onFrame;
  #onOpen;
  #socket = null;
  #timer = null;
  #attempts = 0;
  #asked = new Map(); // what waits for an answer, by ref
  #lastRef = 0;

  constructor(path, { state, onFrame, onOpen = () => {} }) {
    this.#url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.#state = state;
    this.#onFrame = onFrame;
    this.#onOpen = onOpen;
    addEventListener("online", () => this.#socket === null && this.#open());
    this.#open();
  }

  // With a `ref`, the answers carry it too.
  send(action, payload = null, ref = undefined) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ action, payload, ref }));
  }

  // Returns the answer; throws an Error with a text for people.
  ask(action, payload, topic) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) return reject(new Error("Not connected. Please try again."));
      const ref = `ask-${++this.#lastRef}`;
      this.#asked.set(ref, { resolve, reject });
      this.#socket.send(JSON.stringify({ action, payload, topic, ref }));
    });
  }

  #answer(frame) {
    const { resolve, reject } = this.#asked.get(frame.ref);
    this.#asked.delete(frame.ref);
    if (frame.action !== "error") return resolve(frame);
    const { payload } = frame;
    reject(new Error(Array.isArray(payload) ? payload.map(({ msg }) => msg).join(" ") : payload.detail));
  }

  #open() {
    clearTimeout(this.#timer);
    this.#tell("wait", "Connecting…");
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    // The server answers once it has let us in: until then we are only connecting.
    socket.addEventListener("open", () => this.#ping());
    socket.addEventListener("message", (event) => socket === this.#socket && this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => socket === this.#socket && this.#lost(event.code));
  }

  #receive(frame) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ping(), PING_EVERY);
    if (this.#asked.has(frame.ref)) return this.#answer(frame);
    if (frame.action !== "pong") return this.#onFrame(frame);
    if (this.#state.dataset.state !== "open") {
      this.#attempts = 0;
      this.#tell("open", "Connected");
      this.#onOpen();
    }
  }

  #ping() {
    this.send("ping");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const silent = this.#socket;
      this.#lost(1006);
      silent.close();
    }, ANSWER_WITHIN);
  }

  #lost(code) {
    clearTimeout(this.#timer);
    this.#socket = null;
    for (const { reject } of this.#asked.values()) reject(new Error("The connection was lost. Please try again."));
    this.#asked.clear();
    if (REFUSED[code]) return this.#tell("refused", REFUSED[code]);
    const delay = Math.min(FIRST_DELAY * 2 ** this.#attempts, LONGEST_DELAY) * (0.75 + Math.random() / 2);
    this.#attempts += 1;
    this.#tell("wait", "Reconnecting…");
    this.#timer = setTimeout(() => this.#open(), delay);
  }

  #tell(state, text) {
    this.#state.dataset.state = state;
    this.#state.textContent = text;
  }
}

// Returns what the REST API answers; throws an Error with a text for people.
export async function api(method, path, body) {
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(Object.values(answer).flat().join(" ") || "That did not work.");
  return answer;
}

// Sends a form's fields with `send`, and shows what went wrong below them.
export function onSubmit(form, send) {
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = form.querySelector(".error");
    try {
      await send(Object.fromEntries(new FormData(form)));
      if (error) error.hidden = true;
    } catch (problem) {
      if (!error) throw problem;
      error.textContent = problem.message;
      error.hidden = false;
    }
  });
}

// Makes an element; texts of people reach the page as text only.
export function element(name, { className = "", text = "", ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// Enter sends, Shift+Enter breaks the line.
export function sendOnEnter(field) {
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
}
