// Branches of a program, and which of them a run took: its syntax says where they are, V8's precise coverage how often it came there.
import { parseSync } from 'oxc-parser';

/**
 * What a run may do or not at one place.
 * @typedef {object} Branch
 * @property {number} at Where the branch is taken: an offset in the code.
 * @property {number | null} unless For the way around a branch, where that begins: it was taken as often as `at`, but for those times.
 * @property {string} what In words.
 * @property {boolean} guards It only throws, or gives a value where the compiler thinks that there may be none.
 * @property {readonly Branch[]} inside
 */

/** How a branch of each kind of syntax begins. */
const kinds = {
  IfStatement: (node) => [
    taken(node.consequent, 'if'),
    node.alternate === null ? around(node, node.consequent, 'if skipped') : taken(node.alternate, 'else'),
  ],
  ConditionalExpression: (node) => [taken(node.consequent, '?'), taken(node.alternate, ':')],
  LogicalExpression: (node) => [
    taken(node.right, node.operator),
    around(node.left, node.right, `${node.operator} skipped`),
  ],
  SwitchCase: (node) =>
    node.consequent.length === 0 ? [] : [taken(node.consequent, node.test === null ? 'default' : 'case')],
  WhileStatement: (node) => [taken(node.body, 'loop')],
  ForStatement: (node) => [taken(node.body, 'loop')],
  ForOfStatement: (node) => [taken(node.body, 'loop')],
  ForInStatement: (node) => [taken(node.body, 'loop')],
  CatchClause: (node) => [taken(node.body, 'catch')],
  FunctionDeclaration: (node) => [taken(node.body, 'function')],
  FunctionExpression: (node) => (node.body === null ? [] : [taken(node.body, 'function')]),
  ArrowFunctionExpression: (node) => [taken(node.body, 'function')],
};

const taken = (node, what) => ({
  node,
  at: Array.isArray(node) ? node[0].start : node.start,
  unless: null,
  what,
  guards: onlyThrows(node) || (what === '??' && isConstant(node)),
});
const around = (whole, node, what) => ({ node: null, at: whole.start, unless: node.start, what, guards: false });

function onlyThrows(node) {
  if (Array.isArray(node)) return node.length === 1 && onlyThrows(node[0]);
  if (node.type === 'BlockStatement') return node.body.length === 1 && onlyThrows(node.body[0]);
  return node.type === 'ThrowStatement';
}

const isConstant = (node) => node.type === 'Literal' || (node.type === 'ArrayExpression' && node.elements.length === 0);

/**
 * The outermost branches of a file, each with those inside it.
 * @returns {Branch[]}
 */
export function branchesOf(path, code) {
  const { program, errors } = parseSync(path, code);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  return inside(program);
}

/** Branches in a node, and in what is part of it. */
function inside(node) {
  if (Array.isArray(node)) return node.flatMap(inside);
  if (typeof node !== 'object' || node === null) return [];
  const own = (kinds[node.type]?.(node) ?? []).map(({ node: body, ...branch }) => ({
    ...branch,
    inside: body === null ? [] : inside(body),
  }));
  const bodies = new Set((kinds[node.type]?.(node) ?? []).map(({ node: body }) => body));
  const rest = Object.values(node).flatMap((part) => {
    if (bodies.has(part)) return [];
    return Array.isArray(part) ? part.filter((each) => !bodies.has(each)).flatMap(inside) : inside(part);
  });
  return [...rest, ...own];
}

/** How often the run came to an offset: the smallest of V8's ranges around it knows. */
export function counterOf(functions) {
  const ranges = functions.flatMap((each) => each.ranges);
  ranges.sort((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset));
  return (offset) => ranges.find((range) => range.startOffset <= offset && offset < range.endOffset)?.count ?? 0;
}

/**
 * Counts branches, and lists those that no run took. What is inside one that was not taken is counted, and not listed.
 * @param {readonly Branch[]} branches
 * @param {(offset: number) => number} count
 */
export function judge(branches, count) {
  const verdict = { total: 0, taken: 0, missed: /** @type {Branch[]} */ ([]) };
  const visit = (branch, isListed) => {
    verdict.total++;
    const times = count(branch.at) - (branch.unless === null ? 0 : count(branch.unless));
    if (times > 0) verdict.taken++;
    else if (isListed) verdict.missed.push(branch);
    for (const each of branch.inside) visit(each, isListed && times > 0);
  };
  for (const branch of branches) visit(branch, true);
  return verdict;
}
