// The topic of a console: its name, and whether the connection is subscribed to it.
'use strict';

class TopicForm {
  /** `ask` sends `subscribe` or `unsubscribe` and returns its reference; `onrename` is called for another name. */
  constructor(api, key, { ask, onrename }) {
    this._topic = api.channel(key)['x-topic'];
    this._controls = api.received(key).filter((message) => isSubscription(message));
    this._ask = ask;
    this._onrename = onrename;
    this._subscribed = new Set();
    this._asked = new Map();
    this._refused = new Map();
    this._values = new Map(
      this._topic.parameters.map((name) => [name, parameterInput(this._schema(name), api.topicExample(key)[name])]),
    );
    this._name = make('p', { class: 'topic-name' });
    this._state = make('span', { class: 'topic-state', 'aria-live': 'polite' });
    this._subscribe = make('button', { class: 'main' }, 'Subscribe');
    this._unsubscribe = make('button', { type: 'button', onclick: () => this._request('unsubscribe') }, 'Unsubscribe');
    this.element = make(
      'form',
      { class: 'topic', 'aria-label': 'Topic', oninput: () => this._rename(), onsubmit: (event) => this._submit(event) },
      make('div', { class: 'fields' }, ...[...this._values].map(([name, input]) => this._field(name, input))),
      this._name,
      make('div', { class: 'actions' }, this._subscribe, this._unsubscribe, this._state),
    );
    this.setOpen(false);
  }

  /** The name that the form makes; a parameter without a value stays as it is in the pattern. */
  get name() {
    return this._filled((parameter) => this._values.get(parameter)?.value);
  }

  /** What to add to a message as its topic: nothing where it takes none, or means the default topic. */
  nameFor(message) {
    if (message.schema.properties?.topic === undefined) return undefined;
    const mayLeaveOut = !message.schema.required?.includes('topic');
    return mayLeaveOut && this.name === this._default ? undefined : this.name;
  }

  /** Take the values of the path: those of a default topic are its parameters. */
  follow(path) {
    for (const [name, input] of this._values) {
      if (path.get(name)?.value && this._lastPath?.get(name) !== path.get(name).value) input.value = path.get(name).value;
    }
    this._lastPath = new Map([...path].map(([name, input]) => [name, input.value]));
    this._default = this._filled((parameter) => path.get(parameter)?.value);
    this._rename();
  }

  /** Show whether there is a connection; a closed one has no subscriptions. */
  setOpen(isOpen) {
    this._subscribe.disabled = !isOpen;
    this._unsubscribe.disabled = !isOpen;
    if (!isOpen) for (const kept of [this._subscribed, this._asked, this._refused]) kept.clear();
    this._show();
  }

  /** Follow what the server says about topics. */
  take(frame) {
    if (!isObject(frame)) return;
    const asked = this._asked.get(frame.ref);
    this._asked.delete(frame.ref);
    const answered = this._controls.find(({ answers, field }) => answers?.messages.includes(frame[field]));
    if (answered) {
      this._refused.delete(frame.topic);
      if (answered.control === 'subscribe') this._subscribed.add(frame.topic);
      else this._subscribed.delete(frame.topic);
    } else if (asked !== undefined) {
      this._refused.set(asked, `Refused: ${frame.payload?.detail ?? frame.payload?.[0]?.msg ?? 'error'}`);
    }
    this._show();
  }

  _schema(name) {
    return this._topic.schema?.properties?.[name] ?? {};
  }

  _field(name, input) {
    const { type } = this._schema(name);
    return labelled(name, input, `in the topic${typeof type === 'string' ? ` (${type})` : ''}`);
  }

  _filled(valueOf) {
    return this._topic.pattern.replace(/{([^{}]+)}/g, (placeholder, parameter) => valueOf(parameter) || placeholder);
  }

  _rename() {
    this._show();
    this._onrename();
  }

  _submit(event) {
    event.preventDefault();
    this._request('subscribe');
  }

  _request(control) {
    const message = this._controls.find((one) => one.control === control);
    const { name } = this;
    const ref = message && this._ask(message, name);
    if (ref === undefined) return;
    this._refused.delete(name);
    this._asked.set(ref, name);
    this._show();
  }

  _show() {
    const { name } = this;
    const isSubscribed = this._subscribed.has(name);
    this._name.textContent = name;
    this._state.textContent = this._refused.get(name) ?? (isSubscribed ? 'Subscribed' : 'Not subscribed');
    this._state.classList.toggle('wrong', this._refused.has(name));
    this.element.classList.toggle('open', isSubscribed);
  }
}

/** Whether a message subscribes or unsubscribes; other controls name a running answer. */
function isSubscription({ control }) {
  return control === 'subscribe' || control === 'unsubscribe';
}

function parameterInput({ type, enum: choices, const: only, description }, value) {
  const values = choices ?? (only === undefined ? type === 'boolean' && ['true', 'false'] : [only]);
  const input = values
    ? select(values.map((choice) => [choice, String(choice)]))
    : make('input', {
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: 'false',
        inputmode: type === 'integer' && 'numeric',
        title: description,
        required: true,
      });
  input.value = value;
  return input;
}
