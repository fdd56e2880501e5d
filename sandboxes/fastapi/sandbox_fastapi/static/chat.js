// The chat page: one room at a time over one WebSocket that comes back by itself.
//
// Texts of participants reach the page through textContent only.

const FIRST_DELAY = 500; // ms before the first reconnection; doubled each time, up to LONGEST_DELAY
const LONGEST_DELAY = 30_000;
const PING_EVERY = 25_000; // ms of silence after which the connection is checked
const ANSWER_WITHIN = 10_000; // ms that the server has to answer a ping
const KEPT_MESSAGES = 500;

const byId = (id) => document.getElementById(id);
const page = {
  state: byId("state"),
  join: byId("join"),
  joinButton: byId("join-button"),
  name: byId("name"),
  room: byId("room"),
  messages: byId("messages"),
  compose: byId("compose"),
  message: byId("message"),
  send: byId("send"),
};

// One room's WebSocket. Emits "state" with what a person should read, and "frame" with what arrived.
class RoomConnection extends EventTarget {
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
    // The server answers messages once the room is joined: until then we are only connecting.
    socket.addEventListener("open", () => this.#ping());
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#lost(event);
    });
  }

  send(action, payload) {
    this.#socket.send(JSON.stringify({ action, payload }));
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
    this.send("ping", null);
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

let connection = null;
let joinedBefore = false;

function roomUrl(room, name) {
  const path = document.body.dataset.roomPath.replace("{room}", encodeURIComponent(room));
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = new URLSearchParams({ name });
  return url;
}

function joinRoom() {
  const room = page.room.value.trim();
  const name = page.name.value.trim();
  if (!room || !name) return;
  sessionStorage.setItem("name", name);
  history.replaceState(null, "", `?${new URLSearchParams({ room })}`);
  document.title = `${room} · Room chat`;
  connection?.leave();
  joinedBefore = false;
  connection = new RoomConnection(roomUrl(room, name));
  connection.addEventListener("state", (event) => showState(event.detail));
  connection.addEventListener("frame", (event) => showFrame(event.detail));
  connection.open();
}

function leaveRoom() {
  connection.leave();
  connection = null;
  showNotice("You left the room");
}

function showState({ state, text }) {
  const before = page.state.dataset.state;
  page.state.dataset.state = state;
  page.state.textContent = text;
  const joined = state === "open";
  const busy = joined || state === "connecting" || state === "waiting";
  page.name.disabled = page.room.disabled = busy;
  page.join.classList.toggle("busy", busy);
  page.joinButton.textContent = busy ? "Leave" : "Join";
  page.joinButton.classList.toggle("secondary", busy);
  page.message.disabled = !busy; // a draft stays while the connection comes back
  page.message.placeholder = busy ? "Write a message" : "Join a room to write";
  page.send.disabled = !joined;
  if (joined && before !== "open") welcome(page.room.value.trim());
}

function welcome(room) {
  showNotice(joinedBefore ? `You are back in ${room}` : `You joined ${room}`);
  joinedBefore = true;
  page.message.focus();
}

function showFrame(frame) {
  if (frame.action === "error") showProblem(frame.payload);
  else if (frame.action === "room_notification") showNotification(frame.payload, frame.is_current === true);
}

function showNotification({ kind, message, sender }, own) {
  if (kind === "chat") showMessage(sender, message, own);
  else showNotice(message);
}

function showMessage(sender, text, own) {
  const previous = page.messages.lastElementChild;
  const item = element("li", "message");
  const author = own ? "own" : `other ${sender}`;
  item.dataset.author = author;
  item.classList.toggle("own", own);
  item.classList.toggle("same", previous?.dataset.author === author);

  const avatar = element("span", "avatar", Array.from(sender)[0].toUpperCase());
  avatar.setAttribute("aria-hidden", "true");
  avatar.style.setProperty("--hue", hueOf(sender));
  const who = element("span", "who");
  const time = element("time", "", new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  who.append(element("b", "", own ? "You" : sender), time);
  item.append(avatar, who, element("p", "text", text));
  append(item);
}

function showNotice(text) {
  append(element("li", "notice", text));
}

function showProblem(payload) {
  const problems = Array.isArray(payload) ? payload.map(describe) : [payload?.detail ?? "unknown error"];
  append(element("li", "problem", `The server did not accept that (${problems.join("; ")}).`));
}

function describe({ loc, msg }) {
  const place = loc?.at(-1);
  return place === undefined ? msg : `${place}: ${msg}`;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function append(item) {
  const list = page.messages;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.append(item);
  while (list.childElementCount > KEPT_MESSAGES) list.firstElementChild.remove();
  if (atEnd || item.classList.contains("own")) list.scrollTop = list.scrollHeight;
}

function hueOf(name) {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)) % 360;
  return String(hash);
}

page.join.addEventListener("submit", (event) => {
  event.preventDefault();
  if (connection !== null && page.name.disabled) leaveRoom();
  else joinRoom();
});

page.compose.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = page.message.value;
  if (page.send.disabled || !message.trim()) return;
  connection.send("room_chat", { message });
  page.message.value = "";
  page.message.focus();
});

page.message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  page.compose.requestSubmit();
});

addEventListener("online", () => connection?.retryNow());

const query = new URLSearchParams(location.search);
page.room.value = query.get("room") ?? "lobby";
page.name.value = query.get("name") ?? sessionStorage.getItem("name") ?? "";
if (query.has("room") && page.name.value) joinRoom();
else page.name.focus();
