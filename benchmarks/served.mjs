// `lichen serve` as a child process, and requests to it.
import {spawn} from 'node:child_process';
import http from 'node:http';

/// Starts `lichen serve` on a free port. `call` resolves to {reply, text} or rejects with what the
/// server said; `stop` ends it and returns the lines that it logged.
export async function startServing(lichen, config) {
  const agent = new http.Agent({keepAlive: true});
  const server = spawn(lichen, ['serve', '--config', config, '--port', '0'],
                       {stdio: ['ignore', 'pipe', 'pipe']});
  let log = '';
  server.stderr.on('data', (data) => { log += data; });
  const port = await new Promise((resolve, reject) => {
    let out = '';
    server.stdout.on('data', (data) => {
      out += data;
      const found = out.match(/listening on http:\/\/[^:]+:(\d+)/);
      if (found) resolve(found[1]);
    });
    server.once('exit', (code) => reject(new Error(`lichen ended (${code}): ${log}`)));
  });

  function call(method, path, body) {
    return new Promise((resolve, reject) => {
      const data = body ? JSON.stringify(body) : '';
      const headers = {'content-type': 'application/json', 'content-length': Buffer.byteLength(data)};
      const request = http.request({host: '127.0.0.1', port, path, method, agent, headers}, (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject)
            .on('end', () => (reply.statusCode === 200 ? resolve({reply, text})
                                                       : reject(new Error(text))));
      });
      request.on('error', reject).end(data);
    });
  }

  /// One prompt; resolves to its receipt.
  async function ask(plan, content) {
    const {reply} = await call('POST', '/v1/chat/completions',
                               {model: plan, temperature: 0, messages: [{role: 'user', content}]});
    const receipt = await call('GET', `/v1/receipts/${reply.headers['x-lichen-receipt']}`);
    return JSON.parse(receipt.text);
  }

  const ended = new Promise((resolve) => { server.once('close', resolve); });
  async function stop() {
    server.removeAllListeners('exit');
    server.kill('SIGTERM');
    await ended;
    return log.trim().split('\n').filter((line) => line);
  }
  return {call, ask, stop};
}

/// Whether a receipt says that small answered.
export const bySmall = (receipt) => receipt.decisions.some((decision) => decision.choice === 'small');
