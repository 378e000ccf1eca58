// Runs examples/editors/vscode/extension.js in a stand-in for the editor: node vscode.js EXTENSION COMMAND FILE.
const Module = require('module');
const fs = require('fs');
const [extension, command, file] = process.argv.slice(2);

const provided = {};
let seen;
const found = new Promise(done => { seen = done; });
class Range { constructor(a, b, c, d) { Object.assign(this, { start: { line: a, character: b }, end: { line: c, character: d } }); } }
const uri = text => ({ toString: () => text });
const nothing = () => ({ dispose() {} });
const vscode = {
  Range,
  Diagnostic: class { constructor(range, message, severity) { Object.assign(this, { range, message, severity }); } },
  CompletionItem: class { constructor(label, kind) { Object.assign(this, { label, kind }); } },
  Hover: class { constructor(text, range) { Object.assign(this, { text, range }); } },
  MarkdownString: class { constructor(value) { this.value = value; } },
  CodeAction: class { constructor(title) { this.title = title; } },
  CodeActionKind: { QuickFix: 'quickfix' },
  WorkspaceEdit: class { constructor() { this.edits = []; } replace(_, range, text) { this.edits.push({ range, text }); } },
  Uri: { parse: uri },
  languages: {
    createDiagnosticCollection: () => ({ set: (_, list) => seen(list), dispose() {} }),
    registerCompletionItemProvider: (_, p) => { Object.assign(provided, p); return nothing(); },
    registerHoverProvider: (_, p) => { Object.assign(provided, p); return nothing(); },
    registerCodeActionsProvider: (_, p) => { Object.assign(provided, p); return nothing(); },
  },
  workspace: {
    getConfiguration: () => ({ get: () => [command, 'lsp'] }),
    textDocuments: [],
    onDidOpenTextDocument: nothing, onDidChangeTextDocument: nothing, onDidCloseTextDocument: nothing,
  },
  window: { showErrorMessage: text => { console.error(text); process.exit(1); } },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? vscode : load(name, ...rest));

(async () => {
  const text = fs.readFileSync(file, 'utf8');
  const document = { uri: uri('file://' + file), languageId: 'yaml', version: 1, getText: () => text };
  vscode.workspace.textDocuments.push(document);
  const context = { subscriptions: [] };
  await require(extension).activate(context);
  const diagnostics = await found;
  const at = { line: 4, character: 14 }; // the executor
  const items = await provided.provideCompletionItems(document, at);
  const about = await provided.provideHover(document, { line: 5, character: 5 });
  const actions = await provided.provideCodeActions(document, diagnostics[0].range);
  console.log(JSON.stringify({
    severities: diagnostics.map(d => d.severity), messages: diagnostics.map(d => d.message),
    items: items.map(i => i.label), kinds: items.map(i => i.kind), about: about.text.value, actions: actions.map(a => [a.title, a.edit.edits[0].text]),
  }));
  for (const s of context.subscriptions) s.dispose();
})();
