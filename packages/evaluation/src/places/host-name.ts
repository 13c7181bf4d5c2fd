/** Hosts as they are named on the command line. */
import { isIPv4 } from 'node:net';
import { EvaluationError } from '../errors.ts';

export interface HostName {
  /** As it was typed, for people. */
  readonly text: string;
  /** What ssh is given: `host` or `user@host`; an alias of ssh's configuration is as good. */
  readonly target: string;
  /** Null: what ssh's configuration says. */
  readonly port: number | null;
  /** Where servers listen there; null: the address at which ssh arrives. */
  readonly address: string | null;
}

/** The most hosts: no experiment starts more servers. */
export const MAX_HOSTS = 11;
/** `[user@]host[:port][=address]`; nothing that ssh would take for a flag. */
const NAME = /^((?:[\w.-]+@)?[\w][\w.-]*)(?::(\d{1,5}))?(?:=(\S+))?$/;

/** @throws EvaluationError `BadHosts` */
export function hostNames(list: string): readonly HostName[] {
  const names = list.split(',').map((each) => hostName(each.trim()));
  if (names.length > MAX_HOSTS) throw bad(`${names.length} hosts are more than the ${MAX_HOSTS} that can be of use`);
  const twice = names.find(({ text }, at) => names.findIndex((other) => other.text === text) !== at);
  if (twice !== undefined) throw bad(`${twice.text} is named twice`);
  return names;
}

function hostName(text: string): HostName {
  const [, target, portText, address = null] = NAME.exec(text) ?? [];
  if (target === undefined) throw bad(`"${text}" is no host`);
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) throw bad(`${port} in "${text}" is no port`);
  if (address !== null && !isIPv4(address)) throw bad(`"${address}" in "${text}" is no IPv4 address`);
  return { text, target, port, address };
}

function bad(what: string): EvaluationError {
  const message = `${what}. Give hosts as [user@]host[:port][=address], separated by commas: --hosts a,root@10.0.0.2:2222`;
  return new EvaluationError('BadHosts', message);
}
