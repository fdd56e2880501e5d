// Talking to one channel: a connection, a message to write, the traffic, and what is under way.
'use strict';

const MOST_RECONNECTS = 10;
const LONGEST_WAIT = 10_000;
// What references of the server begin with.
const OF_SERVER = 's.';

class Trial {
  constructor(api, key) {
    this._api = api;
    this._key = key;
    this._host = api.host(key);
    this._received = [...api.received(key), ...this._ofHost()];
    this._requests = [key, this._host].filter(Boolean).flatMap((one) => api.requests(one));
    this._fromClient = [...this._received, ...this._requests.flatMap((request) => request.replies)];
    // The connection is the host's: frames of it and of its other topics may come, too.
    this._sent = [key, ...api.neighbours(key)].flatMap((one) => api.sent(one));
    this._control = this._controls();
    this._traffic = new Traffic();
    this._asked = new Map();
    this._exchanges = new Map();
    this._number = 0;
    this._topic = 'x-topic' in api.channel(key) ? this._topicForm() : undefined;
    this._attempts = 0;
    this._wanted = false;
    this.element = make(
      'section',
      { class: 'trial-body', 'aria-label': `Try ${api.channel(key).title ?? key}` },
      make('h3', {}, 'Try it'),
      this._connectionForm(),
      this._topic?.element,
      this._received.length ? this._composer() : make('p', { class: 'note' }, 'Clients send no messages on this channel.'),
      this._traffic.element,
    );
    this._showState();
    this._showAddress();
  }

  // The connection

  _connectionForm() {
    const channel = this._api.channel(this._key);
    this._server = select(this._api.servers().map(({ name, url }) => [url, `${url} (${name})`]));
    this._parameters = inputs(Object.entries(channel.parameters ?? {}), { required: true });
    const credentials = this._api.credentials(this._key);
    const query = channel.bindings?.ws?.query?.properties ?? {};
    const named = credentials.filter((one) => one.in === 'query').map((one) => [one.name, one]);
    this._query = inputs(Object.entries({ ...Object.fromEntries(named), ...query }));
    this._more = make('input', { autocomplete: 'off', placeholder: 'a=1&b=2' });
    this._subprotocols = make('input', { autocomplete: 'off', placeholder: 'chat.v1, chat.v2' });
    this._again = make('input', { type: 'checkbox' });
    this._address = make('p', { class: 'url' });
    this._connect = make('button', { class: 'main' }, 'Connect');
    this._status = make('p', { role: 'status', class: 'status' });
    const fields = [
      this._server.childElementCount > 1 ? labelled('Server', this._server) : null,
      ...[...this._parameters].map(([name, input]) => labelled(name, input, 'in the path')),
      ...[...this._query].map(([name, input]) => labelled(name, input, 'in the query string')),
      labelled('Extra query string', this._more),
      labelled('Subprotocols', this._subprotocols),
    ];
    const form = make(
      'form',
      { class: 'connection', oninput: () => this._showAddress(), onsubmit: (event) => this._toggle(event) },
      make('div', { class: 'fields' }, ...fields),
      headersNote(credentials),
      this._address,
      make(
        'div',
        { class: 'actions' },
        this._connect,
        make('label', { class: 'check' }, this._again, 'Reconnect automatically'),
        this._status,
      ),
    );
    return form;
  }

  /** Where the connection goes to; a parameter without a value stays as it is in the address. */
  address() {
    const { address } = this._api.channel(this._key);
    const path = address.replace(/{([^{}]+)}/g, (placeholder, name) => {
      const value = this._parameters.get(name)?.value;
      return value ? encodeURIComponent(value) : placeholder;
    });
    const query = new URLSearchParams(this._more.value);
    for (const [name, input] of this._query) if (input.value) query.append(name, input.value);
    return `${this._server.value}${path}${query.size ? `?${query}` : ''}`;
  }

  _showAddress() {
    this._address.textContent = this.address();
    this._topic?.follow(this._parameters);
  }

  /** Say something among the traffic. */
  complain(text) {
    this._traffic.note(text, true);
  }

  _toggle(event) {
    event.preventDefault();
    this._attempts = 0;
    if (this._socket || this._waiting) this._close();
    else this._open();
  }

  _close() {
    this._wanted = false;
    this._stopWaiting();
    this._socket?.close(1000);
    this._showState();
  }

  _stopWaiting() {
    clearTimeout(this._waiting);
    this._waiting = undefined;
  }

  _open() {
    this._wanted = true;
    this._stopWaiting();
    const subprotocols = this._subprotocols.value.split(',').map((text) => text.trim()).filter(Boolean);
    try {
      this._socket = new WebSocket(this.address(), subprotocols);
    } catch (error) {
      this._socket = undefined;
      this._traffic.note(`Cannot connect: ${error.message}`, true);
      return this._showState();
    }
    this._listen(this._socket);
    this._showState();
  }

  _listen(socket) {
    socket.addEventListener('open', () => {
      this._attempts = 0;
      this._asked.clear();
      this._exchanges.clear();
      this._traffic.note(`Connected${socket.protocol ? ` with subprotocol ${socket.protocol}` : ''}`);
      this._showState();
    });
    socket.addEventListener('message', (event) => this._receive(event.data));
    socket.addEventListener('close', (event) => this._closed(event));
  }

  _closed({ code, reason, wasClean }) {
    this._socket = undefined;
    for (const exchange of this._exchanges.values()) exchange.close();
    const why = code === 1006 ? 'connection rejected or lost' : `code ${code}${reason ? `, ${reason}` : ''}`;
    this._traffic.note(`Closed: ${why}`, !wasClean);
    const again = this._wanted && this._again.checked && this._attempts < MOST_RECONNECTS;
    if (again) {
      const wait = Math.min(2 ** this._attempts++ * 500, LONGEST_WAIT);
      this._waiting = setTimeout(() => this._open(), wait);
    }
    this._showState();
  }

  _showState() {
    const states = ['Connecting…', 'Connected', 'Closing…', 'Not connected'];
    const state = this._socket?.readyState ?? WebSocket.CLOSED;
    this._status.textContent = this._waiting ? 'Reconnecting…' : states[state];
    this._connect.textContent = this._socket ? 'Disconnect' : this._waiting ? 'Cancel' : 'Connect';
    this.element?.classList.toggle('open', state === 1);
    if (this._sendButton) this._sendButton.disabled = state !== 1;
    this._topic?.setOpen(state === 1);
  }

  // The topic

  _topicForm() {
    return new TopicForm(this._api, this._key, {
      ask: (message, topic) => this._askFor(message, topic),
      onrename: () => this._editor?.check(),
    });
  }

  /** Subscribe or unsubscribe; return the reference, or undefined where the connection is not open. */
  _askFor(message, topic) {
    const ref = String(++this._number);
    this._asked.set(ref, performance.now());
    return this._transmit(JSON.stringify({ ...message.example, topic, ref })) ? ref : undefined;
  }

  /** Messages that clients of a topic may send to its consumer, on the same connection. */
  _ofHost() {
    if (!this._host) return [];
    const host = this._api.channel(this._host).title ?? this._host;
    const messages = this._api.received(this._host).filter((message) => !message.control);
    return messages.map((message) => ({ ...message, host }));
  }

  /** Name the topic, unless the frame does or is for the consumer. */
  _withTopic(frame) {
    if (!this._topic || !isObject(frame) || 'topic' in frame) return frame;
    const topic = this._topic.nameFor(this._messageOf(frame) ?? this._editor.chosen);
    return topic === undefined ? frame : { ...frame, topic };
  }

  // The message

  _composer() {
    const send = (event) => this._send(event);
    this._editor = new Editor(this._api, this._received, {
      label: 'Frame',
      kindLabel: 'Message',
      known: this._fromClient,
      exampleOf: (message) => this._exampleOf(message),
      completed: (frame) => (this._editor ? this._withTopic(frame) : frame),
      onsend: send,
    });
    this._numbered = make('input', { type: 'checkbox', checked: true });
    this._numberedLabel = make('span', { class: 'text' });
    this._sendButton = make('button', { class: 'main', title: 'Ctrl+Enter' }, 'Send');
    const form = make(
      'form',
      { class: 'composer', onsubmit: send, onchange: () => this._showEnvelope() },
      ...this._editor.parts,
      make(
        'div',
        { class: 'actions' },
        this._sendButton,
        ...this._editor.buttons(),
        make('label', { class: 'check' }, this._numbered, this._numberedLabel),
      ),
    );
    this._showEnvelope();
    this._editor.check();
    return form;
  }

  /** Choose a message, as links elsewhere on the page do. */
  choose(reference) {
    this._editor.choose(reference);
  }

  _showEnvelope() {
    const { control } = this._editor.chosen;
    this._numberedLabel.textContent = this._window(this._editor.chosen) ? 'Add a ref and a window' : 'Add a ref';
    this._numbered.parentElement.hidden = control !== undefined && !isSubscription({ control });
  }

  /** A control is for what runs now; the topic is added at sending. */
  _exampleOf(message) {
    if (this._topic && 'topic' in message.example) return withoutTopic(message.example);
    if (!message.control) return message.example;
    const running = [...this._exchanges].filter(([, exchange]) => exchange instanceof Answer && !exchange.isOver);
    return running.length ? { ...message.example, ref: running.at(-1)[0] } : message.example;
  }

  _send(event) {
    event.preventDefault();
    if (this._socket?.readyState !== WebSocket.OPEN) return;
    const frame = this._editor.check();
    const message = this._messageOf(frame);
    const numbered = this._withEnvelope(this._withTopic(frame), message ?? this._editor.chosen);
    // Invalid JSON can be sent too, to see how the server responds.
    const text = numbered === undefined ? this._editor.text : JSON.stringify(numbered);
    this._transmit(text, { begins: message && this._begun(message, numbered) });
  }

  /** The message that a frame is: the chosen one where several have its action. */
  _messageOf(frame) {
    const { chosen } = this._editor;
    return [chosen, ...this._received].find(({ actions, field }) => actions.includes(frame?.[field]));
  }

  /** Send text, and show it; false where the connection is not open. */
  _transmit(text, place) {
    if (this._socket?.readyState !== WebSocket.OPEN) return false;
    this._socket.send(text);
    const { frame, ...verdict } = this._read(text, this._fromClient);
    this._traffic.add({ direction: 'out', text, frame, ...verdict, ...place });
    return true;
  }

  _read(text, messages) {
    try {
      const frame = JSON.parse(text);
      return { frame, ...this._api.judge(frame, messages) };
    } catch {
      // Shown as it is.
      return { name: null, problems: ['Invalid JSON.'] };
    }
  }

  /** Add a reference, and with what is answered by a stream the credit to begin with. */
  _withEnvelope(frame, message) {
    if (!isObject(frame) || (message.control && !isSubscription(message))) return frame;
    const own = typeof frame.ref === 'string' ? frame.ref : undefined;
    const takes = message.schema.properties?.ref?.maxLength !== undefined;
    const ref = own ?? (this._numbered.checked && takes ? String(++this._number) : undefined);
    if (ref === undefined) return frame;
    this._asked.set(ref, performance.now());
    const window = frame.window ?? (this._numbered.checked ? this._window(message) : undefined);
    return window === undefined ? { ...frame, ref } : { ...frame, window, ref };
  }

  _window(message) {
    const takes = message.schema.properties?.window?.maximum !== undefined;
    return takes && this._control.more ? message.answers?.window : undefined;
  }

  // What is under way

  /** Functions that send control frames, by their controls. */
  _controls() {
    return Object.fromEntries(
      [this._host, this._key]
        .filter(Boolean)
        .flatMap((key) => this._api.received(key))
        .filter((message) => message.control && !isSubscription(message))
        .map(({ control, example }) => [
          control,
          (keys, answer) => this._transmit(JSON.stringify({ ...example, ...keys, ref: answer.ref }), { under: answer }),
        ]),
    );
  }

  /** Follow the answer to a message, if it is one to follow and its reference is free. */
  _begun(message, frame) {
    const isFollowed = message.answers?.mode === 'stream' || message.answers?.cancellable;
    if (!isFollowed || typeof frame.ref !== 'string' || this._exchanges.get(frame.ref)?.isOpen) return undefined;
    const answer = new Answer(message, frame, this._traffic, this._control);
    this._exchanges.set(frame.ref, answer);
    return answer;
  }

  /** Show a form where a frame is a request of the server. */
  _questioned(frame) {
    if (typeof frame?.ref !== 'string' || !frame.ref.startsWith(OF_SERVER)) return undefined;
    const request = this._requests.find(({ actions, field }) => actions.includes(frame[field]));
    if (!request) return undefined;
    const send = (text, question) => this._transmit(text, { under: question });
    const question = new Question(this._api, request, frame, this._traffic, send);
    this._exchanges.set(frame.ref, question);
    return question;
  }

  _receive(data) {
    if (typeof data !== 'string') {
      this._traffic.add({ direction: 'in', text: counted(data.size, 'byte'), problems: ['Unexpected binary frame.'] });
      return;
    }
    const { frame, ...verdict } = this._read(data, this._sent);
    const asked = this._asked.get(frame?.ref);
    const latency = asked === undefined ? null : performance.now() - asked;
    this._topic?.take(frame);
    const entry = { direction: 'in', text: data, frame, latency, time: new Date(), ...verdict };
    const begins = this._questioned(frame);
    const exchange = this._exchanges.get(frame?.ref);
    if (!begins && exchange?.isOpen) exchange.take(entry);
    else this._traffic.add({ ...entry, begins });
  }
}

function select(options) {
  return make('select', {}, ...options.map(([value, text]) => make('option', { value }, text)));
}

function inputs(named, attributes = {}) {
  return new Map(
    named.map(([name, { description, enum: values }]) => [
      name,
      values
        ? select(values.map((value) => [value, value]))
        : make('input', { autocomplete: 'off', title: description, ...attributes }),
    ]),
  );
}

function headersNote(credentials) {
  const headers = credentials.filter((one) => one.in === 'header').map((one) => one.name);
  const cookies = credentials.filter((one) => one.in === 'cookie').map((one) => one.name);
  const notes = [
    headers.length ? `Browsers cannot set the header ${headers.join(', ')} on a WebSocket connection.` : null,
    cookies.length ? `The cookie ${cookies.join(', ')} is sent if this browser has it.` : null,
  ].filter(Boolean);
  return notes.length ? make('p', { class: 'note' }, notes.join(' ')) : null;
}
