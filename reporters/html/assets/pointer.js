// These functions serve the scripts of pages: they find and make elements, unpack data, and follow the pointer.
const all = (q, e) => [...(e || document).querySelectorAll(q)];
const make = (tag, props, ...content) => { const e = Object.assign(document.createElement(tag), props); e.append(...content); return e; };
const inflate = async packed => {
  const bytes = Uint8Array.from(atob(packed.textContent), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
};
// follow reads values of a chart under the pointer, and zooms where the pointer is drawn over it
const follow = (f, { view, pick, leave, zoom, whole }) => {
  let from = null, box = null;
  const place = t => 100 * (t - view()[0]) / (view()[1] - view()[0]);
  const at = e => { const r = f.getBoundingClientRect(), [a, b] = view(); return a + (b - a) * Math.max(0, Math.min(1, (e.clientX - r.left) / r.width)); };
  f.onpointermove = e => {
    const t = at(e);
    pick(t);
    if (from === null) return;
    if (!box) f.append(box = make('div', { className: 'sel' }));
    box.style.left = place(Math.min(from, t)) + '%';
    box.style.width = Math.abs(place(t) - place(from)) + '%';
  };
  f.onpointerdown = e => { if (e.pointerType !== 'touch' && e.button === 0) { from = at(e); f.setPointerCapture(e.pointerId); } else pick(at(e)); };
  f.onpointerup = f.onpointercancel = e => {
    const t = at(e), a = from;
    from = null;
    if (box) box.remove();
    box = null;
    if (a !== null && e.type === 'pointerup' && Math.abs(place(t) - place(a)) > 1) zoom(Math.min(a, t), Math.max(a, t));
  };
  f.onpointerleave = () => { if (from === null) leave(); };
  f.ondblclick = whole;
};
// scrolls makes boxes that scroll reachable by keyboard
const scrolls = () => {
  for (const e of all('.scroll')) {
    if (e.closest('details:not([open])')) continue;
    if (e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1) { e.tabIndex = 0; e.role = 'group'; e.ariaLabel ||= 'A large table'; } else e.removeAttribute('tabindex');
  }
};
// watchBoxes calls scrolls whenever a box changes its size, also when it is laid out for the first time
const watchBoxes = () => {
  const boxes = new ResizeObserver(scrolls);
  for (const e of all('.scroll')) boxes.observe(e);
  return boxes;
};
