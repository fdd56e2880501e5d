// The runtime of clients made by chanx: typed messages over a WebSocket that reconnects. Without dependencies, for
// browsers and Node 22.
// @ts-check

/** @typedef {import('./runtime.js').Description} Description */
/** @typedef {import('./runtime.js').Part} Part */
/** @typedef {Record<string, any>} Frame A message with its envelope. */
/** @typedef {'stop' | 'again' | 'after_refresh' | 'backoff'} Retry */
/** @typedef {{ signal?: AbortSignal, window?: number | false, retry?: boolean, fields?: Frame }} CallOptions */
/**
 * Work under a ref: `take` gets each frame and says whether it was the last, `fail` ends it.
 * @typedef {{ frame: Frame, retry: boolean, take: (frame: Frame) => boolean, fail: (error: Error) => void }} Work
 */

const HEALTHY_AFTER = 10_000;
const CONNECT_TIMEOUT = 20_000;
const CLOSE_TIMEOUT = 2_000;
const BACKOFF_FROM = 2;
const LOST = 1006;
/** @type {Record<number, Retry>} */
const CLOSE_CODES = {
  1000: 'stop',
  1002: 'stop',
  1003: 'stop',
  1007: 'stop',
  1008: 'stop',
  1009: 'backoff',
  1010: 'stop',
  1011: 'backoff',
  1013: 'backoff',
  4401: 'after_refresh',
  4408: 'again',
  4429: 'backoff',
};
const OPEN = 1;

/** The server has answered by an error. */
export class ServerError extends Error {
  /** @param {any} payload */
  constructor(payload) {
    const first = Array.isArray(payload) ? (payload[0] ?? {}) : (payload ?? {});
    super(String(first.msg ?? first.detail ?? 'The server has answered by an error'));
    this.name = 'ServerError';
    this.code = String(first.type ?? first.reason ?? 'error');
    this.payload = payload;
  }
}

/** The connection ended while the work was under way: the server may have done it or not. */
export class ConnectionLost extends Error {
  /** @param {number} code @param {string} [reason] */
  constructor(code, reason = '') {
    super(`The connection was lost (${code}${reason && `: ${reason}`})`);
    this.name = 'ConnectionLost';
    this.code = code;
    this.reason = reason;
  }
}

/** A frame could not be used, or more is waiting to be sent than may. */
export class ClientError extends Error {
  /** @param {string} message @param {any} [frame] */
  constructor(message, frame) {
    super(message);
    this.name = 'ClientError';
    this.frame = frame;
  }
}

/** What a client and its topics have in common: messages to send, and listeners. */
class Endpoint {
  /** @param {Part} part @param {string} [topic] */
  constructor(part, topic) {
    this._part = part;
    /** The full name of the topic. */
    this.topicName = topic;
    /** @type {Client} */
    this._client = /** @type {any} */ (this);
    /** @type {Map<string, Set<(message: any) => void>>} */
    this._listeners = new Map();
    /** @type {Map<string, (message: any) => any>} */
    this._answering = new Map();
  }

  /**
   * Send a message without waiting for an answer.
   * @param {string} action @param {any} [payload] @param {CallOptions} [options]
   */
  send(action, payload, options = {}) {
    this._client._submit(this._work(action, payload, options));
  }

  /**
   * Send a message and return its answer. Rejects with ServerError or ConnectionLost.
   * @param {string} action @param {any} [payload] @param {CallOptions} [options]
   * @returns {Promise<any>}
   */
  request(action, payload, options = {}) {
    const operation = this._part.operations[action];
    return new Promise((resolve, reject) => {
      const work = this._work(action, payload, options);
      const stop = onAbort(options.signal, (reason) => {
        this._client._abandon(work, operation?.cancellable);
        reject(reason);
      });
      if (!stop) return;
      work.fail = (error) => (stop(), reject(error));
      work.take = (frame) => {
        stop();
        if (this._isError(frame)) reject(new ServerError(frame.payload));
        else resolve(frame);
        // Of several answers the first counts here, the others go to the listeners.
        return true;
      };
      this._start(work, reject);
    });
  }

  /**
   * Send a message and return the items of its answer. Leaving the loop cancels it.
   * @param {string} action @param {any} [payload] @param {CallOptions} [options]
   * @returns {AsyncGenerator<any, void, void>}
   */
  async *stream(action, payload, options = {}) {
    const operation = this._part.operations[action];
    const { more } = this._client._channel.controls ?? {};
    const window = more && options.window !== false ? (options.window ?? operation?.window ?? 32) : 0;
    const inbox = new Inbox();
    const work = this._work(action, payload, { fields: options.fields });
    if (window) work.frame.window = window;
    work.fail = (error) => inbox.end(error);
    work.take = (frame) => {
      if (frame.seq !== undefined) return (inbox.add(frame), false);
      inbox.end(this._isError(frame) ? new ServerError(frame.payload) : undefined);
      return true;
    };
    const stop = onAbort(options.signal, (reason) => (inbox.clear(), inbox.end(reason)));
    if (!stop) throw options.signal?.reason;
    this._start(work, (error) => inbox.end(error));
    let due = 0;
    try {
      for (;;) {
        const { value, done } = await inbox.next();
        if (done) return;
        yield value;
        due += 1;
        if (window && due >= window / 2 && !inbox.isOver) {
          this._client._control('more', work, due);
          due = 0;
        }
      }
    } finally {
      stop();
      this._client._abandon(work, operation?.cancellable ?? true);
    }
  }

  /**
   * Call a function for each message of an action that answers no request. Returns what removes it.
   * @param {string} action @param {(message: any) => void} listener
   */
  on(action, listener) {
    const known = this._listeners.get(action) ?? new Set();
    this._listeners.set(action, known.add(listener));
    return () => void known.delete(listener);
  }

  /**
   * Answer what the server asks. Returns what removes the function.
   * @param {string} action @param {(message: any) => any} answer
   */
  onRequest(action, answer) {
    this._answering.set(action, answer);
    return () => void (this._answering.get(action) === answer && this._answering.delete(action));
  }

  /** @param {Frame} frame @returns {void} */
  _take(frame) {
    const action = frame[this._client._field];
    const asked = this._part.requests?.includes(action) && String(frame.ref).startsWith('s.');
    if (asked) return void this._answer(action, frame);
    const listeners = this._listeners.get(action);
    if (this._isError(frame) && !listeners?.size) this._client._report(new ServerError(frame.payload));
    else if (!this._isKnown(action)) this._client._report(new ClientError(`Unknown action ${action}`, frame));
    for (const listener of listeners ?? []) this._client._guard(() => listener(frame));
  }

  /** @param {string} action */
  _isKnown(action) {
    const { receives } = this._part;
    return action === 'resync' || this._listeners.has(action) || !receives || receives.includes(action);
  }

  /** @param {string} action @param {Frame} frame */
  async _answer(action, frame) {
    const { _client: client } = this;
    const socket = client._socket;
    const answer = this._answering.get(action);
    if (!answer) return client._report(new ClientError(`Nothing answers ${action}: use onRequest()`, frame));
    await client._guard(async () => {
      const message = await answer(frame);
      // The request has ended with the connection that it came on.
      if (socket === client._socket) client._write({ ...message, ...this._envelope(), ref: frame.ref });
    });
  }

  /** @param {Frame} frame */
  _isError(frame) {
    return frame[this._client._field] === 'error';
  }

  _envelope() {
    return this.topicName === undefined ? {} : { topic: this.topicName };
  }

  /**
   * @param {string} action @param {any} payload @param {CallOptions} options
   * @returns {Work}
   */
  _work(action, payload, { retry = false, fields }) {
    const frame = { ...fields, [this._client._field]: action, payload: payload ?? null, ...this._envelope() };
    return { frame, retry, take: () => true, fail: () => {} };
  }

  /** @param {Work} work @param {(error: any) => void} fail */
  _start(work, fail) {
    const { _client: client } = this;
    work.frame.ref = client._nextRef();
    try {
      client._submit(work);
    } catch (error) {
      fail(error);
    }
  }
}

/** Many typed messages on one topic, under the same connection. */
export class Topic extends Endpoint {
  /** @param {Client} client @param {Part} part @param {string} name */
  constructor(client, part, name) {
    super(part, name);
    this._client = client;
    /** @type {Set<Inbox>} */
    this._inboxes = new Set();
    /** Whether the server has confirmed the subscription on this connection. */
    this.isSubscribed = false;
    /** @type {Promise<this> | undefined} */
    this._subscribing = undefined;
    /** @type {(error: Error) => void} */
    this._refuse = () => {};
    this._confirm = () => {};
    this._wasSubscribed = false;
  }

  /**
   * Subscribe, now and after each reconnect. Rejects if the server refuses.
   * @returns {Promise<this>}
   */
  subscribe() {
    if (!this._subscribing) {
      this._subscribing = new Promise((resolve, reject) => {
        this._confirm = () => resolve(this);
        this._refuse = reject;
      });
      // Whoever does not wait finds a refusal in `onError`.
      this._subscribing.catch(() => {});
      this._client._topics.set(String(this.topicName), this);
      if (this._client.state === 'closed') this._drop(this._client._lost);
      else if (this._client.state === 'open') this._ask();
    }
    return this._subscribing;
  }

  /** Give the topic up. Its loops of events end. */
  async unsubscribe() {
    if (!this._subscribing) return;
    const { state } = this._client;
    this._drop(undefined);
    if (state === 'open') await this.request(this._client._controlName('unsubscribe')).catch(() => {});
  }

  /**
   * Return the events of the topic, from now on. A reader that is `max` events behind gets one `resync` instead.
   * @param {{ signal?: AbortSignal, max?: number }} [options]
   * @returns {AsyncGenerator<any, void, void>}
   */
  events({ signal, max = 1024 } = {}) {
    const inbox = new Inbox(max, () => this._resync());
    const stop = onAbort(signal, (reason) => inbox.end(reason));
    if (!stop) inbox.end(signal?.reason);
    this._inboxes.add(inbox);
    this.subscribe().catch((error) => inbox.end(error));
    return iterate(inbox, () => (stop?.(), this._inboxes.delete(inbox)));
  }

  [Symbol.asyncIterator]() {
    return this.events();
  }

  /** @param {Frame} frame */
  _take(frame) {
    super._take(frame);
    const isEvent = this._subscribing && !this._isError(frame) && !String(frame.ref).startsWith('s.');
    if (isEvent) for (const inbox of this._inboxes) inbox.add(frame);
  }

  _resync() {
    return { [this._client._field]: 'resync', payload: null, topic: this.topicName };
  }

  /** Ask the server for the topic, on a connection that is open. */
  _ask() {
    const client = this._client;
    const work = this._work(client._controlName('subscribe'), null, {});
    work.fail = () => {}; // it is asked for again on the next connection
    work.take = (frame) => {
      if (!this._subscribing) return true;
      if (this._isError(frame)) {
        const error = new ServerError(frame.payload);
        client._report(error);
        // The channel layer may be back soon.
        if (this._wasSubscribed && error.code === 'unavailable') client._after(`${this.topicName}`, 5000, () => this._ask());
        else this._drop(error);
        return true;
      }
      this.isSubscribed = true;
      this._confirm();
      if (this._wasSubscribed) this._take(this._resync());
      this._wasSubscribed = true;
      return true;
    };
    this._start(work, (error) => client._report(error));
  }

  /** @param {Error | undefined} error */
  _drop(error) {
    this._client._topics.delete(String(this.topicName));
    this._subscribing = undefined;
    this.isSubscribed = this._wasSubscribed = false;
    this._refuse(error ?? new ClientError(`${this.topicName} was given up`));
    for (const inbox of this._inboxes) inbox.end(error);
    this._inboxes.clear();
  }
}

/** A connection to one channel, made again whenever it is lost. */
export class Client extends Endpoint {
  /** @param {Description} channel @param {import('./runtime.js').ConnectOptions} options */
  constructor(channel, options) {
    super(channel);
    this._channel = channel;
    this._options = options;
    this._field = channel.field ?? 'action';
    /** @type {'connecting' | 'open' | 'waiting' | 'closed'} */
    this.state = 'connecting';
    /** @type {WebSocket | undefined} */
    this._socket = undefined;
    /** @type {Work[]} */
    this._queue = [];
    /** @type {Map<string, Work>} */
    this._running = new Map();
    /** @type {Map<string, Topic>} */
    this._topics = new Map();
    this._refs = 0;
    this._attempts = 0;
    this._opened = 0;
    this._refreshed = false;
    this._lost = new ConnectionLost(LOST, 'never connected');
    /** @type {Record<string, ReturnType<typeof setTimeout>>} */
    this._timers = {};
    const { heartbeat = channel.heartbeat } = options;
    this._beat = typeof heartbeat === 'number' ? heartbeat : heartbeat ? (channel.heartbeat ?? 0) : 0;
    /** @type {object | undefined} */
    this._attempt = undefined;
    /** @type {(end: { code: number, reason: string }) => void} */
    this._resolveClosed = () => {};
    /** Resolves when the client connects no more, with the last code and reason. @type {Promise<{ code: number, reason: string }>} */
    this.closed = new Promise((resolve) => (this._resolveClosed = resolve));
    this._wake = () => this.state === 'waiting' && globalThis.document?.hidden !== true && void this._connect();
    globalThis.addEventListener?.('online', this._wake);
    globalThis.document?.addEventListener('visibilitychange', this._wake);
    options.signal?.addEventListener('abort', () => void this.close(), { once: true });
    if (options.signal?.aborted) void this.close();
    else void this._connect();
  }

  /**
   * Return a topic; the same object for the same name.
   * @param {string} key @param {Record<string, any>} [params]
   */
  topic(key, params = {}) {
    const part = this._channel.topics?.[key];
    if (!part) throw new TypeError(`There is no topic ${key}`);
    const name = fill(part.pattern, params, (value, parameter) => {
      if (value === '' || value.includes(':')) throw new TypeError(`${parameter} of ${part.pattern}: ${value} does not fit`);
      return value;
    });
    const topic = this._topics.get(name) ?? new Topic(this, part, name);
    this._topics.set(name, topic);
    return topic;
  }

  /**
   * Close for good. Work under way fails.
   * @param {number} [code] @param {string} [reason]
   */
  async close(code = 1000, reason = '') {
    if (this.state === 'closed') return;
    const socket = this._socket;
    this._socket = undefined; // closed below, with the code
    this._end(new ConnectionLost(code, reason || 'closed by this client'));
    if (!socket || socket.readyState > OPEN) return;
    socket.onopen = socket.onmessage = null;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT);
      socket.onclose = () => (clearTimeout(timer), resolve(undefined));
      socket.close(code, reason);
    });
  }

  // Connecting

  async _connect() {
    this._clear('retry');
    this._enter('connecting');
    this._socket = undefined;
    const attempt = (this._attempt = {});
    this._after('connect', CONNECT_TIMEOUT, () => this._drop(LOST, 'no connection in time'));
    let { token } = this._options;
    try {
      if (typeof token === 'function') token = await token({ refresh: this._refreshed });
    } catch (error) {
      this._report(error);
      if (attempt === this._attempt) this._drop(LOST, 'no token');
    }
    if (attempt !== this._attempt) return; // too late, or closed
    try {
      const Socket = this._options.WebSocket ?? globalThis.WebSocket;
      if (!Socket) throw new TypeError('There is no WebSocket here: pass the option WebSocket');
      const socket = new Socket(this._url(token), this._options.protocols);
      this._socket = socket;
      socket.onopen = () => this._open();
      socket.onmessage = (event) => this._receive(event.data);
      socket.onclose = (event) => this._drop(event.code, event.reason);
    } catch (error) {
      // A mistake in the address or the options does not mend itself.
      this._report(error);
      this._end(new ConnectionLost(LOST, String(error)));
    }
  }

  /** @param {any} token */
  _url(token) {
    const { url, params = {}, query = {}, tokenParam = 'token', heartbeat = true } = this._options;
    const origin = globalThis.location?.origin;
    const [server] = this._channel.servers ?? [];
    const prefix = server ? new URL(server).pathname : '';
    const base = url ?? (origin?.startsWith('http') ? origin + prefix : server);
    if (!base) throw new TypeError('connect() needs a url');
    const path = fill(this._channel.path, params, encodeURIComponent);
    const found = new URL(String(base).replace(/\/+$/, '') + path, globalThis.location?.href);
    found.protocol = found.protocol.replace(/^http/, 'ws');
    const credentials = typeof token === 'string' ? { [tokenParam]: token } : token;
    const all = { ...query, ...credentials, ...(heartbeat && { heartbeat: 1 }) };
    for (const [name, value] of Object.entries(all)) {
      if (value !== undefined && value !== null) found.searchParams.set(name, String(value));
    }
    return found.href;
  }

  _open() {
    this._clear('connect');
    this._enter('open');
    this._after('health', HEALTHY_AFTER, () => {
      this._attempts = 0;
      this._refreshed = false;
    });
    this._watch();
    for (const topic of this._topics.values()) if (topic._subscribing) topic._ask();
    if (this._opened++) this._take({ [this._field]: 'resync', payload: null });
    for (const work of this._queue.splice(0)) this._transmit(work);
  }

  /** Reconnect when the server is silent for two heartbeats, and some time for the network. */
  _watch() {
    if (this._beat) this._after('beat', this._beat * 2500, () => this._drop(LOST, 'no heartbeat'));
  }

  /** @param {number} code @param {string} reason */
  _drop(code, reason) {
    if (this.state === 'closed' || this.state === 'waiting') return;
    this._detach();
    const lost = (this._lost = new ConnectionLost(code, reason));
    const retry = this._retry(code);
    if (retry === 'stop') return this._end(lost);
    for (const topic of this._topics.values()) topic.isSubscribed = false;
    this._fail(lost, true);
    if (retry === 'backoff') this._attempts = Math.max(this._attempts, BACKOFF_FROM);
    const { minDelay = 500, maxDelay = 20_000 } = this._options;
    const delay = Math.random() * Math.min(maxDelay, minDelay * 2 ** this._attempts);
    this._attempts += 1;
    this._after('retry', delay, () => void this._connect());
    this._enter('waiting', lost);
  }

  /** @param {number} code @returns {Retry} */
  _retry(code) {
    const known = { ...CLOSE_CODES, ...this._channel.closeCodes };
    // daphne refuses to send the codes from 1001 on, and sends 3000 more.
    const meant = code > 4000 && code < 4016 && !known[code] ? code - 3000 : code;
    const status = meant - 4000;
    const usual = status >= 500 && status < 600 ? 'backoff' : status >= 400 && status < 500 ? 'stop' : 'again';
    const retry = known[meant] ?? usual;
    if (retry !== 'after_refresh') return retry;
    // A new token that is refused as well needs a person.
    if (this._refreshed || typeof this._options.token !== 'function') return 'stop';
    this._refreshed = true;
    return 'again';
  }

  /** @param {ConnectionLost} lost */
  _end(lost) {
    this._lost = lost;
    this._detach();
    globalThis.removeEventListener?.('online', this._wake);
    globalThis.document?.removeEventListener('visibilitychange', this._wake);
    this._enter('closed', lost);
    this._fail(lost, false);
    for (const topic of [...this._topics.values()]) topic._drop(lost);
    this._resolveClosed({ code: lost.code, reason: lost.reason });
  }

  /** Leave the socket at once, even one whose other end is gone and never answers the close. */
  _detach() {
    for (const name of Object.keys(this._timers)) this._clear(name);
    const socket = this._socket;
    this._socket = this._attempt = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.readyState <= OPEN && this.state !== 'closed') socket.close();
  }

  // Frames

  /** @param {any} data */
  _receive(data) {
    this._watch();
    /** @type {Frame | undefined} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      frame = undefined;
    }
    const action = frame?.[this._field];
    if (!frame || typeof action !== 'string') return this._report(new ClientError('Invalid frame', data));
    if (action === 'heartbeat' && frame.ref === undefined) {
      // Without a word of the document, the first one tells that there are heartbeats.
      this._beat ||= 25;
      return this._watch();
    }
    const work = this._running.get(frame.ref);
    if (work) {
      if (work.take(frame)) this._running.delete(frame.ref);
      return;
    }
    const place = frame.topic === undefined ? this : this._topics.get(frame.topic);
    if (place) place._take(frame);
    // Of a topic that was just given up, some frames may still be on the way.
    else if (this._isError(frame)) this._report(new ServerError(frame.payload));
  }

  /** @param {Work} work */
  _submit(work) {
    if (this.state === 'closed') throw this._lost;
    if (this.state === 'open') return this._transmit(work);
    if (this._queue.length >= (this._options.maxQueue ?? 64)) throw new ClientError('Too many messages wait to be sent');
    this._queue.push(work);
  }

  /** @param {Work} work */
  _transmit(work) {
    if (work.frame.ref !== undefined) this._running.set(work.frame.ref, work);
    this._write(work.frame);
  }

  /** @param {Frame} frame */
  _write(frame) {
    if (this._socket?.readyState === OPEN) this._socket.send(JSON.stringify(frame));
  }

  /** @param {'cancel' | 'more'} control @param {Work} work @param {number} [payload] */
  _control(control, work, payload) {
    const name = this._channel.controls?.[control];
    const { ref, topic } = work.frame;
    if (name) this._write({ [this._field]: name, ...(payload && { payload }), ...(topic && { topic }), ref });
  }

  /** @param {'subscribe' | 'unsubscribe'} control */
  _controlName(control) {
    return this._channel.controls?.[control] ?? control;
  }

  /**
   * Take no interest in the answer any more.
   * @param {Work} work @param {boolean | undefined} isCancellable
   */
  _abandon(work, isCancellable) {
    const waiting = this._queue.indexOf(work);
    if (waiting >= 0) return void this._queue.splice(waiting, 1);
    if (this._running.get(work.frame.ref) !== work) return;
    // What is on the way is discarded, until the end comes.
    const isStream = work.frame.window !== undefined;
    work.fail = () => {};
    work.take = (frame) => frame.seq === undefined;
    work.retry = false;
    if (isCancellable || isStream) this._control('cancel', work);
  }

  /** @param {Error} error @param {boolean} comesBack */
  _fail(error, comesBack) {
    const running = [...this._running.values()];
    this._running.clear();
    const again = comesBack ? running.filter((work) => work.retry) : [];
    const over = comesBack ? running.filter((work) => !work.retry) : [...running, ...this._queue.splice(0)];
    this._queue.unshift(...again);
    for (const work of over) work.fail(error);
  }

  _nextRef() {
    return String((this._refs += 1));
  }

  // Callbacks and timers

  /** @param {typeof this.state} state @param {ConnectionLost} [lost] */
  _enter(state, lost) {
    this.state = state;
    this._guard(() => this._options.onState?.(state, lost));
  }

  /** @param {unknown} error */
  _report(error) {
    const report = this._options.onError ?? ((/** @type {unknown} */ told) => console.error(told));
    try {
      report(error);
    } catch (failure) {
      console.error(failure);
    }
  }

  /** @param {() => any} run */
  async _guard(run) {
    try {
      await run();
    } catch (error) {
      this._report(error);
    }
  }

  /** @param {string} name @param {number} delay @param {() => void} run */
  _after(name, delay, run) {
    this._clear(name);
    this._timers[name] = setTimeout(run, delay);
  }

  /** @param {string} name */
  _clear(name) {
    clearTimeout(this._timers[name]);
    delete this._timers[name];
  }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(Client.prototype, Symbol.asyncDispose, { value: Client.prototype.close });
  Object.defineProperty(Topic.prototype, Symbol.asyncDispose, { value: Topic.prototype.unsubscribe });
}

/** Frames on their way to a loop; at most `max`, else one that `overflow` makes stands for all. */
class Inbox {
  constructor(max = Infinity, overflow = () => /** @type {Frame} */ ({})) {
    /** @type {Frame[]} */
    this._frames = [];
    this._max = max;
    this._overflow = overflow;
    this.isOver = false;
    /** @type {Error | undefined} */
    this._error = undefined;
    /** @type {() => void} */
    this._notify = () => {};
  }

  /** @param {Frame} frame */
  add(frame) {
    if (this.isOver) return;
    if (this._frames.length >= this._max) this._frames = [this._overflow()];
    else this._frames.push(frame);
    this._notify();
  }

  clear() {
    this._frames = [];
  }

  /** @param {any} [error] */
  end(error) {
    if (this.isOver) return;
    this.isOver = true;
    this._error = error;
    this._notify();
  }

  /** @returns {Promise<{ value?: any, done: boolean }>} */
  async next() {
    while (!this._frames.length && !this.isOver) {
      await new Promise((resolve) => (this._notify = () => resolve(undefined)));
    }
    const value = this._frames.shift();
    if (value) return { value, done: false };
    if (this._error !== undefined) throw this._error;
    return { done: true };
  }
}

/** @param {Inbox} inbox @param {() => void} leave @returns {AsyncGenerator<any, void, void>} */
function iterate(inbox, leave) {
  const over = { value: undefined, done: /** @type {const} */ (true) };
  const end = async () => (leave(), inbox.clear(), inbox.end(), over);
  const iterator = {
    next: () => inbox.next().then((found) => (found.done ? end() : found), (error) => (leave(), Promise.reject(error))),
    return: end,
    throw: async (/** @type {any} */ error) => (await end(), Promise.reject(error)),
    [Symbol.asyncIterator]: () => iterator,
    ...(Symbol.asyncDispose && { [Symbol.asyncDispose]: async () => void (await end()) }),
  };
  return /** @type {any} */ (iterator);
}

/**
 * Call a function once a signal aborts. Returns what stops that; nothing, after the call, if it has aborted already.
 * @param {AbortSignal | undefined} signal @param {(reason: any) => void} run
 */
function onAbort(signal, run) {
  const listener = () => run(signal?.reason);
  if (signal?.aborted) return void listener();
  signal?.addEventListener('abort', listener, { once: true });
  return () => signal?.removeEventListener('abort', listener);
}

/** @param {string} pattern @param {Record<string, any>} params @param {(value: string, name: string) => string} write */
function fill(pattern, params, write) {
  return pattern.replace(/\{([^{}]+)\}/g, (_, name) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined || value === null) throw new TypeError(`${pattern} needs the parameter ${name}`);
    return write(String(value), name);
  });
}

/**
 * Connect to a channel.
 * @param {Description} channel @param {import('./runtime.js').ConnectOptions} [options]
 */
export function connect(channel, options = {}) {
  return new Client(channel, options);
}

/**
 * Return what a generated module exports for a channel.
 * @param {Description} description
 */
export function channel(description) {
  return {
    description,
    /** @param {import('./runtime.js').ConnectOptions} [options] */
    connect: (options = {}) => connect(description, options),
  };
}
