/**
 * Starting a worker thread from a module that lies beside its caller, built or as source.
 *
 * @module
 */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * @param callerUrl `import.meta.url` of the caller
 * @param name of the worker's module, without extension. A build puts it beside the caller's chunk as `.js`
 */
export function startWorker(callerUrl: string, name: string, options: WorkerOptions): Worker {
  const runsAsSource = callerUrl.endsWith('.ts');
  const url = new URL(`./${name}${runsAsSource ? '.ts' : '.js'}`, callerUrl);
  const loader = runsAsSource ? sourceLoader() : undefined;
  if (loader === undefined) return new Worker(url, options);
  const start = `import(${JSON.stringify(loader)}).then(({ register }) => {
    register();
    return import(${JSON.stringify(url.href)});
  });`;
  return new Worker(start, { ...options, eval: true, execArgv: [] });
}

/**
 * What makes TypeScript run here has to be started again in the thread: on Node 20 tsx registers itself in the main
 * thread only. Without tsx, Node itself runs the source.
 */
function sourceLoader(): string | undefined {
  return process.execArgv.some((argument) => argument.includes('tsx'))
    ? import.meta.resolve('tsx/esm/api')
    : undefined;
}
