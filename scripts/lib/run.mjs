// Runs the programs that the checks are made of.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './files.mjs';

/** A program of node_modules/.bin as a path to run. */
export const bin = (name) => join(root, 'node_modules', '.bin', name);

/** Runs a program to its end and collects what it prints, both streams in one. */
export function capture(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ ok: code === 0, output: Buffer.concat(chunks).toString(), ending: signal ?? `exit ${code}` });
    });
  });
}

/** Runs a program on this terminal. Returns whether it ended well. */
export function show(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });
}
