// Prints what the official parser has to say about each document: {file: [{severity, code, path, message}]}.
import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';

const severities = ['error', 'warning', 'info', 'hint'];
const found = {};
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'), { source: file });
  found[file] = diagnostics.map(({ severity, code, path, message }) => ({
    severity: severities[severity],
    code,
    path: path.join('/'),
    message,
  }));
  if (!document && found[file].length === 0) {
    found[file].push({ severity: 'error', code: 'no-document', path: '', message: 'The parser read nothing.' });
  }
}
console.log(JSON.stringify(found));
