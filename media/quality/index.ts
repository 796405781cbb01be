export { END_POINTS_MS, callQuality, callRating } from './call-quality.ts';
export type { CallQuality } from './call-quality.ts';
export { ratingToMos } from './e-model.ts';
