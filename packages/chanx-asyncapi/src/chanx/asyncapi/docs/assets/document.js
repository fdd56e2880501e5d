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
  constructor({ document: content, examples, topics }) {
    this.content = content;
    this._examples = examples;
    this._topics = topics;
    this._validators = new Map();
  }

  static read() {
    return new ApiDocument(JSON.parse(document.getElementById('document').textContent));
  }

  channel(key) {
    return this.content.channels[key];
  }

  /** Examples of the parameters of a topic. */
  topicExample(key) {
    return this._topics[key];
  }

  /** Other channels at the address of a channel: a consumer, and its topics. */
  neighbours(key) {
    const { address } = this.channel(key);
    return Object.keys(this.content.channels).filter((other) => other !== key && this.channel(other).address === address);
  }

  /** The channel of the consumer that has a topic, if it has messages of its own. */
  host(key) {
    const isTopic = (channel) => 'x-topic' in this.channel(channel);
    return isTopic(key) ? this.neighbours(key).find((other) => !isTopic(other)) : undefined;
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

  /** Messages that clients send on a channel: {reference, name, example, answers, control}. */
  received(key) {
    const found = this._operations(key, 'receive').flatMap((operation) =>
      operation.messages.map(({ $ref }) => ({
        ...this._fromClient($ref),
        answers: operation.reply?.['x-answers'],
        control: operation['x-control'],
      })),
    );
    return [...new Map(found.reverse().map((message) => [message.reference, message])).values()].reverse();
  }

  /** Requests of the server on a channel: messages with their `replies`, which clients send. */
  requests(key) {
    return this._operations(key, 'send').flatMap(({ messages, reply }) =>
      reply ? messages.map(({ $ref }) => ({ ...this._message($ref), replies: this._replies(reply) })) : [],
    );
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
    const known = placedIn(frame, messages).filter((message) => message.actions.includes(frame?.[message.field]));
    if (known.length === 0) {
      const actions = [...new Set(messages.flatMap((message) => message.actions))].join(', ');
      return { name: null, problems: [`Unknown message; documented here: ${actions || 'none'}.`] };
    }
    const verdicts = known.map((message) => ({ name: message.name, problems: this.problems(message, frame) }));
    return verdicts.find((verdict) => verdict.problems.length === 0) ?? verdicts[0];
  }

  problems(message, frame) {
    const result = this._validator(message).validate(frame);
    if (result.valid) return [];
    const errors = placed(result.errors);
    const innermost = reasons(errors);
    return [...new Set((innermost.length ? innermost : errors.slice(-1)).map(inWords))];
  }

  _operations(key, action) {
    return Object.values(this.content.operations).filter(
      (operation) => last(operation.channel.$ref) === key && (!action || operation.action === action),
    );
  }

  _replies(reply) {
    return unique(reply.messages).map((reference) => this._fromClient(reference));
  }

  _fromClient(reference) {
    return { ...this._message(reference), example: this._examples[reference] };
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

/** Keep the messages of topics for a frame that names one, where there are topics. */
function placedIn(frame, messages) {
  const named = frame?.topic === undefined ? [] : messages.filter(({ schema }) => schema.properties?.topic);
  return named.length ? named : messages;
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

// The problems of a frame: the validator's errors come outer before inner, and only the innermost say why.

const OUTER = new Set([
  '$ref', 'additionalItems', 'additionalProperties', 'allOf', 'items', 'patternProperties', 'prefixItems', 'properties',
]);
const UNIONS = new Set(['anyOf', 'oneOf']);
const VALUES = new Set(['const', 'enum']);

/** Put the error about a forbidden field under the one before it: the validator gives it no place in the schema. */
function placed(errors) {
  return errors.map((error, index) =>
    error.keyword === 'false' && index > 0
      ? { ...error, keywordLocation: `${errors[index - 1].keywordLocation}/false` }
      : error,
  );
}

/** Leave out errors that only say that there are others, and those of choices that are not meant. */
function reasons(errors) {
  const union = errors.find((error) => UNIONS.has(error.keyword));
  if (!union) return errors.filter((error) => !OUTER.has(error.keyword));
  const inside = `${union.keywordLocation}/`;
  const inner = errors.filter((error) => error.keywordLocation.startsWith(inside));
  const others = errors.filter((error) => error !== union && !inner.includes(error));
  return [...reasons(others), ...(inner.length ? reasonsOfChoices(union, inner, inside) : [union])];
}

function reasonsOfChoices(union, errors, inside) {
  const choices = new Map();
  for (const error of errors) {
    const number = error.keywordLocation.slice(inside.length).split('/')[0];
    choices.set(number, [...(choices.get(number) ?? []), error]);
  }
  const all = [...choices.values()].map(reasons);
  const ruledOut = (error) => rulesOut(error, union.instanceLocation);
  const meant = all.filter((choice) => !choice.some(ruledOut));
  return meant.length ? meant.flat() : all.flat().filter(ruledOut);
}

/** Whether an error says that another choice is meant: the value is of another type, or a field that tells them apart. */
function rulesOut({ keyword, instanceLocation }, place) {
  return instanceLocation === place ? keyword === 'type' : VALUES.has(keyword);
}

/** Write which field is wrong, and why. */
function inWords({ keyword, instanceLocation, error }) {
  const [, missing] = (keyword === 'required' && error.match(/property "(.*)"/)) || [];
  const place = [...instanceLocation.split('/').slice(1), ...(missing === undefined ? [] : [missing])].join('/');
  const why = missing !== undefined ? 'is required' : keyword === 'false' ? 'is not a known field' : short(error);
  return `${place || 'The frame'}: ${why.replace(/^Instance\b/, 'The value')}`;
}

function last(reference) {
  return (reference.$ref ?? reference).split('/').pop();
}

function unique(references) {
  return [...new Set(references.map((reference) => reference.$ref))];
}

function isObject(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Write a number with its noun: `1 line`, `2 lines`. */
function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function short(text) {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
