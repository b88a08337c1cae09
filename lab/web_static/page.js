'use strict';
(() => {
  const PERIOD = 2000; // ms between two loads of the page
  const PRESS = 600; // ms that a press of a button gets, so that a reload does not swallow its click
  const PATIENCE = 15000; // ms for an answer of web_dynamic, as no reload interrupts it
  const LOADS = 20;
  const ANSWERS = 10;

  const byId = (id) => document.getElementById(id);
  const user = byId('user');
  const toggle = byId('auto-reload');

  // What outlives a reload. Storage may be switched off in a browser: the page then works without a memory.
  const recall = (key, fallback) => {
    try {
      return JSON.parse(sessionStorage.getItem(`lab.${key}`)) ?? fallback;
    } catch {
      return fallback;
    }
  };
  const keep = (key, value) => {
    try {
      sessionStorage.setItem(`lab.${key}`, JSON.stringify(value));
    } catch {
      // nothing to do about it
    }
  };

  // A colour by name. Numbered replicas (web_static-1, -2, …) stand a golden angle apart: neighbours never look alike.
  const hueOf = (name) => {
    const [, stem, number] = /^(.*?)(?:-(\d{1,6}))?$/s.exec(name);
    let hash = 0x811c9dc5;
    for (const character of stem) {
      hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
    }
    return ((hash >>> 0) % 360 + Number(number ?? 0) * 137.508) % 360;
  };
  const paint = (element, name) => element.style.setProperty('--hue', hueOf(name).toFixed(1));

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  };

  // The hostnames seen.
  const showHistory = () => {
    byId('history').replaceChildren(...recall('history', []).map((name) => {
      const item = make('li', 'name', name);
      paint(item, name);
      return item;
    }));
    const counts = recall('counts', []);
    const most = Math.max(...counts.map(([, hits]) => hits), 1);
    byId('counts').replaceChildren(...counts.map(([name, hits]) => {
      const item = make('li', '', '');
      const share = make('span', 'share', '');
      paint(item, name);
      share.style.width = `${100 * hits / most}%`;
      item.append(make('span', 'name', name), share, make('span', 'hits', hits));
      return item;
    }));
  };
  const see = (name) => {
    keep('history', [...recall('history', []), name].slice(-LOADS));
    const counts = new Map(recall('counts', []));
    counts.set(name, (counts.get(name) ?? 0) + 1);
    keep('counts', [...counts].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
  };
  byId('clear-history').addEventListener('click', () => {
    keep('history', []);
    keep('counts', []);
    showHistory();
  });

  // The answers of web_dynamic.
  let fetching = 0;
  let leaving = false;
  const showAnswers = () => {
    const answers = recall('answers', []);
    byId('dynamic-list').replaceChildren(...answers.map(({ hostname, detail, failed }) => {
      const item = make('li', '', '');
      const name = make('span', failed ? 'name error' : 'name', hostname);
      paint(name, hostname);
      item.append(name, make('span', 'detail', detail));
      return item;
    }));
    byId('dynamic-empty').hidden = answers.length > 0;
    byId('clear-dynamic').hidden = answers.length === 0;
  };
  const ask = async () => {
    const answer = await fetch('/api/', {
      cache: 'no-store',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) {
      throw new Error(`status ${answer.status}`);
    }
    const { hostname, request } = await answer.json();
    return { hostname: String(hostname), detail: `request ${request}` };
  };
  byId('fetch-dynamic').addEventListener('click', async () => {
    fetching += 1;
    const answer = await ask().catch((error) => ({ hostname: 'no answer', detail: error.message, failed: true }));
    fetching -= 1;
    if (!leaving) {
      keep('answers', [answer, ...recall('answers', [])].slice(0, ANSWERS));
      showAnswers();
      plan();
    }
  });
  byId('clear-dynamic').addEventListener('click', () => {
    keep('answers', []);
    showAnswers();
  });

  // The reload. It waits for a name that is being typed and for an answer under way, and never outruns a click.
  let timer;
  let due = performance.now() + PERIOD;
  const plan = () => {
    clearTimeout(timer);
    const typing = document.activeElement === user || user.value !== user.defaultValue;
    byId('auto-reload-state').textContent = !toggle.checked ? 'stopped' : typing ? 'waits for the name' : 'every 2 s';
    if (toggle.checked && !typing && !fetching && !leaving) {
      timer = setTimeout(reload, Math.max(due - performance.now(), 0));
    }
  };
  const notBefore = (ms) => {
    due = Math.max(due, performance.now() + ms);
    plan();
  };
  const reload = () => {
    leaving = true;
    keep('focus', document.activeElement?.id ?? '');
    location.reload();
  };
  toggle.checked = recall('auto-reload', true);
  toggle.addEventListener('change', () => {
    keep('auto-reload', toggle.checked);
    notBefore(PERIOD);
  });
  for (const event of ['focus', 'blur', 'input']) {
    user.addEventListener(event, () => notBefore(PERIOD));
  }
  for (const event of ['pointerdown', 'keydown']) {
    document.addEventListener(event, () => notBefore(PRESS), { passive: true });
  }
  document.addEventListener('submit', () => {
    leaving = true;
    plan();
  });
  // A page that the browser brings back as it was shows an old answer.
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      location.reload();
    }
  });

  const hostname = byId('hostname').textContent;
  paint(document.documentElement, hostname);
  see(hostname);
  showHistory();
  showAnswers();
  byId(recall('focus', ''))?.focus({ preventScroll: true });
  keep('focus', '');
  plan();
})();
