// This script keeps the page of an unfinished run up to date: the last second by the event `now`, the
// whole page by `page`, of which it replaces the parts that changed. The reader's state
// stays: zoom, scroll position, open details, sorting, focus, typed text.
(() => {
'use strict';
const bar = document.getElementById('live'), note = document.getElementById('said');
const put = (name, text) => { for (const e of all('[data-now=' + name + ']')) if (e.textContent !== text) e.textContent = text; };
const sheet = new CSSStyleSheet(), whole = new CSSStyleSheet();
document.adoptedStyleSheets = [whole, sheet];

let still = false, busy = false, waiting = null, pointer = null;
const hold = document.getElementById('hold');
hold.hidden = false;
hold.onclick = () => {
  still = !still;
  hold.ariaPressed = String(still);
  hold.textContent = still ? 'Go on' : 'Pause';
  if (!still) show(waiting);
};
addEventListener('pointerdown', () => { busy = true; });
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => { busy = false; if (waiting && !still) setTimeout(() => show(waiting)); });
addEventListener('pointermove', e => { pointer = e.pointerType === 'mouse' ? [e.clientX, e.clientY] : null; });
const selecting = () => { const s = getSelection(); return s && !s.isCollapsed; };

// stateOf records the reader's state of a part of the page, and returns a function that applies it to the
// part that replaces it
const focusable = 'a, button, input, summary, .frame, [tabindex]';
function stateOf(part) {
  const focus = all(focusable, part).indexOf(document.activeElement);
  const open = all('details', part).map(d => d.open);
  const sorts = all('table.sort', part).map(t => { const heads = all('thead th', t), i = heads.findIndex(h => h.ariaSort); return i < 0 ? null : [i, heads[i].ariaSort]; });
  return next => {
    all('details', next).forEach((d, i) => { if (open[i] !== undefined) d.open = open[i]; });
    return () => { // after the page's own script has run on it
      all('table.sort', next).forEach((t, i) => {
        if (!sorts[i]) return;
        const head = all('thead th', t)[sorts[i][0]];
        for (let n = 0; head && head.ariaSort !== sorts[i][1] && n < 2; n++) all('button', head).forEach(b => b.click());
      });
      const e = focus < 0 ? null : all(focusable, next)[focus];
      if (e) e.focus({ preventScroll: true });
    };
  };
}
const drawn = new Map(); // the text of each part as it was shown last
const moving = part => part.matches('section') && part.querySelector('.frame, table.sort');
let frames = 0;
async function show(html) {
  if (html === null) return;
  const n = ++frames, later = [], page = html;
  const postponed = () => { const held = still || busy || selecting(); waiting = held ? page : null; return held; };
  if (postponed()) return;
  // subtle: the policy forbids an unknown style even in a document that is only parsed; it
  // allows a sheet made by a script
  const css = /<style>([^]*?)<\/style>/.exec(html);
  html = html.replace(css[0], '');
  const next = new DOMParser().parseFromString(html, 'text/html'), main = document.querySelector('main'), ready = {};
  // subtle: unpacking takes a moment, in which the new charts would show unzoomed
  if (self.DecompressionStream) for (const e of all('#data' + (/[?&]of=/.test(location.hash) ? ', #facets' : ''), next)) ready[e.id] = await inflate(e);
  if (n !== frames || postponed()) return;
  const brief = next.querySelector('main').hasAttribute('data-brief'); // some parts are omitted; the present ones stay
  sheet.replaceSync(css[1]);
  if (!brief) whole.replaceSync(css[1]);
  if (!next.getElementById('live')) document.title = next.title; // the report
  const change = (old, part) => {
    const again = stateOf(old)(part);
    old.replaceWith(part);
    later.push(again);
  };
  for (const q of ['body > header', 'body > footer', ...brief ? [] : ['body > nav']]) {
    const part = next.querySelector(q), old = document.querySelector(q);
    if (part && old && part.outerHTML !== drawn.get(q)) { drawn.set(q, part.outerHTML); change(old, document.adoptNode(part)); }
  }
  const ids = new Set();
  let before = null;
  for (const part of all('main > section', next)) {
    ids.add(part.id);
    const text = part.outerHTML, old = document.getElementById(part.id);
    if (!old) before ? before.after(document.adoptNode(part)) : main.prepend(document.adoptNode(part));
    else if (text !== drawn.get(part.id) || moving(old) || moving(part)) change(old, document.adoptNode(part));
    drawn.set(part.id, text);
    before = document.getElementById(part.id);
  }
  for (const old of all('main > section')) if (!ids.has(old.id)) brief ? all('.cur, .sel', old).forEach(e => e.remove()) : old.remove();
  for (const id of ['data', 'facets', 'points']) { // data of the charts, of single loads and steps, and of curves
    const now = next.getElementById(id), was = document.getElementById(id);
    if (was) was.textContent = now ? now.textContent : '';
    else if (now) document.body.append(document.adoptNode(now));
  }
  await brunt(ready);
  if (typeof plot === 'function') await plot();
  for (const again of later) again();
  const under = pointer && document.elementFromPoint(...pointer), chart = under && under.closest('.frame[data-time]');
  if (chart) chart.dispatchEvent(new PointerEvent('pointermove', { clientX: pointer[0], clientY: pointer[1], pointerType: 'mouse' }));
}

// second shows the last second: it changes what is there, so that a reader's focus and scroll position stay
const make = (name, cls, text) => { const e = document.createElement(name); if (cls) e.className = cls; if (text) e.textContent = text; return e; };
const drawing = (box, cls, lines) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  if (cls) svg.setAttribute('class', cls);
  svg.setAttribute('viewBox', box);
  svg.setAttribute('preserveAspectRatio', 'none');
  for (const [name, d] of lines) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    if (name) path.setAttribute('class', name);
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
};
const shows = {
  big: d => {
    const e = make('div', d.tone), dd = make('dd');
    dd.append(make('b', '', d.value), ' ', make('small', '', d.note));
    if (d.line) {
      const svg = drawing('0 0 120 32', 'minute', [['shade', d.shade], ['behind', d.behind], ['aim', d.aim], ['value', d.line]]);
      svg.setAttribute('role', 'img');
      svg.ariaLabel = d.label;
      dd.append(svg);
    }
    e.append(make('dt', '', d.name), dd);
    return e;
  },
  objectives: o => {
    const e = make('li', o.tone), what = make('span', 'what'), mark = make('b', '', o.mark);
    mark.ariaHidden = 'true';
    what.append(mark, ' ' + o.text);
    e.append(what, ' ', make('small', '', o.left));
    if (o.bar) {
      const svg = drawing('0 0 100 4', '', [['', 'M0 2H100'], ['left', o.bar]]);
      svg.ariaHidden = 'true';
      e.append(svg);
    }
    return e;
  },
  figures: f => { const e = make('div'); e.append(make('dt', '', f.Name), make('dd', '', f.Value)); return e; },
  log: h => { const e = make('li', h.tone); e.append(make('time', '', h.at), ' ' + h.text); return e; },
};
// desk shows the faults that wait for people; a row stays in place, so that a press is not lost
const desk = document.getElementById('desk'), rows = desk.querySelector('ul');
const rowKey = (fault, buttons) => fault + ' ' + buttons.length;
function deskRow(r) {
  const li = make('li');
  li.dataset.fault = r.name;
  li.append(make('b', '', r.name), ' ', make('span'), ' ');
  for (const b of r.buttons) {
    const e = make('button', '', b.text);
    e.type = 'button';
    e.dataset.mark = b.mark;
    li.append(e, ' ');
  }
  return li;
}
function deskOf(list) {
  const had = new Map([...rows.children].map(li => [rowKey(li.dataset.fault, all('button', li)), li]));
  const shown = list.map(r => had.get(rowKey(r.name, r.buttons)) || deskRow(r));
  for (const li of had.values()) if (!shown.includes(li)) li.remove();
  list.forEach((r, i) => {
    const li = shown[i], state = li.querySelector('span');
    if (rows.children[i] !== li) rows.insertBefore(li, rows.children[i] || null);
    li.className = r.tone;
    if (state.textContent !== r.state) state.textContent = r.state;
    all('button', li).forEach((e, n) => { e.disabled = r.buttons[n].done; });
  });
  desk.hidden = !list.length;
}
const parts = {};
function second(now) {
  deskOf(now.desk || []);
  for (const name of ['phase', 'left', 'more', 'state']) put(name, now[name]);
  for (const e of all('[data-now=state]')) e.className = now.tone;
  for (const p of all('progress', bar)) p.value = now.done;
  for (const [name, show] of Object.entries(shows)) {
    const list = document.querySelector('#second [data-now=' + name + ']'), items = now[name] || [], had = parts[name] || [];
    items.forEach((item, i) => {
      const text = JSON.stringify(item);
      if (had[i] === text && list.children[i]) return;
      if (list.children[i]) list.children[i].replaceWith(show(item)); else list.append(show(item));
      had[i] = text;
    });
    while (list.children.length > items.length) list.lastElementChild.remove();
    had.length = items.length;
    parts[name] = had;
  }
  document.title = now.title + ' · ' + (document.querySelector('h1 .name') || { textContent: '' }).textContent;
}

const events = new EventSource('/events');
let over = false, shown = Promise.resolve();
events.addEventListener('now', e => {
  const now = JSON.parse(e.data);
  bar.classList.remove('lost');
  if (!over) note.textContent = '';
  second(now);
});
events.addEventListener('page', e => { shown = show(JSON.parse(e.data)); });
events.addEventListener('over', async e => {
  over = true;
  events.close();
  still = busy = false;
  getSelection().removeAllRanges();
  await shown;
  await show(waiting);
  bar.classList.remove('lost');
  bar.classList.add('over');
  note.textContent = JSON.parse(e.data).text;
});
events.onerror = () => {
  if (over) return;
  bar.classList.add('lost');
  note.textContent = 'No answer from brunt: this is what was last heard. It is asked again every second.';
};

async function post(path, form, more) {
  const out = form.querySelector('output'), body = new URLSearchParams(new FormData(form));
  for (const name in more) body.set(name, more[name]);
  out.textContent = '';
  try {
    const r = await fetch(path, { method: 'POST', body });
    out.textContent = (await r.text()).trim();
    return r.ok;
  } catch (x) {
    out.textContent = 'brunt does not answer.';
    return false;
  }
}
const form = bar.querySelector('.stop form');
form.onsubmit = async e => {
  e.preventDefault();
  if (await post('/stop', form)) form.querySelector('input').value = '';
};
desk.onsubmit = e => e.preventDefault();
desk.onclick = async e => {
  const b = e.target.closest('button');
  if (!b || !desk.reportValidity()) return;
  if (await post('/mark', desk, { mark: b.dataset.mark, fault: b.closest('li').dataset.fault })) b.disabled = true;
};
})();
