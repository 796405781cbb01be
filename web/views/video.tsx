import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A picture without sound: sound has its own elements. */
export function Video({
  track,
  mirrored = false,
}: {
  track: MediaStreamTrack;
  mirrored?: boolean;
}): VNode {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (video === null) return;
    video.srcObject = new MediaStream([track]);

    return () => {
      video.srcObject = null;
    };
  }, [track]);

  return (
    <video
      ref={element}
      class={mirrored ? 'mirrored' : ''}
      autoPlay
      playsInline
      muted
      aria-hidden="true"
    />
  );
}
