// Loading what a view shows, and loading it again.
import { useCallback, useEffect, useRef, useState } from './html.js';
import { standing, visible } from './live.js';

/**
 * What `read` answers, again whenever `deps` change. `every` asks again after so many milliseconds while the page can be
 * seen. What is there stays until the new answer comes.
 */
export function useLoad(read, deps, { every } = {}) {
  const [state, setState] = useState({ data: undefined, problem: null, loading: true });
  const run = useRef(0);
  const latest = useRef(read);
  latest.current = read;
  const reload = useCallback(async () => {
    const own = ++run.current;
    try {
      const data = await latest.current();
      if (own === run.current) setState({ data, problem: null, loading: false });
    } catch (problem) {
      if (own === run.current && problem.name !== 'AbortError') {
        setState((old) => ({ ...old, problem, loading: false }));
      }
    }
  }, []);
  useEffect(() => {
    setState((old) => ({ ...old, loading: true }));
    reload();
    return () => {
      run.current += 1;
    };
  }, deps);
  useEffect(() => {
    if (!every) return undefined;
    const timer = setInterval(() => visible.peek() && reload(), every);
    const stop = visible.subscribe((seen) => seen && run.current > 1 && reload());
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [every]);
  return { ...state, reload };
}

/** Calls `reload` when the counts of a queue change (of any, without a name): once a second at most. */
export function useChanges(queue, reload) {
  useEffect(() => {
    let last = queue ? standing.peek()?.get(queue) : standing.peek();
    return standing.subscribe((all) => {
      const next = queue ? all?.get(queue) : all;
      if (last !== undefined && next !== last) reload();
      last = next;
    });
  }, [queue]);
}
