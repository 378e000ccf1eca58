// Hover, zoom and sorting. The page is whole without it. A live page does it again after
// each change, and keeps what was zoomed to.
const brunt = keep => {
'use strict';
const D = JSON.parse(document.getElementById('data').textContent), all = (q, e) => [...(e || document).querySelectorAll(q)];

// tables sort within their groups
for (const table of all('table.sort')) all('thead th', table).forEach((th, col) => {
  const b = document.createElement('button');
  b.append(...th.childNodes);
  th.append(b);
  const key = row => { const c = row.cells[col], n = c.dataset.v === undefined ? parseFloat(c.textContent) : +c.dataset.v; return isNaN(n) ? c.textContent : n; };
  b.onclick = () => {
    const up = th.ariaSort === 'descending' ? 1 : th.ariaSort === 'ascending' ? -1 : col ? -1 : 1;
    for (const o of all('thead th', table)) o.removeAttribute('aria-sort');
    th.ariaSort = up > 0 ? 'ascending' : 'descending';
    for (const body of table.tBodies) {
      const rows = all('tr:not(.group):not(.sum)', body);
      rows.sort((x, y) => { const a = key(x), b = key(y); return up * (typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))); });
      body.append(...rows);
    }
  };
});
if (!D.t) return;

// T is where each point begins and, last, where the run ends; V the values by series
const T = [], V = [];
let at = D.t[0];
for (const [d, n] of D.t[1]) for (let i = 0; i < n; i++) { T.push(at / 1e3); at += d; }
T.push(at / 1e3);
for (const s of D.s) {
  let v = s.v;
  if (s.z) { v = new Array(T.length - 1).fill(0); for (let i = 0; i < s.z.length; i += 2) v[s.z[i]] = s.z[i + 1]; }
  V.push(v.map((x, i) => x === null ? NaN : s.b !== undefined ? V[s.b][i] + x : s.u === 0 && x < 0 ? Infinity : x / s.m));
}
const figures = f => String(+f.toPrecision(3));
const number = f => Math.abs(f) >= 100 ? f.toFixed(0) : figures(f);
const clock = s => { const neg = s < 0 ? '-' : ''; s = Math.round(Math.abs(s) * 1e3) / 1e3; const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60, r = +(s % 60).toFixed(3); return neg + (h ? h + 'h' : '') + (m || h && r ? m + 'm' : '') + (r || !h && !m ? r + 's' : ''); };
const span = f => f === Infinity ? '∞' : f === 0 ? '0s' : f < .9995e-3 ? figures(f * 1e6) + 'µs' : f < .9995 ? figures(f * 1e3) + 'ms' : f < 59.95 ? figures(f) + 's' : clock(Math.round(f));
const text = (u, f) => isNaN(f) ? '–' : u === 0 ? span(f) : u === 1 ? number(f) + '/s' : u === 3 ? figures(f * 100) + '%' : number(f);

const A = D.a, B = D.b, frames = all('.frame[data-time]'), values = all('.legend b[data-s]'), moving = all('[data-a]');
let view = [A, B], dense = T.length > 1001, picked = -1;
const place = t => 100 * (t - view[0]) / (view[1] - view[0]);
const cursors = frames.map(f => {
  const c = document.createElement('div'), s = document.createElement('span');
  c.className = 'cur';
  c.hidden = true;
  c.append(s);
  f.append(c);
  f.tabIndex = 0;
  return c;
});

function pick(i) {
  picked = i = Math.max(0, Math.min(T.length - 2, i));
  for (const b of values) { const s = +b.dataset.s; b.textContent = text(D.s[s].u, V[s][i]); }
  const x = place((T[i] + T[i + 1]) / 2);
  for (const c of cursors) {
    c.hidden = x < 0 || x > 100;
    c.style.left = x + '%';
    c.firstChild.textContent = clock(T[i]) + ' to ' + clock(T[i + 1]);
  }
}
function leave() {
  picked = -1;
  for (const b of values) b.textContent = '';
  for (const c of cursors) c.hidden = true;
}
function find(t) {
  let lo = 0, hi = T.length - 1;
  while (hi - lo > 1) { const m = (lo + hi) >> 1; T[m] <= t ? lo = m : hi = m; }
  return lo;
}

// every point instead of a span a column, once someone looks closer
function redraw() {
  dense = false;
  for (const p of all('path[data-s]')) {
    const [lo, hi, log] = p.ownerSVGElement.dataset.scale.split(' ');
    const y = v => 500 * (1 - Math.max(0, Math.min(1, v === Infinity ? 1 : log === 'true' ? v > 0 ? Math.log(v / lo) / Math.log(hi / lo) : 0 : (v - lo) / (hi - lo))));
    let d = '', last = 0, first = 0;
    const close = () => d && p.classList.contains('area') && last ? 'V500H' + first + 'Z' : '';
    V[p.dataset.s].forEach((v, i) => {
      if (isNaN(v)) { d += close(); last = 0; return; }
      const x = (2e3 * ((T[i] + T[i + 1]) / 2 - A) / (B - A)).toFixed(2);
      d += last ? 'L' : 'M';
      if (!last) first = x;
      d += x + ' ' + y(v).toFixed(1);
      last = 1;
    });
    p.setAttribute('d', d + close());
  }
}
const steps = [.001, .01, .1, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400];
const button = document.createElement('button');
button.textContent = 'Show the whole run';
button.hidden = true;
button.onclick = () => zoom(A, B);
function zoom(a, b) {
  const whole = a <= A && b >= B;
  view = whole ? [A, B] : [Math.max(A, a), Math.min(B, b)];
  if (dense && !whole) redraw();
  for (const s of all('svg.z')) { const h = s.viewBox.baseVal.height; s.setAttribute('viewBox', whole ? '0 0 2000 ' + h : 2e3 * (view[0] - A) / (B - A) + ' 0 ' + 2e3 * (view[1] - view[0]) / (B - A) + ' ' + h); }
  for (const e of moving) {
    const l = place(+e.dataset.a), r = e.dataset.b === undefined ? l : place(+e.dataset.b), label = e.tagName === 'SPAN', bar = !label && r > l;
    if (e.closest('.xaxis')) { e.hidden = !whole; continue; }
    e.style.left = whole ? '' : (label ? Math.max(0, l) : l) + '%';
    e.style.width = whole || !bar ? '' : r - l + '%';
    e.style.maxWidth = whole ? '' : 'none';
    if (label) e.hidden = !whole && (l > 100 || r < 0);
  }
  for (const e of all('.xaxis .new')) e.remove();
  if (!whole) {
    const step = steps.find(s => (view[1] - view[0]) / s <= 8) || 86400;
    for (const axis of all('.frame[data-time] .xaxis, .rows .xaxis')) for (let i = Math.ceil(view[0] / step); i * step <= view[1]; i++) {
      const s = document.createElement('span');
      s.className = 'new';
      s.textContent = clock(i * step);
      s.style.left = place(i * step) + '%';
      axis.append(s);
    }
  }
  button.hidden = whole;
  if (picked >= 0) pick(picked);
}
frames.forEach(f => {
  let from = null, box = null;
  const time = e => { const r = f.getBoundingClientRect(); return view[0] + (view[1] - view[0]) * Math.max(0, Math.min(1, (e.clientX - r.left) / r.width)); };
  f.onpointermove = e => {
    const t = time(e);
    pick(find(t));
    if (from === null) return;
    if (!box) { box = document.createElement('div'); box.className = 'sel'; f.append(box); }
    box.style.left = place(Math.min(from, t)) + '%';
    box.style.width = Math.abs(place(t) - place(from)) + '%';
  };
  f.onpointerdown = e => { if (e.pointerType !== 'touch' && e.button === 0) { from = time(e); f.setPointerCapture(e.pointerId); f.after(button); } };
  f.onpointerup = f.onpointercancel = e => {
    const t = time(e), a = from;
    from = null;
    if (box) box.remove();
    box = null;
    if (a !== null && e.type === 'pointerup' && Math.abs(place(t) - place(a)) > 1) zoom(Math.min(a, t), Math.max(a, t));
  };
  f.onpointerleave = () => { if (from === null) leave(); };
  f.ondblclick = () => zoom(A, B);
  f.onblur = leave;
  f.onkeydown = e => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -60, PageDown: 60 }[e.key];
    if (by) { e.preventDefault(); pick(picked < 0 ? find(view[0]) : picked + by); }
    if (e.key === 'Escape') zoom(A, B);
  };
});
if (keep && keep.zoomed()) { frames[0].after(button); zoom(...keep.zoomed()); }
return {zoomed: () => view[0] > A || view[1] < B ? view : null};
};
let charts = brunt();
