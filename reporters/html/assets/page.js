// Hover, zoom, the selector of loads and steps, links to a view, sorting. The page is complete
// without it. A page that changes calls brunt() again after each change: the view stays,
// as it is part of the address. The caller passes data unpacked before the change, so that
// the browser paints no state in between.
let ended = new AbortController();
const inflate = async packed => {
  const bytes = Uint8Array.from(atob(packed.textContent), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
};
const brunt = async unpacked => {
'use strict';
const ready = unpacked || {};
const again = document.documentElement.dataset.ready;
ended.abort(); // listeners of the previous call
ended = new AbortController();
const { signal } = ended, all = (q, e) => [...(e || document).querySelectorAll(q)], make = (tag, props, ...inside) => { const e = Object.assign(document.createElement(tag), props); e.append(...inside); return e; };

// the value of a figure in a table, for sorting: 1m2.5s, 3.5 KiB, 12 345
const sizes = { h: 3600, m: 60, ms: 1e-3, µs: 1e-6, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
function valueOf(t) {
  const below = /^[-−]/.test(t);
  let sum = 0, n = 0;
  for (const [, f, u] of t.slice(below).replaceAll('\u00a0', '').matchAll(/([\d.]+)(?:\s?(h|ms|m|µs|s|[KMGT]iB)(?![a-z]))?/gy)) { sum += f * (sizes[u] || 1); n++; }
  return t === '∞' ? Infinity : t === '–' ? -Infinity : !n ? t : below ? -sum : sum;
}

// tables sort within their groups
for (const table of all('table.sort')) all('thead th', table).forEach((th, col) => {
  const b = th.querySelector('button') || make('button', { type: 'button' }, ...th.childNodes);
  th.append(b);
  const key = row => { const c = row.cells[col]; return c.dataset.v === undefined ? valueOf(c.textContent) : +c.dataset.v; };
  b.onclick = () => {
    const up = th.ariaSort === 'descending' ? 1 : th.ariaSort === 'ascending' ? -1 : col ? -1 : 1;
    for (const o of all('thead th', table)) o.removeAttribute('aria-sort');
    th.ariaSort = up > 0 ? 'ascending' : 'descending';
    for (const body of table.tBodies) {
      const rows = all('tr:not(.group):not(.sum)', body);
      rows.sort((x, y) => { const a = key(x), b = key(y); return a === b ? 0 : up * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))); });
      body.append(...rows);
    }
  };
});

// boxes that scroll sideways can be scrolled by keyboard
const scrolls = () => { for (const e of all('.scroll')) if (!e.closest('details:not([open])')) if (e.scrollWidth > e.clientWidth) { e.tabIndex = 0; e.role = 'group'; e.ariaLabel = 'A wide table'; } else e.removeAttribute('tabindex'); };
setTimeout(scrolls, 100); // after all is shown
addEventListener('resize', scrolls, { signal });
addEventListener('toggle', scrolls, { signal, capture: true });

if (!document.getElementById('data') || !self.DecompressionStream) return;

// T holds the start of each point and, last, the end of the run; V the values by series
function decode(d) {
  const T = [], V = [];
  let at = d.t[0];
  for (const [w, n] of d.t[1]) for (let i = 0; i < n; i++) { T.push(at / 1e3); at += w; }
  T.push(at / 1e3);
  for (const s of d.s) {
    let v = s.v;
    if (s.z) { v = new Array(T.length - 1).fill(0); for (let i = 0; i < s.z.length; i += 2) v[s.z[i]] = s.z[i + 1]; }
    if (s.g) v = v.flatMap(x => new Array(s.g).fill(x)).slice(0, T.length - 1);
    V.push(v.map((x, i) => x === null ? NaN : s.b !== undefined ? Math.round((V[s.b][i] + x) * 10) / 10 : s.u === 0 && x < 0 ? Infinity : x / s.m));
  }
  return { T, V, n: d.n, c: d.c };
}
const D = ready.data || await inflate(document.getElementById('data'));
if (signal.aborted) return;
const whole = decode(D), S = D.s, A = D.a, B = D.b;
let parts = null, shown = whole, selected = -1; // of D.p

const figures = f => String(+f.toPrecision(3));
const number = f => Math.abs(f) >= 100 ? f.toFixed(0) : figures(f);
const clock = s => { const neg = s < 0 ? '-' : ''; s = Math.round(Math.abs(s) * 1e3) / 1e3; const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = +(s % 60).toFixed(3); return neg + (h ? h + 'h' : '') + (m || h && r ? m + 'm' : '') + (r || !h && !m ? s < 1 && r ? +(r * 1e3).toFixed(3) + 'ms' : r + 's' : ''); };
const span = f => f === Infinity ? '∞' : f === 0 ? '0s' : f < .9995e-3 ? figures(f * 1e6) + 'µs' : f < .9995 ? figures(f * 1e3) + 'ms' : f < 59.95 ? figures(f) + 's' : clock(Math.round(f));
const bytes = f => { let i = 0; for (; f >= 1024 && i < 4; i++) f /= 1024; return number(f) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][i]; };
const share = f => +(f * 100).toFixed(f > 0 && f < 1 ? Math.max(1, 2 - Math.floor(Math.log10(Math.min(f, 1 - f) * 100))) : 3) + '%';
const text = (u, f) => isNaN(f) ? '–' : u === 0 ? span(f) : u === 1 ? number(f) + '/s' : u === 3 ? share(f) : u === 5 ? bytes(f) : number(f);
const known = v => v.filter(f => !isNaN(f));

// a scale as the page has it, and the position of a value on it, 0 at its lower edge, 1 at its upper; apart is the least distance of names
const scale = text => { const [lo, hi, log, apart] = (text || '').split(' '); return { lo: +lo, hi: +hi, log: log === 'true', apart: +apart }; };
const on = (s, v) => Math.max(0, Math.min(1, s.log ? v > 0 ? Math.log(v / s.lo) / Math.log(s.hi / s.lo) : 0 : (v - s.lo) / (s.hi - s.lo)));

// every chart over time: its lines, and whether the selector changes them
const svg = (tag, props) => { const e = document.createElementNS('http://www.w3.org/2000/svg', tag); for (const k in props) e.setAttribute(k, props[k]); return e; };
const charts = all('.frame[data-time]').map(frame => {
  const fig = frame.closest('figure'), plot = frame.querySelector('.plot > svg');
  const ids = all('.line[data-s]', plot).map(p => +p.dataset.s);
  return { frame, fig, plot, ids, switched: ['c-latency', 'c-throughput', 'c-errors'].includes(fig.id), scale: scale(plot.dataset.scale), named: !!plot.parentNode.querySelector('u'), peaks: !!frame.querySelector('.tops'), title: plot.getAttribute('aria-label').split('. ')[0] };
});
const source = c => c.switched ? shown : whole;
const swatch = of => { const s = svg('svg', { class: 'swatch', viewBox: '0 0 26 10', 'aria-hidden': true }); s.append(svg('path', { class: of.getAttribute('class'), d: 'M1 5h24' })); return s; };

// lines with every point, for a part of a long run, a load or a step
function path(T, v, s, area) {
  const x = t => (2e3 * (t - A) / (B - A)).toFixed(2), steps = v.length <= 300;
  let d = '', first = '';
  for (let i = 0; i < v.length; i++) {
    if (isNaN(v[i])) { first = ''; continue; }
    const y = (500 - 500 * on(s, v[i])).toFixed(1), from = x(steps ? T[i] : (T[i] + T[i + 1]) / 2), ends = i + 1 === v.length || isNaN(v[i + 1]);
    d += first ? steps ? 'V' + y : 'L' + from + ' ' + y : 'M' + from + ' ' + y;
    if (steps) d += 'H' + x(T[i + 1]); else if (!first && ends) d += 'h0';
    first = first || from;
    if (area && ends) d += 'V500H' + first + 'Z';
  }
  return d;
}
function lines(c) {
  const { T, V } = source(c);
  for (const p of all('path[data-s]', c.plot)) p.setAttribute('d', path(T, V[p.dataset.s], c.scale, p.classList.contains('area')));
}

// ends names lines at the edge of a part of the run, moved apart where they would overlap
function ends(c) {
  const { T, V } = source(c), s = c.scale, gap = s.apart, box = c.plot.parentNode, from = find(T, view[0]), to = find(T, view[1] - 1e-6) + 1;
  const list = c.ids.map(i => ({ n: S[i].n, v: known(V[i].slice(from, to)) })).map(l => ({ n: l.n, v: l.v.slice(-Math.min(9, 1 + (to - from >> 3))).sort((a, b) => a - b) })).filter(l => l.v.length)
    .map(l => ({ n: l.n, v: l.v[l.v.length >> 1] })).reverse().sort((a, b) => b.v === a.v ? 0 : b.v - a.v);
  for (const e of all('u', box)) e.remove();
  let y = 2;
  for (const e of list) y = e.y = Math.min(on(s, e.v), y - gap);
  y = gap / 3;
  for (const e of list.reverse()) {
    y = Math.max(e.y, y);
    const u = make('u', { textContent: e.n, className: list.some(e => e.n.length > 4) ? 'minor' : '' });
    u.style.top = Math.round(1e3 * (1 - y)) / 10 + '%';
    box.append(u);
    y += gap;
  }
}

// tops names lines where they are highest in a part of the run, in rows where none touches another
function tops(c) {
  const { T, V } = source(c), from = find(T, view[0]), to = find(T, view[1] - 1e-6) + 1, rows = [];
  for (const e of all('.tops', c.frame)) e.remove();
  const list = c.ids.map(id => {
    let m = from;
    for (let i = from; i < to; i++) if (V[id][i] > V[id][m] || isNaN(V[id][m])) m = i;
    const s = S[id], x = Math.max(0, Math.min(1, place((T[m] + T[m + 1]) / 2) / 100)), e = make('span', {}, swatch(c.plot.querySelector('.line[data-s="' + id + '"]')), (s.n.length > 34 ? s.n.slice(0, 33) + '…' : s.n) + ' ' + text(s.u, V[id][m]));
    const w = .03 + .0075 * e.textContent.length, left = x > .6;
    e.className = left ? 'left' : '';
    e.style.left = 100 * x + '%';
    return { e, x, left, f: V[id][m], a: left ? x - w : x, b: left ? x : x + w };
  }).filter(l => l.f > 0).sort((p, q) => p.x - q.x);
  for (const l of list) {
    const row = rows.find(r => r[r.length - 1].b <= l.a);
    if (row) row.push(l); else rows.push([l]);
  }
  for (const r of rows) {
    r.forEach((l, i) => { l.e.style.maxWidth = 100 * (l.left ? l.x - (i ? (r[i - 1].b + l.a) / 2 : 0) : (r[i + 1] ? (l.b + r[i + 1].a) / 2 : 1) - l.x) + '%'; });
    c.frame.insertBefore(make('div', { className: 'tops' }, ...r.map(l => l.e)), c.plot.parentNode);
  }
}

// keep notes how the page drew a chart, before the first change
function keep(c) {
  const html = (q, e) => all(q, e || c.frame).map(e => e.outerHTML).join('');
  c.fig.drawn ||= { tops: html('.tops'), names: html('.plot u'), ...c.switched && { strips: html('.strip'), ticks: html('.plot em'), lines: c.plot.lastElementChild.innerHTML, scale: c.plot.dataset.scale, label: c.plot.ariaLabel, table: html('details > :not(summary)', c.fig) } };
}
const drawn = c => c.switched && shown.c ? shown.c[c.fig.id.slice(2)] : c.fig.drawn;

// names puts the names of lines where the page drew them
function names(c) {
  const d = drawn(c), box = c.plot.parentNode;
  for (const e of all('.tops, .plot u', c.frame)) e.remove();
  box.insertAdjacentHTML('beforebegin', d.tops);
  box.insertAdjacentHTML('beforeend', d.names);
}

// draw shows a chart as the page drew it, for the whole run or for a load or step
function draw(c) {
  const d = drawn(c), box = c.plot.parentNode;
  for (const e of all('.strip, .plot em, .shown, details > :not(summary)', c.fig)) e.remove();
  box.insertAdjacentHTML('beforebegin', d.strips);
  box.insertAdjacentHTML('afterbegin', d.ticks);
  c.plot.lastElementChild.innerHTML = d.lines;
  c.plot.ariaLabel = d.label;
  c.scale = scale(d.scale);
  c.fig.querySelector('details').insertAdjacentHTML('beforeend', d.table);
  if (shown.n) c.fig.querySelector('figcaption').append(make('p', { className: 'shown', textContent: shown.n }));
  if (selected >= 0 || !dense) lines(c);
  names(c);
  scrolls();
}

for (const b of all('.lane > b')) b.title = ((D.f || []).find(f => f.a <= +b.dataset.a && parseInt(f.n) === +b.textContent) || { n: '' }).n;

// the view: a time range, and a load or step
let view = [A, B], dense = whole.T.length > 801, picked = null, untouched = true; // the page still has its own labels
const isWhole = () => view[0] <= A && view[1] >= B, place = t => 100 * (t - view[0]) / (view[1] - view[0]);
const find = (T, t) => { let lo = 0, hi = T.length - 1; while (hi - lo > 1) { const m = (lo + hi) >> 1; T[m] <= t ? lo = m : hi = m; } return lo; };
for (const c of charts) {
  for (const e of all('.cur, .slider', c.frame)) e.remove();
  c.cursor = make('div', { className: 'cur', hidden: true }, make('span'));
  c.slider = make('div', { className: 'slider', tabIndex: 0, role: 'slider', ariaLabel: c.title + ': values over time. Arrow keys read them, plus and minus zoom, Escape shows the whole run', ariaValueMin: A, ariaValueMax: B, ariaValueNow: A, ariaValueText: clock(A) });
  c.frame.append(c.cursor, c.slider);
}
const values = all('.legend b[data-s]').map(b => ({ b, s: +b.dataset.s, c: charts.find(c => c.fig.contains(b)) }));

function pick(t) {
  picked = t = Math.max(A, Math.min(B, t));
  for (const { b, s, c } of values) { const { T, V } = source(c); b.textContent = text(S[s].u, V[s][find(T, t)]); }
  const i = find(whole.T, t), x = place((whole.T[i] + whole.T[i + 1]) / 2);
  for (const c of charts) {
    const { T, V } = source(c), i = find(T, t), when = clock(T[i]) + ' to ' + clock(T[i + 1]);
    c.cursor.hidden = x < 0 || x > 100;
    c.cursor.style.left = x + '%';
    c.cursor.firstChild.textContent = when;
    c.cursor.firstChild.className = x < 8 ? 'first' : x > 92 ? 'last' : '';
    c.slider.ariaValueNow = t;
    c.slider.ariaValueText = when + c.ids.map(s => ', ' + S[s].n + ' ' + text(S[s].u, V[s][i])).join('');
  }
}
function leave() {
  picked = null;
  for (const { b } of values) b.textContent = '';
  for (const c of charts) c.cursor.hidden = true;
}
function zoom(a, b) {
  const width = Math.max(.01, Math.min(B - A, b - a));
  a = Math.max(A, Math.min(B - width, a));
  view = [a, a + width];
  const w = isWhole();
  if (w) view = [A, B];
  if (dense && !w) { dense = false; for (const c of charts) { for (const s of all('.dense', c.frame)) s.classList.remove('dense'); lines(c); } } // every point, not one range per column
  for (const s of all('svg.z')) { const h = s.viewBox.baseVal.height; s.setAttribute('viewBox', w ? '0 0 2000 ' + h : 2e3 * (view[0] - A) / (B - A) + ' 0 ' + 2e3 * (view[1] - view[0]) / (B - A) + ' ' + h); }
  for (const e of all('[data-a]')) {
    const l = place(+e.dataset.a), r = e.dataset.b === undefined ? l : place(+e.dataset.b), label = e.tagName === 'SPAN', numbered = e.tagName === 'B', bar = !label && r > l, left = label || numbered ? Math.max(0, l) : l;
    if (e.closest('.xaxis')) { e.hidden = !w; continue; }
    e.style.left = w ? '' : left + '%';
    e.style.width = w || !bar ? '' : Math.max(0, r - left) + '%';
    e.style.maxWidth = w ? '' : 'none';
    if (label || numbered) e.hidden = !w && (l > 100 || r < 0);
  }
  if (!w) for (const c of charts) { keep(c); if (c.named) ends(c); else if (c.peaks) tops(c); }
  else if (!untouched) for (const c of charts) names(c);
  untouched = untouched && w;
  for (const e of all('.xaxis .new')) e.remove();
  if (!w) {
    const step = D.k.find(s => (view[1] - view[0]) / s <= 8) || 86400;
    for (const axis of all('.frame[data-time] .xaxis, .rows .xaxis')) for (let i = Math.ceil(view[0] / step); i * step <= view[1]; i++) {
      const s = make('span', { className: 'new', textContent: clock(i * step) });
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
  untouched = false;
  charts.forEach(keep);
  shown = i < 0 ? whole : parts[i].T ? parts[i] : parts[i] = decode(parts[i]);
  for (const c of charts) if (c.switched) draw(c);
  zoom(...view);
}

// a view is part of the page's address: #part?of=STEP&t=FROM,TO
const list = (name, entries) => { const s = make('select', {}); for (const [n, v] of entries) s.append(new Option(n, v)); return [make('label', {}, name + ' ', s), s]; };
const groups = (D.p || []).map((p, i) => [D.l.length > 1 ? D.l[D.o[i]] + (p ? ': ' + p : ': all steps') : p || 'all steps', i]);
const [ofLabel, of] = list('Load or step', [['all together', -1], ...groups]), [atLabel, at] = list('Time', [['the whole run', '']]);
for (const f of D.f || []) at.append(new Option(f.n, f.a + ',' + f.b));
const reset = make('button', { type: 'button', textContent: 'Show all', hidden: true }), link = make('a', { textContent: 'Link to this view', hidden: true }), bar = make('div', { className: 'view', role: 'group', ariaLabel: 'What the charts show' });
if (D.p) bar.append(ofLabel);
bar.append(atLabel, reset, link, make('span', { className: 'how', textContent: 'Drag over a chart to zoom' }));
const old = document.querySelector('.view'), focus = old ? all('select, button, a', old).indexOf(document.activeElement) : -1;
if (old) old.remove();
charts[0].fig.closest('section').before(bar);
let part = '';
function settle() {
  const w = isWhole(), t = view.map(s => +s.toFixed(3)).join(','), query = [];
  if (selected >= 0) query.push('of=' + encodeURIComponent(D.l[D.o[selected]] + '/' + D.p[selected]));
  if (!w) query.push('t=' + t);
  const hash = '#' + part + (query.length ? '?' + query.join('&') : '');
  all('.drawn', at).forEach(e => e.remove());
  if (!w && ![...at.options].some(o => o.value === t)) { const o = new Option(clock(+view[0].toFixed(3)) + ' to ' + clock(+view[1].toFixed(3)), t); o.className = 'drawn'; at.append(o); }
  at.value = w ? '' : t;
  of.value = selected;
  reset.hidden = link.hidden = !query.length;
  bar.classList.toggle('on', query.length > 0);
  link.href = hash;
  if (hash !== (location.hash || '#')) try { history.replaceState(null, '', hash === '#' ? location.pathname + location.search : hash); } catch { /* the link works without */ }
}
async function restore(scroll) {
  const [id, query] = location.hash.slice(1).split('?'), q = new URLSearchParams(query || '');
  part = id;
  if (query !== undefined) {
    const i = groups.findIndex((g, i) => D.l[D.o[i]] + '/' + D.p[i] === q.get('of')), [a, b] = (q.get('t') || '').split(',').map(Number);
    if (i !== selected) await choose(i);
    b > a && b > A && a < B ? zoom(a, b) : zoom(A, B);
    const e = scroll && id && document.getElementById(id);
    if (e) e.scrollIntoView();
  } else settle();
}
of.onchange = () => choose(+of.value);
at.onchange = () => { const [a, b] = at.value ? at.value.split(',').map(Number) : [A, B]; zoom(a, b); };
reset.onclick = async () => { view = [A, B]; await choose(-1); of.focus(); };
addEventListener('hashchange', () => restore(true), { signal });

for (const c of charts) {
  const f = c.frame;
  let from = null, box = null;
  const time = e => { const r = f.getBoundingClientRect(); return view[0] + (view[1] - view[0]) * Math.max(0, Math.min(1, (e.clientX - r.left) / r.width)); };
  f.onpointermove = e => {
    const t = time(e);
    pick(t);
    if (from === null) return;
    if (!box) f.append(box = make('div', { className: 'sel' }));
    box.style.left = place(Math.min(from, t)) + '%';
    box.style.width = Math.abs(place(t) - place(from)) + '%';
  };
  f.onpointerdown = e => { if (e.pointerType !== 'touch' && e.button === 0) { from = time(e); f.setPointerCapture(e.pointerId); } else pick(time(e)); };
  f.onpointerup = f.onpointercancel = e => {
    const t = time(e), a = from;
    from = null;
    if (box) box.remove();
    box = null;
    if (a !== null && e.type === 'pointerup' && Math.abs(place(t) - place(a)) > 1) zoom(Math.min(a, t), Math.max(a, t));
  };
  f.onpointerleave = () => { if (from === null) leave(); };
  f.ondblclick = () => zoom(A, B);
  c.slider.onblur = leave;
  c.slider.onfocus = () => pick(picked === null ? view[0] : picked);
  c.slider.onkeydown = e => {
    const { T } = source(c), i = find(T, picked === null ? view[0] : picked), by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: -60, PageDown: 60, Home: -1e9, End: 1e9 }[e.key];
    const near = k => { const t = picked === null ? (view[0] + view[1]) / 2 : picked, w = (view[1] - view[0]) * k; zoom(t - w / 2, t + w / 2); };
    if (by) { const j = Math.max(find(T, view[0]), Math.min(find(T, view[1] - 1e-3), i + by)); pick((T[j] + T[j + 1]) / 2); }
    else if (e.key === '+' || e.key === '=') near(.5);
    else if (e.key === '-') near(2);
    else if (e.key === 'Escape') zoom(A, B);
    else return;
    e.preventDefault();
  };
}
await restore(!again);
if (focus >= 0) all('select, button, a', bar)[focus].focus();
document.documentElement.dataset.ready = Math.round(performance.now());
};
brunt();
