// This script reads values under the pointer, zooms the charts, selects loads and steps, links to a
// view, sorts tables, and shows the steps of one phase. The page is complete without it. A page that changes calls brunt() again
// after each change: the view stays, as it is part of the address. The caller passes data unpacked
// before the change, so that the browser paints no state in between.
let listeners = new AbortController(); // of the latest call
const brunt = async unpacked => {
'use strict';
const ready = unpacked || {};
const again = document.documentElement.dataset.ready;
listeners.abort();
listeners = new AbortController();
const { signal } = listeners;

// valueOf returns the value of a figure in a table, for sorting: 1m2.5s, 3.5 KiB, 12 345
const sizes = { h: 3600, m: 60, ms: 1e-3, µs: 1e-6, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
function valueOf(t) {
  const below = /^[-−]/.test(t);
  let sum = 0, n = 0;
  for (const [, f, u] of t.slice(below).replaceAll('\u00a0', '').matchAll(/([\d.]+)(?:\s?(h|ms|m|µs|s|[KMGT]iB)(?![a-z]))?/gy)) { sum += f * (sizes[u] || 1); n++; }
  return t === '∞' ? Infinity : t === '–' ? -Infinity : !n ? t : below ? -sum : sum;
}

// rove makes elements one stop of the Tab key: two arrow keys move between them
const rove = (list, back, on) => list.forEach((e, i) => {
  e.tabIndex = i ? -1 : 0;
  e.onkeydown = ev => {
    const to = list[i + ({ [back]: -1, [on]: 1 }[ev.key] || list.length)];
    if (!to) return;
    ev.preventDefault();
    e.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  };
});
for (const table of all('table')) rove(all('td summary', table), 'ArrowUp', 'ArrowDown');

// a table of several rows is sorted by the buttons of its head
for (const table of all('table.sort').filter(t => t.rows.length > 2)) all('thead th', table).forEach((th, col, heads) => {
  const b = th.querySelector('button') || make('button', { type: 'button' }, ...th.childNodes);
  th.append(b);
  if (th === heads.at(-1)) rove(heads.map(h => h.firstChild), 'ArrowLeft', 'ArrowRight');
  const key = row => { const c = row.cells[col]; return c.dataset.v === undefined ? valueOf(c.textContent) : +c.dataset.v; };
  b.onclick = () => {
    const up = th.ariaSort === 'descending' ? 1 : th.ariaSort === 'ascending' ? -1 : col ? -1 : 1;
    for (const o of all('thead th', table)) o.removeAttribute('aria-sort');
    th.ariaSort = up > 0 ? 'ascending' : 'descending';
    for (const body of table.tBodies) {
      const rows = all('tr', body);
      rows.sort((x, y) => { const a = key(x), b = key(y); return a === b ? 0 : up * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))); });
      body.append(...rows);
    }
  };
});

// copy adds a button that copies a text
async function toClipboard(text) {
  try { await navigator.clipboard.writeText(text); } catch { // no such right, or an old browser
    const area = make('textarea', { value: text });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}
function copy(box, name, text) {
  if (box.querySelector(':scope > .copy')) return;
  const b = make('button', { type: 'button', className: 'copy', textContent: name });
  b.onclick = async () => { await toClipboard(text()); b.textContent = 'Copied'; setTimeout(() => { b.textContent = name; }, 1500); };
  box.append(b);
}
// paper shows every objective and note, and each of a few phases: they are folded on the screen
for (const [event, open] of [['beforeprint', true], ['afterprint', false]]) addEventListener(event, () => {
  for (const d of all('#objectives > details, .side > details, .more-notes, .part')) d.open = open;
  if (phases.length <= 12) phases.forEach((d, i) => { d.open = open || i === +choice.value; });
}, { signal });
for (const pre of all('pre')) copy(pre, 'Copy', () => pre.querySelector('code').textContent);
const ticket = document.getElementById('ticket'); // the run as text, for a message
if (ticket && !document.getElementById('live')) copy(document.querySelector('header'), 'Copy as text', () => ticket.content.textContent);
for (const h of all('main > section[id] > h2')) { copy(h, 'Copy link', () => location.href.split('#')[0] + '#' + h.parentNode.id); h.lastChild.tabIndex = -1; }

// the navigation marks the part that is in view
const links = all('nav a');
const mark = () => {
  const seen = links.findLast(a => { const e = document.getElementById(a.hash.slice(1)); return e && e.getBoundingClientRect().top < innerHeight / 3; }) || links[0];
  for (const a of links) a === seen ? a.ariaCurrent = 'location' : a.removeAttribute('aria-current');
};
addEventListener('scroll', mark, { signal, passive: true });
mark();

// one phase at a time: a choice in place of the headings that unfold them
const phases = all('.phase'), choice = document.querySelector('.choice select') || make('select', {});
if (phases.length > 1 && !phases[0].closest('.one')) {
  choice.append(...phases.map((d, i) => new Option(d.querySelector('summary').textContent.replace('Steps in ', ''), i)));
  choice.onchange = () => phases.forEach((d, i) => { d.open = i === +choice.value; });
  choice.selectedIndex = Math.max(0, phases.findIndex(d => d.open));
  choice.onchange();
  phases[0].before(make('label', { className: 'choice' }, 'Steps in ', choice));
  phases[0].parentNode.classList.add('one');
}

const boxes = watchBoxes();
signal.addEventListener('abort', () => boxes.disconnect());

if (!document.getElementById('data') || !self.DecompressionStream) return;

// decode unpacks the data of charts: T holds the start of each point and, last, the end of the run; V
// the numbers of each line's strokes; K the strokes of each chart, which are a piece of path and the
// text of a value, both made by Go
const unfold = t => [...t.matchAll(/([^|]*)\|([^|]*)\|([^|]*)\|?/g)].flatMap(([, begin, differs, end]) => differs ? [...differs].map(c => begin + c + end) : begin);
function decode(d) {
  const T = [], V = [];
  let at = d.t[0];
  for (const [w, n] of d.t[1]) for (let i = 0; i < n; i++) { T.push(at / 1e3); at += w; }
  T.push(at / 1e3);
  for (const s of d.s) {
    const v = new Array(Math.ceil((T.length - 1) / (s.g || 1))).fill(s.o || 0), z = s.z || [], w = s.w || 0;
    for (let i = 0; i < v.length && w; i++) { let n = 0; for (let k = 0; k < w; k++) n = n * 57 + s.v.charCodeAt(k * v.length + i) - 35; v[i] += n; }
    for (let i = 0; i < z.length; i += 2) v[z[i]] = z[i + 1];
    V.push(s.b === undefined ? v : v.map((x, i) => V[s.b][i] + x));
  }
  return { ...d, T, V, K: d.k.map(k => ({ p: unfold(k.p), t: unfold(k.t), a: k.a || {} })) };
}
const D = ready.data || await inflate(document.getElementById('data'));
if (signal.aborted) return;
const whole = decode(D), A = D.a, B = D.b, W = D.w, moments = W.t.flatMap(([begin, ends]) => ends.map(e => begin + e));
let parts = null, shown = whole, selected = -1; // of D.p

// when returns the text of a moment, and text that of a line's value at a point
const when = s => { const ms = Math.round(s * 1e3); return W.o[ms] || moments[ms / W.s - W.f] || ''; };
const text = ({ s, V, K }, id, i) => K[s[id].k].t[V[id][Math.floor(i / (s[id].g || 1))]];

// charts are the charts over time: the lines of each, and whether the selector changes them
const charts = all('.frame[data-time]').map(frame => {
  const fig = frame.closest('figure'), plot = frame.querySelector('.plot > svg');
  const ids = all('.legend b[data-s]', fig).map(b => +b.dataset.s);
  return { frame, fig, plot, ids, id: fig.id.slice(2), switched: ['c-latency', 'c-throughput', 'c-errors'].includes(fig.id), title: plot.getAttribute('aria-label').split('. ')[0] };
});
const source = c => c.switched ? shown : whole;

// flat returns what a chart of times has on a linear scale; undefined: it stays as it is
let linear = false;
const flat = c => linear && c.id === 'latency' ? shown.c ? shown.c.latency.y : D.y : undefined;

// lines shows every point, for a part of the run, a load or a step
function lines(c) {
  const { s, V, K } = source(c), y = flat(c), at = t => Math.round(500 * (1 - Math.min(1, Math.max(0, valueOf(t)) / y.h)));
  for (const e of all('path[data-s]', c.plot)) {
    const { k, m: log } = s[e.dataset.s], { p: pieces, t, a } = K[k], area = e.classList.contains('area');
    const p = y ? pieces.map((d, i) => d[0] === 'm' ? d : d.replace(/^(V|M\S+ )\d+/, (_, to) => to + at(t[i]))) : pieces;
    const m = y ? [log[0].replace(/\d+$/, d => V[e.dataset.s].length && pieces[V[e.dataset.s][0]][0] !== 'm' ? at(t[V[e.dataset.s][0]]) : d)] : log;
    e.setAttribute('d', m[+area] + V[e.dataset.s].map(i => area && a[i] || p[i]).join('') + (area ? m[2] : ''));
    e.setAttribute('transform', D.m);
  }
}

// names moves the names of lines to where these leave the view, and of peaks to their moment
function names(c, whole) {
  const { T } = source(c), part = c.switched && shown.c ? shown.c[c.id].e : D.e[c.id], last = find(T, view[1] - 1e-6);
  if (flat(c)) return;
  all('.plot u', c.frame).forEach((u, i) => {
    const y = whole ? 0 : part.h[i][Math.floor(last / part.g)];
    u.hidden = y < 0;
    u.style.top = whole ? '' : y + '%';
  });
  for (const row of all('.tops', c.frame)) {
    const list = all('span', row), alone = list.filter(e => !e.hidden).length < 2;
    for (const e of list) {
      const x = place(+e.dataset.a);
      e.dataset.left ||= +e.classList.contains('left');
      e.classList.toggle('left', !whole && alone ? x > 60 : e.dataset.left === '1');
      e.style.maxWidth = whole ? '' : (e.classList.contains('left') ? x : 100 - x) + '%';
    }
  }
}

// keep records how Go drew a chart, before the first change
function keep(c) {
  const html = q => all(q, c.frame).map(e => e.outerHTML).join('');
  if (c.switched) c.fig.drawn ||= { tops: html('.tops'), names: html('.plot u'), strips: html('.strip'), ticks: html('.plot em'), lines: c.plot.lastElementChild.innerHTML, label: c.plot.ariaLabel, table: all('details > :not(summary)', c.fig).map(e => e.outerHTML).join('') };
}

// draw shows a chart as Go drew it, for the whole run or for a load or step
function draw(c) {
  const d = shown.c ? shown.c[c.id] : c.fig.drawn, box = c.plot.parentNode;
  for (const e of all('.tops, .strip, .plot em, .plot u, .shown, details > :not(summary)', c.fig)) e.remove();
  box.insertAdjacentHTML('beforebegin', d.tops + d.strips);
  const y = flat(c);
  box.insertAdjacentHTML('afterbegin', y ? y.t : d.ticks);
  if (!y) box.insertAdjacentHTML('beforeend', d.names); // they stand at the ends of the lines on the logarithmic scale
  c.plot.lastElementChild.innerHTML = d.lines;
  if (y) { for (const e of all(':scope > path:not([data-s])', c.plot.lastElementChild)) e.remove(); c.plot.lastElementChild.insertAdjacentHTML('afterbegin', y.g); }
  c.plot.ariaLabel = d.label;
  c.fig.querySelector('details').insertAdjacentHTML('beforeend', d.table);
  if (shown.n) c.fig.querySelector('figcaption').append(make('p', { className: 'shown', textContent: shown.n }));
  if (shown.c || !coarse) lines(c);
  scrolls();
}

for (const b of all('.lane > b')) b.title = ((D.f || []).find(f => f.a <= +b.dataset.a && parseInt(f.n) === +b.textContent) || { n: '' }).n;

// the view: a time range, and a load or step
let view = [A, B], coarse = true, picked = null; // coarse: the lines have as much detail as the whole run can show
const isWhole = () => view[0] <= A && view[1] >= B, place = t => 100 * (t - view[0]) / (view[1] - view[0]);
const find = (T, t) => { let lo = 0, hi = T.length - 1; while (hi - lo > 1) { const m = (lo + hi) >> 1; T[m] <= t ? lo = m : hi = m; } return lo; };
const part = c => c.fig.closest('section'); // the first chart of a part is the stop of the Tab key
for (const c of charts) {
  for (const e of all('.cur, .slider', c.frame)) e.remove();
  c.cursor = make('div', { className: 'cur', hidden: true }, make('span'));
  c.slider = make('div', { className: 'slider', tabIndex: charts.find(o => part(o) === part(c)) === c ? 0 : -1, role: 'slider', ariaLabel: c.title + ': values over time. Arrow keys read them, plus and minus zoom, Escape shows the whole run', ariaValueMin: A, ariaValueMax: B, ariaValueNow: A, ariaValueText: when(A) });
  c.frame.append(c.cursor, c.slider);
}
const values = all('.legend b[data-s]').map(b => ({ b, s: +b.dataset.s, c: charts.find(c => c.fig.contains(b)) }));

function pick(t) {
  picked = t = Math.max(A, Math.min(B, t));
  for (const { b, s, c } of values) b.textContent = text(source(c), s, find(source(c).T, t));
  const i = find(whole.T, t), x = place((whole.T[i] + whole.T[i + 1]) / 2);
  for (const c of charts) {
    const of = source(c), i = find(of.T, t), span = when(of.T[i]) + ' to ' + when(of.T[i + 1]);
    c.cursor.hidden = x < 0 || x > 100;
    c.cursor.style.left = x + '%';
    c.cursor.firstChild.textContent = span;
    c.cursor.firstChild.className = x < 8 ? 'first' : x > 92 ? 'last' : '';
    c.slider.ariaValueNow = t;
    c.slider.ariaValueText = span + charts.filter(o => part(o) === part(c)).flatMap(o => o.ids.map(s => ', ' + of.s[s].n + ' ' + text(source(o), s, i))).join('');
  }
}
function leave() {
  picked = null;
  for (const { b } of values) b.textContent = '';
  for (const c of charts) c.cursor.hidden = true;
}
function fine() { coarse = false; for (const c of charts) { for (const s of all('.dense', c.frame)) s.classList.remove('dense'); lines(c); } }
function straighten(on) {
  charts.forEach(keep);
  linear = on;
  for (const p of all('#c-latency figcaption > p')) p.firstChild.data = p.firstChild.data.replace(/a (logarithmic|linear) scale/, 'a ' + (on ? 'linear' : 'logarithmic') + ' scale');
  if (coarse) fine();
  for (const c of charts) if (c.id === 'latency') draw(c);
  zoom(...view);
}
function zoom(a, b) {
  const width = Math.max(.01, Math.min(B - A, b - a));
  a = Math.max(A, Math.min(B - width, a));
  view = [a, a + width];
  const w = isWhole();
  if (w) view = [A, B];
  if (!w) charts.forEach(keep);
  if (coarse && !w) fine();
  for (const s of all('svg.z')) { const h = s.viewBox.baseVal.height; s.setAttribute('viewBox', w ? '0 0 2000 ' + h : 2e3 * (view[0] - A) / (B - A) + ' 0 ' + 2e3 * (view[1] - view[0]) / (B - A) + ' ' + h); }
  for (const e of all('[data-a]')) {
    if (e.closest('.still')) continue;
    const l = place(+e.dataset.a), r = e.dataset.b === undefined ? l : place(+e.dataset.b), label = e.tagName === 'SPAN', numbered = e.tagName === 'B', bar = !label && r > l, left = label || numbered ? Math.max(0, l) : l;
    if (e.closest('.xaxis')) { e.hidden = !w; continue; }
    e.style.left = w ? '' : left + '%';
    e.style.width = w || !bar ? '' : Math.max(0, r - left) + '%';
    e.style.maxWidth = w ? '' : 'none';
    if (label || numbered) e.hidden = !w && (l > 100 || r < 0);
  }
  for (const c of charts) names(c, w);
  for (const e of all('.xaxis .new')) e.remove();
  if (!w) {
    const step = W.s / 1e3 * (W.k.find(n => (view[1] - view[0]) * 1e3 <= 8 * n * W.s) || W.k.at(-1));
    for (const axis of all('.frame[data-time] .xaxis, .rows .xaxis')) for (let i = Math.ceil(view[0] / step); i * step <= view[1]; i++) {
      const s = make('span', { className: 'new', textContent: when(i * step) });
      s.style.left = place(i * step) + '%';
      axis.append(s);
    }
  }
  if (picked !== null) pick(picked);
  settle();
}
async function choose(i) {
  if (i >= 0 && !parts) parts = ready.facets || await inflate(document.getElementById('facets'));
  selected = i;
  charts.forEach(keep);
  shown = i < 0 ? whole : parts[i].T ? parts[i] : parts[i] = decode(parts[i]);
  for (const c of charts) if (c.switched) draw(c);
  zoom(...view);
}

// the view is part of the page's address: #part?of=STEP&t=FROM,TO
const list = (name, entries) => { const s = make('select', {}); for (const [n, v] of entries) s.append(new Option(n, v)); return [make('label', {}, name + ' ', s), s]; };
const groups = (D.p || []).map((p, i) => [D.l.length > 1 ? D.l[D.o[i]] + (p ? ': ' + p : ': all steps') : p || 'all steps', i]);
const [ofLabel, of] = list('Load or step', [['all together', -1], ...groups]), [atLabel, at] = list('Time', [['the whole run', '']]);
for (const f of D.f || []) at.append(new Option(f.n, f.a + ',' + f.b));
const reset = make('button', { type: 'button', textContent: 'Show all', hidden: true }), link = make('a', { textContent: 'Link to this view', hidden: true }), bar = make('div', { className: 'view', role: 'group', ariaLabel: 'What the charts show' });
const straight = make('input', { type: 'checkbox' });
if (D.p) bar.append(ofLabel);
bar.append(atLabel);
if (D.y && charts.some(c => c.id === 'latency')) bar.append(make('label', {}, straight, ' Linear scale of response times'));
bar.append(reset, link, make('span', { className: 'how', textContent: 'Drag over a chart to zoom' }));
const old = document.querySelector('.view'), focus = old ? all('select, input, button, a', old).indexOf(document.activeElement) : -1;
if (old) old.remove();
(charts.find(c => part(c).id !== 'glance') || charts[0]).fig.closest('section').before(bar);
let here = ''; // the part in the address
function settle() {
  const w = isWhole(), t = view.map(s => +s.toFixed(3)).join(','), query = [];
  if (selected >= 0) query.push('of=' + encodeURIComponent(D.l[D.o[selected]] + '/' + D.p[selected]));
  if (!w) query.push('t=' + t);
  if (linear) query.push('y=linear');
  const hash = '#' + here + (query.length ? '?' + query.join('&') : '');
  all('.drawn', at).forEach(e => e.remove());
  if (!w && ![...at.options].some(o => o.value === t)) { const o = new Option(when(whole.T[find(whole.T, view[0])]) + ' to ' + when(whole.T[find(whole.T, view[1] - 1e-6) + 1]), t); o.className = 'drawn'; at.append(o); }
  at.value = w ? '' : t;
  of.value = selected;
  straight.checked = linear;
  reset.hidden = link.hidden = !query.length;
  bar.classList.toggle('on', query.length > 0);
  link.href = hash;
  if (hash !== (location.hash || '#')) try { history.replaceState(null, '', hash === '#' ? location.pathname + location.search : hash); } catch { /* the link works without */ }
}
async function restore(scroll) {
  const [id, query] = location.hash.slice(1).split('?'), q = new URLSearchParams(query || '');
  here = id;
  if (query !== undefined) {
    const i = groups.findIndex((g, i) => D.l[D.o[i]] + '/' + D.p[i] === q.get('of')), [a, b] = (q.get('t') || '').split(',').map(Number);
    if (i !== selected) await choose(i);
    if (linear !== (q.get('y') === 'linear')) straighten(!linear);
    b > a && b > A && a < B ? zoom(a, b) : zoom(A, B);
    const e = scroll && id && document.getElementById(id);
    if (e) e.scrollIntoView();
  } else {
    settle();
    const e = scroll && id && document.getElementById(id);
    if (e) e.scrollIntoView(); // the bar above the charts has moved it
  }
}
of.onchange = () => choose(+of.value);
at.onchange = () => { const [a, b] = at.value ? at.value.split(',').map(Number) : [A, B]; zoom(a, b); };
straight.onchange = () => straighten(straight.checked);
reset.onclick = async () => { view = [A, B]; if (linear) straighten(false); await choose(-1); of.focus(); };
addEventListener('hashchange', () => restore(true), { signal });

for (const c of charts) {
  follow(c.frame, { view: () => view, pick, leave, zoom, whole: () => zoom(A, B) });
  c.slider.onblur = leave;
  c.slider.onfocus = () => pick(picked === null ? view[0] : picked);
  c.slider.onkeydown = e => {
    const { T } = source(c), i = find(T, picked === null ? view[0] : picked), by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: -60, PageDown: 60, Home: -1e9, End: 1e9 }[e.key];
    const zoomBy = k => { const t = picked === null ? (view[0] + view[1]) / 2 : picked, w = (view[1] - view[0]) * k; zoom(t - w / 2, t + w / 2); };
    if (by) { const j = Math.max(find(T, view[0]), Math.min(find(T, view[1] - 1e-3), i + by)); pick((T[j] + T[j + 1]) / 2); }
    else if (e.key === '+' || e.key === '=') zoomBy(.5);
    else if (e.key === '-') zoomBy(2);
    else if (e.key === 'Escape') zoom(A, B);
    else return;
    e.preventDefault();
  };
}
await restore(!again);
if (focus >= 0) all('select, input, button, a', bar)[focus].focus();
document.documentElement.dataset.ready = Math.round(performance.now());
};
brunt();
