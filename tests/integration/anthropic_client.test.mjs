// Anthropic's own client does with `lichen serve` what it does with Anthropic.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';

import { startFakeRemote } from './fake_remote.mjs';
import { bundled, startLichen } from './server.mjs';

const key = 'key-of-the-test';
const question = [{ role: 'user', content: 'What is 12 + 30?' }];
let remote, server, client;

before(async () => {
  remote = await startFakeRemote();
  server = await startLichen(`
models:
  small: {gguf: ${bundled.small}}
  large: {gguf: ${bundled.large}}
  cloud: {url: "${remote.url}", model: big-1, returns_reasoning: true}
plans:
  default: {cascade: {small: small, large: large, threshold: -0.25}}
serve: {api_key_env: SERVE_KEY}
ledger: {path: none}
`, { SERVE_KEY: key });
  client = new Anthropic({ baseURL: server.url, apiKey: key, maxRetries: 0 });
});

after(async () => {
  const code = await server?.stop();
  await remote?.stop();
  assert.equal(code, 0, server?.output());
});

test('a message', async () => {
  const message = await client.messages.create({
    model: 'default', max_tokens: 64, system: 'Answer.', messages: question });
  assert.equal(message.type, 'message');
  assert.equal(message.content[0].type, 'text');
  assert.ok(message.content[0].text.includes('42'), message.content[0].text);
  assert.equal(message.stop_reason, 'end_turn');
  assert.ok(message.usage.input_tokens + message.usage.cache_read_input_tokens > 0);
  assert.ok(message.usage.output_tokens > 0);
});

test('a stream says what the whole message says, with usage', async () => {
  const request = { model: 'large', max_tokens: 64, messages: question, temperature: 0 };
  const whole = await client.messages.create(request);
  const stream = client.messages.stream(request);
  let text = '';
  stream.on('text', (delta) => (text += delta));
  const streamed = await stream.finalMessage();
  assert.equal(text, whole.content[0].text);
  assert.deepEqual(streamed.content.map((block) => block.text),
                   whole.content.map((block) => block.text));
  assert.equal(streamed.stop_reason, whole.stop_reason);
  assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
  const prompt = (usage) => usage.input_tokens + usage.cache_read_input_tokens;
  assert.equal(prompt(streamed.usage), prompt(whole.usage));
});

test('tokens are counted as they are read', async () => {
  const { input_tokens: counted } = await client.messages.countTokens({ model: 'large', messages: question });
  const { usage } = await client.messages.create({ model: 'large', max_tokens: 4, messages: question });
  assert.equal(counted, usage.input_tokens + usage.cache_read_input_tokens);
});

test('max_tokens and stop sequences end it, and it says so', async () => {
  const whole = await client.messages.create({ model: 'large', max_tokens: 64, messages: question });
  const cut = await client.messages.create({ model: 'large', max_tokens: 1, messages: question });
  assert.equal(cut.stop_reason, 'max_tokens');
  const stop = whole.content[0].text.at(-1);
  const stopped = await client.messages.create({
    model: 'large', max_tokens: 64, messages: question, stop_sequences: [stop] });
  assert.equal(stopped.stop_reason, 'stop_sequence');
  assert.equal(stopped.stop_sequence, stop);
});

test('an answer that is begun is gone on with', async () => {
  const whole = await client.messages.create({ model: 'large', max_tokens: 64, messages: question });
  const { text } = whole.content[0];
  const rest = await client.messages.create({ model: 'large', max_tokens: 64, messages: [
    ...question, { role: 'assistant', content: text.slice(0, 7) }] });
  assert.equal(text.slice(0, 7) + rest.content[0].text, text);
});

const tools = [{ name: 'weather', description: 'Weather of a city', input_schema: {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }];

test('tools and thinking, streamed, there and back', async () => {
  const messages = [{ role: 'user', content: 'How is the weather in Bern?' }];
  const called = await client.messages.stream({
    model: 'cloud', max_tokens: 64, messages, tools }).finalMessage();
  assert.equal(called.stop_reason, 'tool_use');
  const use = called.content.find((block) => block.type === 'tool_use');
  assert.deepEqual(use.input, { city: 'Bern' });
  const answer = await client.messages.create({ model: 'cloud', max_tokens: 64, tools, messages: [
    ...messages, { role: 'assistant', content: called.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sun' }] }] });
  assert.equal(answer.content[0].text, 'The tool says sun.');
  assert.equal(answer.usage.output_tokens, 7);
  assert.equal(remote.requests.at(-1).body.messages.at(-1).tool_call_id, use.id);

  const asked = [{ role: 'user', content: 'think of it' }];
  const thought = await client.messages.stream({
    model: 'cloud', max_tokens: 64, messages: asked }).finalMessage();
  assert.deepEqual(thought.content.map((block) => block.type), ['thinking', 'text']);
  assert.equal(thought.content[0].thinking, 'I think it over');
  await client.messages.create({ model: 'cloud', max_tokens: 64, messages: [
    ...asked, { role: 'assistant', content: thought.content }, { role: 'user', content: 'and?' }] });
  assert.equal(remote.requests.at(-1).body.messages[1].reasoning_content, 'I think it over');
});

test('errors are its own', async () => {
  await assert.rejects(client.messages.create({ model: 'none', max_tokens: 1, messages: question }),
                       Anthropic.NotFoundError);
  await assert.rejects(new Anthropic({ baseURL: server.url, apiKey: 'wrong', maxRetries: 0 })
    .messages.create({ model: 'small', max_tokens: 1, messages: question }), Anthropic.AuthenticationError);
  await assert.rejects(client.messages.create({ model: 'small', max_tokens: 0, messages: question }),
                       Anthropic.BadRequestError);
});
