// Connections and topics of the generated client, with their states in the words of the page.

import { ServerError, hub } from "/asyncapi/client.js";

const RETRY_AFTER = 5_000; // ms after which a topic that is unavailable is asked for again
const CONNECTED = { state: "open", text: "Connected" };
const SUBSCRIBING = { state: "connecting", text: "Subscribing…" };
const UNAVAILABLE = { state: "waiting", text: "Not available at the moment" };
const TEXTS = { connecting: "Connecting…", waiting: "Reconnecting…" };

// Connect to a channel. `show` gets each state; `opened` is called before the topics are subscribed to.
export function connect(channel, show, opened = () => {}) {
  const client = channel.connect({
    onState(state, lost) {
      if (state === "open") admit();
      else show({ state: TEXTS[state] ? state : "refused", text: TEXTS[state] ?? refusal(lost) });
    },
    // The panel that asked shows a refusal.
    onError: (error) => error instanceof ServerError || console.error(error),
  });
  return client;

  // The server answers messages once the client is admitted and its groups are joined.
  function admit() {
    opened();
    client.request("ping").then(() => show(CONNECTED), () => {});
  }
}

// One connection for the topics of all panels.
export class Hub {
  #client;
  #name = ""; // by which the rooms know this client
  wanted = new Set(); // the subscriptions that panels have opened

  constructor() {
    this.#client = connect(hub, (state) => this.#show(state), () => this.#introduce());
  }

  // Give the name that the rooms want first, on this connection and on those that follow.
  introduce(name) {
    this.#name = name;
    if (this.#client.state === "open") this.#introduce();
  }

  // Call a function for each error that belongs to no topic.
  onError(listener) {
    this.#client.on("error", ({ payload }) => listener(new ServerError(payload)));
  }

  // A topic that is not subscribed to yet. `show` gets its states, `panel` its frames and problems.
  topic(key, params, panel, show = (state) => panel.showState(state)) {
    return new Subscription(this, this.#client.topic(key, params), panel, show);
  }

  #introduce() {
    if (this.#name) this.#client.send("introduce", { name: this.#name });
  }

  #show(state) {
    this.state = state;
    for (const subscription of this.wanted) subscription.showState();
  }
}

class Subscription {
  #hub;
  #topic;
  #panel;
  #show;
  #state; // of the topic, on a connection that is open
  #timer;

  constructor(hub, topic, panel, show) {
    this.#hub = hub;
    this.#topic = topic;
    this.#panel = panel;
    this.#show = show;
    topic.on("error", ({ payload, ref }) => {
      if (ref === undefined) panel.problem(new ServerError(payload));
      else if (payload.reason === "unavailable") this.#setState(UNAVAILABLE);
    });
  }

  open() {
    this.#hub.wanted.add(this);
    this.#setState(SUBSCRIBING);
    this.#follow();
  }

  leave() {
    if (!this.#hub.wanted.delete(this)) return;
    clearTimeout(this.#timer);
    this.#topic.unsubscribe();
    this.#show({ state: "idle", text: "Not connected" });
  }

  // Send a message. Its answer is this client's own; the others get theirs as events of the topic.
  async send(action, payload) {
    try {
      this.#panel.receive(await this.#topic.request(action, payload), true);
    } catch (error) {
      this.#panel.problem(error);
    }
  }

  showState() {
    if (this.#hub.state.state === "waiting") this.#state = SUBSCRIBING; // on the next connection
    this.#show(this.#hub.state.state === "open" ? this.#state : this.#hub.state);
  }

  #setState(state) {
    this.#state = state;
    this.showState();
  }

  async #follow() {
    const events = this.#topic.events();
    this.#topic.subscribe().then(() => this.#setState(CONNECTED), () => {});
    try {
      for await (const frame of events) {
        if (frame.action === "resync") this.#setState(CONNECTED); // subscribed again, on another connection
        else this.#panel.receive(frame);
      }
    } catch (error) {
      if (error instanceof ServerError) this.#refused(error);
    }
  }

  #refused(error) {
    if (error.code === "unavailable") {
      this.#timer = setTimeout(() => this.#follow(), RETRY_AFTER);
      return;
    }
    this.#hub.wanted.delete(this);
    this.#show({ state: "refused", text: `The server refused (${error.message})` });
  }
}

function refusal({ reason, code }) {
  return `The server refused the connection (${reason || code})`;
}
