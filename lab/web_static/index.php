<?php
// The page that shows which server answered, and a login kept in this server's own PHP session.
declare(strict_types=1);

const LARGEST_BODY = 16 * 1024;
const LONGEST_NAME = 64;
const LONGEST_DELAY = 10_000;

const FORM = 'application/x-www-form-urlencoded';

const METHODS = [
    '/' => 'GET,HEAD',
    '/session' => 'GET,HEAD',
    '/login' => 'POST',
    '/logout' => 'POST',
    '/health' => 'GET,HEAD',
];

answer();

function answer(): void
{
    $method = $_SERVER['REQUEST_METHOD'];
    $path = path();
    $allowed = METHODS[$path] ?? refuse(404, "nothing at $path");
    if (!in_array($method, explode(',', $allowed), true)) {
        header("Allow: $allowed");
        refuse(405, "$method is not allowed at $path");
    }
    switch ($path) {
        case '/':
            show_page(visit());
            break;
        case '/session':
            $delay = delay();
            $session = visit();
            wait($delay);
            show_session($session);
            break;
        case '/login':
            $user = user(body());
            changed(visit(function () use ($user) { $_SESSION['user'] = $user; }));
            break;
        case '/logout':
            body();
            changed(visit(function () { unset($_SESSION['user']); }));
            break;
        case '/health':
            send('text/plain; charset=utf-8', 'ok');
    }
}

// One request in the session: opened, changed, and closed again, so that nobody waits for its lock.
function visit(?callable $change = null): array
{
    // PHP adopts any id that it is given; one that it refuses is replaced
    if (!@session_start()) {
        session_id(session_create_id());
        session_start();
    }
    if ($change !== null) {
        $change();
    }
    $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
    $user = $_SESSION['user'] ?? null;
    $session = [
        'id' => session_id(),
        'logged_in' => $user !== null,
        'user' => $user,
        'visits' => $_SESSION['visits'],
    ];
    session_write_close();
    return $session;
}

function show_page(array $session): void
{
    $style = file_get_contents('page.css');
    $script = file_get_contents('page.js');
    $id = $session['id'];
    $text = [
        '{{hostname}}' => gethostname(),
        '{{session_id}}' => $id,
        '{{session_short}}' => strlen($id) > 8 ? substr($id, 0, 8) . '…' : $id,
        '{{state}}' => $session['logged_in'] ? 'logged-in' : 'logged-out',
        '{{status}}' => $session['logged_in'] ? "logged in as {$session['user']}" : 'not logged in',
        '{{visits}}' => (string) $session['visits'],
    ];
    $text = array_map(fn (string $value) => htmlspecialchars($value, ENT_QUOTES), $text);
    $page = strtr(file_get_contents('page.html'), $text + ['{{style}}' => $style, '{{script}}' => $script]);
    // the page has what it needs inside: nothing else is loaded, by anyone
    $style = base64_encode(hash('sha256', $style, true));
    $script = base64_encode(hash('sha256', $script, true));
    header("Content-Security-Policy: default-src 'none'; style-src 'sha256-$style'; script-src 'sha256-$script'; "
        . "img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    send('text/html; charset=utf-8', $page);
}

function show_session(array $session): void
{
    send_json(['hostname' => gethostname(), 'service' => 'web_static', 'session' => $session]);
}

// After a login or logout a browser goes on to the page, a program reads what has become of the session.
function changed(array $session): void
{
    if (asks_for_json()) {
        show_session($session);
    } else {
        http_response_code(303);
        header('Location: /');
        header('Content-Length: 0');
    }
}

function path(): string
{
    return explode('?', $_SERVER['REQUEST_URI'], 2)[0];
}

// How many milliseconds `?delay=MS` asks to wait.
function delay(): int
{
    $delay = field($_SERVER['QUERY_STRING'] ?? '', 'delay') ?? '0';
    if (!preg_match('/^[0-9]+$/D', $delay) || (int) $delay > LONGEST_DELAY) {
        refuse(400, 'delay must be a whole number of milliseconds up to ' . LONGEST_DELAY);
    }
    return (int) $delay;
}

// Waits, but not for a client that is gone: what the proxy has given up must not keep this server from stopping.
function wait(int $milliseconds): void
{
    $end = hrtime(true) + $milliseconds * 1_000_000;
    while (($left = $end - hrtime(true)) > 0) {
        usleep((int) (min($left, 100_000_000) / 1000) + 1);
        if (!connected()) {
            exit;
        }
    }
}

// Whether the client still holds its connection. PHP would only notice when it writes; the kernel's table tells before.
function connected(): bool
{
    $address = inet_pton($_SERVER['REMOTE_ADDR']);
    if ($address === false || strlen($address) !== 4) {
        return true;
    }
    $client = sprintf('%s:%04X', strtoupper(bin2hex(strrev($address))), $_SERVER['REMOTE_PORT']);
    return str_contains(file_get_contents('/proc/net/tcp'), " $client 01 ");
}

// The body of a form; what is larger is none.
function body(): string
{
    $body = file_get_contents('php://input', length: LARGEST_BODY + 1);
    if (strlen($body) > LARGEST_BODY) {
        refuse(413, 'the body is too large for a form');
    }
    return $body;
}

// Who logs in, by the form field `user`.
function user(string $body): string
{
    $type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '', 2)[0]));
    $user = trim($type === FORM ? field($body, 'user') ?? '' : '', ' ');
    if ($user === '') {
        refuse(400, 'who logs in? send the form field `user`');
    }
    // neither control characters nor bytes that are no UTF-8
    if (preg_match('/[\p{Cc}\x{FFFD}]/u', $user) !== 0) {
        refuse(400, 'user must be plain text');
    }
    if (preg_match_all('/./u', $user) > LONGEST_NAME) {
        refuse(400, 'user may have ' . LONGEST_NAME . ' characters at most');
    }
    return $user;
}

// The last field of this name. PHP's own arrays of fields rename some (`a.b`) and nest others (`a[]`).
function field(string $encoded, string $name): ?string
{
    $found = null;
    foreach (explode('&', $encoded) as $pair) {
        [$key, $value] = explode('=', $pair, 2) + ['', ''];
        if (urldecode($key) === $name) {
            $found = urldecode($value);
        }
    }
    return $found;
}

function asks_for_json(): bool
{
    return str_contains(strtolower($_SERVER['HTTP_ACCEPT'] ?? ''), 'application/json');
}

// Answers with an error, in JSON for programs and in plain text for people.
function refuse(int $status, string $message): never
{
    http_response_code($status);
    $for_program = path() === '/session' || str_starts_with(path(), '/api/') || asks_for_json();
    if ($for_program) {
        send_json(['error' => $message]);
    } else {
        send('text/plain; charset=utf-8', "$message\n");
    }
    exit;
}

function send_json(array $data): void
{
    $as_it_stands = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_LINE_TERMINATORS;
    send('application/json', json_encode($data, $as_it_stands | JSON_INVALID_UTF8_SUBSTITUTE));
}

function send(string $type, string $body): void
{
    header("Content-Type: $type");
    header('Content-Length: ' . strlen($body));
    echo $body;
}
