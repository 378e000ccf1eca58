// This script filters the list of runs and opens the comparison of two. The filter is part of the page's address.
(() => {
'use strict';
const form = document.getElementById('filter'), rows = [...document.querySelectorAll('.runs tbody tr')], count = form.querySelector('output');
const button = document.getElementById('compare'), picks = [...document.querySelectorAll('.pick input')];
form.hidden = false;
form.onsubmit = e => e.preventDefault();
const tests = {
  text: (of, v) => v.toLowerCase().split(/\s+/).every(word => of.text.includes(word)),
  from: (of, v) => of.day >= v,
  to: (of, v) => of.day <= v,
};
function filter() {
  const want = [...new FormData(form)].filter(([, v]) => v);
  let n = 0;
  for (const tr of rows) {
    tr.hidden = !want.every(([k, v]) => tests[k] ? tests[k](tr.dataset, v) : tr.dataset[k].split('\n').includes(v));
    if (!tr.hidden) n++;
  }
  count.textContent = n === 1 ? '1 run' : n + ' runs';
  return new URLSearchParams(want).toString();
}
form.onreset = () => { setTimeout(form.onchange); };
form.oninput = form.onchange = () => {
  const query = filter();
  try { history.replaceState(null, '', query ? '#' + query : location.pathname); } catch { /* the list works without */ }
};
for (const [k, v] of new URLSearchParams(location.hash.slice(1))) if (form.elements[k]) form.elements[k].value = v;
filter();
function picked() {
  const two = picks.filter(p => p.checked);
  button.disabled = two.length !== 2;
  for (const p of picks) p.disabled = two.length === 2 && !p.checked;
}
if (button) {
  for (const p of picks) p.onchange = picked;
  picked();
  button.onclick = () => {
    const [base, run] = picks.filter(p => p.checked).sort((a, b) => a.dataset.at < b.dataset.at ? -1 : 1);
    location.href = button.dataset.to + '?' + new URLSearchParams({ base: base.value, run: run.value });
  };
}
})();
