/**
 * Runs a script file and renders it anew with what happened: comments as they stand, then blocks of directives, `----`,
 * and the lines they printed. A script passes when the rendering equals the file.
 */
import { Interpreter } from './interpreter.ts';

const separator = '----';

export function runScript(source: string): string {
  const interpreter = new Interpreter();
  return `${source
    .trim()
    .split(/\n{2,}/)
    .map((block) => runBlock(interpreter, block))
    .join('\n\n')}\n`;
}

function runBlock(interpreter: Interpreter, block: string): string {
  const lines = block.split('\n');
  const end = lines.indexOf(separator);
  const head = end < 0 ? lines : lines.slice(0, end);
  const directives = head.filter((line) => !line.startsWith('#'));
  if (directives.length === 0) {
    return block;
  }
  const printed = directives.flatMap((line) => interpreter.run(line));
  return [...head, separator, ...(printed.length > 0 ? printed : ['ok'])].join('\n');
}
