// What clients do, for Node and browsers alike: each function gets the generated module, the address of a proxy that
// can cut connections, and the address to command it.

const QUICK = { minDelay: 10, maxDelay: 100 };

function same(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

async function rejected(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

async function until(condition) {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`in vain: ${condition}`);
}

/** Connect, do something, close; and fail on errors that nobody expects. */
function scenario(run, options = {}) {
  return async (module, url, control) => {
    const errors = [];
    const states = [];
    const client = module.agentRoom.connect({
      url,
      params: { room: 'a b ü' },
      ...QUICK,
      onError: (error) => errors.push(error),
      onState: (state) => states.push(state),
      ...options,
    });
    const command = async (name) => (await fetch(`${control}/control/${name}`)).json();
    try {
      await run(client, { module, url, command, errors, states });
    } finally {
      await client.close();
    }
    if (errors.length) throw new Error(`reported: ${errors.map(String)}`);
    return 'done';
  };
}

const take = async (items, number) => {
  const found = [];
  for await (const item of items) {
    found.push(item.payload);
    if (found.length === number) break;
  }
  return found;
};

export const scenarios = {
  request: scenario(async (client, { module }) => {
    const pong = await client.request('ping');
    same([pong.action, pong.payload, client.state], ['pong', null, 'open']);
    const error = await rejected(client.request('fail'));
    same([error.name, error.code, error.message], ['ServerError', 'declined', 'Not today']);
    same(error instanceof module.ServerError, true);
    const many = await Promise.all(Array.from({ length: 20 }, () => client.request('ping')));
    same(new Set(many.map(({ ref }) => ref)).size, 20);
  }),

  payload: scenario(async (client) => {
    same((await client.request('repeat', 'this')).payload, 'this');
    // What is left out is not sent, so the server applies its default.
    same((await client.request('repeat')).payload, 'default');
  }),

  stream: scenario(async (client) => {
    const numbers = await take(client.stream('count', { items: 100 }));
    same(numbers, Array.from({ length: 100 }, (_, at) => at + 1));
    same(await take(client.stream('count', { items: 0 })), []);
  }),

  credit: scenario(async (client, { command }) => {
    const items = client.stream('count', { items: 1000 }, { window: 4 });
    await items.next();
    await client.request('ping');
    // The loop has not asked for another item, so only the first window has come.
    same((await command('state')).sent, 4);
    same((await take(items, 50)).length, 50);
    await client.request('ping');
    const { sent } = await command('state');
    same(sent >= 51 && sent <= 55, true);
  }),

  cancel: scenario(async (client, { command }) => {
    const { closed } = await command('state');
    same(await take(client.stream('count', { items: 1e9 }), 3), [1, 2, 3]);
    await until(async () => (await command('state')).closed === closed + 1);
    const stop = new AbortController();
    const items = client.stream('count', { items: 5, hold_after: 2 }, { signal: stop.signal });
    await items.next();
    await items.next();
    const waiting = items.next();
    stop.abort();
    same((await rejected(waiting)).name, 'AbortError');
    await until(async () => (await command('state')).closed === closed + 2);
    const given = new AbortController();
    const answer = client.request('wait', null, { signal: given.signal });
    given.abort();
    same((await rejected(answer)).name, 'AbortError');
    same((await client.request('ping')).action, 'pong');
    same((await rejected(client.request('ping', null, { signal: AbortSignal.abort() }))).name, 'AbortError');
  }),

  cancelAtOnce: scenario(async (client, { command }) => {
    const { closed } = await command('state');
    const stop = new AbortController();
    const held = client.stream('count', { items: 5, hold_after: 1 }, { signal: stop.signal });
    await held.next();
    // Nobody asks for another item.
    stop.abort();
    await until(async () => (await command('state')).closed === closed + 1);
    const left = client.stream('count', { items: 5, hold_after: 1 });
    const [, waiting] = [await left.next(), left.next()];
    await left.return();
    same((await waiting).done, true);
    await until(async () => (await command('state')).closed === closed + 2);
    same((await left.next()).done, true);
    const never = client.stream('count', { items: 5 }, { signal: stop.signal });
    same((await rejected(never.next())).name, 'AbortError');
    same((await never.next()).done, true);
  }),

  serverRequest: scenario(async (client) => {
    const asked = [];
    const remove = client.onRequest('approve', async (message) => {
      asked.push(message.payload);
      return { action: 'approved', payload: message.payload === 'staging' };
    });
    same((await client.request('deploy', 'staging')).payload, true);
    same((await client.request('deploy', 'production')).payload, false);
    same(asked, ['staging', 'production']);
    remove();
  }),

  topic: scenario(async (client, { module, url, errors }) => {
    const room = await client.topic('room', { name: 'lobby' }).subscribe();
    same([room.topicName, room.isSubscribed], ['room:lobby', true]);
    same(client.topic('room', { name: 'lobby' }) === room, true);
    const heard = [];
    room.on('said', (message) => heard.push(message.payload));
    const events = room.events();
    const other = module.agentRoom.connect({ url, params: { room: 'b' } });
    const theirs = await other.topic('room', { name: 'lobby' }).subscribe();
    same((await theirs.request('say', 'hello')).payload, 5);
    same((await events.next()).value.payload, 'hello');
    same(heard, ['hello']);
    await room.unsubscribe();
    same((await events.next()).done, true);
    await theirs.request('say', 'nobody hears this');
    await client.request('ping');
    same(heard, ['hello']);
    await other.close();

    const refused = await rejected(client.topic('room', { name: 'secret' }).subscribe());
    same([refused.name, refused.code], ['ServerError', 'unauthorized']);
    same(errors.splice(0).length, 1);
    same(await rejected(client.topic('room', { name: 'x' }).request('say', 'too early')).then((e) => e.code), 'not_subscribed');
    for (const params of [{ name: 'a:b' }, { name: '' }, {}]) {
      same((await rejected((async () => client.topic('room', params))())).name, 'TypeError');
    }
  }),

  topicLoops: scenario(async (client) => {
    const room = client.topic('room', { name: 'loops' });
    const given = room.events({ signal: AbortSignal.abort() });
    same((await rejected(given.next())).name, 'AbortError');
    await client.request('ping');
    same(room.isSubscribed, false);

    const once = rejected(room.subscribe());
    const unsubscribed = room.unsubscribe();
    const events = room.events();
    same((await once).name, 'ClientError');
    await Promise.all([unsubscribed, room.subscribe()]);
    // The confirmation of the first time is none of the second.
    const both = [events.next(), events.next()];
    await room.request('say', 'one');
    await room.request('say', 'two');
    same((await Promise.all(both)).map(({ value }) => value.payload), ['one', 'two']);

    await client.close();
    same((await rejected(room.subscribe())).name, 'ConnectionLost');
    same((await rejected(room.events().next())).name, 'ConnectionLost');
  }),

  recovery: scenario(async (client, { command }) => {
    const log = await client.topic('log', { name: 'a' }).subscribe();
    const events = log.events();
    const next = async () => (await events.next()).value;
    await command('publish');
    const first = Number((await next()).payload);
    await command('miss3');
    same([await next(), await next(), await next()].map(({ payload }) => payload - first), [1, 2, 3]);
    await command('miss4'); // more than are kept
    same((await next()).action, 'resync');
    await command('publish');
    same((await next()).payload - first, 8);
  }),

  unavailable: scenario(async (client, { command, errors }) => {
    const room = await client.topic('room', { name: `flaky${Math.random()}` }).subscribe();
    const events = room.events();
    await command('cut');
    same((await events.next()).value.action, 'resync');
    same(errors.splice(0).map(({ code }) => code), ['unavailable']);
  }),

  cutDuringStream: scenario(async (client, { command, states }) => {
    const items = client.stream('count', { items: 5, hold_after: 2 });
    same([(await items.next()).value.payload, (await items.next()).value.payload], [1, 2]);
    await command('cut');
    same((await rejected(items.next())).name, 'ConnectionLost');
    same(await take(client.stream('count', { items: 2 })), [1, 2]);
    same(states, ['connecting', 'open', 'waiting', 'connecting', 'open']);
  }),

  cutDuringRequest: scenario(async (client, { command }) => {
    await client.request('ping');
    const resync = new Promise((resolve) => client.on('resync', resolve));
    const lost = client.request('wait');
    await command('cut');
    same((await rejected(lost)).name, 'ConnectionLost');
    // Sent while there is no connection: it waits for the next one.
    same((await client.request('ping')).action, 'pong');
    same((await resync).action, 'resync');
  }),

  retry: scenario(async (client, { command, states }) => {
    await client.request('ping');
    await command('refuse');
    const stop = new AbortController();
    const held = client.request('wait', null, { retry: true, signal: stop.signal });
    await command('cut');
    await until(() => states.filter((state) => state === 'open').length === 2);
    same(states.filter((state) => state === 'waiting').length, 3);
    // It was sent again: messages are handled one after the other, so a ping is answered once this is cancelled.
    const behind = client.request('ping');
    stop.abort();
    same((await rejected(held)).name, 'AbortError');
    same((await behind).action, 'pong');
  }),

  cutDuringSubscribe: scenario(async (client, { command, module, url }) => {
    await client.request('ping');
    await command('silence');
    const room = client.topic('room', { name: 'cut' });
    const subscribed = room.subscribe();
    const events = room.events();
    await command('cut');
    await subscribed;
    await room.request('say', 'one');
    same((await events.next()).value.payload, 'one');
    await command('cut');
    const told = (await events.next()).value;
    same([told.action, told.topic], ['resync', 'room:cut']);
    same(room.isSubscribed, true);
    await room.request('say', 'two');
    same((await events.next()).value.payload, 'two');
  }),

  topicUnavailable: scenario(async (client, { command }) => {
    const room = await client.topic('room', { name: 'away' }).subscribe();
    const { setTimeout: start, clearTimeout: stop } = globalThis;
    const retries = new Set();
    globalThis.setTimeout = (run, delay) => {
      const timer = start(run, delay);
      if (delay === 5000) retries.add(timer);
      return timer;
    };
    globalThis.clearTimeout = (timer) => (retries.delete(timer), stop(timer));
    try {
      await command('withdraw');
      const refused = new Promise((resolve) => room.on('error', resolve));
      await command('cut');
      const { topic, payload } = await refused;
      same([topic, payload.reason, room.isSubscribed, retries.size], ['room:away', 'unavailable', false, 1]);
      await room.unsubscribe();
      same(retries.size, 0);
    } finally {
      Object.assign(globalThis, { setTimeout: start, clearTimeout: stop });
      await command('restore');
    }
  }, { maxDelay: 20_000 }),

  halfOpen: scenario(async (client, { command, states }) => {
    await client.request('ping');
    await command('silence');
    const lost = client.request('wait');
    same((await rejected(lost)).message.includes('no heartbeat'), true);
    same((await client.request('ping')).action, 'pong');
    same(states.slice(0, 3), ['connecting', 'open', 'waiting']);
  }, { heartbeat: 0.2 }),

  closeCodes: scenario(async (client, { states, module }) => {
    client.send('end', 1012);
    await until(() => states.includes('waiting'));
    await client.request('ping');
    client.send('end', 4403);
    const end = await client.closed;
    same([end.code, client.state], [4403, 'closed']);
    same((await rejected(client.request('ping'))) instanceof module.ConnectionLost, true);
  }),

  closing: async (module, url, control) => {
    const options = { url, params: { room: 'a' }, ...QUICK };
    const client = module.agentRoom.connect(options);
    await client.request('ping');
    // A page may not use this code.
    same((await rejected(client.close(1001))).name, 'InvalidAccessError');
    same((await client.request('ping')).action, 'pong');
    await client.close(4000, 'done');
    same(await client.closed, { code: 4000, reason: 'done' });

    let times = 0;
    const onState = (state) => state === 'connecting' && (times += 1) === 2 && leaving.close();
    const leaving = module.agentRoom.connect({ ...options, onState });
    await leaving.request('ping');
    await fetch(`${control}/control/cut`);
    await leaving.closed;
    const other = module.agentRoom.connect(options);
    await other.request('ping');
    same(leaving.state, 'closed');
    await other.close();
    return 'done';
  },

  sockets: async (module, url, control) => {
    const unheard = [];
    const made = [];
    class Socket extends WebSocket {
      constructor(...given) {
        super(...given);
        made.push(this);
        // As the package ws does it: an error that nobody hears ends the process.
        this.addEventListener('error', () => this.onerror || unheard.push('error'));
      }
      get readyState() {
        return this.isClosing ? WebSocket.CLOSING : super.readyState;
      }
      send(data) {
        if (!this.isClosing) super.send(data);
      }
    }
    const description = { ...module.agentRoom.description, servers: ['wss://{host}/api'] };
    const client = module.connect(description, { url, params: { room: 'a' }, ...QUICK, WebSocket: Socket });
    await client.request('ping');
    // The server has said that it closes, and the page is not told yet.
    made[0].isClosing = true;
    const pong = new Promise((resolve) => client.on('pong', resolve));
    client.send('ping');
    const room = client.topic('room', { name: 'closing' });
    const subscribed = room.subscribe();
    await fetch(`${control}/control/refuse`);
    await fetch(`${control}/control/cut`);
    same((await pong).action, 'pong');
    same(await subscribed === room, true);
    same(unheard, []);
    await client.close();
    return 'done';
  },

  refresh: async (module, url) => {
    const asked = [];
    const token = ({ refresh }) => {
      asked.push(refresh);
      return `token-${asked.length}`;
    };
    const client = module.agentRoom.connect({ url, params: { room: 'a' }, ...QUICK, token });
    await client.request('ping');
    client.send('end', 4401);
    await until(() => asked.length === 2 && client.state === 'open');
    client.send('end', 4401);
    same((await client.closed).code, 4401);
    same(asked, [false, true]);
    return 'done';
  },

  odd: scenario(async (client, { errors }) => {
    client.send('odd');
    await client.request('ping');
    const told = errors.splice(0).map((error) => error.message);
    same(told, ['Invalid frame', 'Invalid frame', 'Invalid frame', 'Unknown action from_the_future']);
    client.on('pong', () => {
      throw new Error('a mistake of the page');
    });
    client.send('ping');
    await client.request('ping');
    same(errors.splice(0).map((error) => error.message), ['a mistake of the page']);
  }),

  queue: async (module, url) => {
    const client = module.agentRoom.connect({ url, params: { room: 'a' }, maxQueue: 2 });
    const [first, second] = [client.request('ping'), client.request('ping')];
    same((await rejected(client.request('ping'))).name, 'ClientError');
    same((await rejected((async () => client.send('ping'))())).name, 'ClientError');
    same([(await first).action, (await second).action], ['pong', 'pong']);
    await client.close();

    const other = module.agentRoom.connect({ url, params: { room: 'a' } });
    same((await rejected(other.request('count', { items: 1n }))).name, 'TypeError');
    const payload = { items: 1 };
    const counted = other.stream('count', payload).next();
    payload.items = 'changed while it waits';
    same((await counted).value.payload, 1);
    await other.close();
    return 'done';
  },

  dispose: async (module, url) => {
    const client = module.agentRoom.connect({ url, params: { room: 'a' } });
    await client.request('ping');
    if (Symbol.asyncDispose) await client[Symbol.asyncDispose]();
    else await client.close();
    same([client.state, (await client.closed).code], ['closed', 1000]);
    const errors = [];
    const mistaken = module.agentRoom.connect({ url, onError: (error) => errors.push(error.name) });
    same([(await mistaken.closed).code, errors], [1006, ['TypeError']]);
    return 'done';
  },
};
