import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Speech at arm's length comes to about this much of full scale. */
const LOUD = 0.15;

/** A bar that follows a microphone: one sees that it works before anybody hears. */
export function LevelMeter({ track }: { track: MediaStreamTrack }): VNode {
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let frame = 0;
    const draw = (): void => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const level = Math.min(1, Math.sqrt(power) / LOUD);
      bar.current?.style.setProperty('--level', level.toFixed(2));
      frame = requestAnimationFrame(draw);
    };
    draw();

    return () => {
      cancelAnimationFrame(frame);
      void context.close();
    };
  }, [track]);

  return <div class="level-meter" ref={bar} aria-hidden="true" />;
}
