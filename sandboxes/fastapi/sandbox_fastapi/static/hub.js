// Many topics on one WebSocket: a panel uses a topic as it would use a connection of its own.

import { Connection } from "./connection.js";

const TRY_AGAIN_AFTER = 5_000; // ms after which a topic that is unavailable is asked for again

export class Hub {
  #connection;
  #topics = new Map(); // those that somebody wants, by name
  #asked = new Map(); // which topic waits for an answer, by ref
  #lastRef = 0;
  state = { state: "connecting", text: "Connecting…" };

  constructor(url) {
    this.#connection = new Connection(url);
    this.#connection.addEventListener("state", ({ detail }) => this.#changed(detail));
    this.#connection.addEventListener("frame", ({ detail }) => this.#route(detail));
    this.#connection.open();
  }

  // A topic that is not subscribed to yet. `first` is a message that the server wants before each subscription.
  topic(name, first = null) {
    return new TopicConnection(this, name, first);
  }

  get isOpen() {
    return this.state.state === "open";
  }

  want(topic) {
    this.#topics.set(topic.name, topic);
  }

  giveUp(topic) {
    this.#topics.delete(topic.name);
  }

  // Send a message for a topic, and return the ref that its answer will have.
  ask(topic, action, payload, envelope) {
    const ref = String(++this.#lastRef);
    this.#asked.set(ref, topic);
    this.#connection.send(action, payload, { ...envelope, ref });
    return ref;
  }

  retryNow() {
    this.#connection.retryNow();
  }

  #changed(detail) {
    if (detail.state === this.state.state && detail.text === this.state.text) return; // each pong says so
    this.state = detail;
    if (!this.isOpen) this.#asked.clear(); // no answer comes any more
    for (const topic of this.#topics.values()) topic.hubChanged();
  }

  #route(frame) {
    const asker = this.#asked.get(frame.ref);
    this.#asked.delete(frame.ref);
    // What was pushed has no ref. An answer belongs to whoever asked, even if that topic is not subscribed.
    (asker ?? this.#topics.get(frame.topic))?.receive(frame);
  }
}

// Emits "state" and "frame" as a Connection does.
class TopicConnection extends EventTarget {
  #hub;
  #first;
  #isWanted = false;
  #request = null; // the ref of the subscription that was asked for
  #timer = null;

  constructor(hub, name, first) {
    super();
    this.#hub = hub;
    this.name = name;
    this.#first = first;
  }

  open() {
    this.#isWanted = true;
    this.#hub.want(this);
    this.hubChanged();
  }

  leave() {
    if (!this.#isWanted) return;
    this.#isWanted = false;
    this.#request = null;
    clearTimeout(this.#timer);
    this.#hub.giveUp(this);
    if (this.#hub.isOpen) this.send("unsubscribe");
    this.#tell("idle", "Not connected");
  }

  send(action, payload = null) {
    return this.#hub.ask(this, action, payload, { topic: this.name });
  }

  retryNow() {
    this.#hub.retryNow();
  }

  // A connection that came back knows no topics: each is subscribed again.
  hubChanged() {
    clearTimeout(this.#timer);
    if (this.#hub.isOpen) this.#subscribe();
    else this.#tell(this.#hub.state.state, this.#hub.state.text);
  }

  receive(frame) {
    if (frame.action === "error" && frame.ref === this.#request) this.#refused(frame.payload);
    else if (frame.action === "subscribed" && frame.ref === this.#request) this.#tell("open", "Connected");
    else this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #subscribe() {
    this.#tell("connecting", "Subscribing…");
    if (this.#first) this.#hub.ask(this, ...this.#first, {});
    this.#request = this.send("subscribe");
  }

  #refused({ reason, detail }) {
    if (reason === "unavailable") {
      this.#tell("waiting", "Not available at the moment");
      this.#timer = setTimeout(() => this.hubChanged(), TRY_AGAIN_AFTER);
      return;
    }
    this.#isWanted = false;
    this.#hub.giveUp(this);
    this.#tell("refused", `The server refused (${detail})`);
  }

  #tell(state, text) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, text } }));
  }
}
