import { useEffect, useState } from 'preact/hooks';

export interface Source<S> {
  readonly state: S;
  subscribe(listener: () => void): () => void;
}

/** The source's state, and a new rendering at each change of it. */
export function useSource<S>(source: Source<S>): S {
  const [, setVersion] = useState(0);
  useEffect(() => {
    const update = (): void => setVersion((version) => version + 1);
    // It may have changed between rendering and this effect.
    update();

    return source.subscribe(update);
  }, [source]);

  return source.state;
}
