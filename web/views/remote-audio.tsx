import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export interface RemoteAudioProps {
  /** By producer id. */
  tracks: ReadonlyMap<string, MediaStreamTrack>;
  speakerId: string;
  /** Set when sound waits for a click; a new value of `attempt` tries again. */
  attempt: number;
  onBlocked: (blocked: boolean) => void;
}

/** One element for each audio stream of somebody else. */
export function RemoteAudio({ tracks, speakerId, attempt, onBlocked }: RemoteAudioProps): VNode {
  return (
    <div hidden>
      {[...tracks]
        .filter(([, track]) => track.kind === 'audio')
        .map(([id, track]) => (
          <Sound
            key={id}
            track={track}
            speakerId={speakerId}
            attempt={attempt}
            onBlocked={onBlocked}
          />
        ))}
    </div>
  );
}

interface SoundProps extends Omit<RemoteAudioProps, 'tracks'> {
  track: MediaStreamTrack;
}

function Sound({ track, speakerId, attempt, onBlocked }: SoundProps): VNode {
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const audio = element.current;
    if (audio === null) return;
    audio.srcObject = new MediaStream([track]);

    return () => {
      audio.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    element.current?.play().then(
      () => onBlocked(false),
      (error: unknown) => {
        // Anything else than a refusal comes from being replaced or removed while it started.
        if (error instanceof DOMException && error.name === 'NotAllowedError') onBlocked(true);
      },
    );
  }, [track, attempt, onBlocked]);
  useEffect(() => {
    const audio = element.current;
    if (audio === null || speakerId === '' || !('setSinkId' in audio)) return;
    audio.setSinkId(speakerId).catch(() => undefined);
  }, [speakerId]);

  return <audio ref={element} autoPlay />;
}
