#!/usr/bin/env node
// The command as it is linked at installation. It is not built, so that a fresh checkout can link it before the first build.
import '../dist/main.js';
