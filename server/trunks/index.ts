export { TrunkBook } from './trunk-book.ts';
export type {
  Trunk,
  TrunkBookEvents,
  TrunkBookOptions,
  TrunkRequest,
  TrunkView,
} from './trunk-book.ts';
