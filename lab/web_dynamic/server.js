// A JSON service that says which server answered, and how often this one has.
'use strict';

const http = require('node:http');
const os = require('node:os');

const HOSTNAME = os.hostname();
const PORT = 3000;
const LONGEST_DELAY = 10_000; // ms
const GRACE = 10_000; // ms that requests in flight get when the server is stopped
const ROUTES = new Map([['/api/', number], ['/health', health]]);

let answered = 0;
let inFlight = 0;
let stopping = false;

const server = http.createServer((request, response) => {
  inFlight += 1;
  response.on('close', () => (inFlight -= 1));
  const [path, query = ''] = request.url.split(/\?(.*)/s);
  if (path !== '/health') {
    log(request, response);
  }
  response.setHeader('X-Served-By', HOSTNAME);
  response.setHeader('Cache-Control', 'no-store');
  const route = ROUTES.get(path);
  if (!route) {
    refuse(request, response, 404, `nothing at ${path}`);
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET,HEAD');
    refuse(request, response, 405, `${request.method} is not allowed at ${path}`);
  } else {
    route(request, response, query);
  }
});

function number(request, response, query) {
  const delay = new URLSearchParams(query).getAll('delay').at(-1) ?? '0';
  if (!/^[0-9]+$/.test(delay) || Number(delay) > LONGEST_DELAY) {
    refuse(request, response, 400, `delay must be a whole number of milliseconds up to ${LONGEST_DELAY}`);
    return;
  }
  // numbered after the delay: a client that gave up meanwhile got no answer, so it takes no number
  const timer = setTimeout(() => {
    answered += 1;
    const body = { hostname: HOSTNAME, service: 'web_dynamic', request: answered, time: new Date().toISOString() };
    send(response, 200, 'application/json', JSON.stringify(body));
  }, Number(delay));
  response.on('close', () => clearTimeout(timer));
}

function health(_request, response) {
  send(response, 200, 'text/plain; charset=utf-8', 'ok');
}

// An error is JSON for programs and plain text for people.
function refuse(request, response, status, message) {
  const forProgram = request.url.startsWith('/api/') || /application\/json/i.test(request.headers.accept ?? '');
  if (forProgram) {
    send(response, status, 'application/json', JSON.stringify({ error: message }));
  } else {
    send(response, status, 'text/plain; charset=utf-8', `${message}\n`);
  }
}

function send(response, status, type, body) {
  response.shouldKeepAlive &&= !stopping;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function log(request, response) {
  const start = Date.now();
  const line = `"${request.method} ${request.url} HTTP/${request.httpVersion}"`;
  response.on('finish', () => console.log(`${line} ${response.statusCode} ${Date.now() - start} ms`));
}

// Requests in flight are answered, then the server leaves.
process.on('SIGTERM', () => {
  stopping = true;
  server.close();
  server.closeIdleConnections();
  // not when the last connection ends: a proxy also keeps some that it has not used yet
  setInterval(() => inFlight === 0 && process.exit(0), 100);
  setTimeout(() => process.exit(0), GRACE);
});

// longer than a proxy keeps an idle connection, so that it never sends a request into one that is being closed
server.keepAliveTimeout = 120_000;
server.listen(PORT);
