// Connects Visual Studio Code to `brunt lsp`. It needs no other package.
const vscode = require('vscode');
const { spawn } = require('child_process');

const yaml = { language: 'yaml', scheme: 'file' };

// connect starts the server and returns how to ask and tell it something. On gets its notifications.
function connect(command, on) {
  const server = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map();
  let last = 0, input = Buffer.alloc(0), dead = false;
  const end = why => {
    if (dead) return;
    dead = true;
    for (const [, answer] of waiting) answer(null);
    waiting.clear();
    vscode.window.showErrorMessage(`brunt: ${command.join(' ')} ended: ${why}`);
  };
  server.on('error', e => end(e.message));
  server.on('exit', code => end(`exit code ${code}`));
  server.stdin.on('error', () => {}); // its end is told by exit
  server.stdout.on('data', part => {
    input = Buffer.concat([input, part]);
    for (;;) {
      const head = input.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(input.toString('latin1', 0, head))[1]);
      if (input.length < head + 4 + length) return;
      const message = JSON.parse(input.toString('utf8', head + 4, head + 4 + length));
      input = input.subarray(head + 4 + length);
      if (message.method) on(message.method, message.params);
      else if (waiting.has(message.id)) {
        waiting.get(message.id)(message.result);
        waiting.delete(message.id);
      }
    }
  });
  const write = message => {
    if (dead) return;
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    server.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    server.stdin.write(body);
  };
  return {
    tell: (method, params) => write({ method, params }),
    ask: (method, params) => new Promise(answer => {
      if (dead) return answer(null);
      waiting.set(++last, answer);
      write({ id: last, method, params });
    }),
    stop: () => { dead = true; server.stdin.end(); },
  };
}

const range = r => new vscode.Range(r.start.line, r.start.character, r.end.line, r.end.character);
const place = (document, at) => ({
  textDocument: { uri: document.uri.toString() },
  position: { line: at.line, character: at.character },
});

exports.activate = async context => {
  const shown = vscode.languages.createDiagnosticCollection('brunt');
  const server = connect(vscode.workspace.getConfiguration('brunt').get('command'), (method, p) => {
    if (method !== 'textDocument/publishDiagnostics') return;
    shown.set(vscode.Uri.parse(p.uri), p.diagnostics.map(d => {
      const one = new vscode.Diagnostic(range(d.range), d.message, d.severity - 1); // the editor counts from 0
      one.source = d.source;
      return one;
    }));
  });
  context.subscriptions.push(shown, { dispose: () => server.stop() });
  await server.ask('initialize', { processId: process.pid, capabilities: {}, rootUri: null });
  server.tell('initialized', {});

  const opened = d => d.languageId === 'yaml' && server.tell('textDocument/didOpen', {
    textDocument: { uri: d.uri.toString(), languageId: 'yaml', version: d.version, text: d.getText() },
  });
  vscode.workspace.textDocuments.forEach(opened);
  context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(opened),
    vscode.workspace.onDidChangeTextDocument(e => e.document.languageId === 'yaml' && server.tell('textDocument/didChange', {
      textDocument: { uri: e.document.uri.toString(), version: e.document.version },
      contentChanges: [{ text: e.document.getText() }],
    })),
    vscode.workspace.onDidCloseTextDocument(d => d.languageId === 'yaml' && server.tell('textDocument/didClose', {
      textDocument: { uri: d.uri.toString() },
    })),
    vscode.languages.registerCompletionItemProvider(yaml, {
      provideCompletionItems: async (document, at) => {
        const found = await server.ask('textDocument/completion', place(document, at));
        return (found ? found.items : []).map(i => {
          const item = new vscode.CompletionItem(i.label, i.kind - 1);
          item.detail = i.detail;
          item.documentation = i.documentation;
          item.sortText = i.sortText;
          item.insertText = i.textEdit.newText;
          item.range = range(i.textEdit.range);
          return item;
        });
      },
    }, ' ', '{', ','),
    vscode.languages.registerHoverProvider(yaml, {
      provideHover: async (document, at) => {
        const h = await server.ask('textDocument/hover', place(document, at));
        return h && new vscode.Hover(new vscode.MarkdownString(h.contents.value), range(h.range));
      },
    }),
    vscode.languages.registerCodeActionsProvider(yaml, {
      provideCodeActions: async (document, selected) => {
        const found = await server.ask('textDocument/codeAction', {
          textDocument: { uri: document.uri.toString() },
          range: { start: { line: selected.start.line, character: selected.start.character }, end: { line: selected.end.line, character: selected.end.character } },
          context: { diagnostics: [] },
        });
        return (found || []).map(a => {
          const action = new vscode.CodeAction(a.title, vscode.CodeActionKind.QuickFix);
          action.edit = new vscode.WorkspaceEdit();
          for (const [uri, edits] of Object.entries(a.edit.changes))
            for (const e of edits) action.edit.replace(vscode.Uri.parse(uri), range(e.range), e.newText);
          action.isPreferred = a.isPreferred;
          return action;
        });
      },
    }),
  );
};
