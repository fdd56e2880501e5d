// What the types of a generated client allow and refuse: the compiler complains about an expectation that is not met.
import { agentRoom, ConnectionLost, type AgentRoomClient, type ItemMessage } from './index.js';

const client: AgentRoomClient = agentRoom.connect({ url: 'ws://x', params: { room: 1 }, token: async () => 'x' });
// @ts-expect-error - the address needs a room
agentRoom.connect({ url: 'ws://x' });
// @ts-expect-error - and no other parameter
agentRoom.connect({ params: { rom: 'a' } });

export async function use(): Promise<void> {
  const pong = await client.request('ping');
  const action: 'pong' = pong.action;
  const deployed: boolean = (await client.request('deploy', 'staging', { retry: true })).payload;
  // @ts-expect-error - a payload is needed
  await client.request('deploy');
  // @ts-expect-error - of that type
  await client.request('deploy', 5);
  // @ts-expect-error - it is answered by a stream
  await client.request('count', { items: 1 });
  // @ts-expect-error - there is no such action
  await client.request('fly');
  for await (const item of client.stream('count', { items: 5 }, { window: 4 })) {
    const number: number = item.payload;
    const typed: ItemMessage = item;
    console.log(number, typed, item.seq);
  }
  // @ts-expect-error - an item is a number
  for await (const item of client.stream('count', { items: 5 })) item.payload.length;
  client.send('end', 1000);
  client.on('pong', (message) => console.log(message.payload satisfies null | undefined));
  client.on('resync', () => undefined);
  // @ts-expect-error - the server never sends it
  client.on('ping', () => undefined);
  client.onRequest('approve', (message) => ({ action: 'approved', payload: message.payload === 'x' }));
  // @ts-expect-error - it is answered by a boolean
  client.onRequest('approve', () => ({ action: 'approved', payload: 'yes' }));
  const room = client.topic('room', { name: 'lobby' });
  // @ts-expect-error - the pattern has another parameter
  client.topic('room', { pk: 5 });
  const length: number = (await room.request('say', 'x')).payload;
  for await (const event of room) {
    if (event.action === 'said') console.log(event.payload.length, action, deployed, length);
  }
  await using other = agentRoom.connect({ params: { room: 'b' } });
  await other.request('ping').catch((error) => error instanceof ConnectionLost);
}
