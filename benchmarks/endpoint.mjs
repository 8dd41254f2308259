// An endpoint that speaks OpenAI's API as well or as badly as a measurement wants.
import http from 'node:http';

export const usage = {prompt_tokens: 9, completion_tokens: 12, total_tokens: 21};
const head = {id: 'chatcmpl-1', created: 1, model: 'bench'};

/// An answer as a whole.
export const whole = (content) =>
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [{index: 0, message: {role: 'assistant', content}, finish_reason: 'stop'}],
    usage,
  });

const chunk = (choices, more = {}) =>
  `data: ${JSON.stringify({...head, object: 'chat.completion.chunk', choices, ...more})}\n\n`;
export const delta = (delta, finish_reason = null) => chunk([{index: 0, delta, finish_reason}]);

/// An answer's events: one with the role, one for each word, and what ends it.
export function events(content) {
  return [
    delta({role: 'assistant', content: ''}),
    ...content.split(/(?= )/).map((word) => delta({content: word})),
    delta({}, 'stop') + chunk([], {usage}) + 'data: [DONE]\n\n',
  ];
}

/// Waits for an event or some time, or for the end of the connection.
function until(response, event, ms) {
  return new Promise((resolve) => {
    let timer;
    const done = () => {
      clearTimeout(timer);
      response.off('close', done);
      if (event) response.off(event, done);
      resolve();
    };
    response.on('close', done);
    if (event) response.on(event, done);
    else timer = setTimeout(done, ms);
  });
}

/// `behave` gets a request's body and says what comes of it: {status, headers, body} or, streamed,
/// {parts, pause, cut}: `pause` ms apart, and with `cut` the connection breaks behind them. `url`
/// is what a configuration names.
export async function startEndpoint(behave) {
  const server = http.createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const {
      status = 200,
      headers = {},
      body,
      parts = [],
      pause = 0,
      cut = false,
    } = behave(JSON.parse(text));
    if (body !== undefined) {
      response.writeHead(status, {'content-type': 'application/json', ...headers}).end(body);
      return;
    }
    response.writeHead(status, {'content-type': 'text/event-stream', ...headers});
    for (const [i, part] of parts.entries()) {
      if (pause > 0 && i > 0) await until(response, null, pause);
      if (response.destroyed) return;
      if (!response.write(part)) await until(response, 'drain');
    }
    if (cut) response.socket.destroy();
    else response.end();
  });
  server.keepAliveTimeout = 600_000;
  await new Promise((listening) => {
    server.listen(0, '127.0.0.1', 1024, listening);
  });
  const {port} = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}/v1`,
    hangUp: () => server.closeAllConnections(),
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
