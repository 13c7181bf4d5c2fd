// Writes docs/limits.md from the sources: every member of every exported `default…` object and every `DEFAULT_…` constant, with its
// value as the source has it and the comment of its declaration.
//
//   npm run docs                       writes the page
//   node scripts/limits.mjs --check    fails when the page is not what the sources say
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { isCode, isGenerated, listFiles, root } from './lib/files.mjs';
import { queues } from './lib/queues.mjs';

const PAGE = 'docs/limits.md';
const ROOMS = ['raft', 'runtime', 'kv', 'server', 'client', 'sim', 'cli'];
const INTRODUCTION = `# Limits

Everything that could grow has a name, a bound and a default. Names that end in \`Bytes\` count bytes, those in \`Ms\` milliseconds; other
times are microseconds unless their line says otherwise. This page is written by \`npm run docs\` from the declarations themselves.
`;

const QUEUES = `## What waits, and what happens when it is too much

Every queue has a bound. Where one is full, whoever comes is told so at once and for certain: nothing was begun, and \`retryAfter\` says when it makes
sense to try again. Messages between servers are the exception: Raft sends again what is still wanted, so nobody waits for a peer.
`;

/** The exported `default…` objects of a file: [{ name, members: [{ name, value, comment }] }]. */
function defaultsOf(path) {
  const source = readFileSync(join(root, path), 'utf8');
  const { program, comments } = parseSync(path, source);
  const declarations = program.body.flatMap((each) =>
    each.type === 'ExportNamedDeclaration' ? [each.declaration] : [],
  );
  const commentOf = new Map();
  for (const declaration of declarations) {
    if (declaration?.type !== 'TSInterfaceDeclaration') continue;
    for (const member of declaration.body.body) {
      if (member.type === 'TSPropertySignature') commentOf.set(nameOf(member.key), commentBefore(member.start));
    }
  }

  /** The text of the block comment that ends right before `offset`, on one line. */
  function commentBefore(offset) {
    const comment = comments.find((each) => each.end <= offset && source.slice(each.end, offset).trim() === '');
    if (comment?.type !== 'Block') return '';
    const lines = comment.value.split('\n').map((line) => line.replace(/^\s*\*+ ?/, '').trim());
    return lines.join(' ').trim();
  }

  const constants = declarations.flatMap((each) => (each?.type === 'VariableDeclaration' ? each.declarations : []));
  const member = (name, value, comment) => ({
    name,
    value: source.slice(value.start, value.end),
    number: numberOf(value),
    comment,
  });
  const objects = constants
    .filter((each) => /^default[A-Z]/.test(nameOf(each.id)) && literalOf(each.init) !== null)
    .map((each) => ({
      name: nameOf(each.id),
      members: literalOf(each.init)
        .properties.filter((property) => property.type === 'Property')
        .map(({ key, value }) => member(nameOf(key), value, commentOf.get(nameOf(key)) ?? '')),
    }));
  // Single constants come before the `export` that their comment stands in front of.
  const singles = constants
    .filter((each) => nameOf(each.id).startsWith('DEFAULT_') && each.init)
    .map((each) => member(nameOf(each.id), each.init, commentBefore(source.lastIndexOf('export', each.start))));
  return singles.length === 0 ? objects : [...objects, { name: '', members: singles }];
}

const nameOf = (node) => (node.type === 'Identifier' ? node.name : '');

/** The object literal in `{ … }`, `{ … } as const` or `Object.freeze({ … })`; null for anything else. */
function literalOf(node) {
  if (node?.type === 'ObjectExpression') return node;
  if (node?.expression) return literalOf(node.expression);
  return node?.type === 'CallExpression' ? literalOf(node.arguments[0]) : null;
}

/** The number that a literal or a sum, product or shift of literals stands for; null for anything else. */
function numberOf(node) {
  if (node.type === 'ParenthesizedExpression') return numberOf(node.expression);
  if (node.type === 'Literal') return typeof node.value === 'number' ? node.value : null;
  if (node.type !== 'BinaryExpression') return null;
  const [left, right] = [numberOf(node.left), numberOf(node.right)];
  if (left === null || right === null) return null;
  if (node.operator === '+') return left + right;
  if (node.operator === '*') return left * right;
  return node.operator === '<<' ? left * 2 ** right : null;
}

/** `64 << 20` reads better as 64 MiB. */
function inWords({ name, number }) {
  if (number === null || number < 1 << 10 || !/bytes$/i.test(name)) return '';
  return number >= 1 << 20 ? ` (${number / (1 << 20)} MiB)` : ` (${number / (1 << 10)} KiB)`;
}

function section(path, { name, members }) {
  const title = name === '' ? 'Constants' : name.replace(/^default/, '').replace(/([a-z])([A-Z])/g, '$1 $2');
  const place = name === '' ? `[${path}](../${path})` : `[\`${name}\`](../${path})`;
  const rows = members.map((member, index) => {
    // One comment may stand for several members that follow each other.
    const comment = member.comment.replaceAll('|', '\\|') || (index > 0 ? 'see above' : '');
    return `| \`${member.name}\` | \`${member.value.replace(/\s+/g, ' ')}\`${inWords(member)} | ${comment} |`;
  });
  return `### ${title}\n\n${place}\n\n| name | default | meaning |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function page() {
  const parts = [];
  /** Of every limit, by name and by room and name, how it reads in a table. */
  const known = new Map();
  for (const room of ROOMS) {
    const source = `packages/${room}/src`;
    if (!existsSync(join(root, source))) continue;
    const all = listFiles(source, (path) => isCode(path) && !isGenerated(path)).flatMap((path) =>
      defaultsOf(path).map((defaults) => ({ path, defaults })),
    );
    for (const each of all.flatMap(({ defaults }) => defaults.members)) {
      const cell = `\`${each.name}\` (${each.value.replace(/\s+/g, ' ')})`;
      known.set(`${room} ${each.name}`, cell);
      if (!known.has(each.name)) known.set(each.name, cell);
    }
    const sections = all.map(({ path, defaults }) => section(path, defaults));
    if (sections.length > 0) parts.push(`## ${room}\n\n${sections.join('\n')}`);
  }
  // The queues are this house's own; the checks of this script build others.
  const isThisHouse = existsSync(join(root, 'packages/runtime/src/loop/proposals.ts'));
  return [INTRODUCTION, ...(isThisHouse ? [queueTable(known)] : []), ...parts].join('\n');
}

/** Everything that waits, with its bound. Throws where a queue names a limit that is not there. */
function queueTable(known) {
  const rows = queues.map(([what, limits, then]) => {
    const cells = limits.map((limit) => known.get(limit) ?? constantOf(limit));
    return `| ${what} | ${cells.join(', ')} | ${then} |`;
  });
  return `${QUEUES}\n| what waits | at most | at the limit |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** 'file.ts: name' */
function constantOf(limit) {
  const [path = '', name = ''] = limit.split(': ');
  if (!path.endsWith('.ts')) throw new Error(`scripts/lib/queues.mjs names the limit ${limit}, which no room has`);
  const { program } = parseSync(path, readFileSync(join(root, path), 'utf8'));
  const declarations = program.body.flatMap((each) => {
    const statement = each.type === 'ExportNamedDeclaration' ? each.declaration : each;
    return statement?.type === 'VariableDeclaration' ? statement.declarations : [];
  });
  const found = declarations.find((each) => nameOf(each.id) === name);
  const value = found?.init ? numberOf(found.init) : null;
  if (value === null) throw new Error(`scripts/lib/queues.mjs names ${name} of ${path}, which has no such number`);
  return `[\`${name}\`](../${path}) (${value})`;
}

const wanted = page();
const path = join(root, PAGE);
if (!process.argv.includes('--check')) {
  writeFileSync(path, wanted);
} else if (!existsSync(path) || readFileSync(path, 'utf8') !== wanted) {
  console.error(`${PAGE} is not what the sources say. Run \`npm run docs\` and commit it`);
  process.exitCode = 1;
}
