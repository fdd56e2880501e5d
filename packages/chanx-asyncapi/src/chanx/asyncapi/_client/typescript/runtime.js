// The runtime of clients made by chanx: typed messages over a WebSocket that reconnects. Without dependencies, for
// browsers and Node 22. `runtime.d.ts` describes what it exports.
// @ts-check

/** @typedef {import('./runtime.js').Description} Description */
/** @typedef {import('./runtime.js').Part} Part */
/** @typedef {import('./runtime.js').ConnectOptions} ConnectOptions */
/** @typedef {Record<string, any>} Frame A message with its envelope. */
/** @typedef {(message: any) => any} Listener */
/** @typedef {{ signal?: AbortSignal, window?: number | false, retry?: boolean, fields?: Frame }} CallOptions */
/**
 * A message to send: `take` gets each frame under its ref and says whether it was the last, `fail` ends it.
 * @typedef {ReturnType<Endpoint['_work']>} Work
 */

const HEALTHY_AFTER = 10_000;
const CONNECT_TIMEOUT = 20_000;
const CLOSE_TIMEOUT = 2_000;
const ASK_AGAIN_AFTER = 5_000;
const BACKOFF_FROM = 2;
const OPEN = 1;
const LOST = 1006;
/** @type {Description['closeCodes']} What codes mean, or the first two digits of a code. */
const CLOSE_CODES = {
  44: 'stop',
  45: 'backoff',
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

export class ServerError extends Error {
  name = 'ServerError';

  /** @param {any} payload */
  constructor(payload) {
    const [first] = [payload].flat();
    super(String(first?.msg ?? first?.detail ?? 'The server has answered by an error'));
    this.code = String(first?.type ?? first?.reason ?? 'error');
    this.payload = payload;
  }
}

export class ConnectionLost extends Error {
  name = 'ConnectionLost';

  /** @param {number} code @param {string} [reason] */
  constructor(code, reason = '') {
    super(`The connection was lost (${code}${reason && `: ${reason}`})`);
    this.code = code;
    this.reason = reason;
  }
}

export class ClientError extends Error {
  name = 'ClientError';

  /** @param {string} message @param {any} [frame] */
  constructor(message, frame) {
    super(message);
    this.frame = frame;
  }
}

/** What a client and its topics have in common. */
class Endpoint {
  /** @type {Map<string, Set<Listener>>} */
  _listeners = new Map();
  /** @type {Map<string, Listener>} */
  _answering = new Map();

  /** @param {Part} part @param {Client} [client] @param {string} [topicName] */
  constructor(part, client, topicName) {
    this._part = part;
    /** @type {Client} */
    this._client = client ?? /** @type {any} */ (this);
    /** @type {any} */
    this.topicName = topicName;
  }

  /** @param {string} action @param {any} [payload] @param {CallOptions} [options] */
  send(action, payload, options) {
    this._client._submit(this._work(action, payload, options));
  }

  /** @param {string} action @param {any} [payload] @param {CallOptions} [options] @returns {Promise<any>} */
  request(action, payload, options) {
    return new Promise((resolve, reject) => {
      const work = this._work(action, payload, options);
      const stop = onAbort(options?.signal, (reason) => {
        this._client._abandon(work);
        reject(reason);
      });
      if (!stop) return;
      work.fail = (error) => (stop(), reject(error));
      work.take = (frame, error) => {
        stop();
        if (error) reject(error);
        else resolve(frame);
        // Of several answers the first counts here, the others go to the listeners.
        return true;
      };
      this._start(work);
    });
  }

  /**
   * @param {string} action @param {any} [payload] @param {CallOptions} [options]
   * @returns {AsyncGenerator<any, void, void>}
   */
  stream(action, payload, options = {}) {
    const client = this._client;
    const { window: ahead = this._part.operations[action]?.window ?? 32, fields, signal } = options;
    const window = (client._controls.more && ahead) || undefined;
    const work = this._work(action, payload, { fields: { ...fields, window } });
    work.isCancellable = true;
    work.fail = (error) => inbox.end(error);
    work.take = (frame, error) => {
      if (frame.seq === undefined) inbox.end(error);
      else inbox.add(frame);
      return inbox.isOver;
    };
    let due = -1;
    const inbox = new Inbox(signal, () => client._abandon(work));
    inbox.ask = () => {
      due += 1;
      if (!due) this._start(work);
      if (window && due >= window / 2) {
        client._control('more', work, due);
        due = 0;
      }
    };
    return /** @type {any} */ (inbox);
  }

  /** @param {string} action @param {Listener} listener */
  on(action, listener) {
    const known = this._listeners.get(action) ?? new Set();
    this._listeners.set(action, known.add(listener));
    return () => void known.delete(listener);
  }

  /** @param {string} action @param {Listener} answer */
  onRequest(action, answer) {
    this._answering.set(action, answer);
    return () => void (this._answering.get(action) === answer && this._answering.delete(action));
  }

  /** @param {Frame} frame @param {ServerError} [error] @returns {void} */
  _take(frame, error) {
    const { receives, requests } = this._part;
    const client = this._client;
    const action = frame[client._field];
    if (isAsked(frame) && requests?.includes(action)) return void this._answer(action, frame);
    const listeners = this._listeners.get(action);
    if (error && !listeners?.size) client._report(error);
    else if (receives && !listeners && action !== 'resync' && !receives.includes(action)) {
      client._report(new ClientError(`Unknown action ${action}`, frame));
    }
    for (const listener of listeners ?? []) client._guard(() => listener(frame));
  }

  /** @param {string} action @param {Frame} frame */
  _answer(action, frame) {
    const client = this._client;
    const socket = client._socket;
    return client._guard(async () => {
      const answer = this._answering.get(action);
      if (!answer) throw new ClientError(`Nothing answers ${action}: use onRequest()`, frame);
      const message = await answer(frame);
      // The request has ended with the connection that it came on.
      if (socket === client._socket) client._write({ ...message, topic: this.topicName, ref: frame.ref });
    });
  }

  _resync() {
    return { [this._client._field]: 'resync', payload: null, topic: this.topicName };
  }

  /**
   * Keys that are undefined are not written.
   * @param {string} action @param {any} [payload] @param {CallOptions} [options]
   */
  _work(action, payload, { retry, fields } = {}) {
    return {
      frame: /** @type {Frame} */ ({ ...fields, [this._client._field]: action, payload, topic: this.topicName }),
      text: '',
      retry,
      isCancellable: this._part.operations[action]?.cancellable,
      take: /** @type {(frame: Frame, error?: ServerError) => boolean} */ (() => true),
      fail: /** @type {(error: any) => void} */ (() => {}),
    };
  }

  /** @param {Work} work */
  _start(work) {
    const client = this._client;
    work.frame.ref = String((client._refs += 1));
    try {
      client._submit(work);
    } catch (error) {
      work.fail(error);
    }
  }
}

export class Topic extends Endpoint {
  isSubscribed = false;
  _wasSubscribed = false;
  /** @type {Set<Inbox>} */
  _inboxes = new Set();
  /** @type {Promise<this> | undefined} */
  _subscribing = undefined;
  _timer = `topic ${this.topicName}`;
  /** @type {string | undefined} */
  _cursor = undefined;
  /** @type {(topic: this) => void} */
  _confirm = () => {};
  /** @type {(error: Error) => void} */
  _refuse = () => {};

  /** @returns {Promise<this>} */
  subscribe() {
    if (this._subscribing) return this._subscribing;
    const client = this._client;
    const subscribing = new Promise((resolve, reject) => {
      this._confirm = resolve;
      this._refuse = reject;
    });
    // Whoever does not wait finds a refusal in `onError`.
    subscribing.catch(() => {});
    this._subscribing = subscribing;
    client._topics.set(this.topicName, this);
    if (client.state === 'closed') this._drop(client._lost);
    else this._ask();
    return subscribing;
  }

  async unsubscribe() {
    if (!this._subscribing) return;
    this._drop();
    const client = this._client;
    if (client._isOpen()) await this.request(client._controls.unsubscribe).catch(() => {});
  }

  /**
   * @param {{ signal?: AbortSignal, max?: number }} [options]
   * @returns {AsyncGenerator<any, void, void>}
   */
  events({ signal, max = 1024 } = {}) {
    const inbox = new Inbox(signal, (left) => this._inboxes.delete(left), max, this._resync());
    if (!inbox.isOver) {
      this._inboxes.add(inbox);
      this.subscribe().catch((error) => inbox.end(error));
    }
    return /** @type {any} */ (inbox);
  }

  [Symbol.asyncIterator]() {
    return this.events();
  }

  /** @param {Frame} frame @param {ServerError} [error] */
  _take(frame, error) {
    super._take(frame, error);
    this._cursor = frame.cursor ?? this._cursor;
    if (this._subscribing && !error && !isAsked(frame)) for (const inbox of this._inboxes) inbox.add(frame);
  }

  /** Ask the server for the topic, if there is a connection. */
  _ask() {
    const client = this._client;
    if (!client._isOpen()) return;
    const subscribing = this._subscribing;
    const work = this._work(client._controls.subscribe, this._cursor && { since: this._cursor });
    work.take = (frame, error) => {
      // It was given up, and may have been asked for again.
      if (subscribing !== this._subscribing) return true;
      if (!error) {
        this.isSubscribed = true;
        this._confirm(this);
        this._cursor = frame.payload?.cursor;
        if (this._wasSubscribed && !frame.payload?.recovered) this._take(this._resync());
        this._wasSubscribed = true;
      } else if (this._wasSubscribed && error.code === 'unavailable') {
        // The channel layer may be back soon.
        client._after(this._timer, Math.min(ASK_AGAIN_AFTER, client._maxDelay), () => this._ask());
      } else this._drop(error);
      if (error) this._take(frame, error);
      return true;
    };
    this._start(work);
  }

  /** @param {Error} [error] */
  _drop(error) {
    this._client._topics.delete(this.topicName);
    this._client._clear(this._timer);
    this._subscribing = this._cursor = undefined;
    this.isSubscribed = this._wasSubscribed = false;
    this._refuse(error ?? new ClientError(`${this.topicName} was given up`));
    for (const inbox of this._inboxes) inbox.end(error);
    this._inboxes.clear();
  }
}

export class Client extends Endpoint {
  /** @type {'connecting' | 'open' | 'waiting' | 'closed'} */
  state = 'connecting';
  /** @type {WebSocket | undefined} */
  _socket = undefined;
  /** @type {Work[]} */
  _queue = [];
  /** @type {Map<string, Work>} */
  _running = new Map();
  /** @type {Map<string, Topic>} */
  _topics = new Map();
  /** @type {Record<string, ReturnType<typeof setTimeout>>} */
  _timers = {};
  /** @type {object | undefined} */
  _attempt = undefined;
  /** @type {(() => void)[]} */
  _stops = [];
  /** @type {(end: { code: number, reason: string }) => void} */
  _resolveClosed = () => {};
  _refs = 0;
  _attempts = 0;
  _wasOpen = false;
  _refreshed = false;
  _lost = new ConnectionLost(LOST, 'never connected');

  /** @param {Description} channel @param {ConnectOptions} options */
  constructor(channel, options) {
    super(channel);
    this._channel = channel;
    this._options = options;
    this._field = channel.field ?? 'action';
    /** @type {Record<string, any>} */
    this._controls = { subscribe: 'subscribe', unsubscribe: 'unsubscribe', ...channel.controls };
    const { heartbeat = true, maxDelay = 20_000, signal } = options;
    this._maxDelay = maxDelay;
    this._beat = heartbeat === true ? (channel.heartbeat ?? 0) : Number(heartbeat);
    /** @type {Promise<{ code: number, reason: string }>} */
    this.closed = new Promise((resolve) => (this._resolveClosed = resolve));
    const stop = onAbort(signal, () => void this.close());
    if (!stop) return;
    const wake = () => this.state === 'waiting' && !globalThis.document?.hidden && void this._connect();
    this._stops = [stop, listen(globalThis, 'online', wake), listen(globalThis.document, 'visibilitychange', wake)];
    void this._connect();
  }

  /** @param {string} key @param {Record<string, any>} [params] */
  topic(key, params = {}) {
    const part = this._channel.topics?.[key];
    if (!part) throw new TypeError(`There is no topic ${key}`);
    const name = fill(part.pattern, params, (value, parameter) => {
      if (value === '' || value.includes(':')) throw new TypeError(`${parameter} of ${part.pattern}: ${value} does not fit`);
      return value;
    });
    const topic = this._topics.get(name) ?? new Topic(part, this, name);
    this._topics.set(name, topic);
    return topic;
  }

  async close(code = 1000, reason = '') {
    if (this.state === 'closed') return;
    const socket = this._socket;
    // First: it raises an error for a code that a page may not use.
    socket?.close(code, reason);
    this._end(new ConnectionLost(code, reason || 'closed by this client'));
    if (!socket) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_TIMEOUT);
      socket.onclose = () => resolve(clearTimeout(timer));
    });
  }

  // Connecting

  async _connect() {
    const { token, WebSocket: Socket = globalThis.WebSocket, protocols } = this._options;
    const attempt = (this._attempt = {});
    this._clear('retry');
    this._after('connect', CONNECT_TIMEOUT, () => this._drop(LOST, 'no connection in time'));
    // The callback may close the client, so it comes last.
    this._enter('connecting');
    /** @type {(error: unknown) => void} */
    let failed = () => this._drop(LOST, 'no token');
    try {
      const known = typeof token === 'function' ? await token({ refresh: this._refreshed }) : token;
      if (attempt !== this._attempt) return; // too late, or closed
      // A mistake in the address or the options does not mend itself.
      failed = (error) => this._end(new ConnectionLost(LOST, String(error)));
      if (!Socket) throw new TypeError('There is no WebSocket here: pass the option WebSocket');
      const socket = new Socket(this._url(known), protocols);
      this._socket = socket;
      socket.onopen = () => this._open();
      socket.onmessage = (event) => this._receive(event.data);
      socket.onclose = (event) => this._drop(event.code, event.reason);
      // For implementations that raise an error which nobody handles.
      socket.onerror = () => {};
    } catch (error) {
      this._report(error);
      if (attempt === this._attempt) failed(error);
    }
  }

  /** @param {any} token */
  _url(token) {
    const { url, params = {}, query, tokenParam = 'token', heartbeat = true } = this._options;
    const page = globalThis.location;
    const server = this._channel.servers?.[0];
    const mount = server?.replace(/^\w+:\/\/[^/]*/, '') ?? '';
    const base = url ?? (page?.origin.startsWith('http') ? page.origin + mount : server);
    if (!base) throw new TypeError('connect() needs a url');
    const path = fill(this._channel.path, params, encodeURIComponent);
    const found = new URL(String(base).replace(/\/+$/, '') + path, page?.href);
    found.protocol = found.protocol.replace(/^http/, 'ws');
    const credentials = typeof token === 'string' ? { [tokenParam]: token } : token;
    const all = { ...query, ...credentials, ...(heartbeat && { heartbeat: 1 }) };
    for (const [name, value] of Object.entries(all)) {
      if (value !== undefined && value !== null) found.searchParams.set(name, String(value));
    }
    return found.href;
  }

  _isOpen() {
    // The socket is closing some time before it says so.
    return this.state === 'open' && this._socket?.readyState === OPEN;
  }

  _open() {
    this._clear('connect');
    this._after('health', HEALTHY_AFTER, () => {
      this._attempts = 0;
      this._refreshed = false;
    });
    this._watch();
    this._enter('open');
    for (const topic of this._topics.values()) if (topic._subscribing) topic._ask();
    if (this._wasOpen) this._take(this._resync());
    this._wasOpen = true;
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
    const { minDelay = 500 } = this._options;
    const delay = Math.random() * Math.min(this._maxDelay, minDelay * 2 ** this._attempts);
    this._attempts += 1;
    this._after('retry', delay, () => void this._connect());
    this._enter('waiting', lost);
  }

  /** @param {number} code */
  _retry(code) {
    const known = { ...CLOSE_CODES, ...this._channel.closeCodes };
    // daphne refuses to send the codes from 1001 on, and sends 3000 more.
    const meant = code > 4000 && code < 4016 && !known[code] ? code - 3000 : code;
    const retry = known[meant] ?? known[Math.floor(meant / 100)] ?? 'again';
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
    for (const stop of this._stops) stop();
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
    socket.close();
  }

  // Frames

  /** @param {any} data */
  _receive(data) {
    /** @type {Frame | undefined} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      // Reported below.
    }
    const action = frame?.[this._field];
    const isBeat = action === 'heartbeat' && frame?.ref === undefined;
    // Without a word of the document, the first one tells that there are heartbeats.
    if (isBeat) this._beat ||= 25;
    this._watch();
    if (isBeat) return;
    if (!frame || typeof action !== 'string') return this._report(new ClientError('Invalid frame', data));
    const error = action === 'error' ? new ServerError(frame.payload) : undefined;
    const work = this._running.get(frame.ref);
    if (work) return void (work.take(frame, error) && this._running.delete(frame.ref));
    const place = frame.topic === undefined ? this : this._topics.get(frame.topic);
    if (place) place._take(frame, error);
    // Of a topic that was just given up, some frames may still be on the way.
    else if (error) this._report(error);
  }

  /** @param {Work} work */
  _submit(work) {
    if (this.state === 'closed') throw this._lost;
    // Now: what cannot be written is the caller's error, and what changes while it waits does not count.
    work.text = JSON.stringify(work.frame);
    if (this._isOpen()) return this._transmit(work);
    if (this._queue.length >= (this._options.maxQueue ?? 64)) throw new ClientError('Too many messages wait to be sent');
    this._queue.push(work);
  }

  /** @param {Work} work */
  _transmit(work) {
    const { ref } = work.frame;
    if (ref) this._running.set(ref, work);
    this._socket?.send(work.text);
  }

  /** @param {Frame} frame */
  _write(frame) {
    if (this._isOpen()) this._socket?.send(JSON.stringify(frame));
  }

  /** @param {'cancel' | 'more'} control @param {Work} work @param {number} [payload] */
  _control(control, work, payload) {
    const name = this._controls[control];
    const { ref, topic } = work.frame;
    if (name) this._write({ [this._field]: name, payload, topic, ref });
  }

  /** @param {Work} work */
  _abandon(work) {
    const waiting = this._queue.indexOf(work);
    if (waiting >= 0) return void this._queue.splice(waiting, 1);
    if (this._running.get(work.frame.ref) !== work) return;
    // What is on the way is discarded, until the end comes.
    work.fail = () => {};
    work.take = (frame) => frame.seq === undefined;
    work.retry = false;
    if (work.isCancellable) this._control('cancel', work);
  }

  /** @param {Error} error @param {boolean} comesBack */
  _fail(error, comesBack) {
    const running = [...this._running.values()];
    this._running.clear();
    const again = running.filter((work) => comesBack && work.retry);
    const over = running.filter((work) => !again.includes(work));
    if (!comesBack) over.push(...this._queue.splice(0));
    this._queue.unshift(...again);
    for (const work of over) work.fail(error);
  }

  // Callbacks and timers

  /** @param {typeof this.state} state @param {ConnectionLost} [lost] */
  _enter(state, lost) {
    this.state = state;
    this._guard(() => this._options.onState?.(state, lost));
  }

  /** @param {unknown} error */
  _report(error) {
    try {
      (this._options.onError ?? console.error)(error);
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

/** A loop over frames: at most `max` wait, else `stale` stands for all. `leave` is called where the reader ends it. */
class Inbox {
  /** @type {Frame[]} */
  _frames = [];
  /** @type {unknown} */
  _error = undefined;
  /** @type {Promise<unknown> | undefined} */
  _waiting = undefined;
  _wake = () => {};
  isOver = false;
  /** Called by each `next()`. */
  ask = () => {};

  /** @param {AbortSignal | undefined} signal @param {(inbox: Inbox) => void} leave @param {Frame} [stale] */
  constructor(signal, leave, max = Infinity, stale = {}) {
    this._leave = leave;
    this._max = max;
    this._stale = stale;
    this._stop = onAbort(signal, (reason) => this._abandon(reason));
  }

  /** @param {Frame} frame */
  add(frame) {
    if (this.isOver) return;
    if (this._frames.length >= this._max) this._frames = [this._stale];
    else this._frames.push(frame);
    this._wake();
  }

  /** @param {unknown} [error] */
  end(error) {
    if (this.isOver) return;
    this.isOver = true;
    this._error = error;
    this._stop?.();
    this._wake();
  }

  /** @param {unknown} [error] */
  _abandon(error) {
    this._frames = [];
    if (!this.isOver) this._leave(this);
    this.end(error);
  }

  async next() {
    if (!this.isOver) this.ask();
    while (!this._frames.length && !this.isOver) {
      await (this._waiting ??= new Promise((resolve) => {
        this._wake = () => resolve((this._waiting = undefined));
      }));
    }
    const value = this._frames.shift();
    const error = this._error;
    if (value || error === undefined) return { value, done: !value };
    this._error = undefined;
    throw error;
  }

  async return() {
    this._abandon();
    return { value: undefined, done: true };
  }

  /** @param {any} error */
  async throw(error) {
    this._abandon();
    throw error;
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

if (Symbol.asyncDispose) {
  for (const [kind, name] of /** @type {[any, string][]} */ ([[Client, 'close'], [Topic, 'unsubscribe'], [Inbox, 'return']])) {
    Object.defineProperty(kind.prototype, Symbol.asyncDispose, { value: kind.prototype[name] });
  }
}

/** @param {Frame} frame */
function isAsked(frame) {
  return String(frame.ref).startsWith('s.');
}

/** @param {EventTarget | undefined} target @param {string} name @param {() => void} run */
function listen(target, name, run) {
  target?.addEventListener?.(name, run);
  return () => target?.removeEventListener?.(name, run);
}

/**
 * Call a function once a signal aborts. Returns what stops that; nothing, after the call, if it has aborted already.
 * @param {AbortSignal | undefined} signal @param {(reason: any) => void} run
 */
function onAbort(signal, run) {
  if (signal?.aborted) return void run(signal.reason);
  return listen(signal, 'abort', () => run(signal?.reason));
}

/** @param {string} pattern @param {Record<string, any>} params @param {(value: string, name: string) => string} write */
function fill(pattern, params, write) {
  return pattern.replace(/\{([^{}]+)\}/g, (_, name) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined || value === null) throw new TypeError(`${pattern} needs the parameter ${name}`);
    return write(String(value), name);
  });
}

/** @param {Description} channel @param {ConnectOptions} [options] */
export function connect(channel, options = {}) {
  return new Client(channel, options);
}

/** @param {Description} description */
export function channel(description) {
  return {
    description,
    /** @param {ConnectOptions} [options] */
    connect: (options) => connect(description, options),
  };
}
