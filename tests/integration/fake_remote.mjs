// A small endpoint that speaks OpenAI's API, in place of a remote model. It calls the first tool it
// is given, and says what the tool answered; asked to think, it says what it thinks first; asked to
// break, its streams do; asked for JSON of a schema, it gives some.
import { createServer } from 'node:http';

const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/// A value as a schema wants it, of strings in objects.
function filled(schema) {
  if (schema.type !== 'object') return schema.enum?.[0] ?? 'Bern';
  return Object.fromEntries(Object.entries(schema.properties ?? {})
    .map(([name, property]) => [name, filled(property)]));
}

function answerTo(body) {
  const last = body.messages.at(-1);
  if (last.role === 'tool') {
    return { message: { role: 'assistant', content: `The tool says ${last.content}.` },
             finish: 'stop' };
  }
  const tool = body.tools?.[0]?.function;
  if (tool) {
    const call = { id: 'call_1', type: 'function',
                   function: { name: tool.name, arguments: JSON.stringify(filled(tool.parameters)) } };
    return { message: { role: 'assistant', content: null, tool_calls: [call] },
             finish: 'tool_calls' };
  }
  if (body.response_format?.json_schema) {
    const content = JSON.stringify(filled(body.response_format.json_schema.schema));
    return { message: { role: 'assistant', content }, finish: 'stop' };
  }
  const message = { role: 'assistant', content: `You said ${last.content}` };
  if (last.content.startsWith('think')) message.reasoning_content = 'I think it over';
  return { message, finish: 'stop' };
}

function sendWhole(response, body, { message, finish }) {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: body.model,
                                choices: [{ index: 0, message, finish_reason: finish }], usage }));
}

function sendStream(response, body, { message, finish }) {
  response.setHeader('Content-Type', 'text/event-stream');
  const send = (delta, finish_reason = null) =>
    response.write(`data: ${JSON.stringify({
      id: 'x', object: 'chat.completion.chunk', created: 1, model: body.model,
      choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
  send({ role: 'assistant', content: '' });
  for (const word of (message.reasoning_content ?? '').split(/(?= )/)) {
    if (word) send({ reasoning_content: word });
  }
  for (const word of (message.content ?? '').split(/(?= )/)) if (word) send({ content: word });
  if (message.content?.startsWith('You said break')) {
    setTimeout(() => response.destroy(), 50);
    return;
  }
  for (const [index, call] of (message.tool_calls ?? []).entries()) {
    const { arguments: all, ...named } = call.function;
    send({ tool_calls: [{ index, ...call, function: { ...named, arguments: '' } }] });
    // In two pieces, as endpoints do.
    for (const part of [all.slice(0, 5), all.slice(5)]) {
      send({ tool_calls: [{ index, function: { arguments: part } }] });
    }
  }
  send({}, finish);
  if (body.stream_options?.include_usage) {
    response.write(`data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1,
                                             model: body.model, choices: [], usage })}\n\n`);
  }
  response.end('data: [DONE]\n\n');
}

/// `requests` holds every body that came, with the key that came with it.
export async function startFakeRemote() {
  const requests = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    requests.push({ body, key: request.headers.authorization });
    (body.stream ? sendStream : sendWhole)(response, body, answerTo(body));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests,
    stop: () => new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections();
    }),
  };
}
