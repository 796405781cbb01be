import type { WebPhoneSettings } from './page-api.ts';

/** A pure tone, and a picture of one colour with something that moves, so that there are frames. */
export async function createSource({ tone, colour }: WebPhoneSettings): Promise<MediaStream> {
  const context = new AudioContext();
  await context.resume();
  const gain = context.createGain();
  gain.gain.value = 0.25;
  const destination = context.createMediaStreamDestination();
  gain.connect(destination);
  if (tone > 0) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = tone;
    oscillator.connect(gain);
    oscillator.start();
  }
  const tracks = destination.stream.getAudioTracks();

  return new MediaStream(colour === undefined ? tracks : [...tracks, paint(colour)]);
}

function paint(colour: string): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 240;
  const context = canvas.getContext('2d')!;
  let frame = 0;
  setInterval(() => {
    context.fillStyle = colour;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = 'white';
    context.fillRect((frame += 4) % canvas.width, 0, 8, 8);
  }, 66);

  return canvas.captureStream(15).getVideoTracks()[0]!;
}
