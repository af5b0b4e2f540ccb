/** The floors of ARCHITECTURE.md, top to bottom; a folder imports itself and floors below it. */
const FLOORS = [
  ['cli'],
  ['server'],
  ['transport'],
  ['protocol'],
  ['repository'],
  ['odb', 'refs'],
  ['pack'],
  ['core'],
];

const upward = FLOORS.flatMap((floor, depth) =>
  floor.map((folder) => ({
    name: `floors-${folder}`,
    comment: `src/${folder} may import only itself and the floors below it`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: {
      path: [...FLOORS.slice(0, depth).flat(), ...floor.filter((other) => other !== folder)].map(
        (above) => `^src/${above}/`,
      ),
    },
  })),
).filter((rule) => rule.to.path.length > 0);

module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'node-only-at-the-edge',
      comment: 'node:* belongs in node/ folders, server/ and cli/ (ARCHITECTURE.md)',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/node/', '^src/server/', '^src/cli/'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'node-folders-only-at-the-edge',
      comment: 'portable code must not reach node:* through a node/ folder',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/node/', '^src/server/', '^src/cli/', '^src/(index|ssh).ts$'] },
      to: { path: '/node/' },
    },
    {
      name: 'libraries-in-one-place',
      comment: 'pako and @noble/hashes are the portable runtime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/core/portable/' },
      to: { path: 'node_modules/(pako|@noble)' },
    },
    {
      name: 'ssh2-in-one-place',
      comment: 'ssh2 belongs to the SSH transport; the library must not load it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/transport/node/ssh/' },
      to: { path: 'node_modules/(@types/)?ssh2' },
    },
    {
      name: 'ssh-only-by-its-entry-point',
      comment: 'src/ssh.ts, and whoever imports it when it is asked for, load ssh2',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/transport/node/ssh/', '^src/ssh.ts$'] },
      to: { path: '^src/transport/node/ssh/', pathNot: '/key-fingerprint.ts$' },
    },
    {
      name: 'tests-stay-out',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|fixtures)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types'] },
  },
};
