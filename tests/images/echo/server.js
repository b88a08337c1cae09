// Answers with the request as it came, and misbehaves where the first part of the path asks for it.
'use strict';

const http = require('node:http');
const os = require('node:os');

const HOSTNAME = os.hostname();
const PORTS = [3000, 3001];

// What a server sends that is no answer, or one that hyper and Go may understand in different ways.
const RAW = {
  noise: 'this is not http\r\n\r\n',
  status: 'HTTP/1.1 abc OK\r\n\r\n',
  length: 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
  lengths: 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  name: 'HTTP/1.1 200 OK\r\nBad Header: 1\r\nContent-Length: 0\r\n\r\n',
  half: 'HTTP/1.1 200 OK\r\nContent-Le',
  broken: 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345',
  unfinished: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n',
  until: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end',
  switch: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
  hops:
    'HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=7\r\nProxy-Connection: x\r\n' +
    'Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTe: trailers\r\nX-Kept: 1\r\nServer: echo\r\n' +
    'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok',
  plain: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  phrase: 'HTTP/1.1 200 Fine By Me\r\nContent-Length: 0\r\n\r\n',
  unknown: 'HTTP/1.1 599 What\r\nContent-Length: 0\r\n\r\n',
};

let stopping = false;
let inFlight = 0;
const released = new Map();
const farewells = [];

const PATHS = {
  close: (request) => request.socket.destroy(),
  reset: (request) => request.socket.resetAndDestroy(),
  raw: (request, _response, [name]) => request.socket.end(RAW[name]),
  cookies: (_request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/; HttpOnly', 'b="2 3"']);
    response.end();
  },
  status: (_request, response, [status]) => {
    response.writeHead(Number(status), { ETag: '"x"' });
    response.end();
  },
  big: (_request, response, [size]) => {
    response.setHeader('Content-Length', size);
    response.end(Buffer.alloc(Number(size), 'x'));
  },
  // its second half comes when somebody asks for /release/KEY
  slow: async (_request, response, [key]) => {
    response.write('first\n');
    await new Promise((resolve) => released.set(key, resolve));
    response.end('last\n');
  },
  release: (_request, response, [key]) => {
    response.statusCode = released.has(key) ? 204 : 404;
    released.get(key)?.();
    released.delete(key);
    response.end();
  },
  // its second half comes when the server is stopped
  farewell: (_request, response) => {
    response.write('first\n');
    farewells.push(() => response.end('last\n'));
  },
  wait: (_request, response, [milliseconds]) => setTimeout(() => response.end('waited\n'), Number(milliseconds)),
  trailers: (_request, response) => {
    response.setHeader('Trailer', 'X-Sum');
    response.write('body');
    response.addTrailers({ 'X-Sum': '1' });
    response.end();
  },
  hints: (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.end('ok');
  },
  // answers before it has read the request's body
  early: (_request, response) => response.end('early'),
};

function serveOne(request, response) {
  // a client that breaks off is no reason to end
  answer(request, response).catch(() => request.destroy());
}

async function answer(request, response) {
  inFlight += 1;
  response.on('close', () => (inFlight -= 1));
  response.shouldKeepAlive &&= !stopping;
  response.setHeader('X-Served-By', HOSTNAME);
  const [, first, ...rest] = request.url.split('?')[0].split('/');
  if (Object.hasOwn(PATHS, first)) {
    PATHS[first](request, response, rest);
    return;
  }
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  const headers = pairs(request.rawHeaders);
  const trailers = pairs(request.rawTrailers);
  const body = Buffer.concat(chunks);
  const seen = {
    method: request.method,
    url: request.url,
    version: request.httpVersion,
    headers,
    trailers,
    length: body.length,
    hostname: HOSTNAME,
    port: request.socket.localPort,
    client: request.socket.remoteAddress.replace('::ffff:', ''),
  };
  const text = JSON.stringify(seen);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, at) => flat.slice(2 * at, 2 * at + 2));
}

function serve(port) {
  const server = http.createServer({ requireHostHeader: false }, serveOne);
  server.on('checkContinue', (request, response) => {
    if (request.url === '/refuse') {
      response.writeHead(417);
      response.end();
    } else {
      response.writeContinue();
      serveOne(request, response);
    }
  });
  // speaks `echo`: says what it hears, in capitals
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (request.url === '/declined') {
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\ndeclined');
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-A: b\r\n\r\nwelcome\n');
    const hear = (heard) => socket.write(heard.toString().toUpperCase());
    if (head.length > 0) {
      hear(head);
    }
    socket.on('data', hear);
    socket.on('end', () => socket.end());
  });
  server.keepAliveTimeout = 120_000;
  server.listen(port);
  return server;
}

const servers = PORTS.map(serve);

// Requests in flight are answered, then the server leaves; as the lab's own.
process.on('SIGTERM', () => {
  stopping = true;
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
  setTimeout(() => farewells.forEach((say) => say()), 300);
  setInterval(() => inFlight === 0 && process.exit(0), 100);
});
