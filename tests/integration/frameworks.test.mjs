// The AI SDK and LangChain on `lichen serve`, through each of its APIs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

import { startFakeRemote } from './fake_remote.mjs';
import { bundled, startLichen } from './server.mjs';

const prompt = 'What is 12 + 30?';
let remote, server, openai, anthropic;

before(async () => {
  remote = await startFakeRemote();
  server = await startLichen(`
models:
  large: {gguf: ${bundled.large}}
  cloud: {url: "${remote.url}", model: big-1}
serve: {plan: large}
ledger: {path: none}
`);
  openai = createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' });
  anthropic = createAnthropic({ baseURL: `${server.url}/v1`, apiKey: 'none' });
});

after(async () => {
  const code = await server?.stop();
  await remote?.stop();
  assert.equal(code, 0, server?.output());
});

const weather = tool({
  description: 'Weather of a city',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sun in ${city}`,
});

const apis = [
  ['chat completions', (name) => openai.chat(name)],
  ['responses', (name) => openai.responses(name)],
  ['messages', (name) => anthropic(name)],
];
for (const [name, model] of apis) {
  test(`AI SDK by ${name}: text, stream, tools`, async () => {
    const whole = await generateText({ model: model('large'), prompt, maxOutputTokens: 64 });
    assert.match(whole.text, /42/);
    assert.equal(whole.finishReason, 'stop');
    assert.ok(whole.usage.inputTokens > 0 && whole.usage.outputTokens > 0);

    const stream = streamText({ model: model('large'), prompt, maxOutputTokens: 64 });
    let text = '';
    for await (const delta of stream.textStream) text += delta;
    assert.equal(text, whole.text);
    assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);

    const broken = streamText({ model: model('cloud'), prompt: 'break', maxRetries: 0,
                                onError: () => {} });
    const errors = [];
    for await (const part of broken.fullStream) {
      if (part.type === 'error') errors.push(part.error.message ?? JSON.stringify(part.error));
    }
    assert.match(errors.join(), /cut off/, 'it is not taken for whole');

    const used = await generateText({ model: model('cloud'), prompt: 'Weather in Bern?',
                                      tools: { weather }, stopWhen: stepCountIs(3),
                                      // Else it refers to items that the server should have kept.
                                      providerOptions: { openai: { store: false } } });
    assert.equal(used.text, 'The tool says sun in Bern.');
  });
}

for (const useResponsesApi of [false, true]) {
  test(`LangChain by ${useResponsesApi ? 'responses' : 'chat completions'}`, async () => {
    const model = (name) => new ChatOpenAI({
      model: name, apiKey: 'none', maxTokens: 64, maxRetries: 0, useResponsesApi,
      configuration: { baseURL: `${server.url}/v1` } });
    const whole = await model('large').invoke(prompt);
    assert.match(whole.text, /42/);
    assert.ok(whole.usage_metadata.output_tokens > 0);
    let text = '';
    for await (const chunk of await model('large').stream(prompt)) text += chunk.text;
    assert.equal(text, whole.text);

    await assert.rejects(async () => {
      for await (const chunk of await model('cloud').stream('break')) text += chunk.text;
    }, /cut off/);

    const bound = model('cloud').bindTools([langchainTool(({ city }) => `sun in ${city}`, {
      name: 'weather', description: 'Weather of a city', schema: z.object({ city: z.string() }) })]);
    const asked = new HumanMessage('Weather in Bern?');
    const called = await bound.invoke([asked]);
    assert.deepEqual(called.tool_calls[0].args, { city: 'Bern' });
    const answer = await bound.invoke([asked, called, new ToolMessage({
      content: 'sun', tool_call_id: called.tool_calls[0].id })]);
    assert.equal(answer.text, 'The tool says sun.');
  });
}
