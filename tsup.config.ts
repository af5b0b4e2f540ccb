import { defineConfig } from 'tsup';

/** JavaScript only, flat in dist/; `tsc -p tsconfig.build.json` makes the declarations. */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    pack: 'src/pack.ts',
    protocol: 'src/protocol.ts',
    server: 'src/server.ts',
    ssh: 'src/ssh.ts',
    testing: 'src/testing.ts',
    cli: 'src/cli/main.ts',
    // Found beside whatever chunk starts it: see src/pack/node/thread-task-pool.ts.
    'delta-worker': 'src/pack/node/delta-worker.ts',
  },
  format: ['esm'],
  platform: 'node',
  target: 'node20',
  splitting: true,
  sourcemap: true,
  clean: true,
  silent: true,
});
