// The document that the page shows, as the other scripts ask about it.
'use strict';

const LONGEST_VALUE = 120;

/** Make an element; text is text, whatever is in it. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

let identifiers = 0;

function newId() {
  return `made-${++identifiers}`;
}

/** Put a label in front of a control; the label is not around it, or a select's choices would be part of its name. */
function labelled(text, control, note) {
  control.id ||= newId();
  const label = make('label', { for: control.id }, text, note ? make('small', {}, ` ${note}`) : null);
  return make('div', { class: 'field' }, label, control);
}

class ApiDocument {
  constructor({ document: content, examples }) {
    this.content = content;
    this._examples = examples;
    this._validators = new Map();
  }

  static read() {
    return new ApiDocument(JSON.parse(document.getElementById('document').textContent));
  }

  channel(key) {
    return this.content.channels[key];
  }

  /** Servers as addresses; that of the page comes first where it is one of them. */
  servers() {
    const found = Object.entries(this.content.servers ?? {}).map(([name, server]) => ({
      name,
      host: server.host,
      url: `${server.protocol}://${server.host}${server.pathname ?? ''}`,
    }));
    return found.sort((one, other) => (other.host === location.host) - (one.host === location.host));
  }

  /** Messages that clients send on a channel: {reference, name, example}. */
  received(key) {
    const references = this._operations(key, 'receive').flatMap((operation) => operation.messages);
    return unique(references).map((reference) => ({
      ...this._message(reference),
      example: this._examples[reference],
    }));
  }

  /** Messages that the server sends on a channel, answers among them. */
  sent(key) {
    const pushed = this._operations(key, 'send').flatMap((operation) => operation.messages);
    const answers = this._operations(key, 'receive').flatMap((operation) => operation.reply?.messages ?? []);
    return unique([...pushed, ...answers]).map((reference) => this._message(reference));
  }

  /** Credentials of a channel, each once: {name, in, description}. */
  credentials(key) {
    const schemes = this._operations(key).flatMap((operation) => operation.security ?? []);
    return unique(schemes).map((reference) => this.content.components.securitySchemes[last(reference)]);
  }

  /** Say what is wrong with a frame that is one of the given messages: {name, problems}. */
  judge(frame, messages) {
    const known = messages.filter((message) => message.actions.includes(frame?.[message.field]));
    if (known.length === 0) {
      const actions = [...new Set(messages.flatMap((message) => message.actions))].join(', ');
      return { name: null, problems: [`No such message; known here: ${actions || 'none'}.`] };
    }
    const verdicts = known.map((message) => ({ name: message.name, problems: this.problems(message, frame) }));
    return verdicts.find((verdict) => verdict.problems.length === 0) ?? verdicts[0];
  }

  problems(message, frame) {
    const result = this._validator(message).validate(frame);
    if (result.valid) return [];
    // The deepest errors are the reasons; those above them only say that there are some.
    const depth = (error) => error.instanceLocation.split('/').length;
    const deepest = Math.max(...result.errors.map(depth));
    const told = result.errors
      .filter((error) => depth(error) === deepest)
      .map((error) => `${error.instanceLocation.replace(/^#\/?/, '') || 'The frame'}: ${short(error.error)}`);
    return [...new Set(told)];
  }

  _operations(key, action) {
    return Object.values(this.content.operations).filter(
      (operation) => last(operation.channel.$ref) === key && (!action || operation.action === action),
    );
  }

  _message(reference) {
    const component = this.content.components.messages[last(reference)];
    const schema = this._resolved(component.payload);
    const [field, actions] = discriminatorOf(schema);
    return { reference, name: component.name, title: component.title, schema, field, actions };
  }

  _resolved(schema) {
    return schema.$ref ? this.content.components.schemas[last(schema.$ref)] : schema;
  }

  _validator(message) {
    if (!this._validators.has(message.reference)) {
      const payload = this.content.components.messages[last(message.reference)].payload;
      const schema = { ...payload, components: { schemas: this.content.components.schemas } };
      this._validators.set(message.reference, new JsonSchema.Validator(schema, '7', false));
    }
    return this._validators.get(message.reference);
  }
}

/** The key that tells messages apart, and its values in one of them. */
function discriminatorOf(schema) {
  for (const name of schema.required ?? []) {
    const property = schema.properties?.[name] ?? {};
    const values = 'const' in property ? [property.const] : (property.enum ?? []);
    if (values.length && values.every((value) => typeof value === 'string')) return [name, values];
  }
  return ['action', []];
}

function last(reference) {
  return (reference.$ref ?? reference).split('/').pop();
}

function unique(references) {
  return [...new Set(references.map((reference) => reference.$ref))];
}

function short(text) {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
