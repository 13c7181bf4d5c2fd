/** A real etcd on this machine, for tests that hold the house against it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@quorate/processes';

export class EtcdProcess {
  readonly address: string;
  readonly peerUrl: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(address: string, peerUrl: string, child: ChildProcess, directory: string) {
    this.address = address;
    this.peerUrl = peerUrl;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(binary: string, token: string): Promise<EtcdProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'quorate-etcd-'));
    const [client, peer] = await freePorts(2);
    const address = `127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    const child = spawn(
      binary,
      [
        ['--data-dir', directory],
        ['--listen-client-urls', `http://${address}`],
        ['--advertise-client-urls', `http://${address}`],
        ['--listen-peer-urls', peerUrl],
        ['--initial-advertise-peer-urls', peerUrl],
        ['--initial-cluster', `default=${peerUrl}`],
        ['--initial-cluster-token', token],
        ['--logger', 'zap'],
      ].flat(),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    const etcd = new EtcdProcess(address, peerUrl, child, directory);
    while (!(await etcd.#healthy())) {
      if (child.exitCode !== null) throw new Error(`etcd did not start:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return etcd;
  }

  async #healthy(): Promise<boolean> {
    try {
      return (await fetch(`http://${this.address}/health`)).ok;
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
    await rm(this.#directory, { recursive: true });
  }
}
