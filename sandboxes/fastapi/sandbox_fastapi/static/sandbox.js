// The page of the sandbox. The room, the chat and the notifications are topics of one WebSocket, the hub; each other
// panel has a WebSocket of its own. All of them come back by themselves: that is the client which the server makes from
// its document.
//
// Texts of other people reach the page through textContent only.

import { ConnectionLost, ServerError, analytics, backgroundJobs, fileCheck, reliableChat, system } from "/asyncapi/client.js";
import { Hub, connect } from "./hub.js";

const KEPT_ENTRIES = 300;

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

  // Take a connection to a channel.
  connect(channel) {
    this.connection = connect(channel, (state) => this.showState(state));
    this.connection.on("error", ({ payload }) => this.problem(new ServerError(payload)));
    for (const action of Object.keys(this.frames)) this.connection.on(action, (frame) => this.receive(frame));
  }

  // Take a topic of the hub.
  subscribe(topic, params) {
    this.connection?.leave();
    this.connection = hub.topic(topic, params, this);
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

  // `is_current` marks the copy of a group message that its sender gets.
  receive({ action, payload, is_current: isCurrent }, isOwn = isCurrent === true) {
    this.frames[action]?.(payload, isOwn);
  }

  problem(error) {
    const isRefused = error instanceof ServerError;
    const text = isRefused ? `The server did not accept that (${describe(error)}).` : `${error.message}.`;
    this.append(element("li", "problem", text));
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
      const topic = hub.topic("notification", { level: box.value }, this, (state) => this.#changed(box, state));
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

// A job whose progress is a stream.
class FilesPanel extends Panel {
  #stopping = null; // aborts the check that runs
  #bar = this.section.querySelector("progress");
  #label = this.section.querySelector("label");
  #start = this.section.querySelector("[type=submit]");
  #stop = this.section.querySelector("[type=button]");

  constructor(section) {
    super(section);
    this.#stop.addEventListener("click", () => this.#stopping.abort());
  }

  async submit() {
    this.#show("Reading what is installed");
    this.#bar.removeAttribute("value"); // the total is not known yet
    this.#setRunning(new AbortController());
    try {
      await this.#follow(this.#stopping.signal);
      this.#show("Done");
    } catch (error) {
      this.#interrupt(error);
    }
    this.#setRunning(null);
  }

  showState(detail) {
    super.showState(detail);
    this.#setRunning(this.#stopping);
  }

  async #follow(signal) {
    for await (const { action, payload } of this.connection.stream("check_files", null, { signal })) {
      if (action === "check_progress") this.#advance(payload);
      else this.#conclude(payload);
    }
  }

  #advance({ done, total, file }) {
    this.#bar.max = total;
    this.#bar.value = done;
    this.#show(`${readable(done)} of ${readable(total)}: ${file}`);
  }

  #conclude({ checked, changed }) {
    this.say(`${readable(checked)} files: ${changed.length ? `${readable(changed.length)} changed` : "all as installed"}`);
    for (const file of changed.slice(0, KEPT_ENTRIES)) this.append(element("li", "problem", file));
  }

  #interrupt(error) {
    const isStopped = this.#stopping.signal.aborted;
    const reason = isStopped ? "Stopped" : error instanceof ConnectionLost ? "The connection was lost" : "Failed";
    this.notice(`${reason} after ${readable(this.#bar.value)} files`);
    this.#show(reason);
    this.#bar.value = this.#bar.value; // an unknown total becomes an empty bar
    if (reason === "Failed") this.problem(error);
  }

  #show(text) {
    this.#label.textContent = text;
  }

  #setRunning(stopping) {
    this.#stopping = stopping;
    this.#stop.hidden = stopping === null;
    this.#start.disabled = stopping !== null || this.state.dataset.state !== "open";
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
    hub.onError((error) => this.problem(error)); // of the name
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
    hub.introduce(name);
    try {
      this.subscribe("room", { room: this.#joined });
    } catch {
      this.showState({ state: "refused", text: `Unknown topic 'room:${this.#joined}'` });
    }
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

const hub = new Hub();
const PANELS = {
  room: { kind: RoomPanel },
  jobs: { kind: JobsPanel, channel: backgroundJobs },
  files: { kind: FilesPanel, channel: fileCheck },
  system: { kind: SystemPanel, channel: system },
  chat: { kind: ChatPanel, topic: "chat" },
  reliable: { kind: ChatPanel, channel: reliableChat },
  notifications: { kind: NotificationPanel },
  analytics: { kind: AnalyticsPanel, channel: analytics },
};

function describe({ message, payload }) {
  if (!Array.isArray(payload)) return message;
  return payload.map(({ loc, msg }) => (loc?.length ? `${loc.at(-1)}: ${msg}` : msg)).join("; ");
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
  const { kind: Kind, channel, topic } = PANELS[section.dataset.panel];
  const panel = (panels[section.dataset.panel] = new Kind(section));
  if (channel) panel.connect(channel);
  if (topic) panel.subscribe(topic, {});
}

const query = new URLSearchParams(location.search);
const name = query.get("name") ?? sessionStorage.getItem("name") ?? "";
panels.room.fill(name, query.get("room") ?? "lobby");
if (query.has("room") && name) panels.room.join();
