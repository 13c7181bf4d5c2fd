#!/usr/bin/env node
// The command, for shells and for whoever starts it as a process. It is not built, so that a fresh checkout can link it before the
// first build.
//
// libuv makes its pool of threads when it first needs one, and loading an ES module does. So its size can be chosen only here:
// half of the processors, since what runs there (password hashing, the system's name look-ups) must leave room for the service,
// but two, so that a name server that does not answer holds up one of them alone.
const { availableParallelism } = require('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(2, Math.floor(availableParallelism() / 2)));
void import('../dist/main.js');
