// Talking to one channel: a connection, a message to write, and the traffic.
'use strict';

const MOST_RECONNECTS = 10;
const LONGEST_WAIT = 10_000;

class Trial {
  constructor(api, key) {
    this._api = api;
    this._key = key;
    this._received = api.received(key);
    this._sent = api.sent(key);
    this._traffic = new Traffic();
    this._asked = new Map();
    this._number = 0;
    this._attempts = 0;
    this._wanted = false;
    this.element = make(
      'section',
      { class: 'trial-body', 'aria-label': `Try ${api.channel(key).title ?? key}` },
      make('h3', {}, 'Try it'),
      this._connectionForm(),
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
      this._traffic.note(`Connected${socket.protocol ? ` with subprotocol ${socket.protocol}` : ''}`);
      this._showState();
    });
    socket.addEventListener('message', (event) => this._receive(event.data));
    socket.addEventListener('close', (event) => this._closed(event));
  }

  _closed({ code, reason, wasClean }) {
    this._socket = undefined;
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
  }

  // The message

  _composer() {
    this._kind = select(this._received.map((message, index) => [index, `${message.name} (${message.title})`]));
    this._kind.addEventListener('input', () => this._fill());
    this._editor = make('textarea', {
      rows: '6',
      spellcheck: 'false',
      autocapitalize: 'off',
      oninput: () => this._check(),
      onkeydown: (event) => this._hotkey(event),
    });
    this._numbered = make('input', { type: 'checkbox', checked: true });
    this._problems = make('ul', { class: 'problems', 'aria-live': 'polite', id: newId() });
    this._editor.setAttribute('aria-describedby', this._problems.id);
    this._sendButton = make('button', { class: 'main', title: 'Ctrl+Enter' }, 'Send');
    const form = make(
      'form',
      { class: 'composer', onsubmit: (event) => this._send(event) },
      labelled('Message', this._kind),
      labelled('Frame', this._editor),
      this._problems,
      make(
        'div',
        { class: 'actions' },
        this._sendButton,
        make('button', { type: 'button', onclick: () => this._fill() }, 'Insert example'),
        make('button', { type: 'button', onclick: (event) => copy(this._editor.value, event.target) }, 'Copy'),
        make('label', { class: 'check' }, this._numbered, 'Add a ref'),
      ),
    );
    this._fill();
    return form;
  }

  /** Choose a message, as links elsewhere on the page do. */
  choose(reference) {
    const index = this._received.findIndex((message) => message.reference === reference);
    if (index < 0) return;
    this._kind.value = index;
    this._fill();
  }

  _chosen() {
    return this._received[Number(this._kind.value)];
  }

  _fill() {
    this._editor.value = JSON.stringify(this._chosen().example, null, 2);
    this._check();
  }

  /** Show the problems of the text; return the frame, or undefined for invalid JSON. */
  _check() {
    let frame;
    let problems;
    try {
      frame = JSON.parse(this._editor.value);
      problems = this._api.judge(frame, this._received).problems;
    } catch (error) {
      problems = [`Invalid JSON: ${error.message}`];
    }
    this._editor.setAttribute('aria-invalid', String(problems.length > 0));
    this._problems.replaceChildren(...problems.map((problem) => make('li', {}, problem)));
    return frame;
  }

  _hotkey(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this._send(event);
  }

  _send(event) {
    event.preventDefault();
    if (this._socket?.readyState !== WebSocket.OPEN) return;
    const frame = this._check();
    const numbered = this._withRef(frame);
    // Invalid JSON can be sent too, to see how the server responds.
    const text = numbered === undefined ? this._editor.value : JSON.stringify(numbered);
    this._socket.send(text);
    const verdict = this._api.judge(numbered, this._received);
    this._traffic.add({ direction: 'out', text, frame: numbered, ...verdict });
  }

  _withRef(frame) {
    const isObject = frame !== null && typeof frame === 'object' && !Array.isArray(frame);
    if (!isObject) return frame;
    const own = typeof frame.ref === 'string' ? frame.ref : undefined;
    const takes = this._chosen().schema.properties?.ref?.maxLength !== undefined;
    const ref = own ?? (this._numbered.checked && takes ? String(++this._number) : undefined);
    if (ref === undefined) return frame;
    this._asked.set(ref, performance.now());
    return { ...frame, ref };
  }

  _receive(data) {
    if (typeof data !== 'string') {
      this._traffic.add({ direction: 'in', text: counted(data.size, 'byte'), problems: ['Unexpected binary frame.'] });
      return;
    }
    let frame;
    let verdict = { name: null, problems: ['Invalid JSON.'] };
    try {
      frame = JSON.parse(data);
      verdict = this._api.judge(frame, this._sent);
    } catch {
      // Shown as it came.
    }
    const asked = this._asked.get(frame?.ref);
    const latency = asked === undefined ? null : performance.now() - asked;
    this._traffic.add({ direction: 'in', text: data, frame, latency, ...verdict });
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
