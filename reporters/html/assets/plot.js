// This script reads values under the pointer and zooms charts that share one axis: those of two runs over time, and
// those of one load against its rate. The page is complete without it. A page that changes calls plot() again after
// each change: the view stays.
let unplot = null; // takes back what the last call did, and returns its view if it was zoomed
const plot = async () => {
'use strict';
const kept = unplot && unplot();
unplot = null;
const packed = document.getElementById('points');
if (!packed || !self.DecompressionStream) return;
const { axis: [A, B], unit, dots, series, values } = await inflate(packed);
let view = [A, B], at = null; // at: the value of the axis that is read
const place = t => (t - view[0]) / (view[1] - view[0]);
const share = f => 100 * f + '%';

// say writes a value of the axis: 1m5.25s, or 120/s
const say = v => {
  if (unit !== 's') return +v.toPrecision(4) + unit;
  const ms = Math.round(Math.abs(v) * 1e3), parts = [[Math.floor(ms / 36e5), 'h'], [Math.floor(ms / 6e4) % 60, 'm'], [ms % 6e4 / 1e3, 's']];
  return (v < 0 && ms ? '-' : '') + (parts.filter(([n]) => n).map(p => p.join('')).join('') || '0s');
};

// find returns the point of a series at a value of the axis, or the nearest dot; -1: there is none
const find = (s, t) => {
  let best = -1, least = Infinity;
  s.x.forEach((x, i) => {
    const far = Math.max(x - t, dots ? t - x : t - s.e[i], 0);
    if (far < least) { least = far; best = i; }
  });
  return dots || least < 1e-3 ? best : -1;
};

const added = [];
const plots = all('figure[id]').filter(fig => values[fig.id]).map(fig => {
  const box = fig.querySelector('.trend, .curve'), svg = box.firstElementChild;
  const ticks = all(':scope > text[y="100%"]', svg);
  const parts = [...svg.children, ...all('.bars > svg > *', fig)].filter(e => !ticks.includes(e) && !e.matches('.limit'));
  const moved = parts.flatMap(e => ['x', 'x1', 'x2', 'cx', 'width'].filter(n => /%$/.test(e.getAttribute(n))).map(name => ({ e, name, v: A + (B - A) * parseFloat(e.getAttribute(name)) / 100 })));
  const cursor = make('div', { className: 'cur', hidden: true }, make('span'));
  const slider = make('div', { className: 'slider', tabIndex: -1, role: 'slider', ariaLabel: fig.querySelector('h3').textContent + ': values. Arrow keys read them, plus and minus zoom, Escape shows all', ariaValueMin: A, ariaValueMax: B, ariaValueNow: A, ariaValueText: say(A) });
  const said = make('p', { className: 'read' });
  box.append(cursor, slider);
  box.before(said);
  added.push(cursor, slider, said);
  return { id: fig.id, box, svg, lines: svg.querySelector('.lines'), ticks, moved, cursor, slider, said };
});
if (!plots.length) return;
plots[0].slider.tabIndex = 0; // the others follow it

const hint = 'Drag over a chart to zoom', shown = make('span', {}, hint), reset = make('button', { type: 'button', textContent: 'Show all', hidden: true });
const head = make('div', { className: 'zoomed' }, shown, ' ', reset);
plots[0].box.closest('figure').before(head);
added.push(head);

function pick(t) {
  at = t = Math.max(A, Math.min(B, t));
  const points = series.map(s => find(s, t)), k = points.findLastIndex(i => i >= 0);
  const s = series[k], i = points[k], when = k < 0 ? say(t) : dots ? say(s.x[i]) : say(s.x[i]) + ' to ' + say(s.e[i]);
  const x = place(k < 0 ? t : dots ? s.x[i] : (s.x[i] + s.e[i]) / 2);
  for (const p of plots) {
    const text = points.flatMap((i, k) => i < 0 ? [] : (series[k].n || '') + ' ' + values[p.id][k][i]).join(', ').trim() + (k >= 0 && s.t ? ': ' + s.t[i] : '');
    p.said.textContent = text ? when + ': ' + text : '';
    p.cursor.hidden = x < 0 || x > 1;
    p.cursor.style.left = share(x);
    p.cursor.firstChild.textContent = when;
    p.cursor.firstChild.className = x < .08 ? 'first' : x > .92 ? 'last' : '';
    p.slider.ariaValueNow = t;
    p.slider.ariaValueText = p.said.textContent || when;
  }
}
function leave() {
  at = null;
  for (const p of plots) { p.said.textContent = ''; p.cursor.hidden = true; }
}
function zoom(a, b) {
  const width = Math.max((B - A) / 250, Math.min(B - A, b - a));
  a = Math.max(A, Math.min(B - width, a));
  view = [a, a + width];
  const whole = width === B - A, raw = width / 6, tens = 10 ** Math.floor(Math.log10(raw)), step = tens * [1, 2, 5, 10].find(n => n * tens >= raw);
  for (const p of plots) {
    p.lines.setAttribute('viewBox', [2e3 * (a - A) / (B - A), 0, 2e3 * width / (B - A), 500].join(' '));
    for (const { e, name, v } of p.moved) {
      const q = name === 'width' ? (v - A) / width : place(v);
      e.setAttribute(name, share(q));
      if (name !== 'width' && e.tagName !== 'svg') e.style.visibility = q < 0 || q > 1 ? 'hidden' : '';
    }
    for (const e of p.ticks) e.style.visibility = whole ? '' : 'hidden';
    for (const e of all('.new', p.svg)) e.remove();
    for (let i = Math.ceil(a / step); !whole && i * step <= view[1]; i++) {
      const e = document.createElementNS('http://www.w3.org/2000/svg', 'text');
      for (const [name, v] of Object.entries({ class: 'new', x: share(place(i * step)), y: '100%', dy: '1.4em', 'text-anchor': 'middle' })) e.setAttribute(name, v);
      e.textContent = say(i * step);
      p.svg.append(e);
    }
  }
  shown.textContent = whole ? hint : say(+a.toPrecision(4)) + ' to ' + say(+view[1].toPrecision(4)) + ' is shown';
  reset.hidden = whole;
  if (at !== null) pick(at);
}
const whole = () => zoom(A, B);
reset.onclick = () => { whole(); plots[0].slider.focus(); };

for (const p of plots) {
  follow(p.box, { view: () => view, pick, leave, zoom, whole });
  p.slider.onblur = leave;
  p.slider.onfocus = () => pick(at === null ? view[0] : at);
  p.slider.onkeydown = e => {
    const s = series.at(-1), by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: -60, PageDown: 60, Home: -1e9, End: 1e9 }[e.key];
    const middle = at === null ? (view[0] + view[1]) / 2 : at, by2 = { '+': .5, '=': .5, '-': 2 }[e.key], width = (view[1] - view[0]) * by2 / 2;
    if (by) { const j = Math.max(0, Math.min(s.x.length - 1, Math.max(0, find(s, middle)) + by)); pick(dots ? s.x[j] : (s.x[j] + s.e[j]) / 2); }
    else if (by2) zoom(middle - width, middle + width);
    else if (e.key === 'Escape') whole();
    else return;
    e.preventDefault();
  };
}
unplot = () => {
  const [a, b] = view;
  whole();
  for (const e of added) e.remove();
  return b - a < B - A ? [a, b] : null;
};
if (kept) zoom(...kept);
document.documentElement.dataset.read = plots.length;
};
watchBoxes();
plot();
