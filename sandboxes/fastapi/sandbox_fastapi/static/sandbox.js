// The page of the sandbox. The room, the chat and the notifications are topics of one WebSocket, the hub; each other
// panel has a WebSocket of its own. All of them come back by themselves.
//
// Texts of other people reach the page through textContent only.

import { Connection, socketUrl } from "./connection.js";
import { Hub } from "./hub.js";

const KEPT_ENTRIES = 300;
const WINDOW = 32; // items of a stream that the server may send before this page has handled them
const CREDIT = 16; // handled items for which the server gets room for as many more

// One panel: its connection, its log and its form.
class Panel {
  constructor(section) {
    this.section = section;
    this.state = section.querySelector(".state");
    this.log = section.querySelector(".log");
    this.form = section.querySelector(".say");
    this.connection = null;
    this.form.addEventListener("submit", (event) => this.#submit(event));
  }

  connect(url) {
    this.use(new Connection(url));
  }

  // Take a connection, or a topic of the hub.
  use(connection) {
    this.connection?.leave();
    this.connection = connection;
    this.connection.addEventListener("state", ({ detail }) => this.showState(detail));
    this.connection.addEventListener("frame", ({ detail }) => this.receive(detail));
    this.connection.open();
  }

  // What the form's fields become: an action and its payload. A panel overrides what differs.
  message(fields) {
    return ["chat", { message: fields.message }];
  }

  // What arrives, by its action.
  frames = {};

  showState({ state, text }) {
    this.state.dataset.state = state;
    this.state.textContent = text;
    this.form.querySelector("[type=submit]").disabled = state !== "open";
  }

  say(text, { own = false, who = "", kind = "" } = {}) {
    const item = element("li", `said ${own ? "own" : "other"} ${kind}`.trim());
    if (who) item.append(element("b", "who", who));
    item.append(element("p", "text", text));
    this.append(item);
  }

  notice(text) {
    this.append(element("li", "notice", text));
  }

  append(item) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    this.log.append(item);
    while (this.log.childElementCount > KEPT_ENTRIES) this.log.firstElementChild.remove();
    if (atEnd || item.classList.contains("own")) this.log.scrollTop = this.log.scrollHeight;
  }

  receive(frame) {
    if (frame.action === "error") this.#problem(frame.payload);
    else this.frames[frame.action]?.(frame.payload, isOwn(frame));
  }

  #problem(payload) {
    const problems = Array.isArray(payload) ? payload.map(describe) : [payload?.detail ?? "unknown error"];
    this.append(element("li", "problem", `The server did not accept that (${problems.join("; ")}).`));
  }

  #submit(event) {
    event.preventDefault();
    // A draft stays while the connection comes back.
    if (this.state.dataset.state === "open") this.submit(Object.fromEntries(new FormData(this.form)));
  }

  submit(fields) {
    this.connection.send(...this.message(fields));
    const text = this.form.querySelector("input");
    text.value = "";
    text.focus();
  }
}

class SystemPanel extends Panel {
  frames = { system_echo: ({ message }) => this.say(message) };

  message({ message }) {
    this.say(message, { own: true });
    return ["user_message", { message }];
  }
}

class ChatPanel extends Panel {
  frames = {
    chat_notification: ({ message }, own) => this.say(message, { own }),
    system_notice: (text) => this.notice(text),
  };
}

// A topic for each level: the boxes subscribe and unsubscribe.
class NotificationPanel extends Panel {
  #levels = new Map();
  #states = new Map(); // of the levels that are wanted

  constructor(section) {
    super(section);
    for (const box of section.querySelectorAll("[type=checkbox]")) {
      const topic = hub.topic(`notifications:${box.value}`);
      topic.addEventListener("state", ({ detail }) => this.#changed(box, detail));
      topic.addEventListener("frame", ({ detail }) => this.receive(detail));
      this.#levels.set(box.value, topic);
      box.addEventListener("change", () => (box.checked ? topic.open() : topic.leave()));
      if (box.checked) topic.open();
    }
  }

  frames = {
    notification: ({ message, level }, own) => this.say(message, { own, kind: level }),
    system_notice: (text) => this.notice(text),
  };

  submit(fields) {
    this.connection = this.#levels.get(fields.level);
    super.submit(fields);
  }

  message({ message }) {
    return ["notify", { message }];
  }

  // The panel is connected when each level that is wanted is.
  #changed(box, detail) {
    if (detail.state === "idle") this.#states.delete(box);
    else this.#states.set(box, detail);
    const states = [...this.#states.values()];
    const shown = states.find(({ state }) => state !== "open") ?? states[0];
    this.showState(shown ?? { state: "idle", text: "No level chosen" });
  }
}

class JobsPanel extends Panel {
  frames = { job_status: (status) => this.#show(status) };

  message({ type, content }) {
    this.say(`${type}: ${content}`, { own: true });
    return ["job", { type, content }];
  }

  #show({ status, message, job_id: id }) {
    if (status === "result") this.say(message);
    else if (status === "failed") this.append(element("li", "problem", message));
    else if (status === "queued") this.notice(`Queued as ${id}`);
  }
}

// A job whose progress is a stream: items with a number, then one frame without a number, which is its end.
class FilesPanel extends Panel {
  #ref = 0; // of the latest check
  #isRunning = false;
  #bar = this.section.querySelector("progress");
  #label = this.section.querySelector("label");
  #start = this.section.querySelector("[type=submit]");
  #stop = this.section.querySelector("[type=button]");

  constructor(section) {
    super(section);
    this.#stop.addEventListener("click", () => this.connection.send("cancel", null, this.#envelope()));
  }

  frames = {
    check_progress: ({ done, total, file }) => this.#advance(done, total, file),
    check_result: ({ checked, changed }) => this.#conclude(checked, changed),
  };

  submit() {
    this.#ref += 1;
    this.#show("Reading what is installed");
    this.#bar.removeAttribute("value"); // the total is not known yet
    this.#setRunning(true);
    this.connection.send("check_files", null, { ...this.#envelope(), window: WINDOW });
  }

  receive(frame) {
    if (frame.ref !== String(this.#ref)) return;
    if (frame.seq === undefined) return this.#finish(frame);
    super.receive(frame);
    if (frame.seq % CREDIT === 0) this.connection.send("more", CREDIT, this.#envelope());
  }

  showState(detail) {
    super.showState(detail);
    if (this.#isRunning && detail.state !== "open") this.#interrupt("The connection was lost");
    else this.#setRunning(this.#isRunning);
  }

  #envelope() {
    return { ref: String(this.#ref) };
  }

  #advance(done, total, file) {
    this.#bar.max = total;
    this.#bar.value = done;
    this.#show(`${readable(done)} of ${readable(total)}: ${file}`);
  }

  #conclude(checked, changed) {
    this.say(`${readable(checked)} files: ${changed.length ? `${readable(changed.length)} changed` : "all as installed"}`);
    for (const file of changed.slice(0, KEPT_ENTRIES)) this.append(element("li", "problem", file));
  }

  #finish(frame) {
    if (frame.action === "complete") {
      this.#show("Done");
      this.#setRunning(false);
    } else if (frame.payload[0]?.type === "cancelled") {
      this.#interrupt("Stopped");
    } else {
      this.#interrupt("Failed");
      super.receive(frame);
    }
  }

  #interrupt(reason) {
    this.notice(`${reason} after ${readable(this.#bar.value)} files`);
    this.#show(reason);
    this.#bar.value = this.#bar.value; // an unknown total becomes an empty bar
    this.#setRunning(false);
  }

  #show(text) {
    this.#label.textContent = text;
  }

  #setRunning(isRunning) {
    this.#isRunning = isRunning;
    this.#stop.hidden = !isRunning;
    this.#start.disabled = isRunning || this.state.dataset.state !== "open";
  }
}

class AnalyticsPanel extends Panel {
  #totals = new Map();

  frames = {
    analytics_recorded: ({ event, count }) => this.#record(event, count),
    system_notice: (text) => this.notice(text),
  };

  message({ event, count }) {
    return ["analytics", { event, count: Number(count) }];
  }

  #record(event, count) {
    let row = this.#totals.get(event);
    if (row === undefined) {
      row = { total: 0, item: element("li", "total") };
      row.item.append(element("b", "", event), element("span", "count"));
      this.#totals.set(event, row);
      this.append(row.item);
    }
    row.total += count;
    row.item.querySelector(".count").textContent = readable(row.total);
    row.item.classList.remove("fresh");
    requestAnimationFrame(() => row.item.classList.add("fresh"));
  }
}

// The room: joined by name, and only when somebody asks for it.
class RoomPanel extends Panel {
  #join;
  #joined = null; // the room that was joined last
  #joinedBefore = false;

  frames = {
    room_notification: ({ kind, message, sender }, own) => {
      if (kind === "chat") this.say(message, { own, who: own ? "You" : sender });
      else this.notice(message);
    },
  };

  constructor(section) {
    super(section);
    this.#join = section.querySelector(".join");
    this.#join.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#isBusy()) this.#leave();
      else this.join();
    });
  }

  message({ message }) {
    return ["room_chat", { message }];
  }

  fill(name, room) {
    this.#join.elements.name.value = name;
    this.#join.elements.room.value = room;
  }

  join() {
    const name = this.#join.elements.name.value.trim();
    this.#joined = this.#join.elements.room.value.trim();
    if (!name || !this.#joined) return;
    sessionStorage.setItem("name", name);
    history.replaceState(null, "", `?${new URLSearchParams({ room: this.#joined })}`);
    this.#joinedBefore = false;
    this.use(hub.topic(`room:${this.#joined}`, ["introduce", { name }]));
  }

  showState(detail) {
    const before = this.state.dataset.state;
    super.showState(detail);
    const busy = this.#isBusy();
    const { name, room } = this.#join.elements;
    const button = this.#join.querySelector("button");
    const message = this.form.elements.message;
    name.disabled = room.disabled = busy;
    button.textContent = busy ? "Leave" : "Join";
    button.classList.toggle("secondary", busy);
    message.disabled = !busy;
    message.placeholder = busy ? "Write a message" : "Join a room to write";
    if (detail.state === "open" && before !== "open") this.#welcome();
  }

  #isBusy() {
    return ["open", "connecting", "waiting"].includes(this.state.dataset.state);
  }

  #welcome() {
    this.notice(this.#joinedBefore ? `You are back in ${this.#joined}` : `You joined ${this.#joined}`);
    this.#joinedBefore = true;
  }

  #leave() {
    this.connection.leave();
    this.notice("You left the room");
  }
}

const hub = new Hub(socketUrl("/ws/hub"));
const PANELS = {
  room: { kind: RoomPanel },
  jobs: { kind: JobsPanel, path: "/ws/background_jobs" },
  files: { kind: FilesPanel, path: "/ws/file_check" },
  system: { kind: SystemPanel, path: "/ws/system" },
  chat: { kind: ChatPanel, topic: "chat" },
  reliable: { kind: ChatPanel, path: "/ws/reliable" },
  notifications: { kind: NotificationPanel },
  analytics: { kind: AnalyticsPanel, path: "/ws/analytics" },
};

// Whether this client caused it: a group message says so, a topic answers its sender under the ref of the message.
function isOwn(frame) {
  return frame.is_current === true || (frame.topic !== undefined && frame.ref !== undefined);
}

function describe({ loc, msg }) {
  const place = loc?.at(-1);
  return place === undefined ? msg : `${place}: ${msg}`;
}

function readable(number) {
  return number.toLocaleString("en");
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const panels = {};
for (const section of document.querySelectorAll("[data-panel]")) {
  const { kind: Kind, path, topic } = PANELS[section.dataset.panel];
  const panel = (panels[section.dataset.panel] = new Kind(section));
  if (path) panel.connect(socketUrl(path));
  if (topic) panel.use(hub.topic(topic));
}

addEventListener("online", () => Object.values(panels).forEach(({ connection }) => connection?.retryNow()));

const query = new URLSearchParams(location.search);
const name = query.get("name") ?? sessionStorage.getItem("name") ?? "";
panels.room.fill(name, query.get("room") ?? "lobby");
if (query.has("room") && name) panels.room.join();
