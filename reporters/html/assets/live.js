// This script keeps the page of an unfinished run up to date: the last second by the event `now`, the
// whole page by `page`, of which it replaces the parts that changed. The reader's state
// stays: zoom, scroll position, open details, sorting, focus, typed text.
(() => {
'use strict';
const all = (q, e) => [...(e || document).querySelectorAll(q)], bar = document.getElementById('live'), said = document.getElementById('said');
const put = (name, text) => { for (const e of all('[data-now=' + name + ']', bar)) if (e.textContent !== text) e.textContent = text; };
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
let shows = 0;
async function show(html) {
  if (html === null) return;
  const n = ++shows, later = [], page = html;
  const postponed = () => { const held = still || busy || selecting(); waiting = held ? page : null; return held; };
  if (postponed()) return;
  // subtle: the policy forbids an unknown style even in a document that is only parsed; it
  // allows a sheet made by a script
  const css = /<style>([^]*?)<\/style>/.exec(html);
  html = html.replace(css[0], '');
  const next = new DOMParser().parseFromString(html, 'text/html'), main = document.querySelector('main'), ready = {};
  // subtle: unpacking takes a moment, in which the new charts would show unzoomed
  if (self.DecompressionStream) for (const e of all('#data' + (/[?&]of=/.test(location.hash) ? ', #facets' : ''), next)) ready[e.id] = await inflate(e);
  if (n !== shows || postponed()) return;
  const brief = next.querySelector('main').hasAttribute('data-brief'); // some parts are omitted; the present ones stay
  sheet.replaceSync(css[1]);
  if (!brief) whole.replaceSync(css[1]);
  document.title = next.title;
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
  for (const id of ['data', 'facets']) { // data of the charts, and of single loads and steps
    const now = next.getElementById(id), was = document.getElementById(id);
    if (was) was.textContent = now ? now.textContent : '';
    else if (now) document.body.append(document.adoptNode(now));
  }
  await brunt(ready);
  for (const again of later) again();
  const under = pointer && document.elementFromPoint(...pointer), chart = under && under.closest('.frame[data-time]');
  if (chart) chart.dispatchEvent(new PointerEvent('pointermove', { clientX: pointer[0], clientY: pointer[1], pointerType: 'mouse' }));
}

const events = new EventSource('/events');
let over = false, shown = Promise.resolve();
events.addEventListener('now', e => {
  const now = JSON.parse(e.data);
  bar.classList.remove('lost');
  if (!over) said.textContent = '';
  for (const name of ['phase', 'left', 'faults']) put(name, now[name]);
  for (const p of all('progress', bar)) p.value = now.done;
  const list = bar.querySelector('dl');
  if (list.children.length !== now.figures.length) list.replaceChildren(...now.figures.map(() => { const d = document.createElement('div'); d.append(document.createElement('dt'), document.createElement('dd')); return d; }));
  now.figures.forEach((f, i) => { const [dt, dd] = list.children[i].children; dt.textContent = f.Name; dd.textContent = f.Value; });
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
  said.textContent = JSON.parse(e.data).text;
});
events.onerror = () => {
  if (over) return;
  bar.classList.add('lost');
  said.textContent = 'No answer from brunt: this is what was last heard. It is asked again every second.';
};

const form = bar.querySelector('form'), out = form.querySelector('output');
form.onsubmit = async e => {
  e.preventDefault();
  out.textContent = '';
  try {
    const r = await fetch('/stop', { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    out.textContent = (await r.text()).trim();
    if (r.ok) form.querySelector('input').value = '';
  } catch (x) {
    out.textContent = 'brunt does not answer.';
  }
};
})();
