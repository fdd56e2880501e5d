/// <reference lib="esnext.disposable" />

/** Keys that the server writes beside a message. */
export interface Envelope {
  version?: number;
  topic?: string;
  ref?: string;
  seq?: number;
}

/** A message of the client: how it is answered. Written by the generator. */
export interface OperationTypes {
  payload: unknown;
  isOptional: boolean;
  /** Fields beside the action and the payload. */
  fields: object;
  mode: 'one' | 'many' | 'none' | 'stream' | 'unknown';
  answer: unknown;
}

export interface PartTypes {
  operations: { [action in string]: OperationTypes };
  messages: { [action in string]: unknown };
  requests: { [action in string]: { message: unknown; answer: unknown } };
}

export interface TopicTypes extends PartTypes {
  params: { [name in string]: unknown };
  events: unknown;
}

export interface ChannelTypes extends PartTypes {
  params: { [name in string]: unknown };
  query: { [name in string]: unknown };
  topics: { [key in string]: TopicTypes };
}

/** What the runtime knows of an operation. */
export interface Operation {
  mode: OperationTypes['mode'];
  window?: number;
  cancellable?: boolean;
}

export interface Part {
  operations: Record<string, Operation>;
  /** Actions that the server sends; any without it. */
  receives?: readonly string[];
  /** Actions by which the server asks. */
  requests?: readonly string[];
}

/** What the runtime knows of a channel. */
export interface Description extends Part {
  path: string;
  servers?: readonly string[];
  /** The field that tells messages apart. */
  field?: string;
  controls?: { cancel?: string; more?: string; subscribe?: string; unsubscribe?: string };
  closeCodes?: Record<number, 'stop' | 'again' | 'after_refresh' | 'backoff'>;
  /** Seconds between heartbeats. */
  heartbeat?: number;
  topics?: Record<string, Part & { pattern: string }>;
}

export type State = 'connecting' | 'open' | 'waiting' | 'closed';

/** A token for the query parameter `tokenParam`, or several parameters. */
export type Token = string | Record<string, unknown> | null | undefined;

interface CommonOptions {
  /** Where the server is: `wss://api.example.com`. Default: where the page is from, else the document's server. */
  url?: string | URL;
  /** Fetched before each connect; with `refresh` after the server has refused the last one. */
  token?: Token | ((request: { refresh: boolean }) => Token | Promise<Token>);
  tokenParam?: string;
  protocols?: string | string[];
  /** Ask for heartbeats, and connect again after two missed ones. A number is their interval in seconds. */
  heartbeat?: boolean | number;
  /** Milliseconds: the range of the first random delay before a reconnect, and the largest one. */
  minDelay?: number;
  maxDelay?: number;
  /** How many messages may wait for the connection. */
  maxQueue?: number;
  /** Closes the client. */
  signal?: AbortSignal;
  onState?: (state: State, lost?: ConnectionLost) => void;
  /** Errors that no call or listener gets: frames that are not understood, exceptions of listeners, refused topics. */
  onError?: (error: unknown) => void;
  WebSocket?: { new (url: string, protocols?: string | string[]): WebSocket };
}

export interface ConnectOptions extends CommonOptions {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
}

type NeedsKeys<T> = {} extends T ? false : true;
type OptionOf<Name extends string, T> =
  NeedsKeys<T> extends true ? { [key in Name]: T } : { [key in Name]?: T };

/** The options of a channel: its parameters are required where its address has some. */
export type OptionsOf<C extends ChannelTypes> = CommonOptions &
  OptionOf<'params', C['params']> &
  OptionOf<'query', C['query'] & Record<string, unknown>>;
type ConnectArguments<C extends ChannelTypes> =
  NeedsKeys<C['params']> extends true ? [options: OptionsOf<C>] : [options?: OptionsOf<C>];

export type CallOptions<O extends OperationTypes = OperationTypes> = {
  signal?: AbortSignal;
  /** Send again if the connection is lost before the answer: for messages that may be handled twice. */
  retry?: boolean;
} & OptionOf<'fields', O['fields']>;

/** `window`: how many items the server may send ahead; false for any number. */
export type StreamOptions<O extends OperationTypes = OperationTypes> = Omit<CallOptions<O>, 'retry'> & {
  window?: number | false;
};

type Arguments<O extends OperationTypes, Options> =
  NeedsKeys<O['fields']> extends true
    ? [payload: O['payload'], options: Options]
    : O['isOptional'] extends true
      ? [payload?: O['payload'], options?: Options]
      : [payload: O['payload'], options?: Options];

type ActionsOf<P extends PartTypes, Mode> = {
  [A in keyof P['operations'] & string]: P['operations'][A]['mode'] extends Mode ? A : never;
}[keyof P['operations'] & string];
type AnswerOf<P extends PartTypes, A extends keyof P['operations']> = P['operations'][A]['answer'] & Envelope;

export interface Resync extends Envelope {
  action: 'resync';
  payload?: null;
}

type Received<P extends PartTypes> = Omit<P['messages'], 'resync'> & { resync: Resync };

export interface Endpoint<P extends PartTypes> {
  /** Send a message without waiting for an answer: answers go to the functions given to `on`. */
  send<A extends keyof P['operations'] & string>(
    action: A,
    ...rest: Arguments<P['operations'][A], OptionOf<'fields', P['operations'][A]['fields']>>
  ): void;
  /** Send a message and return its answer. Rejects with ServerError or ConnectionLost. */
  request<A extends ActionsOf<P, 'one' | 'many' | 'unknown'>>(
    action: A,
    ...rest: Arguments<P['operations'][A], CallOptions<P['operations'][A]>>
  ): Promise<AnswerOf<P, A>>;
  /** Send a message and return the items of its answer. Leaving the loop cancels it. */
  stream<A extends ActionsOf<P, 'stream'>>(
    action: A,
    ...rest: Arguments<P['operations'][A], StreamOptions<P['operations'][A]>>
  ): AsyncGenerator<AnswerOf<P, A>, void, void>;
  /** Call a function for each message of an action that answers no request. Returns what removes it. */
  on<A extends keyof Received<P> & string>(
    action: A,
    listener: (message: Received<P>[A] & Envelope) => void,
  ): () => void;
  /** Answer what the server asks. Returns what removes the function. */
  onRequest<A extends keyof P['requests'] & string>(
    action: A,
    answer: (
      message: P['requests'][A]['message'] & Envelope,
    ) => P['requests'][A]['answer'] | Promise<P['requests'][A]['answer']>,
  ): () => void;
}

/** Many typed messages on one topic. Subscribed again after each reconnect. */
export interface TopicOf<T extends TopicTypes> extends Endpoint<T>, AsyncIterable<EventOf<T>>, AsyncDisposable {
  readonly topicName: string;
  readonly isSubscribed: boolean;
  subscribe(): Promise<this>;
  unsubscribe(): Promise<void>;
  /** Events from now on. A reader that is `max` events behind gets one `resync` instead. */
  events(options?: { signal?: AbortSignal; max?: number }): AsyncGenerator<EventOf<T>, void, void>;
}

export type EventOf<T extends TopicTypes> = (T['events'] & Envelope) | Resync;

type TopicArguments<T extends TopicTypes> =
  NeedsKeys<T['params']> extends true ? [params: T['params']] : [params?: T['params']];

export interface ClientOf<C extends ChannelTypes> extends Endpoint<C>, AsyncDisposable {
  readonly state: State;
  /** Resolves when the client connects no more. */
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Return a topic: the same object for the same name, until it is given up. */
  topic<K extends keyof C['topics'] & string>(key: K, ...params: TopicArguments<C['topics'][K]>): TopicOf<C['topics'][K]>;
  /** Close for good. Work under way fails. */
  close(code?: number, reason?: string): Promise<void>;
}

export interface ChannelOf<C extends ChannelTypes> {
  readonly description: Description;
  connect(...options: ConnectArguments<C>): ClientOf<C>;
}

/** Return what a generated module exports for a channel. */
export function channel<C extends ChannelTypes>(description: Description): ChannelOf<C>;

/** Connect to a channel, without the types of a generated module. */
export function connect(channel: Description, options?: ConnectOptions): ClientOf<any>;

/** The server has answered by an error. */
export class ServerError extends Error {
  constructor(payload: unknown);
  /** The type of the first error, or the reason of a topic's. */
  readonly code: string;
  readonly payload: unknown;
}

/** The connection ended while the work was under way: the server may have done it or not. */
export class ConnectionLost extends Error {
  constructor(code: number, reason?: string);
  readonly code: number;
  readonly reason: string;
}

/** A frame could not be used, or more waits to be sent than may. */
export class ClientError extends Error {
  constructor(message: string, frame?: unknown);
  readonly frame?: unknown;
}
