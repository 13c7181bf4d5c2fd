/** A thread that runs the seeds it is given. */
import { parentPort, workerData } from 'node:worker_threads';
import { reportSeed, type RunLimits, standardWatchers } from '../index.ts';

const port = parentPort;
if (port === null) throw new Error('The campaign thread must be started as a worker thread.');
const limits = workerData as RunLimits;
port.on('message', (seed: number) => port.postMessage(reportSeed(seed, limits, standardWatchers)));
