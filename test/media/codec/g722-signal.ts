/**
 * What the G.722 tests encode, from whole numbers alone so that it is the same everywhere: a voice
 * that rises and falls, with hiss above 4 kHz, and bursts of noise.
 */
export function g722Signal(samples: number): Int16Array {
  const pcm = new Int16Array(samples);
  let seed = 1;
  for (let i = 0; i < samples; i++) {
    seed = (seed * 16_807) % 2_147_483_647;
    const noise = (seed % 65_536) - 32_768;
    const loudness = Math.abs(((i >> 4) % 200) - 100);
    const voice = ((i * (3 + ((i >> 12) & 3))) % 160) - 80;
    const burst = (i >> 11) % 4 === 3 ? noise >> 2 : noise >> 8;
    pcm[i] = voice * loudness + burst;
  }

  return pcm;
}
