// OpenAI's own client does with `lichen serve` what it does with OpenAI.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';

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
  cloud: {url: "${remote.url}", model: big-1, key_env: CLOUD_KEY, price: {input: 2, output: 10}}
plans:
  default: {cascade: {small: small, large: large, threshold: -0.25}}
  backup: {fallback: {of: [small, large]}}
serve: {api_key_env: SERVE_KEY}
ledger: {path: none}
`, { CLOUD_KEY: 'key-of-the-cloud', SERVE_KEY: key });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
});

after(async () => {
  const code = await server?.stop();
  await remote?.stop();
  assert.equal(code, 0, server?.output());
});

async function receiptOf(id) {
  const reply = await fetch(`${server.url}/v1/receipts/${id}`, {
    headers: { Authorization: `Bearer ${key}` } });
  assert.equal(reply.status, 200);
  return reply.json();
}

/// Reads a stream to its end.
async function gather(stream) {
  const all = { text: '', chunks: 0, finish: null, usage: null, roles: [] };
  for await (const chunk of stream) {
    all.chunks += 1;
    all.usage ??= chunk.usage ?? null;
    const choice = chunk.choices[0];
    all.text += choice?.delta.content ?? '';
    all.finish ??= choice?.finish_reason ?? null;
    if (choice?.delta.role) all.roles.push(choice.delta.role);
  }
  return all;
}

test('chat, with a receipt', async () => {
  const { data, response } = await client.chat.completions.create({
    model: 'default', messages: question, max_tokens: 64 }).withResponse();
  assert.equal(data.object, 'chat.completion');
  assert.equal(data.model, 'default');
  const [choice] = data.choices;
  assert.equal(choice.message.role, 'assistant');
  assert.ok(choice.message.content.length > 0);
  assert.equal(choice.finish_reason, 'stop');
  assert.ok(data.usage.prompt_tokens > 0 && data.usage.completion_tokens > 0);
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);

  const receipt = await receiptOf(response.headers.get('x-lichen-receipt'));
  assert.equal(receipt.plan, 'default');
  assert.ok(receipt.steps.some((step) => step.model === 'small' && step.tokens_out > 0));
  assert.equal(receipt.decisions[0].mechanism, 'cascade');
  const bytes = receipt.authors.reduce((sum, author) => sum + author.bytes, 0);
  assert.equal(bytes, Buffer.byteLength(choice.message.content));
});

test('a stream says what the whole reply says, with usage', async () => {
  const request = { model: 'large', messages: question, max_tokens: 64, temperature: 0 };
  const whole = await client.chat.completions.create(request);
  const streamed = await gather(await client.chat.completions.create({
    ...request, stream: true, stream_options: { include_usage: true } }));
  assert.equal(streamed.text, whole.choices[0].message.content);
  assert.equal(streamed.finish, whole.choices[0].finish_reason);
  assert.deepEqual(streamed.roles, ['assistant']);
  assert.equal(streamed.usage.completion_tokens, whole.usage.completion_tokens);
  assert.equal(streamed.usage.prompt_tokens, whole.usage.prompt_tokens);

  const bare = await gather(await client.chat.completions.create({ ...request, stream: true }));
  assert.equal(bare.usage, null);
  assert.equal(bare.text, streamed.text);
});

test('n, seed, logprobs, stop and max_tokens', async () => {
  const sampled = { model: 'small', messages: question, temperature: 1, seed: 7, max_tokens: 12 };
  const first = await client.chat.completions.create({ ...sampled, n: 3 });
  const again = await client.chat.completions.create({ ...sampled, n: 3 });
  assert.deepEqual(first.choices.map((choice) => choice.message.content),
                   again.choices.map((choice) => choice.message.content));
  assert.deepEqual(first.choices.map((choice) => choice.index), [0, 1, 2]);

  const cut = await client.chat.completions.create({
    model: 'small', messages: question, max_tokens: 1, logprobs: true, top_logprobs: 4 });
  assert.equal(cut.choices[0].finish_reason, 'length');
  assert.equal(cut.usage.completion_tokens, 1);
  const [token] = cut.choices[0].logprobs.content;
  assert.ok(token.logprob <= 0);
  assert.equal(token.top_logprobs.length, 4);
  assert.ok(token.top_logprobs[0].logprob >= token.top_logprobs[3].logprob);

  const { message } = (await client.chat.completions.create({
    model: 'large', messages: question, max_tokens: 64 })).choices[0];
  const stop = message.content.at(-1);
  const stopped = await client.chat.completions.create({
    model: 'large', messages: question, max_tokens: 64, stop: [stop] });
  assert.equal(stopped.choices[0].message.content,
               message.content.slice(0, message.content.indexOf(stop)));
});

const tools = [{ type: 'function', function: {
  name: 'weather', description: 'Weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } }];

test('tools of a remote model, there and back', async () => {
  const messages = [{ role: 'user', content: 'How is the weather in Bern?' }];
  const called = await client.chat.completions.create({ model: 'cloud', messages, tools });
  const [choice] = called.choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  assert.equal(choice.message.content, null);
  assert.deepEqual(JSON.parse(choice.message.tool_calls[0].function.arguments), { city: 'Bern' });
  assert.equal(called.usage.total_tokens, 18);
  const { body, key: sent } = remote.requests.at(-1);
  assert.equal(body.model, 'big-1');
  assert.deepEqual(body.tools, tools);
  assert.equal(sent, 'Bearer key-of-the-cloud');

  const { data, response } = await client.chat.completions.create({
    model: 'cloud', tools, messages: [...messages, choice.message, {
      role: 'tool', tool_call_id: choice.message.tool_calls[0].id, content: 'sun' }] }).withResponse();
  assert.equal(data.choices[0].message.content, 'The tool says sun.');
  const receipt = await receiptOf(response.headers.get('x-lichen-receipt'));
  assert.equal(receipt.steps[0].remote, true);
  assert.ok(receipt.steps[0].bytes_sent > 0);
  assert.ok(Math.abs(receipt.steps[0].usd - (11 * 2 + 7 * 10) / 1e6) < 1e-12);
});

test('tools in a stream', async () => {
  const runner = client.chat.completions.stream({
    model: 'cloud', tools, messages: [{ role: 'user', content: 'And in Bern?' }],
    stream_options: { include_usage: true } });
  const { choices, usage } = await runner.finalChatCompletion();
  assert.equal(choices[0].finish_reason, 'tool_calls');
  assert.equal(choices[0].message.tool_calls[0].function.name, 'weather');
  assert.equal(choices[0].message.tool_calls[0].function.arguments, '{"city":"Bern"}');
  assert.equal(usage.completion_tokens, 7);
});

test('JSON, by schema and free', async () => {
  const schema = { type: 'object', additionalProperties: false, required: ['sum', 'even'],
                   properties: { sum: { type: 'integer' }, even: { type: 'boolean' } } };
  const bySchema = await client.chat.completions.create({
    model: 'large', messages: question, max_tokens: 100,
    response_format: { type: 'json_schema', json_schema: { name: 'sum', strict: true, schema } } });
  assert.equal(bySchema.choices[0].finish_reason, 'stop');
  const value = JSON.parse(bySchema.choices[0].message.content);
  assert.ok(Number.isInteger(value.sum));
  assert.equal(typeof value.even, 'boolean');
  assert.equal(Object.keys(value).length, 2);

  const free = await client.chat.completions.create({
    model: 'large', messages: question, max_tokens: 200, response_format: { type: 'json_object' } });
  // What the object holds is the model's affair; a small one may not find its end.
  const [choice] = free.choices;
  assert.ok(choice.message.content.trimStart().startsWith('{'), choice.message.content);
  if (choice.finish_reason === 'stop') {
    assert.equal(typeof JSON.parse(choice.message.content), 'object');
  } else {
    assert.equal(choice.finish_reason, 'length');
  }
});

test('text completions', async () => {
  const reply = await client.completions.create({
    model: 'small', prompt: 'One two three', max_tokens: 4, echo: true });
  assert.equal(reply.object, 'text_completion');
  assert.ok(reply.choices[0].text.startsWith('One two three'));
  let text = '';
  for await (const chunk of await client.completions.create({
    model: 'small', prompt: 'One two three', max_tokens: 4, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
  }
  assert.equal('One two three' + text, reply.choices[0].text);
});

test('embeddings', async () => {
  const input = ['a cat sat', 'a cat sat', 'prime numbers'];
  // The client asks for base64 unless told otherwise.
  const reply = await client.embeddings.create({ model: 'small', input });
  const floats = await client.embeddings.create({ model: 'small', input, encoding_format: 'float' });
  assert.equal(reply.data.length, 3);
  assert.ok(reply.usage.prompt_tokens > 0);
  const [same, twin, other] = reply.data.map((entry) => entry.embedding);
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  assert.ok(Math.abs(dot(same, same) - 1) < 1e-3, 'unit length');
  assert.ok(dot(same, twin) > dot(same, other));
  for (const [i, x] of floats.data[0].embedding.entries()) assert.ok(Math.abs(x - same[i]) < 1e-3);
});

test('models', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.deepEqual(ids.sort(), ['backup', 'cloud', 'default', 'large', 'small']);
  assert.equal((await client.models.retrieve('small')).object, 'model');
});

test('errors are the client\'s own kinds', async () => {
  const ask = (fields) => client.chat.completions.create({ model: 'small', messages: question,
                                                           ...fields });
  await assert.rejects(ask({ model: 'huge' }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === 'model_not_found');
  await assert.rejects(ask({ temperature: 9 }), (error) =>
    error instanceof OpenAI.BadRequestError && error.param === 'temperature');
  await assert.rejects(ask({ messages: [{ role: 'user', content: 'word '.repeat(60_000) }] }),
    (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded');
  await assert.rejects(new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong' }).models.list(),
    OpenAI.AuthenticationError);
});

async function metric(name) {
  const text = await (await fetch(`${server.url}/metrics`, {
    headers: { Authorization: `Bearer ${key}` } })).text();
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1]);
}

test('a stream that the client aborts is cancelled at once', async () => {
  const { data: stream, response } = await client.chat.completions.create({
    model: 'large', stream: true, max_tokens: 4_000,
    // Whatever the model would like to say, it must go on.
    grammar: 'root ::= [a-z ] root', messages: question }).withResponse();
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  stream.controller.abort();
  for (let tries = 0; await metric('lichen_turns_in_flight') > 0; ++tries) {
    assert.ok(tries < 1_000, 'the turn goes on');
  }
  const receipt = await receiptOf(response.headers.get('x-lichen-receipt'));
  assert.equal(receipt.error, 'cancelled');
  assert.ok(receipt.steps[0].tokens_out < 4_000);
});

test('64 clients at once lose nothing', async () => {
  const request = { model: 'small', messages: question, max_tokens: 32, temperature: 0 };
  const answers = await Promise.all(Array.from({ length: 64 }, async (_, i) => {
    const own = [];
    for (let round = 0; round < 3; ++round) {
      if (i % 2) {
        const [choice] = (await client.chat.completions.create(request)).choices;
        own.push({ text: choice.message.content, finish: choice.finish_reason });
      } else {
        own.push(await gather(await client.chat.completions.create({ ...request, stream: true })));
      }
    }
    return own;
  }));
  const all = answers.flat();
  assert.equal(all.length, 192);
  assert.ok(all.every(({ text, finish }) => text.length > 0 && finish !== null));
  assert.equal(await metric('lichen_turns_in_flight'), 0);
});

test('responses, whole and streamed, with what a model thought', async () => {
  const whole = await client.responses.create({
    model: 'large', input: 'What is 12 + 30?', instructions: 'Answer.', max_output_tokens: 64 });
  assert.equal(whole.status, 'completed');
  assert.ok(whole.output_text.length > 0);
  assert.ok(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0);

  const stream = client.responses.stream({ model: 'cloud', input: 'think of it' });
  const deltas = [];
  for await (const event of stream) {
    if (event.type === 'response.output_text.delta') deltas.push(event.delta);
  }
  const last = await stream.finalResponse();
  assert.equal(deltas.join(''), 'You said think of it');
  assert.equal(last.output[1].content[0].text, 'You said think of it');
  assert.equal(last.output[0].type, 'reasoning');
  assert.equal(last.output[0].content[0].text, 'I think it over');
  assert.equal(last.usage.total_tokens, 18);
});

test('functions of responses, there and back', async () => {
  const functions = [{ type: 'function', name: 'weather', strict: null,
                       parameters: tools[0].function.parameters }];
  const input = [{ role: 'user', content: 'How is the weather in Bern?' }];
  const called = await client.responses.create({ model: 'cloud', input, tools: functions });
  const call = called.output.find((item) => item.type === 'function_call');
  assert.deepEqual(JSON.parse(call.arguments), { city: 'Bern' });
  const answer = await client.responses.create({ model: 'cloud', tools: functions, input: [
    ...input, ...called.output,
    { type: 'function_call_output', call_id: call.call_id, output: 'sun' }] });
  assert.equal(answer.output_text, 'The tool says sun.');
});
