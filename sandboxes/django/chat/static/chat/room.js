import { room as channel } from "/asyncapi/client.js";
import { api, connect, element, onSubmit, sendOnEnter } from "../pages/live.js";

const TYPING_SHOWN = 3000; // ms
const TYPING_TOLD = 2000; // ms between two notices

const byId = (id) => document.getElementById(id);
const { room, user, userId } = byId("room").dataset;
const messages = byId("messages");
const text = byId("text");
const known = new Set();
let typingTimer = null;
let lastTold = 0;

const client = connect(channel, byId("state"), {
  params: { pk: room },
  onOpen() {
    text.disabled = false;
    byId("compose").querySelector("button").disabled = false;
    client.send("get_history", {});
  },
});
client.on("said", ({ payload }) => show(payload));
client.on("history", ({ payload }) => showHistory(payload));
client.on("is_typing", ({ payload }) => showTyping(payload.name));
client.on("renamed", ({ payload }) => rename(payload.name));
client.on("member", ({ payload }) => showMember(payload));
client.on("error", ({ payload }) => notice(Array.isArray(payload) ? payload[0].msg : payload.detail));
client.closed.then(() => (text.disabled = byId("compose").querySelector("button").disabled = true));

function bubble({ id, author, text: said, created_at }) {
  known.add(id);
  const time = new Date(created_at);
  return element(
    "li",
    { className: author === user ? "message own" : "message", "data-id": id },
    element("span", { className: "author", text: author }),
    element("p", { className: "text", text: said }),
    element("time", {
      text: time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
      datetime: created_at,
    }),
  );
}

function show(message) {
  if (known.has(message.id)) return;
  byId("typing").textContent = "";
  messages.append(bubble(message));
  messages.scrollTop = messages.scrollHeight;
}

function showHistory({ messages: page, has_more }) {
  const isFirst = known.size === 0;
  const fresh = page.filter(({ id }) => !known.has(id));
  const firstKnown = Math.min(...known);
  const older = fresh.filter(({ id }) => id < firstKnown);
  messages.prepend(...older.map(bubble));
  fresh.filter(({ id }) => id > firstKnown).forEach(show);
  if (isFirst) messages.scrollTop = messages.scrollHeight;
  if (isFirst || older.length) byId("older").hidden = !has_more;
}

function showTyping(name) {
  byId("typing").textContent = `${name} is writing…`;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (byId("typing").textContent = ""), TYPING_SHOWN);
}

function rename(name) {
  byId("title").textContent = name;
  document.title = `${name} · Parley`;
  notice(`The room is called ${name} now`);
}

function showMember({ user_id, name, role }) {
  const old = byId("members").querySelector(`[data-user-id="${user_id}"]`);
  if (role === null) {
    old?.remove();
    notice(String(user_id) === userId ? "You were put out of this room" : `${name} left`);
    return;
  }
  const entry = element(
    "li",
    { className: "member", "data-user-id": user_id },
    element("span", { className: "avatar", text: name[0].toUpperCase(), "aria-hidden": "true" }),
    element("span", { className: "grow", text: name }),
    element("small", { text: role }),
  );
  if (old) old.replaceWith(entry);
  else {
    byId("members").append(entry);
    notice(`${name} joined`);
  }
}

function notice(said) {
  messages.append(element("li", { className: "notice", text: said }));
  messages.scrollTop = messages.scrollHeight;
}

// Sends a message; while the connection comes back, the client keeps it. There is none to send by once it is closed.
function send(action, payload) {
  if (client.state !== "closed") client.send(action, payload);
}

byId("older").addEventListener("click", () => send("get_history", { before: Math.min(...known) }));
onSubmit(byId("compose"), async () => {
  if (text.value.trim()) send("say", { text: text.value });
  text.value = "";
  lastTold = 0;
});
sendOnEnter(text);
text.addEventListener("input", () => {
  if (Date.now() - lastTold < TYPING_TOLD || client.state !== "open") return;
  lastTold = Date.now();
  client.send("typing");
});
onSubmit(byId("invite"), async (fields) => {
  await api("POST", `/api/rooms/${room}/members/`, fields);
  byId("invite").reset();
});
onSubmit(byId("rename"), async (fields) => send("rename", fields));
